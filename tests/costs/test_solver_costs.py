"""Solvers side by side, each in a process of its own, on one small trained network."""

import pytest
import torch

from paperlib.costs.solvers import Problem, answer, growth, solver_costs
from paperlib.svd import truncated_svd
from paperlib.training.phantoms import PhantomTraining

TINY = Problem(
    side=16,
    k=2,
    tol=1e-3,
    training=PhantomTraining(modalities=1, depth=2, filters=3, volumes=1, side=16, patch=8, steps=3),
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))


def test_costs_are_those_of_the_problem_in_a_process_of_its_own():
    """The network is trained once; the child finds it and comes to the same singular values with as many products."""
    lanczos, cross = solver_costs(TINY, ["lanczos", "slepc cross"])
    here = truncated_svd(TINY.operator(), TINY.k, solver="lanczos", tol=TINY.tol)
    assert lanczos.products == here.products
    assert lanczos.values == pytest.approx(here.S.tolist(), rel=1e-6)
    # Errors of values are quadratic in residuals of 1e-3.
    assert cross.values == pytest.approx(lanczos.values, rel=1e-5)
    for cost in (lanczos, cross):
        assert cost.converged and cost.residual <= TINY.tol
        assert cost.seconds > 0 and cost.peak_mib >= 0
    assert (lanczos.solver, cross.solver) == ("lanczos", "slepc cross")


def test_growth_changes_one_field():
    found = growth(TINY, ["lanczos"], "k", [1, 3])
    assert [len(costs[0].values) for costs in found.values()] == [1, 3]


def test_problem_is_the_same_each_time_and_its_volume_was_not_trained_on():
    from paperlib.datasets.phantoms import phantom_volumes

    assert torch.equal(TINY.volume(), TINY.volume())
    assert TINY.operator().shape == TINY.shape == (2 * 16**3, 16**3)
    seen = phantom_volumes(TINY.training.volumes, (16, 16, 16), modalities=1, seed=100).images
    assert not any(torch.equal(TINY.volume()[0], image) for image in seen)


def test_what_did_not_converge_is_told():
    from paperlib.costs.solvers import solved
    from paperlib.svd import Slepc

    found = solved(TINY.operator(), Slepc("trlanczos", basis_size=4, max_iterations=1), TINY)
    told = answer(found)
    assert not told["converged"]
    assert told["products"] > 0 and len(told["values"]) == len(found.S)
