"""Conditions written as text, the recipes that they make, and a study of them from end to end."""

import json

import numpy as np
import pytest
from scipy import stats
from segmentation_support import SIDE

from paperlib.plotting.conditions import draw_condition_panels
from paperlib.segmentation import MeasureSettings, parts, recipe_volumes
from paperlib.segmentation.condition_study import (
    CONDITION_HEADER,
    ConditionResult,
    by_group,
    condition_rows,
    condition_study,
    in_other_ways,
)
from paperlib.segmentation.conditions import ConditionError, condition_recipe, measured_names, parse_condition

BASE = {
    "data": "phantoms",
    "data_options": {"count": 12, "shape": (SIDE, SIDE, SIDE), "modalities": 2},
    "modalities": 2,
    "folds": 2,
    "depth": 2,
    "filters": 3,
    "patch": (SIDE, SIDE, SIDE),
    "steps": 4,
}


def test_a_line_of_text_is_a_condition():
    found = parse_condition("lesions / small: data.radius=[0.1, 0.2]; normalisation=no mean; train_count=3;")
    assert (found.group, found.name, found.patches) == ("lesions", "small", False)
    assert found.changes == {"data.radius": (0.1, 0.2), "normalisation": "no mean", "train_count": 3}
    assert parse_condition(" a / b ").changes == {} and parse_condition("a/b").name == "b"
    windows = parse_condition("windows / 8 x 8: patch=[8, 8, 8]; patches=true")
    assert windows.patches and windows.changes == {"patch": (8, 8, 8)}
    assert " " not in windows.key and parse_condition("a / 0.5").key == "a_0_5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("small: data.radius=1", "'small: data.radius=1' does not begin with 'group / name'"),
        ("lesions /: train_count=1", "does not begin with 'group / name'"),
        ("a / b: train_count", "'train_count' in 'a / b: train_count' is no 'field=value'"),
        ("a / b: =3", "is no 'field=value'"),
        ("a / b: patches=maybe", "patches is 'maybe' in .*; expected true or false"),
    ],
)
def test_another_text_is_quoted(text, message):
    with pytest.raises(ConditionError, match=message):
        parse_condition(text)


def test_steps_do_not_depend_on_the_number_of_volumes():
    few = condition_recipe(parse_condition("a / few: train_count=2; steps=40"), BASE, 1)
    all_ = condition_recipe(parse_condition("a / all: steps=40"), BASE, 1)
    assert few.fold == all_.fold == 1 and few.train_count == 2
    for recipe in (few, all_):
        batches = -(-len(parts(recipe, recipe_volumes(recipe).names).train) // recipe.batch_size)
        assert recipe.epochs * batches == pytest.approx(40, abs=batches / 2)
    assert few.epochs > all_.epochs and few.validate_every == few.epochs // 20


def test_options_of_the_data_are_added_to_the_common_ones():
    recipe = condition_recipe(parse_condition("a / b: data.noise=0.5"), BASE, 0)
    assert recipe.data_options == {**BASE["data_options"], "noise": 0.5} and BASE["data_options"].keys() == {
        "count", "shape", "modalities"
    }  # fmt: skip


@pytest.mark.parametrize("change", ["colour=red", "depth=0", "normalisation=none", "data.sides=3", "train_count=many"])
def test_a_condition_that_cannot_be_is_named(change):
    with pytest.raises(ConditionError, match="condition 'a / b': "):
        condition_recipe(parse_condition(f"a / b: {change}"), BASE, 0)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("PAPERLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
    texts = ["training / as it is", "training / short: steps=2", "windows / 8: patch=[8, 8, 8]; patches=true"]
    settings = MeasureSettings(k=2, tol=0.1)
    yield list(condition_study(map(parse_condition, texts), BASE, folds=[0, 1], volumes=4, settings=settings, draws=50))
    patch.undo()


def test_the_same_volumes_are_tested_under_every_condition(results):
    recipes = [condition_recipe(result.condition, BASE, 1) for result in results]
    tested = [measured_names(recipe, recipe_volumes(recipe).names, 4) for recipe in recipes]
    assert tested[0] == tested[1] == tested[2] and len(tested[0]) == 4
    for result in results:
        assert result.folds == (0,) * 4 + (1,) * 4 and len(result.ratio) == len(result.dice) == 8
        assert result.residual < 0.1


def test_correlations_are_of_ranks_inside_the_folds(results):
    for result in results:
        folds = np.array(result.folds)
        inside = [
            stats.spearmanr(np.array(result.ratio)[folds == f], np.array(result.dice)[folds == f]) for f in (0, 1)
        ]
        if all(np.isfinite(found.statistic) for found in inside):
            mean = np.mean([found.statistic for found in inside])
            assert result.prediction.correlation.value == pytest.approx(mean, abs=1e-9)


def test_a_study_is_shown_by_groups_in_rows_and_in_panels(results):
    groups = by_group(results)
    assert list(groups) == ["training", "windows"] and list(groups["training"]) == ["as it is", "short"]
    assert len(groups["windows"]) == 3, "the windows' own ratios and the marked voxels stand beside it"
    others = in_other_ways(results[0])
    assert list(others["triplets, under as it is"]) == ["k = 1", "k = 2"]
    assert list(others["reading, under as it is"]) == ["within the marked voxels"]
    rows = condition_rows(results)
    assert [row[0] for row in rows] == ["training: as it is", "training: short", "windows: 8"]
    assert {len(row) for row in rows} == {len(CONDITION_HEADER)}
    panels = [axis for axis in draw_condition_panels(results).axes if axis.axison]
    assert [axis.get_title().splitlines()[0] for axis in panels] == ["as it is", "short", "8"]
    assert [sum(len(points.get_offsets()) for points in axis.collections) for axis in panels] == [8, 8, 8]


def test_a_result_file_holds_a_condition(results):
    text = json.dumps([result.as_dict() for result in results], allow_nan=False)
    again = [ConditionResult.from_dict(found) for found in json.loads(text)]
    assert json.dumps([result.as_dict() for result in again]) == text
    assert [result.condition.name for result in again] == ["as it is", "short", "8"]
