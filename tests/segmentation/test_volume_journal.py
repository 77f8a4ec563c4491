"""Runs that are interrupted, shared, or ask another question: which volumes are measured again."""

import dataclasses
import signal

import pytest
import torch
from segmentation_support import held_volumes, random_volume, tiny_recipe, untrained_network

from paperlib.segmentation import measuring
from paperlib.segmentation.measuring import MeasureSettings, measure_volumes
from paperlib.segmentation.rows import VolumeTable
from paperlib.segmentation.volume_journal import JournalError
from paperlib.segmentation.volume_workers import WorkerError, shared

SETTINGS = MeasureSettings(k=2)
NAMES = ("a", "b", "c")
VOLUMES = held_volumes([random_volume(name, 2, 8, 8, 8, seed=seed) for seed, name in enumerate("abcd")])
NETWORK = untrained_network(tiny_recipe(patch=(8, 8, 8), folds=2, seed=6), VOLUMES)


@pytest.fixture
def count(monkeypatch):
    """Names of the volumes that were measured, in the order in which that happened."""
    names = []
    measured_volume = measuring.measured_volume

    def counted(compiled, recipe, volume, settings):
        names.append(volume.name)
        return measured_volume(compiled, recipe, volume, settings)

    monkeypatch.setattr(measuring, "measured_volume", counted)
    return names


def measure(folder, *, network=NETWORK, volumes=VOLUMES, settings=SETTINGS, **options) -> VolumeTable:
    return measure_volumes([network], volumes, settings, folder=folder, **({"names": [NAMES]} | options))


def without_seconds(table: VolumeTable) -> dict:
    return {name: values for name, values in table.as_dict().items() if name != "seconds"}


def interrupted(stop: str):
    """A set whose reading of ``stop`` is interrupted by the keyboard."""

    def read(name):
        if name == stop:
            raise KeyboardInterrupt
        return VOLUMES.read(name)

    return dataclasses.replace(VOLUMES, read=read)


def test_a_finished_run_is_read_back(tmp_path, count):
    first = measure(tmp_path)
    assert count == list(NAMES)
    assert measure(tmp_path).as_dict() == first.as_dict() and count == list(NAMES)


def test_an_interrupted_run_goes_on_behind_its_last_row(tmp_path, count):
    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path, volumes=interrupted("c"))
    assert count == ["a", "b"]
    table = measure(tmp_path)
    assert count == ["a", "b", "c"] and table.names == NAMES


@pytest.mark.parametrize("cut", [1, 2, 40, 400])
def test_a_line_that_was_cut_off_is_measured_again(tmp_path, count, cut):
    first = measure(tmp_path)
    (shard,) = tmp_path.rglob("*.jsonl")
    shard.write_bytes(shard.read_bytes()[:-cut])
    again = measure(tmp_path)
    # Without its last line break alone the row is still whole.
    assert count == [*NAMES, *(["c"] if cut > 1 else [])] and without_seconds(again) == without_seconds(first)
    assert measure(tmp_path).as_dict() == again.as_dict() and len(count) <= 4


def test_two_workers_go_on_where_one_stopped_and_give_the_same_table(tmp_path):
    alone = measure(tmp_path / "one")
    measure(tmp_path / "two", names=[["b"]])
    together = measure(tmp_path / "two", workers=2)
    assert without_seconds(together) == without_seconds(alone)
    assert 2 <= len(list(tmp_path.glob("two/*/*.jsonl"))) <= 3


def test_a_process_that_is_killed_is_named():
    with pytest.raises(WorkerError, match="killed, perhaps for want of memory"):
        list(shared(signal.raise_signal, [signal.SIGKILL] * 2, workers=2))


@pytest.mark.parametrize(
    "change",
    [
        {"settings": MeasureSettings(k=3)},
        {"settings": MeasureSettings(k=2, seed=1)},
        {"volumes": VOLUMES.mapped(lambda volume: dataclasses.replace(volume, image=2 + volume.image), "shifted")},
        {"network": untrained_network(tiny_recipe(patch=(8, 8, 8), folds=2, seed=6, overlap=0.5), VOLUMES)},
        {"network": untrained_network(tiny_recipe(patch=(8, 8, 8), folds=2, seed=7), VOLUMES)},
    ],
    ids=["k", "seed", "volumes", "recipe", "other weights"],
)
def test_another_question_is_answered_in_another_folder(tmp_path, count, change):
    first = measure(tmp_path, names=[["a"]])
    measure(tmp_path, names=[["a"]], **change)
    assert count == ["a", "a"] and len(list(tmp_path.iterdir())) == 2
    assert measure(tmp_path, names=[["a"]]).as_dict() == first.as_dict() and len(count) == 2


def test_weights_of_another_training_with_the_same_recipe_are_another_question(tmp_path, count):
    measure(tmp_path, names=[["a"]])
    network = untrained_network(NETWORK.summary.recipe, VOLUMES)
    with torch.no_grad():
        next(network.model.parameters()).mul_(1.001)
    measure(tmp_path, names=[["a"]], network=network)
    assert count == ["a", "a"]


def test_a_volume_that_was_replaced_is_measured_again_and_only_that(tmp_path, count):
    first = measure(tmp_path)
    other = held_volumes([random_volume(name, 2, 8, 8, 8, seed=seed) for seed, name in ((0, "a"), (9, "b"), (2, "c"))])
    again = measure(tmp_path, volumes=other)
    assert count == [*NAMES, "b"] and again.rows[1].rpr != first.rows[1].rpr and again.rows[0] == first.rows[0]


def test_a_failed_volume_is_tried_again(tmp_path, count):
    lost = held_volumes([VOLUMES.read("a"), VOLUMES.read("c")], unreadable=["b"])
    table = measure(tmp_path, volumes=lost)
    assert [row.name for row in table.failed] == ["b"] and count == ["a", "c"]
    assert measure(tmp_path).names == NAMES and count == ["a", "c", "b"]


def test_a_question_that_was_changed_is_refused(tmp_path):
    measure(tmp_path, names=[["a"]])
    (question,) = tmp_path.rglob("question.json")
    question.write_text(question.read_text().replace('"k": 2', '"k": 3'))
    with pytest.raises(JournalError, match=r"question\.json was changed, or holds another question; remove"):
        measure(tmp_path)


def test_the_cache_holds_the_rows_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))
    measure(None, names=[["a"]])
    assert len(list(tmp_path.glob("volumes/*/*.jsonl"))) == 1
