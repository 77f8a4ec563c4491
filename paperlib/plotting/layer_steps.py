"""The steps of one convolution as arrays of heat maps, and what ReLU leaves of each direction (`convsvd`, Figure 5)."""

from collections.abc import Mapping, Sequence
from typing import Literal

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.convsvd.layer_steps import LayerSteps, Survival
from paperlib.plotting.images import bare
from paperlib.plotting.style import NETWORK_COLOURS, style

Scale = Literal["step", "image"]

# Inches: of the figure, of a heading, and between two images.
_WIDTH, _HEADING, _GAP = 8.4, 0.34, 0.04


def draw_layer_steps(steps: LayerSteps, shown: int = 9, scale: Scale = "step") -> Figure:
    """All steps from top to bottom, each a row of heat maps: blue negative, white zero, red positive.

    Of the input's channels, the receptive fields and the directions the first ``shown`` are drawn, of the output all
    filters. The images of a step share one colour scale (``"step"``), or have one each (``"image"``). Above each signal
    stands its singular value.

    Raises ``ValueError`` for fewer than one image shown, or another scale.
    """
    if shown < 1 or scale not in ("step", "image"):
        raise ValueError(f"shown is {shown} and scale {scale!r}; expected at least 1, and step or image")
    values = [f"{value:.2f}" for value in steps.singular_values.tolist()]
    rows = [
        (_heading("input $X$", steps.input, shown), steps.input[:shown], None),
        (_heading(r"receptive fields $\Psi(X)$", steps.fields, shown), steps.fields[:shown], None),
        (_heading(r"projections $V^T\Psi(X)$", steps.projections, shown), steps.projections[:shown], None),
        (
            _heading(r"signals $SV^T\Psi(X)$ below their singular values", steps.signals, shown),
            steps.signals[:shown],
            values,
        ),
        (_heading("output $Y$", steps.output), steps.output, None),
        (_heading("with bias and activation, ReLU$(Y + B)$", steps.activated), steps.activated, None),
        (_heading(r"projected back, $U^T$ReLU$(Y + B)$", steps.returned, shown), steps.returned[:shown], None),
    ]
    side = _WIDTH / max(shown, 9) - _GAP
    heights = [_block_height(images, titles, side) for _, images, titles in rows]
    height = sum(heights) + 0.1
    with style():
        figure = plt.figure(figsize=(_WIDTH, height), layout="none")
        top = height - 0.02
        for (name, images, titles), block in zip(rows, heights, strict=True):
            figure.text(0.01, (top - 0.08) / height, name, fontsize=9, fontweight="bold", va="top")
            _draw_block(figure, images, titles, scale, (top - _HEADING, height, side))
            top -= block
        plt.close(figure)
    return figure


def _heading(name: str, images: Tensor, shown: int | None = None) -> str:
    count, rows, columns = images.shape
    first = f"the first {shown} of " if shown is not None and count > shown else ""
    return f"{name}: {first}{count} image{'s' if count > 1 else ''} of {rows} × {columns}"


def _layout(images: Tensor, side: float) -> tuple[int, float]:
    """Images in a row, and their side: many are drawn at half size."""
    columns = round(_WIDTH / (side + _GAP))
    return (columns, side) if len(images) <= columns else (2 * columns - 2, _WIDTH / (2 * columns - 2) - _GAP)


def _block_height(images: Tensor, titles: Sequence[str] | None, side: float) -> float:
    columns, size = _layout(images, side)
    rows = -(-len(images) // columns)
    return _HEADING + rows * (size + _GAP + (0.14 if titles else 0)) + 0.06


def _draw_block(
    figure: Figure, images: Tensor, titles: Sequence[str] | None, scale: Scale, place: tuple[float, float, float]
) -> None:
    top, height, side = place
    columns, size = _layout(images, side)
    shared = float(images.abs().max()) or 1.0
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        above = 0.14 if titles else 0
        bottom = top - row * (size + _GAP + above) - above - size
        left = column * (size + _GAP) + _GAP / 2
        axis = figure.add_axes((left / _WIDTH, bottom / height, size / _WIDTH, size / height))
        bound = shared if scale == "step" else float(image.abs().max()) or 1.0
        axis.imshow(image.numpy(), cmap="RdBu_r", vmin=-bound, vmax=bound)
        bare(axis, "")
        if titles:
            axis.set_title(titles[number], fontsize=8, pad=2)


def draw_relu_survival(found: Mapping[str, Survival], chance: Mapping[str, Sequence[Survival]]) -> Figure:
    """By direction, what is left of a layer's signals behind ReLU, for several networks.

    Energies before (hollow) and after (full) at the left, the share in the middle, and at the right the correlation
    between the two. A band shows the range over the ``chance`` of the same name.
    """
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.9))
        for place, (name, one) in enumerate(found.items()):
            colour = NETWORK_COLOURS[place]
            index = range(len(one.before))
            axes[0].plot(index, one.before, "o--", color=colour, markerfacecolor="white", linewidth=0.8, markersize=4)
            axes[0].plot(range(len(one.after)), one.after, "o-", color=colour, markersize=3, linewidth=1, label=name)
            for axis, field in ((axes[1], "ratio"), (axes[2], "correlation")):
                axis.plot(index, getattr(one, field), "o-", color=colour, markersize=3, linewidth=1, label=name)
                _band(axis, chance.get(name, ()), field, colour)
        for axis, title, label in zip(
            axes,
            ("energy: hollow before, full after", "energy after / before", "correlation, before with after"),
            ("mean square", "ratio", "correlation"),
            strict=True,
        ):
            axis.set(xlabel="direction, by singular value", ylabel=label)
            axis.set_title(title, fontsize=9)
        axes[0].set_yscale("log")
        axes[1].set_yscale("log")
        handles, labels = axes[1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
        plt.close(figure)
    return figure


def _band(axis: Axes, chance: Sequence[Survival], field: str, colour: str) -> None:
    if not chance:
        return
    values = torch.stack([getattr(one, field) for one in chance])
    low, high = values.min(0).values, values.max(0).values
    axis.fill_between(range(len(low)), low, high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(values.mean(0), color=colour, linestyle=":", linewidth=1, label="random directions in place of U")
