"""A circle and its image under a 2 x 2 matrix, with projections in two bases (`convsvd`, Figure 8)."""

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.style import NETWORK_COLOURS, style
from paperlib.svd.triplets import with_signs

_COLOURS = (NETWORK_COLOURS[1], NETWORK_COLOURS[0])
_POINT = NETWORK_COLOURS[2]
_DOTS = 48


def draw_circle(matrix: Tensor, angle: float = 1.3) -> Figure:
    """The unit circle and its image, once with the axes and once with the singular directions (`convsvd`, Figure 8).

    ``matrix`` is ``(2, 2)``; the vector x at ``angle`` (radians) and Wx are drawn with their projections on the
    basis. Dots are coloured by how much the matrix stretches them.
    """
    W = matrix.double()
    U, S, Vh = torch.linalg.svd(W)
    U, Vh = with_signs(U, Vh)
    axes_of_plane = torch.eye(2, dtype=torch.float64)
    bases = (
        ("axes", axes_of_plane, ("$e_0$", "$e_1$"), axes_of_plane, ("$e_0$", "$e_1$")),
        ("singular directions", Vh, ("$v_0$", "$v_1$"), (U * S).T, ("$s_0u_0$", "$s_1u_1$")),
    )
    turns = torch.linspace(0, 2 * torch.pi, _DOTS + 1, dtype=torch.float64)
    circle = torch.stack([turns.cos(), turns.sin()], 1)
    x = torch.tensor([angle], dtype=torch.float64)
    x = torch.cat([x.cos(), x.sin()])
    with style():
        figure, grid = plt.subplots(2, 2, figsize=(6.8, 6.4))
        for row, (name, before, names_before, after, names_after) in zip(grid, bases, strict=True):
            stretch = torch.linalg.vector_norm(circle @ W.T, dim=1)
            for axis, points, vector, label in ((row[0], circle, x, "$x$"), (row[1], circle @ W.T, W @ x, "$Wx$")):
                axis.plot(*points.T, color="0.6", linewidth=1)
                shown = axis.scatter(*points[:-1].T, c=stretch[:-1], cmap="viridis", s=9, zorder=2)
                image = points is not circle
                _project(axis, vector, after if image else before, names_after if image else names_before)
                _arrow(axis, vector, _POINT, label)
                _frame(axis, 1.18 * max(1.0, float(points.abs().max())))
            row[0].set_title(f"the circle, {name}")
            row[1].set_title(f"its image, {name}")
        figure.colorbar(shown, ax=grid, shrink=0.5, label="stretch $|Wx|/|x|$")
        plt.close(figure)
    return figure


def _project(axis: Axes, vector: Tensor, basis: Tensor, names: tuple[str, str]) -> None:
    for direction, name, colour in zip(basis, names, _COLOURS, strict=True):
        square = float(direction @ direction)
        foot = direction * float(vector @ direction) / square if square else direction
        axis.plot(*zip(vector.tolist(), foot.tolist(), strict=True), color=colour, linestyle=(0, (4, 3)), linewidth=1)
        axis.plot(*zip([0.0, 0.0], foot.tolist(), strict=True), color=colour, linewidth=5, alpha=0.4)
        _arrow(axis, direction, colour, name)


def _arrow(axis: Axes, end: Tensor, colour: str, name: str) -> None:
    look = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", end.tolist(), (0, 0), arrowprops=look)
    length = float(end.norm()) or 1.0
    offset = (12 * end / length).tolist()
    axis.annotate(name, end.tolist(), offset, textcoords="offset points", color=colour, ha="center", va="center")


def _frame(axis: Axes, half: float) -> None:
    axis.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
