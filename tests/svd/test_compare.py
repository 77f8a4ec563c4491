"""The record of a solver is measured against a computation that is not its own."""

import pytest
import torch
from torch import nn

from paperlib.svd import compare
from paperlib.svd.compare import compare_solvers, subspace_angle


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Linear(12, 9, bias=False), nn.ReLU(), nn.Linear(9, 4, bias=False)
    return nn.Sequential(nn.Flatten(), *layers).double().requires_grad_(False)


def test_both_solvers_agree_with_the_jacobian(network):
    images = torch.randn(3, 1, 3, 4, dtype=torch.float64)
    exact, slepc = compare_solvers(network, images, k=3)
    assert (exact.solver, slepc.solver) == ("exact", "slepc cross")
    assert exact.products == 4
    for record in (exact, slepc):
        # Double precision: rounding, and for SLEPc a tolerance of 1e-5 whose square is the error of a value.
        assert record.largest_residual < 1e-5
        assert record.value_difference < 1e-9
        assert record.subspace_angle < 1e-4


def test_a_wrong_singular_value_shows_in_the_record_of_the_exact_path(network, monkeypatch):
    whole = compare.batched_svd

    def wrong(frozen, k):
        found = whole(frozen, k)
        return compare.replace(found, S=1.01 * found.S)

    monkeypatch.setattr(compare, "batched_svd", wrong)
    (record,) = compare_solvers(network, torch.randn(2, 12, dtype=torch.float64), k=3, solvers=["exact"])
    assert record.value_difference == pytest.approx(0.01)
    assert record.largest_residual > 0.009


def test_angle_of_planted_subspaces():
    first = torch.eye(4, dtype=torch.float64)[:2]
    turned = torch.stack([first[0], torch.tensor([0, 0.8, 0.6, 0], dtype=torch.float64)])
    assert subspace_angle(first, first) == 0
    assert subspace_angle(first, turned) == pytest.approx(torch.tensor(0.6).asin().item())
