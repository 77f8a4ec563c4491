"""The condition number bounds how much an error of the output grows, and a planted one attains it."""

import pytest
import torch
from inverse_support import draw, planted

from paperlib.inverse import stability


@pytest.mark.parametrize(
    ("rows", "columns", "values"),
    [(5, 9, [8, 4, 2, 1, 0.5]), (9, 5, [8, 4, 2, 1, 0.5]), (6, 6, [3, 1]), (1, 4, [2]), (4, 1, [2])],
)
def test_planted_condition_numbers(rows, columns, values):
    matrix = planted(rows, columns, values)
    found = stability(matrix, torch.Generator().manual_seed(0), count=200)
    condition = values[0] / values[-1]
    assert found.condition_number == pytest.approx(condition)
    # The error is 1e-3 of the output, so that rounding is seen a thousandfold.
    assert found.worst == pytest.approx(condition, rel=1e-10)
    assert found.bounded
    assert found.amplifications.shape == (200,)
    assert found.exact_error < 1e-13


def test_amplifications_by_hand():
    matrix, size = planted(4, 6, [5, 3, 2, 1]), 0.01
    found = stability(matrix, torch.Generator().manual_seed(7), count=3, size=size)
    generator = torch.Generator().manual_seed(7)
    U = torch.linalg.svd(matrix, full_matrices=False).U
    # Signs of singular vectors are a convention: in each row of V^T the largest entry is positive.
    Vh = torch.linalg.svd(matrix, full_matrices=False).Vh
    U = U * torch.gather(Vh, 1, Vh.abs().argmax(1, keepdim=True)).sign().T
    y = torch.randn(3, 4, dtype=torch.float64, generator=generator) @ U.T
    error = torch.randn(3, 4, dtype=torch.float64, generator=generator)
    perturbed = y + size * error * (y.norm(dim=1) / error.norm(dim=1)).unsqueeze(1)
    inverse = torch.linalg.pinv(matrix).T
    expected = ((perturbed - y) @ inverse).norm(dim=1) / (y @ inverse).norm(dim=1) / size
    assert torch.allclose(found.amplifications, expected, rtol=1e-9)


def test_reproducible():
    first, second = (stability(draw(4, 6), torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first.amplifications, second.amplifications)


def test_rank_zero_is_refused():
    with pytest.raises(ValueError, match="rank 0"):
        stability(torch.zeros(2, 3), torch.Generator())
