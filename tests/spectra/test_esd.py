"""Empirical spectral distributions: eigenvalues, zeros apart, densities that integrate to 1."""

import numpy as np
import pytest
import torch

from paperlib.spectra.esd import checked_values, empirical_spectral_distribution


def singular_values(rows, columns, seed=0):
    matrix = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return matrix, torch.linalg.svdvals(matrix)


@pytest.mark.parametrize("shape", [(5, 12), (12, 5), (7, 7)])
@pytest.mark.parametrize("scaled", [False, True])
def test_eigenvalues_are_those_of_the_gram_matrix(shape, scaled):
    """convsvd.prop.16: squared singular values are the eigenvalues of M M^T, or of M^T M where that is smaller."""
    matrix, values = singular_values(*shape)
    gram = matrix @ matrix.T if shape[0] <= shape[1] else matrix.T @ matrix
    expected = torch.linalg.eigvalsh(gram).flip(0) / (shape[0] if scaled else 1)
    found = empirical_spectral_distribution(values, shape, scaled=scaled)
    # Eigenvalues err by eps of the largest.
    torch.testing.assert_close(found.eigenvalues, expected, rtol=1e-9, atol=1e-12 * expected[0].item())
    assert (found.zeros, found.rows, found.scaled) == (0, shape[0], scaled)
    assert found.largest == found.eigenvalues.max().item()


def test_zeros_are_counted_and_kept_out():
    matrix, _ = singular_values(6, 20)
    matrix[3] = matrix[0]
    matrix[4] = 0
    found = empirical_spectral_distribution(torch.linalg.svdvals(matrix), (6, 20))
    assert (len(found.eigenvalues), found.zeros) == (4, 2)
    assert found.eigenvalues.min() > 1e-6


def test_values_that_are_not_given_count_as_zero():
    found = empirical_spectral_distribution(torch.tensor([2.0, 1.0]), (5, 9))
    assert found.zeros == 3
    assert found.eigenvalues.tolist() == [4.0, 1.0]


def test_pooled_matrices():
    """Nine slices of 4 x 6: 36 eigenvalues in one distribution."""
    slices = torch.randn(9, 4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = empirical_spectral_distribution(torch.linalg.svdvals(slices).flatten(), (4, 6), matrices=9)
    assert len(found.eigenvalues) == 36
    assert found.largest == pytest.approx(torch.linalg.matrix_norm(slices, 2).square().max().item(), rel=1e-12)
    assert found.eigenvalues.sum().item() == pytest.approx(slices.square().sum().item(), rel=1e-12)


@pytest.mark.parametrize("bins", ["linear", "logarithmic"])
def test_a_histogram_is_numpys_and_a_density(bins):
    _, values = singular_values(200, 300)
    found = empirical_spectral_distribution(values, (200, 300))
    histogram = found.histogram(17, bins)
    assert histogram.counts.sum() == 200
    assert (histogram.density * histogram.edges.diff()).sum().item() == pytest.approx(1, rel=1e-12)
    inner = np.histogram(found.eigenvalues.numpy(), histogram.edges.numpy())[0]
    # The outer edges may lie inside by a rounding.
    assert abs(inner - histogram.counts.numpy()).sum() <= 2
    ratio = histogram.edges[1:] / histogram.edges[:-1] if bins == "logarithmic" else histogram.edges.diff()
    assert ratio.std() < 1e-10 * ratio.mean()


def test_a_histogram_of_equal_values_has_them_all():
    found = empirical_spectral_distribution(torch.ones(5), (5, 5))
    histogram = found.histogram(4)
    assert histogram.counts.sum() == 5
    assert histogram.edges[0] < 1 < histogram.edges[-1]


def test_the_distribution_function_counts_ties_once_reached():
    found = empirical_spectral_distribution(torch.tensor([1.0, 1.0, 2.0, 3.0]), (4, 4))
    assert found.cdf(torch.tensor([0.5, 1.0, 4.0, 8.9, 9.0])).tolist() == [0, 0.5, 0.75, 0.75, 1]


@pytest.mark.parametrize(
    ("values", "shape", "message"),
    [
        (torch.tensor([1.0, float("nan")]), (2, 2), "1 of 2 singular values are not finite"),
        (torch.tensor([1.0, -1.0]), (2, 2), "1 of 2 singular values are negative"),
        (torch.ones(2, 2), (2, 2), "expected one axis"),
        (torch.ones(3), (2, 5), r"3 singular values; 1 x \(2 x 5\) has 2"),
        (torch.zeros(2), (2, 5), "all 2 singular values are zero"),
        (torch.tensor([]), (2, 5), "all 2 singular values are zero"),
    ],
)
def test_refusals(values, shape, message):
    with pytest.raises(ValueError, match=message):
        empirical_spectral_distribution(values, shape)


def test_a_histogram_refuses_what_it_cannot_draw():
    found = empirical_spectral_distribution(torch.ones(3), (3, 3))
    with pytest.raises(ValueError, match="count is 0"):
        found.histogram(0)
    with pytest.raises(ValueError, match="bins are 'square'"):
        found.histogram(3, "square")


def test_values_become_float64():
    assert checked_values(torch.ones(3, dtype=torch.float16), "numbers").dtype == torch.float64
