"""Decompositions by the Gram matrix and by block Lanczos against dense ones and planted spectra."""

import pytest
import torch
from torch import nn

from paperlib.svr import krylov as krylov_module
from paperlib.svr import residuals, spectral_neurons
from paperlib.svr.decomposition import decompose
from paperlib.svr.krylov import leading_eigenvectors

SINGLE = torch.finfo(torch.float32).eps


def orthonormal(n, k, generator):
    return torch.linalg.qr(torch.randn(n, k, dtype=torch.float64, generator=generator)).Q


def planted(m, n, values, seed=0):
    generator = torch.Generator().manual_seed(seed)
    values = torch.as_tensor(values, dtype=torch.float64)
    return orthonormal(m, len(values), generator) * values @ orthonormal(n, len(values), generator).mT


def normal(m, n):
    return torch.randn(m, n, dtype=torch.float64, generator=torch.Generator().manual_seed(m + n))


SPECTRA = {
    "wide": (normal(60, 200), 200 * SINGLE),
    "tall": (normal(200, 60), 200 * SINGLE),
    "square": (normal(120, 120), 120 * SINGLE),
    "over three stages": (planted(80, 200, torch.logspace(0, -6.5, 80)), 1e-7),
    "clusters": (planted(90, 200, [1.0] * 30 + [1e-4] * 30 + [1e-5] * 30), 1e-6),
    "equal": (planted(60, 60, [1.0] * 60), 60 * SINGLE),
    "deficient": (planted(60, 100, torch.linspace(1, 0.5, 20)), 100 * SINGLE),
    "cut below": (planted(60, 100, torch.logspace(0, -6, 60)), 100 * SINGLE),
}


@pytest.mark.parametrize("count", [None, 7])
@pytest.mark.parametrize("name", SPECTRA)
def test_the_gram_matrix_gives_what_a_dense_decomposition_does(name, count):
    matrix, tolerance = SPECTRA[name]
    expected = torch.linalg.svdvals(matrix)
    expected = expected[expected > tolerance * expected[0]][:count]
    U, S, Vh = decompose(matrix, tolerance, count)
    assert U.shape[1] == len(Vh) == len(S) == len(expected)
    # Of both decompositions: some eps relative to the largest value, and the smallest one here is 3e-7 of it.
    torch.testing.assert_close(S, expected, rtol=0, atol=2e-14 * expected[0].item())
    identity = torch.eye(len(S), dtype=torch.float64)
    torch.testing.assert_close(U.mT @ U, identity, rtol=0, atol=1e-13)
    # Rounding over the square of the resolution of a stage: 1e-16 / 1e-3^2.
    torch.testing.assert_close(Vh @ Vh.mT, identity, rtol=0, atol=2e-10)
    both = torch.hypot((matrix @ Vh.mT - U * S).norm(dim=0), (U.mT @ matrix - S.unsqueeze(1) * Vh).norm(dim=1))
    assert both.max() < 1e-11 * S[0]
    assert (S.diff() <= 0).all() and (Vh.gather(1, Vh.abs().argmax(1, keepdim=True)) > 0).all()


def test_a_fine_tolerance_takes_the_dense_way():
    """Down to 1e-12 of the largest value, where a Gram matrix holds rounding errors only."""
    values = torch.logspace(0, -11, 40, dtype=torch.float64)
    _, S, Vh = decompose(planted(40, 60, values), 1e-12)
    assert len(S) == 40
    torch.testing.assert_close(Vh @ Vh.mT, torch.eye(40, dtype=torch.float64), rtol=0, atol=1e-13)


def test_zeros_have_no_triplets():
    U, S, Vh = decompose(torch.zeros(40, 50, dtype=torch.float64), 1e-5)
    assert (U.shape, S.shape, Vh.shape) == ((40, 0), (0,), (0, 50))


@pytest.fixture
def small_krylov(monkeypatch):
    """Block Lanczos for matrices that are small enough for a test."""
    monkeypatch.setattr(krylov_module, "_SMALLEST_SIDE", 0)


LEADING = {
    "falling": torch.arange(1.0, 801) ** -0.5,
    "dense edge": torch.cat([torch.linspace(4, 1, 60), torch.linspace(0.99, 0, 740)]),
    "steep": torch.logspace(0, -9, 800),
}


@pytest.mark.parametrize("name", LEADING)
def test_lanczos_finds_the_leading_eigenvectors(name, small_krylov):
    values = LEADING[name].double()
    basis = orthonormal(800, 800, torch.Generator().manual_seed(0))
    matrix = basis * values @ basis.mT
    found, vectors = leading_eigenvectors(matrix, 20)
    torch.testing.assert_close(found, values[:20], rtol=1e-12, atol=1e-15)
    assert ((matrix @ vectors - vectors * found).norm(dim=0) <= 2e-10 * found + 1e-14).all()
    torch.testing.assert_close(vectors.mT @ vectors, torch.eye(20, dtype=torch.float64), rtol=0, atol=1e-12)
    again = leading_eigenvectors(matrix, 20)
    assert torch.equal(again[0], found) and torch.equal(again[1], vectors)


def test_more_equal_eigenvalues_than_a_block_holds_are_not_missed(small_krylov):
    """A block of 16 sees 16 of 40 equal ones at first, and residuals do not tell."""
    matrix = planted(600, 600, [2.0] * 40 + [1.0] * 560)
    _, S, _ = decompose(matrix, 600 * SINGLE, 20)
    torch.testing.assert_close(S, torch.full((20,), 2.0, dtype=torch.float64), rtol=1e-12, atol=0)


def test_an_eigenvector_that_was_missed_is_noticed():
    values = torch.arange(1.0, 101, dtype=torch.float64).flip(0)
    vectors = torch.eye(100, dtype=torch.float64)
    matrix = torch.diag(values)
    assert krylov_module._complete(matrix, values[:5], vectors[:, :5])
    others = torch.tensor([0, 1, 3, 4, 5])
    assert not krylov_module._complete(matrix, values[others], vectors[:, others])


def test_lanczos_leaves_small_and_hard_problems_to_others(small_krylov, monkeypatch):
    gram = normal(480, 500)
    gram = gram @ gram.mT
    # Random weights have no gap: a subspace of half the matrix does not suffice for this many.
    assert leading_eigenvectors(gram, 20) is None
    assert leading_eigenvectors(gram, 30) is None
    monkeypatch.setattr(krylov_module, "_SMALLEST_SIDE", 481)
    assert leading_eigenvectors(gram, 1) is None


def test_the_leading_neurons_of_a_large_layer():
    values = torch.logspace(0, -2, 100, dtype=torch.float64)
    layer = nn.Linear(2800, 2600, bias=False)
    with torch.no_grad():
        layer.weight.copy_(planted(2600, 2800, values))
    neurons = spectral_neurons(layer, count=64)
    # Rounding of the weights to single precision: its norm is at most 6e-8 of theirs.
    torch.testing.assert_close(neurons.S, values[:64], rtol=0, atol=1e-7)
    assert residuals(layer, neurons).max() < 1e-10


@pytest.mark.parametrize("side", ["svr", "co_svr"])
def test_residuals_tell_a_wrong_neuron(side):
    layer = nn.Conv2d(6, 8, 3, groups=2)
    neurons = spectral_neurons(layer, side)
    assert residuals(layer, neurons).max() < 1e-13
    neurons.V[0, 0, 0] += 0.1
    found = residuals(layer, neurons)
    assert found[0] > 0.01 and found[1:].max() < 1e-13
