"""How many of the worst volumes a number finds."""

import math

import numpy as np
import pytest

from paperlib.segmentation import VolumeRow, VolumeTable
from paperlib.segmentation.failures import Search, search, searches


def test_a_search_by_hand():
    dice = [0.9, 0.5, 0.8, 0.7, 0.6, 0.95, 0.85, 0.65, 0.75, 0.99]
    assert search("itself", dice, dice, 0.3) == Search("itself", 3, 3, 0.9)
    assert search("opposite", dice, np.negative(dice), 0.3).found == 0
    suspicion = [1, 0, 0.5, 9, 9, 9, 9, 0.2, 9, 9]  # Suspects 1, 7 and 2; the worst are 1, 4 and 7.
    assert search("some", dice, suspicion, 0.3).found == 2
    assert search("a single one", dice, suspicion, 0.01) == Search("a single one", 1, 1, 0.1)
    assert search("everyone", dice, suspicion, 1) == Search("everyone", 10, 10, 10)


def test_chance_finds_what_is_expected():
    generator = np.random.default_rng(0)
    found = [search("chance", *generator.uniform(size=(2, 50)), share=0.2) for _ in range(2000)]
    # The mean of 2000 hypergeometric numbers of deviation 1.2 scatters by 0.03.
    assert np.mean([one.found for one in found]) == pytest.approx(found[0].expected, abs=0.1) and found[0].expected == 2


def test_each_number_is_turned_so_that_doubt_comes_first():
    rows = [
        VolumeRow(
            f"v{i}", 0, dice, rpr=(9.0, dice), entropy=-dice, foreground_entropy=math.nan if i == 0 else -dice,
            foreground_probability=math.nan if i == 0 else dice, predicted_volume=100 * dice,
        )
        for i, dice in enumerate(np.linspace(0.1, 0.9, 20))
    ]  # fmt: skip
    found = searches(VolumeTable((*rows, VolumeRow("broken", 0, note="NaN")), 2))
    assert len(found) == 5 and {(one.count, one.found, one.expected) for one in found} == {(2, 2, 0.2)}


@pytest.mark.parametrize(
    ("dice", "suspicion", "share", "message"),
    [([1], [1, 2], 0.1, "shape"), ([], [], 0.1, "shape"), ([1], [1], 0, "share is 0"), ([1], [1], 1.5, "share is 1.5")],
)
def test_other_arguments_are_refused(dice, suspicion, share, message):
    with pytest.raises(ValueError, match=message):
        search("x", dice, suspicion, share)
