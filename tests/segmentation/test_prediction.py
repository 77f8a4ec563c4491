"""The summary of a table of volumes, on tables in which it is known what depends on what."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from paperlib.generalizability.table_two import correlation_groups
from paperlib.segmentation import Prediction, VolumeRow, VolumeTable, prediction

FEW = {"draws": 100, "permutations": 199}
COUNT = 60


def planted(seed=0, **columns):
    """Sixty volumes in three folds; Dice follows the entropy closely, RPR at k = 2 less so, and RPR at k = 1 not."""
    generator = np.random.default_rng(seed)
    quality = generator.uniform(size=COUNT)
    found = {
        "dice": quality,
        "ratio": quality + 0.3 * generator.normal(size=COUNT),
        "foreground_entropy": -quality + 0.05 * generator.normal(size=COUNT),
        "volume": generator.uniform(10, 90, size=COUNT),
        "contrast": generator.uniform(size=COUNT),
        "norm": np.ones(COUNT),
    } | columns
    other = generator.uniform(size=COUNT)
    rows = [
        VolumeRow(
            f"v{i}", i % 3, found["dice"][i], rpr=(other[i], found["ratio"][i]), rpr_foreground=(0.0, other[i]),
            singular_values=(2.0, 1.0), residuals=(0.0, 0.0), entropy=other[i],
            foreground_entropy=found["foreground_entropy"][i], foreground_probability=other[i],
            predicted_volume=found["volume"][i], norm=found["norm"][i], volume=found["volume"][i],
            contrast=found["contrast"][i],
        )
        for i in range(COUNT)
    ]  # fmt: skip
    return VolumeTable((*rows, VolumeRow("broken", 0, note="holds NaN")), 2)


def test_the_ratio_at_the_largest_k_is_correlated_with_dice():
    table = planted()
    found = prediction(table, **FEW)
    dice, ratios = table.column("dice"), table.ratios()
    assert found.count == COUNT and found.failed == 1
    assert found.correlation.value == pytest.approx(stats.spearmanr(ratios[:, 1], dice).statistic, rel=1e-12)
    assert found.by_rank[0].value == pytest.approx(stats.spearmanr(ratios[:, 0], dice).statistic, rel=1e-12)
    assert found.by_rank[1] == found.correlation == found.readings["rpr"]
    assert found.pearson.value == pytest.approx(np.corrcoef(ratios[:, 1], dice)[0, 1], rel=1e-12)
    assert [part.count for part in found.by_fold] == [20, 20, 20]
    assert found.mean_dice == pytest.approx(dice.mean()) and found.deviation_ratio == pytest.approx(
        ratios[:, 1].std(ddof=1)
    )
    assert found.rises and found.chance_of_rising < 0.2
    assert set(found.readings) == {"rpr", "rpr_foreground"}, "the patches were not measured"


def test_a_better_number_without_an_svd_is_noticed():
    found = prediction(planted(), **FEW)
    assert found.baselines["foreground_entropy"].value < -0.95 and abs(found.baselines["entropy"].value) < 0.4
    expected = found.correlation.value + found.baselines["foreground_entropy"].value
    assert found.less_than_entropy.value == pytest.approx(expected, rel=1e-10)
    assert found.less_than_entropy.low < found.less_than_entropy.value < found.less_than_entropy.high < 0
    assert math.isnan(found.baselines["norm"].value), "the norm is the same everywhere"


def test_the_size_of_the_object_is_taken_out():
    """Dice and ratio both follow the size here, and nothing else connects them."""
    generator = np.random.default_rng(5)
    size = generator.uniform(size=COUNT)
    both = [size + 0.2 * generator.normal(size=COUNT) for _ in range(2)]
    found = prediction(planted(dice=both[0], ratio=both[1], volume=size), **FEW)
    assert found.correlation.low > 0.3 and abs(found.partial.value) < 0.3


def test_the_numerator_does_not_know_how_much_is_around_the_object():
    """Each volume is cut in its own way, which divides what the network reads by a number that means nothing."""
    generator = np.random.default_rng(6)
    quality, norm = generator.uniform(size=COUNT), generator.uniform(1, 30, size=COUNT)
    found = prediction(planted(dice=quality, ratio=(1 + quality) / norm**2, norm=norm), **FEW)
    assert found.numerator.value == pytest.approx(1) and abs(found.correlation.value) < 0.4


def test_networks_of_different_quality_make_no_correlation_inside_the_folds():
    """The folds differ in both numbers, so that over all volumes they correlate; inside the folds nothing does."""
    folds = np.arange(COUNT) % 3
    dice, ratio = (np.random.default_rng(seed).uniform(size=COUNT) + folds for seed in (1, 2))
    table = planted(dice=dice, ratio=ratio)
    apart, pooled = prediction(table, inside_folds=True, **FEW), prediction(table, **FEW)
    assert pooled.correlation.low > 0.5 and pooled.partial.low > 0.5
    assert apart.correlation == pooled.within_folds and abs(apart.correlation.value) < 0.3
    assert abs(apart.partial.value) < 0.3


def test_volumes_without_foreground_are_left_out_of_what_needs_one():
    entropy = planted().column("foreground_entropy")
    entropy[:4] = math.nan
    found = prediction(planted(foreground_entropy=entropy), **FEW)
    assert found.baselines["foreground_entropy"].count == COUNT - 4 and found.correlation.count == COUNT
    assert math.isfinite(found.less_than_entropy.value)


def test_a_result_file_holds_all_of_it():
    found = prediction(planted(), **FEW)
    text = json.dumps(found.as_dict(), allow_nan=False)
    again = Prediction.from_dict(json.loads(text) | {"added_later": 1})
    assert json.dumps(again.as_dict()) == text and again.bands == found.bands
    assert again.less_than_entropy == found.less_than_entropy and again.by_fold == found.by_fold


def test_every_correlation_has_its_row_in_the_figure():
    found = prediction(planted(), **FEW)
    groups = correlation_groups(found)
    assert list(groups) == ["right projection ratio", "ratio, by fold", "without an SVD"]
    assert groups["right projection ratio"]["all volumes"] is found.correlation
    assert groups["right projection ratio"]["within the marked voxels"] is found.readings["rpr_foreground"]
    assert list(groups["ratio, by fold"]) == ["fold 0", "fold 1", "fold 2"]
    assert groups["without an SVD"]["entropy, marked voxels"] is found.baselines["foreground_entropy"]
