"""Overlap and completion of bases, and how far the condition number bounds the error of an inverse."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from subspaces_support import draw, planted, span
from torch import Tensor

from paperlib.subspaces import energy, four_spaces, orthogonal_complement, overlap


def relative_change(before: Tensor, after: Tensor) -> Tensor:
    return (energy(after - before) / energy(before)).sqrt()


def test_overlap_of_planted_spaces():
    axes = torch.eye(6, dtype=torch.float64)
    turned = (math.cos(0.3) * axes[0] + math.sin(0.3) * axes[5]).unsqueeze(1)
    assert overlap(axes[:, :2], axes[:, 2:5]) == 0
    assert overlap(axes[:, :2], axes[:, 1:4]) == pytest.approx(0.5)
    assert overlap(axes[:, :2], turned) == pytest.approx(math.cos(0.3) ** 2)
    # The smaller one lies in the larger, whatever the bases and their order.
    rotation = torch.linalg.qr(draw(4, 4)).Q
    assert overlap(axes[:, :4] @ rotation, axes[:, 1:3]) == overlap(axes[:, 1:3], axes[:, :4] @ rotation)
    assert overlap(axes[:, :4] @ rotation, axes[:, 1:3]) == pytest.approx(1)
    assert math.isnan(overlap(axes[:, :0], axes)) and math.isnan(overlap(axes, axes[:, :0]))


def test_overlap_is_that_of_the_principal_angles_of_scipy():
    one, other = torch.linalg.qr(draw(9, 3)).Q, torch.linalg.qr(draw(9, 5, seed=1)).Q
    angles = scipy.linalg.subspace_angles(one.numpy(), other.numpy())
    assert overlap(one, other) == pytest.approx((np.cos(angles) ** 2).mean(), rel=1e-12)
    random = [overlap(one, torch.linalg.qr(draw(9, 5, seed=seed)).Q) for seed in range(2, 402)]
    # 5 / 9 on average; a standard deviation of 0.1 each, 0.005 of their mean.
    assert np.mean(random) == pytest.approx(5 / 9, abs=0.025)


@pytest.mark.parametrize("r", [0, 1, 4, 7])
def test_orthogonal_complement_completes_a_basis(r):
    basis = torch.linalg.qr(draw(7, r)).Q
    rest = orthogonal_complement(basis)
    assert rest.shape == (7, 7 - r)
    torch.testing.assert_close(span(basis) + span(rest), torch.eye(7, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize("values", [[3.0, 2.9, 2.8], [5.0, 1.0, 0.01]], ids=["stable", "unstable"])
@pytest.mark.parametrize("shape", [(4, 9), (9, 4)], ids=str)
def test_condition_number_bounds_how_much_the_inverse_raises_a_change(shape, values):
    """vectorspaces.claim.23, for outputs in the column space and changes in any direction."""
    matrix, U, _ = planted(*shape, values)
    spaces = four_spaces(matrix)
    y = draw(400, 3) @ U.mT
    change = 1e-3 * draw(400, shape[0], seed=1)
    raised = relative_change(spaces.pseudoinverse(y), spaces.pseudoinverse(y + change)) / relative_change(y, y + change)
    assert raised.max() <= spaces.condition_number * (1 + 1e-10)
    # The worst case: an output along the first direction, a change along the last.
    first, last = U[:, 0], U[:, 0] + 1e-3 * U[:, 2]
    worst = relative_change(spaces.pseudoinverse(first), spaces.pseudoinverse(last)) / relative_change(first, last)
    assert worst.item() == pytest.approx(values[0] / values[-1], rel=1e-9)


def test_the_bound_needs_an_output_in_the_column_space():
    matrix, U, _ = planted(9, 4, [3.0, 2.9, 2.8])
    spaces = four_spaces(matrix)
    y = 1e-4 * U[:, 0] + spaces.left_null_space[:, 0]
    changed = y + 1e-3 * U[:, 2]
    raised = relative_change(spaces.pseudoinverse(y), spaces.pseudoinverse(changed)) / relative_change(y, changed)
    assert raised > 1000 * spaces.condition_number
