"""Half-axes and extremes of the stretch, measured without a decomposition, against known maps."""

import math

import pytest
import torch

from paperlib.convsvd.circle import circle_values, half_axes, stretch_extremes, unit_circle


def planted(s0: float, s1: float, u: float, v: float) -> torch.Tensor:
    """A matrix with singular values s0 and s1 and the first singular vectors at the angles u and v."""

    def turn(angle: float) -> torch.Tensor:
        c, s = math.cos(angle), math.sin(angle)
        return torch.tensor([[c, -s], [s, c]], dtype=torch.float64)

    return turn(u) @ torch.diag(torch.tensor([s0, s1], dtype=torch.float64)) @ turn(v).T


def test_points_of_the_circle():
    found = unit_circle(4)
    assert found.dtype == torch.float64
    assert torch.allclose(found, torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]], dtype=torch.float64), atol=1e-15)


def test_half_axes_of_a_planted_ellipse():
    found = half_axes(unit_circle(50) @ planted(3, 0.5, 0.4, 1.1).T)
    assert torch.allclose(found, torch.tensor([3, 0.5], dtype=torch.float64), rtol=1e-12)


@pytest.mark.parametrize("v", [0.0, 1e-6, 1.1, math.pi / 2, 3.1])
def test_the_stretch_is_extremal_along_the_planted_vectors(v):
    W = planted(3, 0.5, 0.4, v)
    found = stretch_extremes(W)
    assert torch.allclose(found.values, torch.tensor([3, 0.5], dtype=torch.float64), rtol=1e-14)
    first = torch.tensor([math.cos(v), math.sin(v)], dtype=torch.float64)
    # Values alone fix an angle to the root of what they are rounded to.
    assert abs(abs(float(found.inputs[0] @ first)) - 1) < 1e-14
    assert abs(float(found.inputs[1] @ first)) < 1e-7
    assert torch.allclose(found.images, found.inputs @ W.T)


def test_many_matrices_at_once_are_as_one_by_one():
    W = torch.stack([planted(2, 1, 0.3, 0.2), planted(5, 0.1, -1.0, 2.0)])
    together = stretch_extremes(W).values
    assert torch.equal(together, torch.stack([stretch_extremes(one).values for one in W]))


def test_points_on_a_line_are_no_ellipse():
    with pytest.raises(ValueError, match="lie on a line or are too few"):
        half_axes(unit_circle(20) @ planted(2, 0, 0.3, 0.2).T)


def test_the_statement_holds_on_random_matrices():
    found = circle_values(planted(3, 0.5, 0.4, 1.1), draws=300, seed=4)
    assert found["half_axes"] == pytest.approx([3, 0.5], rel=1e-12)
    assert found["stretch_extremes"] == pytest.approx([3, 0.5], rel=1e-14)
    assert found["difference"] < 1e-12
    # The stretch of e0 is a mean of the extremes, not one of them.
    assert all(0.5 < value < 3 for value in found["axis_stretches"])
    assert found["random_difference"] < 1e-14 and found["random_ellipse"] < 1e-12
    assert 0 < found["largest_angle"] < 1e-6
