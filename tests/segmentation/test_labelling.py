"""Which volumes a ranking picks, what a study trains, and that it goes on where it was interrupted."""

import math
from dataclasses import replace

import numpy as np
import pytest
from segmentation_support import tiny_recipe, tiny_volumes, untrained_network

from paperlib.segmentation import checkpoints, labelling, parts
from paperlib.segmentation.kept_values import KeptValues
from paperlib.segmentation.label_ranking import STRATEGIES, Ranking, ranking
from paperlib.segmentation.labelling import LabellingPlan, labelling_study
from paperlib.segmentation.measuring import MeasureSettings, measure_volumes

SETTINGS = MeasureSettings(k=1, tol=0.1)


def plan(**changes) -> LabellingPlan:
    values = {"start": 2, "added": 1, "rounds": 1, "seeds": (0,), "steps": 1, "looks": 1, "settings": SETTINGS}
    return LabellingPlan(**(values | changes))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))
    return tmp_path


def test_the_first_are_those_with_the_highest_scores():
    found = Ranking(
        ("a", "b", "c", "d", "e"), np.array([1.0, np.nan, 3.0, 3.0, np.inf]), np.array([0.5, 0, 0.2, 0.4, 0.1])
    )
    assert found.first(3) == ("e", "c", "d")
    assert found.first(5)[-1] == "b"
    assert found.mean_dice(("c", "d")) == pytest.approx(0.3)
    # Without the volume that could not be scored: the ranks of the scores 1, 2.5, 2.5, 4 against 4, 2, 3, 1.
    assert found.correlation() == pytest.approx(-4.5 / math.sqrt(4.5 * 5))
    assert math.isnan(Ranking(("a", "b", "c"), np.arange(3.0), np.full(3, np.nan)).correlation())


def test_strategies_order_by_what_they_are_named_after(tmp_path):
    network = untrained_network()
    volumes = tiny_volumes().select(network.summary.train[:3], "pool")
    kept = KeptValues(tmp_path, network)
    table = measure_volumes([network], volumes, SETTINGS, names=[volumes.names], folder=tmp_path)
    found = {
        name: ranking(name, kept, volumes, SETTINGS, np.random.default_rng(0))
        for name in ("rpr", "highest rpr", "entropy")
    }
    by_ratio = tuple(np.array(volumes.names)[np.argsort(table.column("rpr")[:, -1])])
    assert found["rpr"].first(3) == by_ratio and found["highest rpr"].first(3) == by_ratio[::-1]
    # Once by a forward pass and once by freezing, which add up in another order, in single precision.
    np.testing.assert_allclose(found["entropy"].scores, table.column("foreground_entropy"), rtol=1e-6)
    np.testing.assert_array_equal(found["entropy"].dice, table.column("dice"))
    np.testing.assert_array_equal(found["rpr"].dice, table.column("dice"))


def test_a_random_order_follows_from_the_generator_and_measures_nothing(tmp_path):
    volumes = tiny_volumes()
    kept = KeptValues(tmp_path, untrained_network())
    first, again, other = (
        ranking("random", kept, volumes, SETTINGS, np.random.default_rng(seed)).first(4) for seed in (0, 0, 1)
    )
    assert first == again != other
    assert not list(tmp_path.iterdir())


def test_volumes_without_predicted_foreground_are_labelled_first(tmp_path, monkeypatch):
    network = untrained_network()
    volumes = tiny_volumes().select(network.summary.train[:3], "pool")
    kept = KeptValues(tmp_path, network)
    values = {"dice": [0.5, 0.0, 0.6], "foreground_entropy": [0.2, math.nan, 0.3]}
    monkeypatch.setattr(KeptValues, "forward", lambda self, volumes: values)
    found = ranking("entropy", kept, volumes, SETTINGS, np.random.default_rng(0))
    assert found.first(2) == (volumes.names[1], volumes.names[2])


def test_kept_values_are_read_again_and_damage_is_named(tmp_path):
    network = untrained_network()
    volumes = tiny_volumes().select(network.summary.test[:2], "test")
    first = KeptValues(tmp_path, network).forward(volumes)
    (file,) = tmp_path.iterdir()
    changed = file.read_text().replace(repr(first["dice"][0]), "0.123")
    file.write_text(changed)
    assert KeptValues(tmp_path, network).forward(volumes)["dice"][0] == 0.123
    file.write_text(changed[:20])
    with pytest.raises(ValueError, match=f"{file.name} cannot be read"):
        KeptValues(tmp_path, network).forward(volumes)


