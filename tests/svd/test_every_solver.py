"""Every solver finds planted triplets, in every precision, and all agree on one trained network."""

import pytest
import torch
from planted_support import KINDS, RANK, assert_orthonormal, assert_planted, planted
from svd_support import largest_angle

from paperlib.datasets.phantoms import phantom_volumes
from paperlib.operators import dot_test, freeze
from paperlib.svd import SOLVERS, NotConvergedError, truncated_svd
from paperlib.training.phantoms import PhantomTraining, train_on_phantoms

SHAPES = {"tall": (90, 60), "wide": (60, 90)}

# One start vector finds one vector of the space of a repeated value; another copy shows late, through rounding. SLEPc
# and PROPACK start with one vector as ours does.
BLOCKS = ("exact", "block lanczos", "slepc randomized", "scipy lobpcg")
K = 6


# What squaring the matrix loses in single precision: eigenvalues of A^T A below rounding, some of them negative, at
# which SLEPc gives up, and singular values below about a tenth of the largest for LOBPCG.
SQUARED = {"slepc cross": ("fast_decay", "rank_deficient"), "scipy lobpcg": ("fast_decay",)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "repeated"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_planted_triplets_are_found(solver, kind, shape, dtype):
    operator, U, S, V = planted(kind, dtype, shape)
    # PROPACK keeps its vectors orthogonal to the square root of rounding, 3e-4 in single precision.
    tol = 1e-3 if (solver, dtype) == ("scipy propack", torch.float32) else 1e-4
    try:
        found = truncated_svd(operator, K, solver=solver, tol=tol)
    except NotConvergedError as error:
        assert dtype == torch.float32 and kind in SQUARED[solver]
        assert "negative eigenvalues" in str(error) or "rounding" in str(error)
        return
    assert_planted(found, U, S, V, tol=tol)
    assert found.solver == solver and len(found.S) == K < RANK


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("solver", BLOCKS)
def test_copies_of_a_repeated_value_are_found_by_blocks(solver, dtype):
    operator, U, S, V = planted("repeated", dtype, (90, 60))
    assert_planted(truncated_svd(operator, K, solver=solver, tol=1e-4), U, S, V, tol=1e-4)


@pytest.mark.parametrize("solver", [solver for solver in SOLVERS if solver not in BLOCKS])
def test_of_a_repeated_value_what_is_found_is_true(solver):
    """Copies may be missing, but every triplet that is found is one of the matrix."""
    operator, _, S, _ = planted("repeated", torch.float64, (90, 60))
    found = truncated_svd(operator, K, solver=solver, tol=1e-6)
    assert (found.S.unsqueeze(1) - S.unsqueeze(0)).abs().amin(1).max() < 1e-6
    assert (found.S <= S[:K] + 1e-6).all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_vectors_are_orthonormal(solver):
    operator, *_ = planted("geometric", torch.float64, (90, 60))
    # Cross products give the vectors of the other side by products alone, so these are as orthogonal as the residual
    # of 1e-8 makes them; PROPACK's are to the square root of rounding.
    assert_orthonormal(truncated_svd(operator, K, solver=solver, tol=1e-8), units=1e9)


@pytest.fixture(scope="module")
def network():
    """A U-Net trained for a moment on volumes with lesions, at one that it has not seen: 8,192 x 16,384."""
    training = PhantomTraining(depth=2, filters=4, volumes=4, side=16, patch=16, steps=60, learning_rate=3e-3)
    volume = phantom_volumes(1, (16, 16, 16), seed=9).images
    return freeze(train_on_phantoms(training).model.double(), volume.double())[0]


@pytest.fixture(scope="module")
def reference(network):
    return truncated_svd(network, 4, solver="slepc trlanczos", tol=1e-9)


@pytest.mark.parametrize("solver", [solver for solver in SOLVERS if solver != "exact"])
def test_all_solvers_agree_on_a_trained_network(network, reference, solver):
    assert dot_test(network) < 1e-12
    found = truncated_svd(network, 4, solver=solver, tol=1e-6)
    assert found.relative_residuals.max() <= 1e-6
    # Errors of values are quadratic in the residual, those of spaces are it over the gap: a tenth of s at least.
    torch.testing.assert_close(found.S, reference.S, rtol=1e-10, atol=0)
    gaps = -reference.S.diff() / reference.S[0]
    assert gaps.min() > 1e-3
    for i in (1, 2, 3):
        bound = 4 * 1e-6 / gaps[i - 1].item()
        assert largest_angle(reference.Vh[:i].T, found.Vh[:i].T) < bound
        assert largest_angle(reference.U[:, :i], found.U[:, :i]) < bound
