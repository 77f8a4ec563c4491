"""Two solvers on the same volumes."""

import pytest
from segmentation_support import tiny_volumes, untrained_network

from paperlib.segmentation import MeasureSettings
from paperlib.segmentation.solver_comparison import compare_solvers
from paperlib.svd import slepc_available


def test_solvers_find_the_same_singular_values():
    network, volumes = untrained_network(), tiny_volumes()
    settings = MeasureSettings(k=3, tol=1e-6)
    names = ("lanczos", "scipy arpack")
    first, other = compare_solvers(network, volumes, settings, count=2, solvers=names)
    assert (first.solver, other.solver) == names and first.volumes == other.volumes == 2
    assert first.disagreement == 0 < other.disagreement < 1e-5
    assert max(first.residual, other.residual) <= 1e-6 and min(first.products, other.products) >= 6
    assert first.as_dict()["seconds"] == first.seconds > 0


@pytest.mark.parametrize("there", [True, False])
def test_slepc_is_left_out_where_it_is_not_installed(monkeypatch, there):
    monkeypatch.setattr("paperlib.segmentation.solver_comparison.slepc_available", lambda: there and slepc_available())
    costs = compare_solvers(untrained_network(), tiny_volumes(), MeasureSettings(k=2, tol=1e-3), count=1)
    assert [cost.solver for cost in costs] == ["lanczos", "slepc cross"][: 1 + (there and slepc_available())]


def test_no_volumes_cost_nothing():
    assert compare_solvers(untrained_network(), tiny_volumes(), MeasureSettings(k=2), count=0) == ()
