"""Optimised and exemplary images side by side, and heat maps beside the images that they belong to."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.images import bare
from paperlib.plotting.style import style

_WIDTH = 8.4


def draw_feature_images(rows: Mapping[str, Tensor], titles: Sequence[str]) -> Figure:
    """Images in a grid, a column for each title and a row for each name, such as ``"optimised"``.

    Each row is ``(columns, channels, height, width)`` in [0, 1] with 1 or 3 channels; sizes may differ between rows.

    Raises ``ValueError`` where a row has another number of images than there are titles.
    """
    for name, images in rows.items():
        if len(images) != len(titles):
            raise ValueError(f"row {name!r} has {len(images)} images for {len(titles)} titles; expected one for each")
    side = min(1.15, (_WIDTH - 0.4) / len(titles))
    with style():
        size = (side * len(titles) + 0.4, (side + 0.05) * len(rows) + 0.3)
        figure, axes = plt.subplots(len(rows), len(titles), figsize=size, squeeze=False)
        for row, (line, (name, images)) in enumerate(zip(axes, rows.items(), strict=True)):
            for axis, image, title in zip(line, images, titles, strict=True):
                show_image(axis, image)
                bare(axis, title if row == 0 else "", size=8)
            line[0].set_ylabel(name, fontsize=8)
        plt.close(figure)
    return figure


def draw_heat_maps(images: Tensor, maps: Tensor, titles: Sequence[str], names: Sequence[str]) -> Figure:
    """Images ``(count, channels, height, width)``, each above its heat maps ``(count, n, h, w)``, a column for each.

    ``titles`` stand above the images, ``names`` at the left of the rows of maps, one for each direction. Blue is
    negative, white zero and red positive; a row has one scale.

    Raises ``ValueError`` where images, maps, titles and names do not belong together.
    """
    if maps.dim() != 4 or (len(titles), len(names)) != tuple(maps.shape[:2]) or len(images) != len(maps):
        raise ValueError(
            f"{len(images)} images with {len(titles)} titles, maps {tuple(maps.shape)} and {len(names)} names; "
            "expected maps (images, names, height, width)"
        )
    side = min(1.3, (_WIDTH - 0.4) / len(images))
    with style():
        size = (side * len(images) + 0.4, (side + 0.05) * (len(names) + 1) + 0.3)
        figure, axes = plt.subplots(len(names) + 1, len(images), figsize=size, squeeze=False)
        bounds = maps.abs().amax((0, 2, 3)).clamp_min(1e-12).tolist()
        for column, line in enumerate(axes.T):
            show_image(line[0], images[column])
            bare(line[0], titles[column], size=8)
            for axis, one, bound in zip(line[1:], maps[column], bounds, strict=True):
                axis.imshow(one.numpy(), cmap="RdBu_r", vmin=-bound, vmax=bound)
                bare(axis, "")
        for axis, name in zip(axes[1:, 0], names, strict=True):
            axis.set_ylabel(name, fontsize=8)
        plt.close(figure)
    return figure


def draw_similarity_overlays(
    first: Tensor, second: Tensor, maps: Tensor, places: Sequence[tuple[int, int]], title: str = ""
) -> Figure:
    """The second of two photographs as alike places of the first one see it.

    ``first`` and ``second`` are ``(channels, height, width)`` in [0, 1] and ``maps`` ``(h, w, h', w')`` those of
    `similarity_maps`. For each place (row, column) of the first image's grid a column: above, the first image with the
    place marked; below, the second, dark where the cosine is 0 or less, clear where it is the largest of all columns,
    with the largest of its own above.

    Raises ``ValueError`` for no place, and ``IndexError`` for one outside the grid.
    """
    if not places:
        raise ValueError("no place of the first image is given; expected one or more (row, column)")
    for row, column in places:
        if not (0 <= row < maps.shape[0] and 0 <= column < maps.shape[1]):
            raise IndexError(f"the grid is {maps.shape[0]} x {maps.shape[1]}; there is no place ({row}, {column})")
    side = min(1.9, (_WIDTH - 0.4) / len(places))
    largest = max(max(float(maps[place].max()) for place in places), 1e-6)
    with style():
        size = (side * len(places) + 0.4, 2 * (side + 0.22) + 0.2)
        figure, axes = plt.subplots(2, len(places), figsize=size, squeeze=False)
        for place, (above, below) in zip(places, axes.T, strict=True):
            show_image(above, first)
            _mark(above, place, maps.shape[:2], first.shape[1:])
            bare(above, f"place {place[0]}, {place[1]}", size=8)
            _overlay(below, second, maps[place] / largest)
            bare(below, f"largest cosine {maps[place].max():.2f}", size=8)
        if title:
            figure.suptitle(title, fontsize=9)
        plt.close(figure)
    return figure


def show_image(axis: Axes, image: Tensor) -> None:
    """An image ``(channels, height, width)`` in [0, 1], grey or in colour."""
    axis.imshow(image[0].numpy() if len(image) == 1 else image.movedim(0, 2).numpy(), cmap="gray", vmin=0, vmax=1)


def _mark(axis: Axes, place: tuple[int, int], grid: Sequence[int], size: Sequence[int]) -> None:
    (row, column), (height, width) = place, (size[0] / grid[0], size[1] / grid[1])
    for colour, line in (("black", 3.0), ("yellow", 1.3)):
        corner = (column * width - 0.5, row * height - 0.5)
        axis.add_patch(plt.Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=line))


def _overlay(axis: Axes, image: Tensor, similarity: Tensor) -> None:
    """The image with a veil that is none where the similarity is 1."""
    show_image(axis, image)
    height, width = image.shape[1:]
    veil = 0.88 * (1 - similarity.clamp(0, 1))
    box = (-0.5, width - 0.5, height - 0.5, -0.5)
    dark = veil.numpy() * 0
    axis.imshow(dark, cmap="gray", vmin=0, vmax=1, alpha=veil.numpy(), extent=box)
    best = divmod(int(similarity.argmax()), similarity.shape[1])
    _mark(axis, best, similarity.shape, (height, width))
