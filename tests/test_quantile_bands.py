"""Bands between quantiles: who belongs to which, and how often their means rise by chance."""

import itertools
import math

import numpy as np
import pytest

from paperlib.quantile_bands import Band, band_names, chance_of_rising, quantile_bands, rises


def pairs(count, seed=0):
    return np.random.default_rng(seed).uniform(size=(2, count))


def counts(bands):
    return [band.count for band in bands]


def test_the_papers_volumes_fall_into_bands_of_its_sizes():
    assert counts(quantile_bands(*pairs(369))) == [37, 147, 148, 37]
    assert counts(quantile_bands(*pairs(260))) == [26, 104, 104, 26]


def test_a_band_holds_the_dice_of_its_volumes():
    ratio, dice = pairs(50)
    limits = np.quantile(ratio, [0.1, 0.5, 0.9])
    second = dice[(ratio >= limits[0]) & (ratio < limits[1])]
    found = quantile_bands(ratio, dice)[1]
    assert (found.low, found.high) == (limits[0], limits[1])
    assert (found.mean, found.minimum) == (pytest.approx(second.mean()), second.min())
    assert found.deviation == pytest.approx(second.std(ddof=1)) and found.count == len(second)
    assert found.error == pytest.approx(second.std(ddof=1) / math.sqrt(len(second)))


@pytest.mark.parametrize("ties", [1, 3, 10, 1000])
def test_every_volume_is_in_one_band_and_ties_stay_together(ties):
    ratio, dice = pairs(97)
    ratio = np.floor(ratio * ties)
    bands = quantile_bands(ratio, dice)
    assert sum(counts(bands)) == 97
    assert sum(band.count * band.mean for band in bands if band.count) == pytest.approx(dice.sum())
    assert (bands[0].low, bands[-1].high) == (ratio.min(), ratio.max())
    for value in np.unique(ratio):
        holding = [band for band in bands if band.low <= value < band.high]
        assert len(holding) == 1 or value == ratio.max()


def test_equal_ratios_leave_bands_empty():
    bands = quantile_bands(np.full(8, 0.3), np.linspace(0, 1, 8))
    assert counts(bands) == [0, 0, 0, 8] and math.isnan(bands[0].mean) and math.isnan(bands[0].error)
    assert not rises(bands) and chance_of_rising(np.full(8, 0.3), np.linspace(0, 1, 8)) == 0
    assert bands[0].as_dict()["mean"] is None
    assert math.isnan(Band.from_dict(bands[0].as_dict()).minimum)
    assert Band.from_dict(bands[3].as_dict()) == bands[3]


def test_means_rise_where_dice_follows_the_ratio():
    ratio, _ = pairs(40)
    assert rises(quantile_bands(ratio, 0.5 + ratio / 2))
    assert not rises(quantile_bands(ratio, 1 - ratio / 2))
    assert not rises(quantile_bands(ratio, np.full(40, 0.9)))


def test_four_bands_of_one_size_rise_by_chance_once_in_24():
    ratio, dice = pairs(80)
    found = chance_of_rising(ratio, dice, (0.25, 0.5, 0.75), permutations=9999)
    # Four binomial deviations.
    assert found == pytest.approx(1 / 24, abs=4 * math.sqrt(1 / 24 / 9999))


def test_the_chance_is_that_of_all_assignments():
    ratio, dice = pairs(6, seed=1)
    quantiles = (0.2, 0.7)
    exact = np.mean([rises(quantile_bands(order, dice, quantiles)) for order in itertools.permutations(ratio)])
    found = chance_of_rising(ratio, dice, quantiles, permutations=20000)
    assert 0.05 < exact < 0.5 and found == pytest.approx(exact, abs=4 * math.sqrt(exact / 20000))


def test_a_chance_follows_its_seed():
    ratio, dice = pairs(30)
    first, again, other = (chance_of_rising(ratio, dice, permutations=999, seed=seed) for seed in (0, 0, 1))
    assert first == again != other


def test_bands_have_the_papers_names():
    assert band_names() == ("below 10 %", "10 to 50 %", "50 to 90 %", "above 90 %")
    assert band_names((0.125,)) == ("below 12.5 %", "above 12.5 %")


@pytest.mark.parametrize(
    ("ratio", "dice", "quantiles", "message"),
    [
        ([], [], (0.5,), "expected one of each"),
        ([0.1, 0.2], [0.9], (0.5,), r"shape \(2,\) and Dice of shape \(1,\)"),
        ([0.1, np.nan], [0.9, 0.8], (0.5,), "leave out the volumes"),
        ([0.1, 0.2], [0.9, 0.8], (0.5, 0.5), "rise between 0 and 1"),
        ([0.1, 0.2], [0.9, 0.8], (0.5, 1.0), "rise between 0 and 1"),
        ([0.1, 0.2], [0.9, 0.8], (), "rise between 0 and 1"),
    ],
)
def test_what_has_no_bands_is_refused(ratio, dice, quantiles, message):
    with pytest.raises(ValueError, match=message):
        quantile_bands(ratio, dice, quantiles)
