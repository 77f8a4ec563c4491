"""Images and singular vectors as images."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.style import style


def draw_projection(image: Tensor, projection: Tensor, titles: tuple[str, str]) -> Figure:
    """An image ``(height, width)`` beside its projection on a subspace, each on its own colour scale.

    The image is grey from 0; the projection has both signs and is drawn from blue through white at zero to red.
    """
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(4.6, 2.3))
        shown = left.imshow(image.numpy(), cmap="gray", vmin=0)
        figure.colorbar(shown, ax=left, shrink=0.8)
        figure.colorbar(_signed(right, projection), ax=right, shrink=0.8)
        for axis, title in zip((left, right), titles, strict=True):
            bare(axis, title)
        plt.close(figure)
    return figure


def draw_vectors(vectors: Sequence[Tensor], titles: Sequence[str], columns: int = 5) -> Figure:
    """Vectors as images ``(height, width)``, each on its own symmetric scale, blue negative and red positive."""
    rows = -(-len(vectors) // columns)
    with style():
        figure, axes = plt.subplots(rows, columns, figsize=(1.45 * columns, 1.65 * rows), squeeze=False)
        for axis in axes.flat[len(vectors) :]:
            axis.set_axis_off()
        for axis, vector, title in zip(axes.flat, vectors, titles, strict=False):
            _signed(axis, vector)
            bare(axis, title, size=8)
        plt.close(figure)
    return figure


def _signed(axis: Axes, values: Tensor):
    bound = float(values.abs().max())
    return axis.imshow(values.numpy(), cmap="RdBu_r", vmin=-bound, vmax=bound)


def bare(axis: Axes, title: str, size: int = 9) -> None:
    axis.set_title(title, fontsize=size)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)
    for spine in axis.spines.values():
        spine.set_visible(True)
        spine.set_color("0.7")
