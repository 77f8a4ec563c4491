"""The semantic hierarchy of a layer as a Hasse diagram, and pictures of what its classes respond to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from paperlib.hypergraphs import SemanticHierarchy
from paperlib.plotting.hypergraphs import members_text
from paperlib.plotting.images import bare
from paperlib.plotting.style import style

# Cards beside each other; a level with more takes several lines.
_PER_LINE = 6
# Inches: of the widest figure, of a card, of the picture on it, of a line of its text, between two lines of cards.
_WIDTH, _CARD, _PICTURE, _TEXT, _GAP = 8.4, 1.4, 0.8, 0.126, 0.42
# Inches: labels and headings of the rows of pictures, room between rows, and between groups.
_LABELS, _HEADING, _BETWEEN, _APART = 1.25, 0.3, 0.2, 0.14
# Inches, of a letter of a heading.
_LETTER = 0.082


@dataclass(frozen=True)
class Pictures:
    """Pictures of each equivalence class, in the order of the hierarchy's ``classes``.

    ``images`` holds a tensor ``(count, channels, height, width)`` in [0, 1] for each class, with 1 or 3 channels, or,
    where ``signed``, heat maps ``(count, height, width)``, drawn from blue through white at zero to red with one scale
    for each class. Counts may differ; ``titles``, where given, has one text for each picture of each class.
    """

    name: str
    images: Sequence[Tensor]
    signed: bool = False
    titles: Sequence[Sequence[str]] | None = None


def draw_hierarchy(
    hierarchy: SemanticHierarchy, singular_values: Tensor | None = None, pictures: Pictures | None = None
) -> Figure:
    """The Hasse diagram of a semantic hierarchy, the largest sets of classes on top (`convsvd`, Figures 6, 7 and 9).

    A card for each equivalence class says its members, its classes of images and the singular value, of those given as
    ``(directions,)``, of its first member; the first of its ``pictures`` stands above. A line joins a class to those
    below it that are significant for some of its classes and no others, with nothing between.

    Raises ``ValueError`` for a hierarchy without classes and for pictures of another number of classes.
    """
    _check(hierarchy, [] if pictures is None else [pictures])
    texts = [_card_text(hierarchy, place, singular_values) for place in range(len(hierarchy.classes))]
    heights = [_TEXT * (text.count("\n") + 1) + 0.12 + (_PICTURE if pictures is not None else 0) for text in texts]
    lines = _lines(hierarchy)
    width = max(4.0, min(_WIDTH, _CARD * max(map(len, lines))))
    steps = [max(heights[place] for place in line) + _GAP for line in lines]
    corners = {
        place: (width * (number + 0.5) / len(line), top)
        for line, top in zip(lines, accumulate(steps, initial=0.1), strict=False)
        for number, place in enumerate(line)
    }
    with style():
        figure, axis = plt.subplots(figsize=(width, sum(steps) - _GAP + 0.2), layout="none")
        figure.subplots_adjust(0, 0, 1, 1)
        for larger, smaller in hierarchy.edges:
            (x0, y0), (x1, y1) = corners[larger], corners[smaller]
            axis.plot([x0, x1], [y0 + heights[larger], y1], color="0.55", linewidth=0.9, zorder=1)
        for place, corner in corners.items():
            _draw_card(axis, texts[place], corner, None if pictures is None else (pictures, place))
        axis.set(xlim=(0, width), ylim=(sum(steps) - _GAP + 0.2, 0), aspect="auto")
        axis.set_axis_off()
        plt.close(figure)
    return figure


def _lines(hierarchy: SemanticHierarchy) -> list[list[int]]:
    """The classes of each line of cards, from the top and from left to right; a level is a line or several."""
    lines: list[list[int]] = []
    shares: dict[int, float] = {}
    for level in range(max(hierarchy.levels) + 1):
        members = [place for place, own in enumerate(hierarchy.levels) if own == level]
        members.sort(key=lambda place: _mean_above(hierarchy, place, shares))
        rows = -(-len(members) // _PER_LINE)
        size = -(-len(members) // rows)
        for start in range(0, len(members), size):
            lines.append(members[start : start + size])
            shares |= {place: (number + 0.5) / len(lines[-1]) for number, place in enumerate(lines[-1])}
    return lines


def _mean_above(hierarchy: SemanticHierarchy, place: int, shares: Mapping[int, float]) -> float:
    """Where the classes right above stand on average, so that lines cross little."""
    above = [shares[larger] for larger, smaller in hierarchy.edges if smaller == place]
    return sum(above) / len(above) if above else 0.0


def _card_text(hierarchy: SemanticHierarchy, place: int, singular_values: Tensor | None) -> str:
    one = hierarchy.classes[place]
    value = "" if singular_values is None else f", s = {float(singular_values[one.name]):.3g}"
    rows = [f"$[v_{{{one.name}}}]${value}"]
    if len(one.members) > 1:
        rows += [_wrapped(f"members {members_text(one.members, 10)}")]
    return "\n".join([*rows, _wrapped(" ".join(hierarchy.names_of(place)))])


def _wrapped(text: str, width: int = 22) -> str:
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def _draw_card(axis: Axes, text: str, corner: tuple[float, float], picture: tuple[Pictures, int] | None) -> None:
    x, top = corner
    if picture is not None:
        group, place = picture
        half = _PICTURE / 2 - 0.04
        _show(axis, group, place, 0, extent=(x - half, x + half, top + 2 * half, top))
        frame = {"facecolor": "none", "edgecolor": "0.6", "linewidth": 0.7, "zorder": 3}
        axis.add_patch(Rectangle((x - half, top), 2 * half, 2 * half, **frame))
        top += _PICTURE
    box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "0.6", "linewidth": 0.7}
    look = {"fontsize": 7.5, "ha": "center", "va": "top", "linespacing": 1.2}
    axis.text(x, top + 0.03, text, bbox=box, zorder=3, **look)


def draw_class_pictures(
    hierarchy: SemanticHierarchy, groups: Sequence[Pictures], singular_values: Tensor | None = None
) -> Figure:
    """Pictures of every equivalence class, a row for each and the ``groups`` side by side.

    The paper's Figures 6, 7 and 9 have optimised images, exemplary images and their heat maps beside each class.

    Raises ``ValueError`` for a hierarchy without classes, and pictures of another number of classes.
    """
    _check(hierarchy, groups)
    widths = [max(len(images) for images in group.images) for group in groups]
    rows, room = len(hierarchy.classes), _WIDTH - _LABELS - 0.1 - _APART * len(groups)
    side = min(0.75, room / sum(widths) - 0.05)
    # A heading may be wider than the pictures below it.
    reaches = [
        max(width * (side + 0.05), _LETTER * len(group.name)) for width, group in zip(widths, groups, strict=True)
    ]
    starts = list(accumulate((reach + _APART for reach in reaches), initial=_LABELS))
    size = starts[-1] - _APART + 0.1, _HEADING + rows * (side + _BETWEEN)
    with style():
        figure = plt.figure(figsize=size, layout="none")
        for group, start in zip(groups, starts, strict=False):
            figure.text(start / size[0], 1 - 0.05 / size[1], group.name, fontsize=9, fontweight="bold", va="top")
        for row in range(rows):
            bottom = size[1] - _HEADING - (row + 1) * (side + _BETWEEN) + 0.04
            label = _row_label(hierarchy, row, singular_values)
            middle = (bottom + side / 2) / size[1]
            figure.text((_LABELS - 0.08) / size[0], middle, label, fontsize=7.5, ha="right", va="center")
            for group, start in zip(groups, starts, strict=False):
                for number in range(len(group.images[row])):
                    left = start + number * (side + 0.05)
                    box = (left / size[0], bottom / size[1], side / size[0], side / size[1])
                    axis = figure.add_axes(box)
                    _show(axis, group, row, number)
                    bare(axis, "", size=7)
                    if group.titles is not None:
                        axis.set_title(group.titles[row][number], fontsize=7, pad=1.5)
        plt.close(figure)
    return figure


def _row_label(hierarchy: SemanticHierarchy, row: int, singular_values: Tensor | None) -> str:
    one = hierarchy.classes[row]
    count = f" ×{len(one.members)}" if len(one.members) > 1 else ""
    value = "" if singular_values is None else f"\ns = {float(singular_values[one.name]):.3g}"
    return f"$[v_{{{one.name}}}]${count}{value}\n{_wrapped(' '.join(hierarchy.names_of(row)), 20)}"


def _show(axis: Axes, group: Pictures, row: int, number: int, **where) -> None:
    images = group.images[row]
    if group.signed:
        bound = float(images.abs().max()) or 1.0
        axis.imshow(images[number].numpy(), cmap="RdBu_r", vmin=-bound, vmax=bound, zorder=2, **where)
        return
    image = images[number]
    shown = image[0] if len(image) == 1 else image.movedim(0, 2)
    axis.imshow(shown.numpy(), cmap="gray", vmin=0, vmax=1, zorder=2, **where)


def _check(hierarchy: SemanticHierarchy, groups: Sequence[Pictures]) -> None:
    if not hierarchy.classes:
        raise ValueError("the hierarchy has no equivalence class: no direction is significant; lower q or p")
    for group in groups:
        if len(group.images) != len(hierarchy.classes):
            raise ValueError(
                f"{group.name} has pictures of {len(group.images)} classes; expected some for each of the "
                f"{len(hierarchy.classes)} equivalence classes"
            )
