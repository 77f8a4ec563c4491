"""What shifts do, on planted tables and on one small network."""

import json
import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import spearmanr
from segmentation_support import tiny_volumes, untrained_network

from paperlib.segmentation.inference import logits
from paperlib.segmentation.measuring import MeasureSettings
from paperlib.segmentation.patches import prepared
from paperlib.segmentation.rows import VolumeRow, VolumeTable
from paperlib.segmentation.shift_effects import ShiftStudy, shift_effects
from paperlib.segmentation.shift_examples import shift_examples
from paperlib.segmentation.shift_study import ShiftTable, shift_study
from paperlib.segmentation.shifts import Shift, shifted_volumes

NAMES = tuple(f"volume_{index}" for index in range(8))
SHIFTS = (Shift("noise", 0.1), Shift("noise", 0.4), Shift("blur", 1))


def planted(dice: np.ndarray, ratios: np.ndarray, entropy: np.ndarray) -> ShiftTable:
    """A table with these columns ``(1 + shifts, volumes)``; RPR of rank 1 is half of that of rank 2."""
    tables = [
        VolumeTable(
            tuple(
                VolumeRow(name, 0, dice=d, rpr=(r / 2, r), foreground_entropy=e)
                for name, d, r, e in zip(NAMES, *columns, strict=True)
            ),
            2,
        )
        for columns in zip(dice, ratios, entropy, strict=True)
    ]
    return ShiftTable(SHIFTS, tables[0], tuple(tables[1:]))


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    dice, ratios, entropy = generator.uniform(0.1, 0.9, (3, len(SHIFTS) + 1, len(NAMES)))
    return dice, ratios, entropy


def test_means_changes_and_areas_are_those_of_the_columns():
    dice, ratios, entropy = drawn()
    study = shift_effects(planted(dice, ratios, entropy), 2, draws=200)
    assert study.count == len(NAMES) and study.unshifted["dice"].value == pytest.approx(dice[0].mean())
    for row, effect in enumerate(study.effects, 1):
        assert (effect.kind, effect.level) == (SHIFTS[row - 1].kind, SHIFTS[row - 1].level)
        assert effect.rpr.value == pytest.approx(ratios[row].mean())
        assert effect.dice_change.value == pytest.approx((dice[row] - dice[0]).mean())
        pairs = list(permutations(range(len(NAMES)), 2))
        lower = [ratios[row, one] < ratios[0, other] for one, other in pairs]
        higher = [entropy[row, one] > entropy[0, other] for one, other in pairs]
        assert effect.rpr_area.value == pytest.approx(np.mean(lower))
        assert effect.entropy_area.value == pytest.approx(np.mean(higher))
        assert effect.rpr_area.low <= effect.rpr_area.value <= effect.rpr_area.high
    assert shift_effects(planted(dice, ratios, entropy), 1, draws=20).unshifted["rpr"].value == pytest.approx(
        ratios[0].mean() / 2
    )


def test_correlations_are_over_volumes_and_levels_of_a_kind():
    dice, ratios, entropy = drawn(1)
    study = shift_effects(planted(dice, ratios, entropy), 2, draws=200)
    noise, blur = study.kinds
    assert (noise.kind, noise.levels, blur.levels) == ("noise", (0.1, 0.4), (1,))
    expected = spearmanr(ratios[:3].ravel(), dice[:3].ravel()).statistic
    assert noise.rpr.value == pytest.approx(expected)
    changes = spearmanr((entropy[1:3] - entropy[0]).ravel(), (dice[1:3] - dice[0]).ravel()).statistic
    assert noise.entropy_changes.value == pytest.approx(changes)
    assert study.all.rpr.value == pytest.approx(spearmanr(ratios.ravel(), dice.ravel()).statistic)
    assert study.rpr_unshifted.value == pytest.approx(spearmanr(ratios[0], dice[0]).statistic)


def test_an_exact_relation_has_interval_one_and_a_control_none():
    dice = np.stack([np.linspace(0.5, 0.9, len(NAMES)) - drop for drop in (0, 0.05, 0.2, 0)])
    study = shift_effects(planted(dice, dice**2, 1 - dice), 2, draws=200)
    assert (study.kinds[0].rpr.low, study.kinds[0].rpr.high) == (pytest.approx(1), pytest.approx(1))
    assert study.kinds[0].entropy.high == pytest.approx(-1)
    # The last shift does nothing: half of the pairs are in order, and there is no change to correlate.
    assert study.effects[2].rpr_area.value == 0.5 and study.effects[2].dice_change.high == 0
    assert math.isnan(study.kinds[1].rpr_changes.value)
    assert ShiftStudy.from_dict(json.loads(json.dumps(study.as_dict(), allow_nan=False))).as_dict() == study.as_dict()


