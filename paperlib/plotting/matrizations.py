"""A convolution and its two matrices as blocks of numbers (`convsvd`, Figures 1 and 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle
from torch import Tensor

from paperlib.plotting.style import NETWORK_COLOURS, style

_WIDTH = 8.0
# Room beside and below a block, in cells of a matrix of twenty columns.
_BETWEEN, _ABOVE = 0.06, 0.09
_SMALLEST_DIGITS = 0.16
# Of a little cube, in its own sides.
_DEPTH = 0.3


@dataclass(frozen=True)
class MatrizationSquare:
    """One convolution twice: as a map of tensors, and as a product of matrices.

    ``weight`` ``(d, c, k, k)``, ``image`` ``(c, m, m)`` and ``output`` ``(d, n, n)``; ``matrix``, ``argument`` and
    ``product`` are their matrices, with these ``names`` and the words beside the three vertical ``arrows``, all in TeX.
    """

    weight: Tensor
    image: Tensor
    output: Tensor
    matrix: Tensor
    argument: Tensor
    product: Tensor
    names: tuple[str, str, str]
    arrows: tuple[str, str, str]


def draw_matrization_square(square: MatrizationSquare) -> Figure:
    """The commutative square: the convolution above, its matrices below, with their numbers where there is room."""
    above = [_tiled(square.weight), _tiled(square.image.unsqueeze(0)), _tiled(square.output.unsqueeze(0))]
    below = [part.double().numpy() for part in (square.matrix, square.argument, square.product)]
    wide = [max(one.shape[1], other.shape[1], 4) for one, other in zip(above, below, strict=True)]
    total = sum(wide)
    gap, room = _BETWEEN * total + 1.2, _ABOVE * total + 0.8
    heights = [max(one.shape[0] for one in row) for row in (above, below)]
    width, height = total + 2 * gap + 1, sum(heights) + room + 2.4
    with style():
        figure, axis = plt.subplots(figsize=(_WIDTH, _WIDTH * height / width))
        inches = _WIDTH / width
        names = [_space(*pair) for pair in zip("WXY", (square.weight, square.image, square.output), strict=True)]
        left = 0.5
        for column, side in enumerate(wide):
            middle = left + side / 2
            # A tensor and its matrix share a scale, in which outputs would leave the weights pale.
            bound = max(np.nanmax(np.abs(row[column])) for row in (above, below)) or 1.0
            for row, blocks in enumerate((above, below)):
                block = blocks[column]
                centre = heights[1] + room + heights[0] / 2 if row == 0 else heights[1] / 2
                corner = (middle - block.shape[1] / 2, centre + block.shape[0] / 2)
                _numbers(axis, corner, block, bound, inches)
                name = names[column] if row == 0 else square.names[column]
                above_block = row == 0
                y = centre + (1 if above_block else -1) * (block.shape[0] / 2 + 0.25)
                axis.text(middle, y, name, ha="center", va="bottom" if above_block else "top", fontsize=9)
            _arrow(axis, (middle, heights[1] + room - 0.3), (middle, heights[1] + 0.3))
            axis.text(middle + 0.3, heights[1] + room / 2, square.arrows[column], va="center", fontsize=9)
            if column < 2:
                for row, sign in enumerate((r"$\star$", r"$\cdot$") if column == 0 else ("$=$", "$=$")):
                    centre = heights[1] + room + heights[0] / 2 if row == 0 else heights[1] / 2
                    axis.text(left + side + gap / 2, centre, sign, ha="center", va="center", fontsize=16)
            left += side + gap
        axis.set(xlim=(0, width), ylim=(-1.4, height - 1.2), aspect="equal")
        axis.set_axis_off()
        plt.close(figure)
    return figure


def draw_coloured_matrices(shape: tuple[int, int, int, int], entries: Sequence[Tensor], names: Sequence[str]) -> Figure:
    """A filter as a cube of coloured cells, and matrices whose cells have the colour of their place in the filter.

    ``shape`` is ``(d, c, k, k)``; each of ``entries`` ``(rows, columns)`` int64 holds the flat place in the filter
    ``(c, k, k)`` of the weight that stands there, or -1 for zero, drawn white. The hue is the channel, the lightness
    the place in its kernel (`convsvd`, Figure 2).
    """
    _, channels, *kernel = shape
    places = channels * kernel[0] * kernel[1]
    colours = np.array([_colour(place, kernel[0] * kernel[1]) for place in range(places)])
    unit = max(max(part.shape[1] for part in entries), 8)
    side = min(0.08 * unit, unit / (channels * (kernel[1] + 1)))
    heights = [(kernel[0] + _DEPTH) * side, *(len(part) * min(1.0, unit / part.shape[1]) for part in entries)]
    titles = [f"one filter, {channels} channels of {kernel[0]} × {kernel[1]}", *names]
    room = 0.06 * unit
    total = sum(heights) + room * len(heights)
    with style():
        figure, axis = plt.subplots(figsize=(_WIDTH, min(_WIDTH * total / (unit + 0.4), 9.5)))
        top = total
        for index, (height, title) in enumerate(zip(heights, titles, strict=True)):
            top -= room
            axis.text(0, top + 0.2 * room, title, va="bottom", fontsize=9)
            if index == 0:
                _cube(axis, top - height, side, channels, kernel, colours)
            else:
                _cells(axis, top, entries[index - 1], colours, unit)
            top -= height
        axis.set(xlim=(-0.2, unit + 0.2), ylim=(-0.2, total), aspect="equal")
        axis.set_axis_off()
        plt.close(figure)
    return figure


def _tiled(tensor: Tensor) -> np.ndarray:
    """``(rows, columns, height, width)`` as one array with NaN between the blocks."""
    rows, columns, height, width = tensor.shape
    tiles = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + 1), column * (width + 1)
            tiles[top : top + height, left : left + width] = tensor[row, column].numpy()
    return tiles


def _numbers(axis: Axes, corner: tuple[float, float], block: np.ndarray, bound: float, inches: float) -> None:
    """Cells from the upper left ``corner`` on, with their numbers where a cell is large enough for them."""
    colours = plt.get_cmap("RdBu_r")(0.5 + 0.28 * block / bound)
    for (row, column), value in np.ndenumerate(block):
        if np.isnan(value):
            continue
        x, y = corner[0] + column, corner[1] - row - 1
        face = colours[row, column] if value else "white"
        axis.add_patch(Rectangle((x, y), 1, 1, facecolor=face, edgecolor="0.6", linewidth=0.4))
        if inches > _SMALLEST_DIGITS and value:
            text = f"{value:g}".replace("-", "−")
            axis.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=min(8, 30 * inches))


def _space(letter: str, tensor: Tensor) -> str:
    sizes = ",".join(map(str, tensor.shape))
    return rf"${letter}\in\mathbb{{T}}_{{({sizes})}}$"


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axis.add_patch(FancyArrowPatch(start, end, arrowstyle="->", mutation_scale=10, color="0.25", linewidth=1))


def _colour(place: int, size: int) -> tuple[float, ...]:
    channel, entry = divmod(place, size)
    hue = np.array(to_rgb(NETWORK_COLOURS[channel % len(NETWORK_COLOURS)]))
    # From nearly black to pale; further hues begin again, told apart by the labels.
    share = (entry + 0.5) / size
    mixed = hue * (0.45 + 1.1 * share) if share < 0.5 else hue + (1 - hue) * (1.5 * share - 0.75)
    return tuple(np.clip(mixed, 0, 1))


def _cells(axis: Axes, top: float, entries: Tensor, colours: np.ndarray, unit: float) -> None:
    side = min(1.0, unit / entries.shape[1])
    inches = _WIDTH * side / (unit + 1)
    for (row, column), place in np.ndenumerate(entries.numpy()):
        x, y = column * side, top - (row + 1) * side
        face = "white" if place < 0 else colours[place]
        axis.add_patch(Rectangle((x, y), side, side, facecolor=face, edgecolor="0.8", linewidth=0.4))
        if place >= 0 and inches > 0.2:
            _label(axis, (x + side / 2, y + side / 2), place, face, min(8, 24 * inches))


def _cube(axis: Axes, bottom: float, side: float, channels: int, kernel: Sequence[int], colours: np.ndarray) -> None:
    """Little cubes in oblique projection, a slab for each channel, moved apart so that none is hidden."""
    deep = _DEPTH * side
    for channel in range(channels):
        # From below and from the left: a cube hides what is behind it.
        for row, column in np.ndindex(*kernel):
            row = kernel[0] - 1 - row
            place = (channel * kernel[0] + row) * kernel[1] + column
            x = (channel * (kernel[1] + 1) + column) * side
            y = bottom + (kernel[0] - 1 - row) * side
            face = colours[place]
            front = np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])
            for edge, shaded in ((front[[3, 2]], face + (1 - face) * 0.35), (front[[2, 1]], face * 0.8)):
                axis.add_patch(_face(np.concatenate([edge, edge[::-1] + deep]), shaded))
            axis.add_patch(_face(front, face))
            _label(axis, (x + side / 2, y + side / 2), place, face, 8)


def _face(corners: np.ndarray, colour) -> Polygon:
    return Polygon(corners, closed=True, facecolor=colour, edgecolor="white", linewidth=0.6)


def _label(axis: Axes, centre: tuple[float, float], place: int, face, size: float) -> None:
    dark = np.dot(face, (0.3, 0.59, 0.11)) < 0.55
    axis.text(*centre, str(place), ha="center", va="center", fontsize=size, color="white" if dark else "0.1")
