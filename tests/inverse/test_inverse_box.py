"""The box-constrained solver against scipy's, which works on one right-hand side at a time."""

import math

import numpy as np
import pytest
import torch
from inverse_support import draw, planted
from scipy.optimize import lsq_linear

from paperlib.inverse import box_least_squares
from paperlib.subspaces.spaces import four_spaces

MATRICES = {
    "wide": planted(6, 15, [3, 2, 1, 0.5, 0.2, 0.1]),
    "tall": planted(15, 6, [3, 2, 1, 0.5, 0.2, 0.1]),
    "square": planted(8, 8, [5, 4, 3, 2, 1, 0.1, 0.01, 0.005]),
    "rank_deficient": planted(8, 10, [2, 1, 0.5]),
    "one_row": planted(1, 5, [2]),
    "one_column": planted(5, 1, [2]),
    "zero": torch.zeros(3, 4, dtype=torch.float64),
}
BOUNDS = {
    "one_sided": (-0.3, math.inf),
    "two_sided": (-0.3, 0.4),
    "upper": (-math.inf, 0.1),
    "none": (-math.inf, math.inf),
}


def by_scipy(matrix, target, reference, low, high, weight):
    stacked = np.vstack([matrix, math.sqrt(weight) * np.eye(matrix.shape[1])])
    right = np.concatenate([target, math.sqrt(weight) * reference])
    return lsq_linear(stacked, right, (low, high), method="bvls", tol=1e-14).x


@pytest.mark.parametrize("weight", [1.0, 1e-3])
@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("name", MATRICES)
def test_against_scipy(name, bounds, weight):
    matrix, (low, high) = MATRICES[name], BOUNDS[bounds]
    rows, columns = matrix.shape
    targets, reference = 2 * draw(4, rows, seed=1), 0.3 * draw(4, columns, seed=2)
    found = box_least_squares(matrix, targets, reference, low, high, weight, tolerance=1e-11, max_iterations=20000)
    assert found.converged.all()
    assert (found.solutions >= low).all()
    assert (found.solutions <= high).all()
    for h, target, start in zip(found.solutions, targets, reference, strict=True):
        expected = by_scipy(matrix.numpy(), target.numpy(), start.numpy(), low, high, weight)
        # The residual tolerance over the weight, which is the smallest curvature.
        assert np.abs(h.numpy() - expected).max() < 1e-7


def test_conditions_of_karush_kuhn_and_tucker():
    matrix, weight = planted(20, 40, [2 * 0.8**i for i in range(20)]), 0.02
    targets, reference = 3 * draw(50, 20, seed=3), draw(50, 40, seed=4)
    low, high = -0.5 - draw(50, 40, seed=5).abs(), 0.5 + draw(50, 40, seed=6).abs()
    found = box_least_squares(matrix, targets, reference, low, high, weight, tolerance=1e-10)
    h = found.solutions
    gradient = (h @ matrix.T - targets) @ matrix + weight * (h - reference)
    at_low, at_high = h == low, h == high
    assert at_low.any()
    assert at_high.any()
    # 1e-10 of forces of order ten.
    assert gradient[~at_low & ~at_high].abs().max() < 1e-7
    assert gradient[at_low].min() > -1e-7
    assert gradient[at_high].max() < 1e-7


def test_rows_may_have_weights_and_the_matrix_may_come_decomposed():
    matrix, targets, reference = MATRICES["wide"], 2 * draw(3, 6, seed=1), torch.zeros(1, 15)
    weights = torch.tensor([1.0, 0.1, 0.01], dtype=torch.float64)
    together = box_least_squares(four_spaces(matrix), targets, reference, -0.1, 0.1, weights, tolerance=1e-10)
    for index, weight in enumerate(weights.tolist()):
        alone = box_least_squares(matrix, targets[index : index + 1], reference, -0.1, 0.1, weight, tolerance=1e-10)
        assert torch.allclose(alone.solutions[0], together.solutions[index], rtol=0, atol=1e-9)


def test_a_minimiser_inside_the_bounds_needs_no_iteration():
    matrix, targets, reference = MATRICES["square"], draw(3, 8), draw(3, 8, seed=1)
    found = box_least_squares(matrix, targets, reference, -1e6, 1e6, 0.5)
    expected = torch.linalg.solve(matrix.T @ matrix + 0.5 * torch.eye(8), (targets @ matrix + 0.5 * reference).T).T
    assert torch.allclose(found.solutions, expected, atol=1e-12)
    assert found.iterations.tolist() == [0, 0, 0]


def test_a_solver_that_is_stopped_says_so_and_stays_inside():
    matrix, targets = MATRICES["square"], 5 * draw(4, 8)
    found = box_least_squares(matrix, targets, torch.zeros(8), -0.2, 0.3, 1e-6, tolerance=1e-12, max_iterations=3)
    assert not found.converged.any()
    assert found.iterations.tolist() == [3] * 4
    assert torch.maximum(found.primal_residuals, found.dual_residuals).min() > 1e-12
    assert found.solutions.min() >= -0.2
    assert found.solutions.max() <= 0.3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": torch.zeros(2, 5)}, r"targets have shape \(2, 5\); expected \(count, 3\)"),
        ({"reference": torch.zeros(2, 5)}, "reference has shape"),
        ({"low": torch.zeros(7)}, "low has shape"),
        ({"low": 2.0}, "lower bound is above"),
        ({"high": math.nan}, "lower bound is above its upper bound, or a bound is NaN"),
        ({"weight": 0.0}, "weight must be positive"),
        ({"targets": torch.full((2, 3), math.nan)}, "must be finite"),
        ({"tolerance": 0.0}, "expected positive numbers"),
        ({"max_iterations": 0}, "expected positive numbers"),
    ],
)
def test_refusals(changes, message):
    settings = {
        "targets": torch.zeros(2, 3),
        "reference": torch.zeros(2, 4),
        "low": -1.0,
        "high": 1.0,
        "weight": 1.0,
        "tolerance": 1e-6,
        "max_iterations": 10,
    }
    with pytest.raises(ValueError, match=message):
        box_least_squares(MATRICES["zero"], **(settings | changes))
