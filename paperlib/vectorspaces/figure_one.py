"""The data of Figure 1 of `vectorspaces`, and what the paper says of it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.plotting.spaces import ImageRow
from paperlib.subspaces import four_spaces, neuron_basis, project
from paperlib.vectorspaces.statements import (
    bimodality,
    central_disc,
    neighbour_correlation,
    residuals_of,
    shape_cosines,
)

SIDE = 28
HOLE_RADIUS = 3.0
# Pixels that are darker in the mean of all digits see hardly any image, and their weights stay as they began.
DARK = 0.1


@dataclass(frozen=True)
class FigureOne:
    """Rows of images ``(10, 784)`` float64: weights, unit signal vectors, mean images, residuals in two readings.

    ``singular_values`` ``(10,)``; a residual ``row`` lacks the projection on the digit's own weights (eq. 4),
    ``rowspace`` that on the whole signal space.
    """

    weights: Tensor
    signal_vectors: Tensor
    singular_values: Tensor
    means: Tensor
    row: Tensor
    rowspace: Tensor

    def rows(self, residual_kind: str, scale: str) -> list[ImageRow]:
        """The three rows of the figure as `paperlib.plotting.draw_image_rows` takes them."""
        scaled = self.signal_vectors * self.singular_values.unsqueeze(1)
        titles = [f"{value:.2f}" for value in self.singular_values]
        return [
            ImageRow("weight rows", _images(self.weights), [str(c) for c in range(len(self.weights))], scale=scale),
            ImageRow("$s_i v_i$", _images(scaled), titles, scale=scale),
            self.residual_row(residual_kind, scale),
        ]

    def residual_row(self, kind: str, scale: str = "common") -> ImageRow:
        """The residuals of kind ``"row"`` or ``"rowspace"`` as one row of the figure."""
        images = getattr(self, kind)
        return ImageRow("residuals", _images(images), [str(c) for c in range(len(images))], signed=False, scale=scale)

    def as_lists(self, digits: int) -> dict[str, list]:
        """Weights and means as lists rounded to ``digits`` decimals: all that `from_lists` needs."""
        return {name: torch.round(getattr(self, name), decimals=digits).tolist() for name in ("weights", "means")}

    @classmethod
    def from_lists(cls, lists: dict[str, list]) -> "FigureOne":
        """The figure from what `as_lists` gave."""
        weights, means = (torch.tensor(lists[name], dtype=torch.float64) for name in ("weights", "means"))
        return figure_one(weights, means)


def figure_one(weight: Tensor, means: Tensor) -> FigureOne:
    """Decompose the one-layer network's ``weight`` ``(10, 784)`` beside mean images ``(10, ...)`` of 784 pixels."""
    W, x = weight.detach().double(), means.flatten(1).double()
    spaces = four_spaces(weight)
    own = torch.stack([project(neuron_basis(w), mean) for w, mean in zip(W, x, strict=True)])
    return FigureOne(
        weights=W,
        signal_vectors=spaces.Vh,
        singular_values=spaces.S,
        means=x,
        row=residuals_of(x, own).images,
        rowspace=residuals_of(x, project(spaces.row_space, x)).images,
    )


def statements(figure: FigureOne) -> dict[str, object]:
    """The paper's words about Figure 1 as numbers: importance, noise, binarised look, and the residuals."""
    S, x = figure.singular_values, figure.means
    residuals = {kind: residuals_of(x, x - getattr(figure, kind)) for kind in ("row", "rowspace")}
    correlation = {
        "rows": neighbour_correlation(_images(figure.weights)).tolist(),
        "signal_vectors": neighbour_correlation(_images(figure.signal_vectors)).tolist(),
    }
    seen = x.mean(0) >= DARK
    two_values = {
        "rows": bimodality(figure.weights[:, seen]).tolist(),
        "signal_vectors": bimodality(figure.signal_vectors[:, seen]).tolist(),
    }
    disc = central_disc(SIDE, HOLE_RADIUS).flatten()
    shapes = {kind: shape_cosines(found.images, x) for kind, found in residuals.items()}
    return {
        "condition_number": (S[0] / S[-1]).item(),
        "singular_values": S.tolist(),
        "last_over_first": (S[-1] / S[0]).item(),
        "decreasing": bool((S.diff() < 0).all()),
        "pixel_correlation": correlation,
        "correlation_first_minus_last": correlation["signal_vectors"][0] - correlation["signal_vectors"][-1],
        "bimodality": two_values,
        "bimodality_gain": _mean(two_values["signal_vectors"]) - _mean(two_values["rows"]),
        "residual": {
            kind: {
                "energy": found.energy.tolist(),
                "cosine": found.cosines.tolist(),
                "shape_cosine": shapes[kind].tolist(),
            }
            for kind, found in residuals.items()
        },
        "least_recognisable": int(shapes["row"].argmin()),
        "smallest_other_shape": shapes["row"].sort().values[1].item(),
        "hole_filled": (figure.row[0] - x[0])[disc].mean().item(),
    }


def _images(rows: Tensor) -> Tensor:
    return rows.unflatten(1, (SIDE, SIDE))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
