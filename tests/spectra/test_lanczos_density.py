"""The estimate of a whole spectrum by stochastic Lanczos quadrature against dense decompositions."""

import pytest
import torch

from paperlib.operators import MatrixOperator
from paperlib.spectra import spectrum_estimate


def matrix(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def share(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    return (values.unsqueeze(1) <= places).double().mean(0)


@pytest.mark.parametrize(("rows", "columns"), [(400, 600), (600, 400), (500, 500)])
def test_shares_of_a_random_matrix(rows, columns):
    dense = matrix(rows, columns)
    values = torch.linalg.svdvals(dense)
    found = spectrum_estimate(MatrixOperator(dense), steps=60, probes=16)
    assert found.count == min(rows, columns)
    places = torch.linspace(0, float(values[0]) * 1.1, 50, dtype=torch.float64)
    cumulative, error = found.cumulative(places)
    # Sixteen probes err by about 0.5 / sqrt(16 n) = 0.006 at the most; five errors and the smoothing of 60 nodes.
    assert (cumulative - share(values, places)).abs().max() < 0.03
    assert 0 < error.max() < 0.015
    assert cumulative[-1] == 1.0
    assert (cumulative.diff() >= 0).all()


def test_the_error_is_that_of_the_probes():
    """Against the same with many probes: the standard error says how far few of them are, and falls as 1 / root."""
    operator = MatrixOperator(matrix(300, 300))
    places = torch.linspace(1, 30, 40, dtype=torch.float64)
    many, _ = spectrum_estimate(operator, steps=50, probes=400, seed=1).cumulative(places)
    few, error = spectrum_estimate(operator, steps=50, probes=9, seed=2).cumulative(places)
    inside = error > 1e-4
    ratio = ((few - many) / error)[inside]
    assert ratio.abs().max() < 5
    assert ratio.square().mean().sqrt() > 0.2
    assert spectrum_estimate(operator, steps=50, probes=36, seed=2).cumulative(places)[1].mean() < 0.7 * error.mean()


def test_density_integrates_to_one_and_follows_the_histogram():
    dense = matrix(600, 900)
    values = torch.linalg.svdvals(dense)
    edges = torch.linspace(0, float(values[0]) + 1, 16, dtype=torch.float64)
    density, error = spectrum_estimate(MatrixOperator(dense), steps=60, probes=16).density(edges)
    torch.testing.assert_close((density * edges.diff()).sum(), torch.ones((), dtype=torch.float64))
    histogram = share(values, edges).diff() / edges.diff()
    assert (density - histogram).abs().max() < 0.1 * histogram.max()
    assert error.shape == density.shape


def test_as_many_steps_as_values_find_a_short_spectrum_exactly():
    """Every probe of entries 1 and -1 has the same part of each eigenvector of a diagonal matrix."""
    values = torch.tensor([1.0, 2.0, 3.0, 5.0, 8.0], dtype=torch.float64)
    found = spectrum_estimate(MatrixOperator(values.diag()), steps=50, probes=2)
    torch.testing.assert_close(found.nodes, values.expand(2, 5), rtol=1e-10, atol=0)
    torch.testing.assert_close(found.weights, torch.full((2, 5), 0.2, dtype=torch.float64), rtol=1e-8, atol=0)
    cumulative, error = found.cumulative(values)
    torch.testing.assert_close(cumulative, torch.tensor([0.1, 0.3, 0.5, 0.7, 1.0], dtype=torch.float64))
    assert error.max() < 1e-8


def test_an_invariant_subspace_found_early_is_no_harm():
    found = spectrum_estimate(MatrixOperator(2 * torch.eye(30, dtype=torch.float64)), steps=10, probes=3)
    cumulative, _ = found.cumulative(torch.tensor([1.9, 2.1], dtype=torch.float64))
    torch.testing.assert_close(cumulative[1], torch.ones((), dtype=torch.float64))
    weight_below = (found.weights * (found.nodes < 1.99)).sum(1)
    assert weight_below.max() < 1e-12


def test_seeds_draw_the_probes():
    operator = MatrixOperator(matrix(40, 50))
    first, same, other = (spectrum_estimate(operator, steps=10, seed=seed).nodes for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("steps", "probes"), [(1, 4), (4, 1)])
def test_too_few_steps_or_probes_are_refused(steps, probes):
    with pytest.raises(ValueError, match=f"steps is {steps} and probes {probes}; expected at least 2 of each"):
        spectrum_estimate(MatrixOperator(matrix(4, 5)), steps=steps, probes=probes)
