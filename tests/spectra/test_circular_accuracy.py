"""Tolerances, blocks, threads and progress of the singular values with a circular boundary."""

import pytest
import torch
from torch import Tensor

from paperlib.spectra import circular, circular_count, circular_singular_values
from paperlib.spectra.symbol import gram, half_frequencies, symbol
from paperlib.unfolding import convolution_matrices


def nearly_singular(dtype: torch.dtype) -> Tensor:
    """Weights of a square layer whose symbol has singular values from 1 down to about 1e-9 of the largest."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(12, 12, 3, 3, generator=generator, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(12, 12, generator=generator, dtype=torch.float64)).Q
    # Turned, because a Gram matrix whose rows are graded would keep its small eigenvalues.
    scales = turn * torch.logspace(0, -9, 12, dtype=torch.float64)
    return torch.einsum("ab,bcij->acij", scales, weight).to(dtype)


def reference(weight: Tensor, size: tuple[int, ...]) -> Tensor:
    return torch.linalg.svdvals(convolution_matrices(weight.double()).operator_matrix(size, "circular"))


def error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected[0])


@pytest.mark.parametrize("size", [(6, 5), (4, 4)])
def test_errors_are_below_the_tolerance_and_grow_with_it(size):
    weight = nearly_singular(torch.float64)
    expected = reference(weight, size)
    errors = [error(circular_singular_values(weight, size, tolerance=t), expected) for t in (1e-12, 1e-6, 2e-3)]
    assert errors[0] < 1e-13
    # Small singular values by the Gram matrix in double and in single precision: they do lose digits.
    assert 1e-12 < errors[1] < 1e-7
    assert 1e-7 < errors[2] < 2e-3


def test_large_values_lose_nothing_in_single_precision():
    weight = nearly_singular(torch.float32)
    expected = reference(weight, (6, 5))
    found = circular_singular_values(weight, (6, 5), tolerance=2e-3)
    assert ((found - expected).abs() / expected)[expected > 0.1 * expected[0]].max() < 1e-5


def test_the_tolerance_of_single_precision_weights_is_their_rounding():
    weight = nearly_singular(torch.float32)
    expected = reference(weight, (6, 5))
    assert torch.equal(
        circular_singular_values(weight, (6, 5)), circular_singular_values(weight, (6, 5), tolerance=1e-6)
    )
    assert 1e-12 < error(circular_singular_values(weight, (6, 5)), expected) < 1e-7
    double = circular_singular_values(weight.double(), (6, 5))
    assert torch.equal(double, circular_singular_values(weight, (6, 5), tolerance=1e-12))


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_half_precision_weights_are_taken_as_they_are(precision):
    weight = torch.randn(3, 2, 3, 3, generator=torch.Generator().manual_seed(0)).to(precision)
    assert error(circular_singular_values(weight, (4, 5)), reference(weight, (4, 5))) < 1e-7


@pytest.mark.parametrize("grid", [(5,), (6,), (1,), (4, 6), (5, 6), (5, 7), (2, 3, 4), (3, 1, 5)], ids=str)
def test_half_of_the_frequencies_stand_for_all(grid):
    frequencies, multiplicity = half_frequencies(grid)
    assert int(multiplicity.sum()) == torch.Size(grid).numel()
    sizes = torch.tensor(grid)
    everything = {tuple(place.tolist()) for one in frequencies for place in (one, (-one).remainder(sizes))}
    assert len(everything) == torch.Size(grid).numel()
    own = ((-frequencies).remainder(sizes) == frequencies).all(dim=1)
    assert torch.equal(own, multiplicity == 1)
    assert int(own.sum()) == 2 ** sum(size % 2 == 0 for size in grid)


@pytest.mark.parametrize(("kernel", "grid"), [((3, 3), (7, 6)), ((3, 2), (2, 4)), ((5,), (3,)), ((2, 2, 2), (4, 3, 3))])
def test_the_gram_matrix_is_the_half_and_its_conjugate_transpose(kernel, grid):
    weight = torch.randn(3, 4, *kernel, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = symbol(convolution_matrices(weight), grid)
    frequencies, _ = half_frequencies(grid)
    W, half = whole.at(frequencies), gram(whole)
    found = half.at(frequencies)
    torch.testing.assert_close(found + found.mH, W @ W.mH, rtol=1e-12, atol=1e-12)
    terms = torch.tensor([min(2 * side - 1, length) for side, length in zip(kernel, grid, strict=True)]).prod()
    assert len(half.places) <= (terms + 2 ** len(grid)) // 2


def test_blocks_and_threads_make_no_difference(monkeypatch):
    weight = torch.randn(5, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    expected = circular_singular_values(weight, (9, 8))
    monkeypatch.setattr(circular, "_BLOCK", 64)
    threads = torch.get_num_threads()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            torch.testing.assert_close(circular_singular_values(weight, (9, 8)), expected, rtol=1e-12, atol=1e-14)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)


def test_progress_counts_every_value_block_by_block(monkeypatch):
    monkeypatch.setattr(circular, "_MOST", 8)
    weight, steps = torch.randn(5, 4, 3, 3, generator=torch.Generator().manual_seed(0)), []
    found = circular_singular_values(weight, (9, 8), progress=steps.append)
    assert len(steps) == 5
    assert sum(steps) == len(found) == circular_count(weight, (9, 8)) == 4 * 72
