"""One set of networks in all conventions of the capacity metric."""

import math

import pytest
import torch
from torch import nn

from paperlib.convsvd.conventions import alpha_hats, convention_rows, ranked
from paperlib.spectra.capacity import CONVENTIONS, alpha_hat


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    return {
        "narrow": nn.Sequential(nn.Conv2d(3, 16, 3), nn.Conv2d(16, 24, 3)),
        "wide": nn.Sequential(nn.Conv2d(3, 40, 3), nn.Conv2d(40, 48, 3), nn.Conv2d(48, 12, 3)),
    }


def test_values_are_those_of_the_library_one_by_one(networks):
    found = alpha_hats(networks)
    assert list(found) == list(CONVENTIONS)
    for convention, values in found.items():
        for name, network in networks.items():
            assert values[name] == pytest.approx(alpha_hat(network, convention), rel=1e-12)


def test_base_and_sum_are_factors_and_scaling_is_not(networks):
    found = alpha_hats(networks)
    for name, layers in (("narrow", 2), ("wide", 3)):
        one = found["mean_natural_scaled"][name]
        assert found["sum_natural_scaled"][name] == pytest.approx(layers * one)
        assert found["mean_decimal_scaled"][name] == pytest.approx(one / math.log(10))
    shifts = {name: found["mean_natural_unscaled"][name] - found["mean_natural_scaled"][name] for name in networks}
    assert shifts["wide"] != pytest.approx(shifts["narrow"], rel=0.01)


def test_ranks_and_rows(networks):
    assert ranked({"a": 2.0, "b": -1.0, "c": 0.5}) == ["b", "c", "a"]
    rows = convention_rows(alpha_hats(networks))
    assert len(rows) == len(CONVENTIONS) and all(len(row) == 4 and all(row) for row in rows)