def test_a_training_takes_the_same_steps_for_every_number_of_labels():
    settings = plan(start=2, added=2, rounds=3, steps=12, looks=3)
    assert settings.counts == (2, 4, 6, 8)
    base = tiny_recipe(batch_size=2, train_count=5)
    for count, epochs in zip(settings.counts, (12, 6, 4, 3), strict=True):
        recipe = settings.recipe(base, [f"volume_{index}" for index in reversed(range(count))], seed=7)
        assert (recipe.epochs, recipe.seed, recipe.train_count) == (epochs, 7, 0)
        assert recipe.train_names == tuple(sorted(recipe.train_names)) and len(recipe.train_names) == count
        assert recipe.validate_every == -(-epochs // 3)


def test_a_study_labels_what_was_ranked_first_and_goes_on_after_an_interruption(cache, monkeypatch):
    base, volumes = tiny_recipe(), tiny_volumes()
    settings = plan(strategies=("random", "entropy"), attempts=1)
    trained = []

    def counted(recipe, *arguments, **options):
        trained.append(recipe.train_names)
        if len(trained) == 3:
            raise KeyboardInterrupt
        return original(recipe, *arguments, **options)

    original = checkpoints.train_segmentation
    monkeypatch.setattr(checkpoints, "train_segmentation", counted)
    with pytest.raises(KeyboardInterrupt):
        labelling_study(base, volumes, settings)
    curves = labelling_study(base, volumes, settings)
    # The first network is both strategies'; two were trained before the interruption, and no one twice.
    assert len(trained) == 4 and len(set(trained)) == 3
    assert [len(names) for names in trained] == [2, 3, 3, 3]
    free = parts(base, volumes.names)
    for strategy in settings.strategies:
        first, last = (row for row in curves.rounds if row.strategy == strategy)
        assert set(first.labelled) | set(first.chosen) == set(last.labelled) <= set(free.train)
        assert len(last.labelled) == 3 and last.chosen == ()
        assert len(last.dice) == len(free.test)
    assert (curves.dice("random")[:, 0] == curves.dice("entropy")[:, 0]).all()
    again = labelling_study(base, volumes, settings)
    assert len(trained) == 4 and again.as_dict() == curves.as_dict()


@pytest.mark.parametrize(("fallen", "restarts"), [(0, 0), (1, 1), (5, 2)])
def test_a_training_that_marks_nothing_begins_again_from_other_weights(cache, monkeypatch, fallen, restarts):
    base, volumes = tiny_recipe(), tiny_volumes()
    seeds = []

    def trained(recipe, *arguments, **options):
        seeds.append(recipe.seed)
        network = original(recipe, *arguments, **options)
        marked = 0.0 if len(seeds) <= fallen else 0.5
        return replace(network, summary=network.summary.model_copy(update={"validation_dice": marked}))

    original = checkpoints.train_segmentation
    monkeypatch.setattr(checkpoints, "train_segmentation", trained)
    curves = labelling_study(base, volumes, plan(rounds=1, seeds=(3,), strategies=("random",), attempts=3))
    first, last = curves.rounds
    assert first.restarts == restarts and len(set(seeds[: restarts + 1])) == restarts + 1 and seeds[0] == 3
    assert curves.restarts == first.restarts + last.restarts


def test_seeds_draw_the_pool_the_first_labels_and_the_weights(cache):
    volumes = tiny_volumes()
    curves = labelling_study(tiny_recipe(), volumes, plan(start=1, pool=2, seeds=(0, 1), strategies=("random",)))
    labels = [row.labelled for row in curves.rounds]
    assert labels[0] != labels[2]
    assert [len(names) for names in labels] == [1, 2, 1, 2]
    assert {row.seed for row in curves.rounds} == {0, 1}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"strategies": ("lowest",)}, "rpr, highest rpr"), ({"rounds": 0}, "rounds is 0"), ({"seeds": ()}, "no seed")],
)
def test_plans_that_make_no_sense_are_refused(changes, expected):
    with pytest.raises(ValueError, match=expected):
        plan(**changes)


@pytest.mark.parametrize("changes", [{"start": 8}, {"pool": 2}, {"pool": 9}])
def test_a_pool_that_is_too_small_is_refused(changes):
    # Eight volumes are not tested, and one of them validates.
    with pytest.raises(ValueError, match="leaves 7 volumes to train"):
        labelling_study(tiny_recipe(), tiny_volumes(), plan(**changes))


def test_every_strategy_is_known():
    assert set(labelling.LabellingPlan(1, 1, 1, (0,), 1).strategies) < set(STRATEGIES)
