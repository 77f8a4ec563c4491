"""The numbers that correct the paper's sentences, each against what it has to be."""

import json
from itertools import pairwise

import pytest
import torch

from paperlib.engine.results import plain
from paperlib.errata import errata_rows
from paperlib.models import fully_connected
from paperlib.svr.experiments import errata_checks as checks
from paperlib.svr.experiments.errata import ERRATA, errata_numbers


@pytest.fixture(scope="module")
def numbers():
    images = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return errata_numbers(images, draws=4000, seed=1, p=0.15)


def test_every_sentence_has_its_numbers_and_every_number_its_sentence(numbers):
    assert {one.name for one in ERRATA} == numbers.keys()
    rows = errata_rows(ERRATA, numbers)
    assert len(rows) == len(ERRATA) and all(len(row) == 4 and all(row) for row in rows)


def test_numbers_can_be_recorded_and_read(numbers):
    recorded = json.loads(json.dumps(plain(numbers, "values")))
    assert errata_rows(ERRATA, recorded) == errata_rows(ERRATA, numbers)


def test_p_is_what_survives():
    found = checks.shown_rates(40, 0.15)
    assert found["cut"] == pytest.approx(0.0358, abs=1e-4)
    assert found["survival"] == pytest.approx(0.1524, abs=1e-4) and found["confidence"] > 0.85


def test_variance_of_a_slice_and_the_factor_that_stays():
    found = checks.slice_spread(5, 9, 20_000, seed=0)
    assert found["simulated"] == pytest.approx(found["formula"], rel=0.06)
    assert found["factor_of_many_channels"] == pytest.approx((1 - 1 / 9) ** 0.5, rel=1e-5)


def test_the_covariance_is_negative():
    found = checks.mixed_moments(5, 40_000, seed=0)
    assert found["covariance"].high < 0 < found["moment"].low
    # Entries of a unit vector: E x_1^2 x_2^2 - 1/n^2 = 1/35 - 1/25.
    assert found["covariance"].mean == pytest.approx(1 / 35 - 1 / 25, abs=0.001)


def test_moments_of_chi_square_over_n():
    assert checks.scaled_moments(40) == pytest.approx({"second": 3.0, "fourth": 105.0})


def test_products_have_both_signs_and_their_squares_the_mean():
    found = checks.inner_products(16, 20_000, seed=0)
    assert found["negative"] == pytest.approx(0.5, abs=4 * 0.5 / 20_000**0.5)
    # c <X, Y>^2 has the variance 2 for many channels.
    assert found["squared"] == pytest.approx(1, abs=4 * (2 / 20_000) ** 0.5)


def test_values_go_on_changing_however_large_n_is():
    found = checks.change_by_doubling((32, 512), 4000, seed=0)
    assert found[32] == pytest.approx(found[512], rel=0.1) and found[512] > 0.5


@pytest.mark.parametrize(("rows", "columns"), [(3, 7), (4, 4), (1, 9)])
def test_rows_are_of_the_later_layer(rows, columns):
    assert checks.planted_rectangle(rows, columns, 20) == (rows, columns)


def test_sizes_of_the_vggs():
    assert checks.convolution_sizes((2, 2, 3, 3, 3), 224)[5:11] == [56, 56, 28, 28, 28, 14]
    assert checks.convolution_sizes((2, 2, 4, 4, 4), 224)[5:11] == [56, 56, 56, 28, 28, 28]


def test_relu_and_the_input():
    images = torch.tensor([0.0, 0.0, 0.0, 1.0])
    assert checks.zeroed_inputs(images) == {"change": 0.0, "zeroed": 0.75}


def test_shapes_of_both_flattenings():
    found = checks.shapes_of_pair((3, 8, 20), seed=0)
    assert found == {"U_svr": (8, 8), "V_co_svr": (8, 8), "V_svr": (72, 20), "mixed": (8, 8)}


def test_the_shared_dimension_of_convolutions_is_their_channels():
    found = checks.mean_by_shared_dimension(6, 20, seed=0)
    assert found["channels"].mean == pytest.approx(1, abs=0.02)
    assert found["entries"].mean == pytest.approx(9 * found["channels"].mean)


def test_axes_have_to_be_moved():
    found = checks.plain_reshape(seed=0)
    assert found["moved"] < 1e-13 and found["plain"] > 0.01


def test_the_activation_changes_nothing_and_weights_do():
    models = []
    for seed, name in ((0, "relu"), (0, "tanh"), (1, "relu")):
        torch.manual_seed(seed)
        models.append(fully_connected((6, 5, 4), name))
    assert checks.activation_change(models[:2]) == 0
    assert checks.activation_change(models) > 1e-3


def test_the_band_of_a_mean_is_narrower_than_that_of_the_sample():
    found = checks.band_of_four_deviations(400)
    assert found["narrower"] == 20 and found["probability"] == pytest.approx(0.99993666, abs=1e-8)


def test_chance_is_recorded_for_both_sizes(numbers):
    (small, large) = (numbers["chance"][n] for n in (40, 100))
    assert small["d_out"] < large["d_out"] and all(one["excess"] < one["excess_high"] for one in (small, large))
    assert all(a < b for a, b in pairwise([10, small["d_out"], 35, large["d_out"], 65]))
