"""Table 1 and the properties of adjacencies: at rounding as they are, and far from it where something is wrong."""

import dataclasses

import pytest
import torch

from paperlib.svr import adjacency, spectral_neurons
from paperlib.svr.experiments import properties, table_one

ROWS = [
    "spaces", "factoring", "operation", "building block", "parameters", "SVD", "output recovery", "adjacency",
    "null model",
]  # fmt: skip
# Checks that use the neurons of both layers or one.
OF_NEURONS = ["factoring", "SVD", "output recovery", "adjacency"]


def test_every_row_of_the_paper_holds_to_rounding():
    rows = table_one.rows(0)
    assert [row.name for row in rows] == ROWS
    for row in rows[:-1]:
        # Sums of some hundred products in float64.
        assert max(row.errors) < 1e-13, row.name
    assert rows[-1].name == table_one.LAWS and rows[-1].errors == pytest.approx((0.024, 0.0145), abs=1e-3)


def test_layers_follow_from_their_seed_and_leave_the_global_generator():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, again, other = (table_one.random_pairs(seed)[1].earlier.weight for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_wrong_neurons_are_seen(monkeypatch):
    def wrong(layer):
        found = spectral_neurons(layer)
        return dataclasses.replace(found, V=found.V.flip(1) if found.V.shape[1] > 1 else found.V.roll(1, 0))

    monkeypatch.setattr(table_one, "spectral_neurons", wrong)
    errors = {row.name: row.errors for row in table_one.rows(0)}
    for name in ("factoring", "SVD", "output recovery"):
        assert min(errors[name]) > 0.1, name


def test_wrong_coefficients_are_seen(monkeypatch):
    def wrong(later, earlier):
        found = adjacency(later, earlier)
        return dataclasses.replace(found, coefficients=found.coefficients.flip(0))

    monkeypatch.setattr(table_one, "adjacency", wrong)
    monkeypatch.setattr(properties, "adjacency", wrong)
    assert min({row.name: row.errors for row in table_one.rows(0)}["adjacency"]) > 0.1


def test_properties_hold_to_rounding():
    found = properties.checks(3)
    assert found.keys() == {
        "projections", "bounds", "composition", "product", "signs", "equal_values", "scaling", "tucker", "gradient",
    }  # fmt: skip
    for name, one in found.items():
        assert one.error < 1e-12, name


def test_equal_singular_values_leave_single_coefficients_open():
    """svr.prop.12."""
    single, together = properties.degenerate_freedom(0)
    assert single > 0.05 and together < 1e-14


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("bounds", lambda later, earlier: _scaled(later, earlier, 1.5)),
        ("signs", lambda later, earlier: _scaled(later, earlier, earlier.U[0, 0].abs().sum() + earlier.U[0, 0].sum())),
        ("scaling", lambda later, earlier: _scaled(later, earlier, earlier.S[0])),
    ],
)
def test_coefficients_without_the_property_are_seen(monkeypatch, name, broken):
    monkeypatch.setattr(properties, "adjacency", broken)
    assert properties.checks(0)[name].error > 1e-3


def _scaled(later, earlier, factor):
    found = adjacency(later, earlier)
    return dataclasses.replace(found, coefficients=found.coefficients * factor)
