"""What a 2 x 2 matrix does to the unit circle, measured without its singular value decomposition (Figure 8)."""

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

# An interval of angles shrinks to this share at each step of the search, to 1e-9 of a radian in the end.
_GOLDEN = (5**0.5 - 1) / 2
_STEPS = 40


@dataclass(frozen=True)
class Stretch:
    """The largest and the smallest ``|Wx|`` of unit vectors x, with the x and its image, float64.

    ``values`` ``(..., 2)``, the largest first; ``inputs`` and ``images`` ``(..., 2, 2)``, a row for each.
    """

    values: Tensor
    inputs: Tensor
    images: Tensor


def unit_circle(count: int) -> Tensor:
    """``count`` points at equal distances, ``(count, 2)`` float64, the first one at (1, 0)."""
    return _points(torch.arange(count, dtype=torch.float64) * (2 * pi / count))


def half_axes(points: Tensor) -> Tensor:
    """Half-axes ``(2,)``, decreasing, of the ellipse around the origin through ``points`` ``(count, 2)``, float64.

    By least squares for the coefficients of ``a x^2 + b x y + c y^2 = 1``. Raises ``ValueError`` where the points do
    not determine an ellipse, as those on a line do not.
    """
    x, y = points.double().T
    products = torch.stack([x * x, x * y, y * y], 1)
    if torch.linalg.matrix_rank(products) < 3:
        raise ValueError("the points lie on a line or are too few; expected the image of a circle under a regular map")
    a, b, c = torch.linalg.lstsq(products, torch.ones(len(x), 1, dtype=torch.float64)).solution[:, 0]
    curvatures = torch.linalg.eigvalsh(torch.stack([torch.stack([a, b / 2]), torch.stack([b / 2, c])]))
    return curvatures.rsqrt()


def stretch_extremes(matrices: Tensor) -> Stretch:
    """Where on the circle ``|Wx|`` is largest and smallest, by searching over the angle; ``matrices`` ``(..., 2, 2)``.

    Angles come out to about 1e-8, as they do for any search by values alone, and values to rounding.
    """
    W = matrices.double()
    inputs = _points(torch.stack([_best_angles(W, 1.0), _best_angles(W, -1.0)], -1))
    images = inputs @ W.mT
    return Stretch(torch.linalg.vector_norm(images, dim=-1), inputs, images)


def _best_angles(W: Tensor, sign: float) -> Tensor:
    def height(angles: Tensor) -> Tensor:
        return sign * (W @ _points(angles).unsqueeze(-1)).square().sum((-2, -1))

    # Half a turn holds one maximum of a function with two; a grid finds the interval around it.
    grid = torch.arange(64, dtype=torch.float64) * (pi / 64)
    best = grid[torch.stack([height(angle.expand(W.shape[:-2])) for angle in grid]).argmax(0)]
    low, high = best - pi / 64, best + pi / 64
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        rising = height(left) < height(right)
        low, high = torch.where(rising, left, low), torch.where(rising, high, right)
    return (low + high) / 2


def _points(angles: Tensor) -> Tensor:
    return torch.stack([angles.cos(), angles.sin()], -1)


def circle_values(matrix: Tensor, *, draws: int, seed: int) -> dict[str, float | list[float]]:
    """What Figure 8 states, measured on a regular ``matrix`` ``(2, 2)`` and on random ones with normal entries.

    ``half_axes`` and ``stretch_extremes`` beside ``singular_values``, decreasing, and ``difference``, the largest of
    either from the singular values; ``axis_stretches`` is ``|We_0|`` and ``|We_1|``. Among ``draws`` random matrices
    ``random_difference`` is the largest difference of the stretches' extremes from the singular values, relative to
    the larger; ``largest_angle``, in radians, that between a direction of extremal stretch and its right singular
    vector, where the smaller value is at most 0.9 of the larger (of close ones the vectors are hardly determined);
    ``random_ellipse`` how far images are from the ellipse with half-axes ``s_0 u_0`` and ``s_1 u_1``, as a share of
    these.
    """
    W = matrix.double()
    axes, stretch, S = half_axes(unit_circle(60) @ W.T), stretch_extremes(W), torch.linalg.svdvals(W)
    return {
        "half_axes": axes.tolist(),
        "singular_values": S.tolist(),
        "difference": float(torch.cat([axes - S, stretch.values - S]).abs().max()),
        "stretch_extremes": stretch.values.tolist(),
        "axis_stretches": torch.linalg.vector_norm(W, dim=0).tolist(),
    } | _random_values(draws, seed)


def _random_values(draws: int, seed: int) -> dict[str, float]:
    W = torch.randn(draws, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    U, S, Vh = torch.linalg.svd(W)
    stretch = stretch_extremes(W)
    # The sine of the angle: the cosine of a small one is rounded away.
    across = stretch.inputs[..., 0] * Vh[..., 1] - stretch.inputs[..., 1] * Vh[..., 0]
    apart = S[:, 1] < 0.9 * S[:, 0]
    # Images in units of the half-axes, which lie on the unit circle; a flat ellipse has no second one to measure with.
    round_enough = S[:, 1] > 0.01 * S[:, 0]
    images = (W @ unit_circle(60).T)[round_enough]
    lengths = torch.linalg.vector_norm(U[round_enough].mT @ images / S[round_enough].unsqueeze(-1), dim=1)
    return {
        "random_difference": float(((stretch.values - S).abs() / S[:, :1]).max()),
        "largest_angle": float(across[apart].abs().max().arcsin()) if apart.any() else 0.0,
        "random_ellipse": float((lengths - 1).abs().max()) if round_enough.any() else 0.0,
    }
