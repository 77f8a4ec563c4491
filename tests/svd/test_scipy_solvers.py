"""SciPy's solvers through the front of this library: residuals, counts, limits."""

import warnings

import pytest
import torch
from svd_support import draw, planted

from paperlib.operators import CountingOperator, MatrixOperator, to_scipy
from paperlib.svd import NotConvergedError, RankError, Scipy, scipy_svd

KINDS = ["propack", "arpack", "lobpcg"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (60, 60)], ids=["wide", "tall", "square"])
@pytest.mark.parametrize("tol", [1e-3, 1e-8])
def test_residuals_reach_what_was_asked_for(kind, shape, tol):
    matrix, _, _ = planted(*shape, [0.85**i for i in range(min(shape))])
    found = scipy_svd(MatrixOperator(matrix), 4, Scipy(kind), tol=tol)
    assert found.relative_residuals.max() <= tol
    right = (matrix @ found.Vh.T - found.U * found.S).norm(dim=0)
    torch.testing.assert_close(found.right_residuals, right, rtol=0, atol=1e-13)
    assert (found.S.diff() <= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_products_are_counted_as_an_outsider_counts_them(kind):
    counted = CountingOperator(MatrixOperator(planted(50, 60, [0.8**i for i in range(50)])[0]))
    found = scipy_svd(counted, 3, Scipy(kind))
    assert found.products == counted.products - 2 * 3


@pytest.mark.parametrize("kind", ["arpack", "lobpcg"])
def test_all_triplets_are_too_many_for_two_of_them(kind):
    with pytest.raises(RankError, match=rf"scipy {kind} finds at most 5 triplets of a 6 x 40 matrix"):
        scipy_svd(MatrixOperator(draw(6, 40)), 6, Scipy(kind))
    assert scipy_svd(MatrixOperator(draw(6, 40)), 6, Scipy("propack")).S.shape == (6,)


@pytest.mark.parametrize(
    "settings", [Scipy("propack", basis_size=6), Scipy("arpack", max_iterations=1)], ids=lambda s: s.kind
)
def test_what_did_not_converge_is_an_error_that_carries_what_was_found(settings):
    operator = MatrixOperator(planted(150, 200, [1 - 0.003 * i for i in range(150)])[0])
    with pytest.raises(NotConvergedError, match=rf"{settings.kind} found \d of 5 .*raise max_iterations") as caught:
        scipy_svd(operator, 5, settings, tol=1e-10)
    found = len(caught.value.triplets.S)
    assert found < 5
    assert caught.value.triplets.U.shape == (150, found) and caught.value.triplets.Vh.shape == (found, 200)


def test_lobpcg_that_stops_early_says_so_by_its_residuals():
    operator = MatrixOperator(planted(150, 200, [1 - 0.003 * i for i in range(150)])[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = scipy_svd(operator, 5, Scipy("lobpcg", max_iterations=2))
    assert not found.converged and found.relative_residuals.max() > 1e-4


def test_vectors_in_double_precision_over_products_in_single():
    matrix = draw(5, 7)
    operator = to_scipy(MatrixOperator(matrix.float()), dtype="float64")
    product = operator.matvec(torch.ones(7, dtype=torch.float64).numpy())
    assert operator.dtype == product.dtype == "float64"
    torch.testing.assert_close(torch.from_numpy(product).float(), matrix.float().sum(1))
