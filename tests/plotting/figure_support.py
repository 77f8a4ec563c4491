"""What every figure must keep, whatever it shows."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def assert_readable(figure: Figure, width: float = 8.5) -> None:
    """The figure fits a page of ``width`` inches, nothing reaches over its edges, and no legend covers a panel."""
    # A closed figure has no canvas that knows the size of a letter.
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    inches = figure.get_size_inches()
    assert inches[0] <= width
    box = figure.get_tightbbox(renderer)
    # A hundredth of an inch is the width of a line.
    assert box.x0 > -0.01 and box.y0 > -0.01, box
    assert box.x1 < inches[0] + 0.01 and box.y1 < inches[1] + 0.01, (box, inches)
    for legend in figure.legends:
        covered = legend.get_window_extent(renderer)
        assert not any(covered.overlaps(axis.get_window_extent(renderer)) for axis in figure.axes)
