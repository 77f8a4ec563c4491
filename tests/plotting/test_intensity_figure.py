"""The figure of intensity scales: both panels hold every scan, in the order of the stored medians."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from paperlib.datasets.volumes import phantoms
from paperlib.plotting.intensities import draw_intensity_scales
from paperlib.segmentation.intensities import IntensityScale, intensity_scales

SCALES = (
    IntensityScale("large", False, (2000.0, 40000.0, 90000.0), (-2.0, 0.1, 2.1)),
    IntensityScale("bytes", True, (5.0, 60.0, 120.0), (-1.9, 0.2, 2.2)),
    IntensityScale("usual", False, (20.0, 500.0, 1500.0), (-1.8, 0.3, 2.3)),
)


def drawn(figure: Figure, panel: int) -> dict[int, tuple[float, float, float]]:
    """Low, median and high at each place of a panel."""
    axis = figure.axes[panel]
    medians = {}
    for line in axis.lines:
        if line.get_marker() == "o":
            medians |= dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))
    ends = {}
    for collection in axis.collections:
        assert isinstance(collection, LineCollection)
        for (place, low), (_, high) in collection.get_segments():
            ends[int(place)] = (low, high)
    return {place: (ends[place][0], medians[place], ends[place][1]) for place in sorted(ends)}


def test_every_scan_is_in_both_panels_in_one_order():
    figure = draw_intensity_scales(SCALES)
    order = [SCALES[1], SCALES[2], SCALES[0]]
    assert drawn(figure, 0) == {place + 1: scale.before for place, scale in enumerate(order)}
    assert drawn(figure, 1) == {place + 1: scale.after for place, scale in enumerate(order)}


def test_axes_and_legend_say_what_is_drawn():
    figure = draw_intensity_scales(SCALES)
    left, right = figure.axes
    assert left.get_yscale() == "log" and right.get_yscale() == "linear"
    assert (left.get_title(), right.get_title()) == ("as stored", "normalised")
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["whole numbers up to 255 (1 of 3 scans)", "other numbers (2 of 3 scans)"]


@pytest.mark.parametrize("low", [-3.0, 0.0, 5.0])
def test_values_of_one_scale_or_below_zero_have_a_linear_axis(low):
    scales = [IntensityScale(str(high), False, (low, 10.0, high), (-1.0, 0.0, 1.0)) for high in (20.0, 30.0)]
    figure = draw_intensity_scales(scales)
    assert figure.axes[0].get_yscale() == "linear" and figure.legends == []


def test_phantoms_are_drawn_too():
    figure = draw_intensity_scales(intensity_scales(phantoms(12, (16, 16, 16))))
    low, _, high = np.array(list(drawn(figure, 1).values())).T
    assert len(low) == 12 and (low < 0).all() and (high > 0).all()
