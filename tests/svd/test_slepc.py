"""SLEPc's solvers against dense decompositions, their limits, and what they say when they fail."""

import subprocess
import sys

import pytest
import torch
from svd_support import draw, largest_angle, planted

from paperlib.models import mnist_cnn
from paperlib.operators import CountingOperator, LinearOperator, MatrixOperator, freeze
from paperlib.svd import (
    NotConvergedError,
    Slepc,
    SolverUnavailableError,
    batched_svd,
    residuals,
    slepc_available,
    slepc_svd,
    truncated_svd,
)

KINDS = ["cross", "trlanczos"]


@pytest.fixture(scope="module")
def network() -> LinearOperator:
    """The MNIST network in float64 at one image: 10 x 784."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = mnist_cnn().double().eval()
    images = torch.rand(1, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return MatrixOperator(freeze(model, images)[0].dense())


def test_slepc_is_installed():
    assert slepc_available()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 4, 10])
def test_triplets_of_the_network_agree_with_the_dense_ones(network, kind, k):
    """generalizability.prop.13: singular values to 1e-8 (quadratic in the residual), subspaces to 1e-4."""
    found = slepc_svd(network, k, Slepc(kind), tol=1e-5)
    U, S, Vh = torch.linalg.svd(network.matrix, full_matrices=False)
    assert found.S.shape == (k,) and found.U.shape == (10, k) and found.Vh.shape == (k, 784)
    torch.testing.assert_close(found.S, S[:k], rtol=1e-8, atol=0)
    assert (found.S.diff() <= 0).all()
    assert largest_angle(Vh[:k].T, found.Vh.T) < 1e-4
    assert largest_angle(U[:, :k], found.U) < 1e-4
    assert found.relative_residuals.max() <= 1e-5
    assert found.solver == f"slepc {kind}"


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_exact_path_up_to_signs_that_are_fixed(network, kind):
    exact, found = truncated_svd(network, 5, solver="exact"), slepc_svd(network, 5, Slepc(kind), tol=1e-10)
    torch.testing.assert_close(found.U, exact.U, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.Vh, exact.Vh, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(8, 50), (50, 8), (30, 30)], ids=["wide", "tall", "square"])
def test_planted_clusters_are_found(kind, shape):
    values = [9.0, 4.0, 4.0, 2.0, *torch.linspace(1, 0.5, min(shape) - 4).tolist()]
    matrix, U, V = planted(*shape, values)
    found = slepc_svd(MatrixOperator(matrix), 4, Slepc(kind), tol=1e-9)
    torch.testing.assert_close(found.S, torch.tensor(values[:4], dtype=torch.float64), rtol=1e-8, atol=0)
    for cluster in (slice(0, 1), slice(1, 3), slice(3, 4)):
        assert largest_angle(U[:, cluster], found.U[:, cluster]) < 1e-6
        assert largest_angle(V[:, cluster], found.Vh.T[:, cluster]) < 1e-6
    largest = found.Vh.gather(1, found.Vh.abs().argmax(1, keepdim=True))
    assert (largest > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_residuals_are_those_of_the_triplets(network, kind):
    found = slepc_svd(network, 6, Slepc(kind), tol=1e-4)
    A = network.matrix
    right = (A @ found.Vh.T - found.U * found.S).norm(dim=0)
    left = (A.T @ found.U - found.Vh.T * found.S).norm(dim=0)
    # The same sums in another order, of numbers up to the largest singular value.
    rounding = 1e-13 * found.S[0].item()
    torch.testing.assert_close(found.right_residuals, right, rtol=0, atol=rounding)
    torch.testing.assert_close(found.left_residuals, left, rtol=0, atol=rounding)
    both = (right.square() + left.square()).sqrt() / found.S
    torch.testing.assert_close(found.relative_residuals, both, rtol=0, atol=1e-12)
    again = residuals(network, found.U, found.S, found.Vh)
    torch.testing.assert_close(torch.stack(again), torch.stack([right, left]), rtol=0, atol=rounding)


@pytest.mark.parametrize("kind", KINDS)
def test_products_are_counted_as_an_outsider_counts_them(network, kind):
    counted = CountingOperator(network)
    k = 3
    found = slepc_svd(counted, k, Slepc(kind), tol=1e-5)
    # Afterwards the residuals take one product with A and one with its transpose for each triplet.
    assert found.products == counted.products - 2 * k
    assert found.products >= 2 * k


def test_same_seed_gives_the_same_bits(network):
    first, second = slepc_svd(network, 4, seed=3), slepc_svd(network, 4, seed=3)
    assert torch.equal(first.Vh, second.Vh) and torch.equal(first.S, second.S)
    assert first.products == second.products


def test_cross_loses_small_singular_values():
    """generalizability.prop.14: eigenvalues of A^T A below rounding are lost, so 1e-9 is; 1e-4 is not."""
    matrix, _, V = planted(4, 30, [1.0, 1e-9])
    try:
        lost = slepc_svd(MatrixOperator(matrix), 2, Slepc("cross"), tol=1e-5).S[1].item()
    except NotConvergedError as error:
        lost = error.triplets.S[1].item() if len(error.triplets.S) > 1 else 0.0
    assert abs(lost - 1e-9) > 1e-10
    assert torch.linalg.eigvalsh(matrix @ matrix.T)[-2].abs() < 1e-15
    matrix, _, V = planted(4, 30, [1.0, 1e-4])
    kept = slepc_svd(MatrixOperator(matrix), 2, Slepc("cross"), tol=1e-5)
    assert abs(kept.S[1] - 1e-4) < 1e-8
    assert largest_angle(V[:, 1:], kept.Vh[1:].T) < 1e-3


def test_float32_operator_gives_float64_triplets(network):
    single = MatrixOperator(network.matrix.float())
    found = slepc_svd(single, 5, tol=1e-5)
    assert {found.U.dtype, found.S.dtype, found.Vh.dtype} == {torch.float64}
    # Rounding of the products in float32, of sums of 784 terms.
    torch.testing.assert_close(found.S, torch.linalg.svdvals(network.matrix)[:5], rtol=1e-5, atol=0)


def test_spaces_with_shapes():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = torch.nn.Conv2d(2, 3, 3).double()
    frozen = freeze(model, draw(1, 2, 5, 6))
    found = truncated_svd(frozen[0], 3, solver=Slepc("trlanczos"), tol=1e-9)
    torch.testing.assert_close(found.S, batched_svd(frozen, 3).S[0], rtol=1e-9, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_what_did_not_converge_is_an_error_that_carries_what_was_found(kind):
    matrix = MatrixOperator(draw(150, 200))
    with pytest.raises(NotConvergedError, match=rf"{kind} found \d+ of 5 .* raise max_iterations") as caught:
        slepc_svd(matrix, 5, Slepc(kind, max_iterations=1), tol=1e-14)
    triplets = caught.value.triplets
    found = len(triplets.S)
    assert found < 5
    assert triplets.U.shape == (150, found) and triplets.Vh.shape == (found, 200)
    assert triplets.relative_residuals.shape == (found,)
    assert triplets.products > 0


def test_arithmetic_that_breaks_down_is_an_error_that_says_so():
    """The cross product of a singular matrix can have eigenvalues below zero, at which SLEPc gives up."""
    matrix, _, _ = planted(30, 30, [9.0, 4.0, 4.0, 2.0, 1.0])
    with pytest.raises(NotConvergedError, match=r"cross found 0 of 4 .*negative eigenvalues") as caught:
        slepc_svd(MatrixOperator(matrix), 4, Slepc("cross"), tol=1e-9)
    assert caught.value.triplets.U.shape == (30, 0)
    assert caught.value.triplets.products > 0
    assert truncated_svd(MatrixOperator(matrix), 4, solver=Slepc("trlanczos")).S.shape == (4,)


def test_errors_of_the_operator_itself_go_on():
    class Broken(MatrixOperator):
        def _matmat(self, vectors):
            raise ZeroDivisionError("a product failed")

    # petsc4py lets Python complain that a C function returned with an error set; the operator's own is behind it.
    with pytest.raises(SystemError) as caught:
        slepc_svd(Broken(draw(20, 30)), 2)
    assert isinstance(caught.value.__cause__.__cause__, ZeroDivisionError)


def test_tolerance_is_that_of_the_call(network):
    loose = truncated_svd(network, 3, solver="slepc cross", tol=1e-2)
    tight = truncated_svd(network, 3, solver="slepc cross", tol=1e-11)
    assert loose.relative_residuals.max() <= 1e-2
    assert tight.relative_residuals.max() <= 1e-10
    assert tight.products >= loose.products


def test_without_slepc4py_the_error_says_how_to_get_it(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "slepc4py", None)
    assert not slepc_available()
    with pytest.raises(SolverUnavailableError, match=r"slepc4py is not installed.*make environment.*conda") as caught:
        truncated_svd(network, 2, solver="slepc cross")
    assert "solvers 'lanczos' and 'exact' need neither" in str(caught.value)
    assert isinstance(caught.value, ImportError)
    assert truncated_svd(network, 2, solver="auto").solver == "exact"


def test_a_broken_pipe_stays_an_error_of_python():
    """PETSc's own handler would end the process here, as when a worker process is killed after an SVD by SLEPc."""
    script = """
import os
from paperlib.svd import slepc_available

assert slepc_available()
reader, writer = os.pipe()
os.close(reader)
try:
    os.write(writer, b"x")
except BrokenPipeError:
    print("an error")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "an error\n"), done.stderr