def test_the_bootstrap_draws_volumes_with_all_their_versions():
    # Volumes differ widely and shifts take the same from each: the change of the mean is certain, the mean is not.
    dice = np.linspace(0.2, 0.9, len(NAMES)) - np.array([0, 0.1, 0.1, 0.1])[:, None]
    effect = shift_effects(planted(dice, dice, dice), 2, draws=500).effects[0]
    assert effect.dice_change.high - effect.dice_change.low < 1e-12
    assert effect.dice.high - effect.dice.low > 0.2


def test_no_predicted_foreground_counts_as_the_largest_entropy():
    dice, ratios, entropy = drawn()
    entropy[1, :] = math.nan
    effect = shift_effects(planted(dice, ratios, entropy), 2, draws=20).effects[0]
    assert effect.entropy.value == pytest.approx(math.log(2))


def test_volumes_that_failed_once_are_left_out_everywhere():
    table = planted(*drawn())
    rows = list(table.shifted[1].rows)
    rows[2] = VolumeRow(NAMES[2], 0, note="not converged")
    table = replace(table, shifted=(table.shifted[0], VolumeTable(tuple(rows), 2), table.shifted[2]))
    assert table.names == (*NAMES[:2], *NAMES[3:]) and table.column("dice").shape == (4, 7)
    assert table.failed == (("noise 0.4", NAMES[2], "not converged"),)
    few = replace(table, unshifted=VolumeTable(table.unshifted.rows[:2], 2))
    with pytest.raises(ValueError, match="2 volumes were measured under every shift"):
        shift_effects(few, 2)


def test_a_network_sees_shifts_and_not_the_control(tmp_path):
    volumes, network = tiny_volumes(), untrained_network()
    names = volumes.names[:2]
    shifts = [Shift("scaling", 4.0), Shift("noise", 0.5)]
    settings = MeasureSettings(k=2, tol=1e-3)
    table = shift_study(network, volumes, shifts, names, settings, folder=tmp_path)
    assert table.names == names
    ratios, dice = table.rpr(2), table.column("dice")
    # A factor that is a power of 2 is exact, and normalisation takes it out exactly.
    np.testing.assert_array_equal(ratios[1], ratios[0])
    np.testing.assert_array_equal(dice[1], dice[0])
    assert (np.abs(ratios[2] / ratios[0] - 1) > 0.05).all()
    again = shift_study(network, volumes, shifts, names, settings, folder=tmp_path)
    assert again == table  # read from disk: the seconds are the same too
    other = shift_study(network, volumes, shifts[1:], names, settings, seed=1, folder=tmp_path)
    assert (other.rpr(2)[1] != ratios[2]).all()


def test_idle_and_repeated_shifts_are_refused(tmp_path):
    arguments = (untrained_network(), tiny_volumes())
    for shifts, expected in (([Shift("blur", 0)], "blur 0 changes nothing"), ([SHIFTS[0]] * 2, "named twice")):
        with pytest.raises(ValueError, match=expected):
            shift_study(*arguments, shifts, ["phantom_0000"], MeasureSettings(k=2), folder=tmp_path)


def test_examples_are_cut_through_the_label_under_the_last_level_of_each_kind():
    volumes, network = tiny_volumes(), untrained_network()
    name = volumes.names[3]
    examples = shift_examples(network, volumes, name, SHIFTS, seed=2)
    assert list(examples) == ["unshifted", "noise 0.4", "blur 1"]
    volume, recipe = volumes.read(name), network.summary.recipe
    place = round(volume.label.nonzero()[:, 2].double().mean().item())
    image = prepared(volume, recipe.scale)
    assert examples["unshifted"][0].equal(image[0, :, :, place])
    assert examples["unshifted"][1].equal(logits(network.model, image, recipe).argmax(0)[:, :, place])
    noisy = prepared(shifted_volumes(volumes, SHIFTS[1], seed=2).read(name), recipe.scale)
    assert examples["noise 0.4"][0].equal(noisy[0, :, :, place])
