"""Hilbert matrices against what is known of them in closed form."""

import math

import pytest
import torch

from paperlib.hilbert import hilbert_matrix, hilbert_study, reciprocal_determinant


def superfactorial(n: int) -> int:
    return math.prod(math.factorial(k) for k in range(1, n + 1))


def test_entries_are_integrals_of_powers():
    assert hilbert_matrix(3).tolist() == [[1, 1 / 2, 1 / 3], [1 / 2, 1 / 3, 1 / 4], [1 / 3, 1 / 4, 1 / 5]]
    with pytest.raises(ValueError, match="n is 0"):
        hilbert_matrix(0)


@pytest.mark.parametrize("n", range(1, 9))
def test_determinants_are_those_of_cauchys_formula(n):
    assert reciprocal_determinant(n) * superfactorial(n - 1) ** 4 == superfactorial(2 * n - 1)


def test_condition_is_the_product_of_the_norms():
    study = hilbert_study(n_max=6, draws=5, seed=0)
    assert study.sizes == [2, 3, 4, 5, 6]
    for n, condition in zip(study.sizes, study.condition, strict=True):
        matrix = hilbert_matrix(n)
        expected = torch.linalg.matrix_norm(matrix, 2) * torch.linalg.matrix_norm(torch.linalg.inv(matrix), 2)
        assert condition == pytest.approx(expected.item(), rel=1e-8)


def test_errors_stay_below_what_the_condition_allows():
    study = hilbert_study(n_max=8, draws=200, seed=1)
    allowed = [10 * torch.finfo(torch.float64).eps * condition for condition in study.condition]
    assert all(error < bound for error, bound in zip(study.error, allowed, strict=True))
    assert study.error[-1] > 1e6 * study.error[0]


def test_condition_grows_by_its_law():
    study = hilbert_study(n_max=10, draws=5, seed=0)
    assert study.growth == pytest.approx(4 * math.log(1 + math.sqrt(2)), abs=0.05)
    assert 0 < study.error_over_rule < 10
