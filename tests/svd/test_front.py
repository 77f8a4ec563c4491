"""One front for all solvers: what it chooses, what it checks, what it says."""

import pytest
import torch
from svd_support import draw, largest_angle, planted

from paperlib.operators import CountingOperator, LinearOperator, MatrixOperator
from paperlib.svd import SOLVERS, Exact, Lanczos, NotConvergedError, Scipy, Slepc, truncated_svd


def test_auto_forms_a_matrix_with_a_small_side_and_iterates_on_a_large_one():
    assert truncated_svd(MatrixOperator(draw(512, 600)), 2).solver == "exact"
    values = torch.logspace(0, -6, 60, dtype=torch.float64).tolist()
    matrix, _, V = planted(513, 600, values)
    found = truncated_svd(MatrixOperator(matrix), 2)
    assert found.solver == "lanczos"
    assert largest_angle(V[:, :2], found.Vh.T) < 1e-3


def test_auto_iterates_where_the_matrix_has_no_room(monkeypatch):
    """Of 5 x 40,000 the matrix and its factors take several megabytes, more than half of one."""
    operator = MatrixOperator(draw(5, 40_000))
    assert truncated_svd(operator, 2).solver == "exact"
    monkeypatch.setattr("paperlib.svd.front.free_memory", lambda device: 2**20)
    assert truncated_svd(operator, 2).solver == "lanczos"


@pytest.mark.parametrize("solver", SOLVERS)
def test_names_and_settings_mean_the_same(solver):
    settings = {
        "exact": Exact(),
        "lanczos": Lanczos(),
        "block lanczos": Lanczos(block_size=4),
    } | {f"slepc {kind}": Slepc(kind) for kind in ("cross", "trlanczos", "cyclic", "randomized")}
    settings |= {f"scipy {kind}": Scipy(kind) for kind in ("propack", "arpack", "lobpcg")}
    operator = MatrixOperator(planted(40, 50, [0.7**i for i in range(40)])[0])
    by_name, by_settings = (truncated_svd(operator, 3, solver=given) for given in (solver, settings[solver]))
    assert by_name.solver == by_settings.solver == solver
    assert torch.equal(by_name.Vh, by_settings.Vh)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("solver", SOLVERS)
def test_result_says_what_it_is_of(solver, dtype):
    operator = MatrixOperator(planted(30, 40, [0.6**i for i in range(30)])[0].to(dtype))
    found = truncated_svd(operator, 3, solver=solver)
    assert found.converged and found.dtype == dtype and found.device == torch.device("cpu")
    assert found.S.dtype == torch.float64
    assert found.U.shape == (30, 3) and found.Vh.shape == (3, 40)
    assert found.products >= 3
    assert found.relative_residuals.max() <= 1e-4


@pytest.mark.parametrize("solver", SOLVERS)
def test_progress_counts_products_on_standard_error(solver, capfd):
    operator = MatrixOperator(planted(30, 40, [0.6**i for i in range(30)])[0])
    truncated_svd(operator, 3, solver=solver, progress=True)
    told = capfd.readouterr()
    assert f"SVD by {solver}" in told.err and "products" in told.err
    assert not told.out


def test_a_solver_that_believes_too_early_is_asked_again(monkeypatch):
    """The first answer has a residual of 1e-2 although 1e-4 was asked for; its products count too."""
    from paperlib.svd import front

    asked = []

    def hasty(operator, k, settings, *, tol, seed):
        asked.append(tol)
        return real(operator, k, settings, tol=1e-2 if len(asked) == 1 else tol, seed=seed)

    real = front.slepc_svd
    monkeypatch.setattr(front, "slepc_svd", hasty)
    counted = CountingOperator(MatrixOperator(planted(80, 90, [0.9**i for i in range(80)])[0]))
    found = truncated_svd(counted, 4, solver="slepc trlanczos", tol=1e-4)
    assert asked == [1e-4, 2.5e-5]
    assert found.converged and found.relative_residuals.max() <= 1e-4
    # Each of the two answers was checked by a product on either side of four triplets.
    assert found.products == counted.products - 2 * 2 * 4


def test_what_rounding_hides_is_no_success():
    """Products in single precision err by about 1e-8 of the largest value, which is 1e-4 of one of 1e-4."""
    matrix, _, _ = planted(60, 70, [1.0, 1e-4, 0.9e-4])
    for solver in ("slepc trlanczos", "lanczos"):
        with pytest.raises(NotConvergedError, match=r"rounding|float32") as caught:
            truncated_svd(MatrixOperator(matrix.float()), 2, solver=solver, tol=1e-6)
        assert not caught.value.triplets.converged
        assert abs(caught.value.triplets.S[0] - 1) < 1e-5


def test_zero_to_the_precision_of_the_products_counts():
    """Beyond the rank the relative residual is rounding over rounding; the residual itself says that s is zero."""
    matrix, _, _ = planted(60, 70, [3.0, 2.0])
    for dtype in (torch.float32, torch.float64):
        found = truncated_svd(MatrixOperator(matrix.to(dtype)), 3, solver="slepc trlanczos")
        assert found.converged and found.S[2] <= 100 * torch.finfo(dtype).eps * found.S[0]


@pytest.mark.parametrize("tol", [0.0, -1.0, float("nan")])
def test_a_tolerance_must_be_positive(tol):
    with pytest.raises(ValueError, match=f"tol is {tol}; it must be positive"):
        truncated_svd(MatrixOperator(draw(5, 6)), 2, tol=tol)


def test_same_seed_same_answer_and_another_seed_the_same_space():
    matrix, _, _ = planted(600, 620, [0.8**i for i in range(100)])
    first, again, other = (truncated_svd(MatrixOperator(matrix), 4, tol=1e-8, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.Vh, again.Vh)
    assert not torch.equal(first.Vh, other.Vh)
    assert largest_angle(first.Vh.T, other.Vh.T) < 1e-6


def test_errors_of_the_operator_reach_the_caller():
    class Broken(LinearOperator):
        def _matmat(self, vectors):
            raise ZeroDivisionError("a product failed")

        _rmatmat = _matmat

    operator = Broken((600,), (700,), torch.float64, torch.device("cpu"))
    for solver in ("lanczos", "scipy arpack"):
        with pytest.raises(ZeroDivisionError, match="a product failed"):
            truncated_svd(operator, 2, solver=solver)
