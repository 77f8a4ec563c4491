"""Checks of printed numbers, against numbers worked out by hand."""

import math

import pytest

from paperlib.generalizability.errata import label_map_check, null_space_check, table_two_mean


def test_label_map_of_the_paper_by_hand():
    check = label_map_check(2.0, -2.0, seed=0)
    # Energy 10 * 4 = 40; sum 2 - 18 = -16; 16^2 / 10 = 25.6 of it is constant.
    assert check.constant_energy[0] == pytest.approx(25.6 / 40)
    # Two labels agree in 8 places (+4 each) and disagree in 2 (-4 each).
    assert check.cosine[0] == pytest.approx((8 * 4 - 2 * 4) / 40)
    assert check.softmax_label[0] == pytest.approx(1 / (1 + 9 * math.exp(-4)))
    assert check.softmax_other[0] == pytest.approx(math.exp(-4) / (1 + 9 * math.exp(-4)))
    assert check.lpr_label[0] == pytest.approx(4 / 40)


def test_centring_removes_the_constant_part_and_keeps_the_softmax():
    check = label_map_check(2.0, -2.0, seed=0)
    assert check.constant_energy[1] == pytest.approx(0, abs=1e-15)
    assert check.softmax_label[1] == pytest.approx(check.softmax_label[0])
    # Ten centred labels are the corners of a simplex.
    assert check.cosine[1] == pytest.approx(-1 / 9)


@pytest.mark.parametrize(("high", "low", "energy"), [(4.0, 0.0, 0.1), (3.6, -0.4, 0.0)])
def test_equivalent_label_maps_have_less_constant_energy(high, low, energy):
    assert label_map_check(high, low, seed=0).constant_energy[0] == pytest.approx(energy, abs=1e-15)


def test_mean_over_random_directions_is_a_tenth():
    # 10,000 Beta(1/2, 9/2) variables of standard deviation 0.122: four standard errors are 0.005.
    check = label_map_check(2.0, -2.0, seed=3)
    assert check.lpr_random == pytest.approx((0.1, 0.1), abs=0.005)


def test_null_space_image_gives_uniform_probabilities_and_ties_go_to_the_first_class():
    check = null_space_check(seed=1)
    assert check.logit < 1e-15
    assert check.probability_deviation < 1e-13
    assert check.tied_class == 0


def test_bins_of_table_two_add_up():
    means = [0.7728, 0.8979, 0.9375, 0.9522]
    assert table_two_mean([0.1, 0.4, 0.4, 0.1], means) == pytest.approx(0.90666)
    assert table_two_mean([37, 147, 148, 37], means) == pytest.approx(0.90668, abs=5e-6)
