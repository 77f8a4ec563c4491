"""Checkpoints: what is kept, what is refused, and that nothing half-written stays."""

import errno
import json
import os
import shutil

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from training_support import TEST, TRAIN, recipe, same, weights

from paperlib import paths, training
from paperlib.training import (
    CheckpointError,
    Recipe,
    find_checkpoint,
    load_checkpoint,
    predict,
    same_predictions,
    save_checkpoint,
    train,
    trained_network,
    training_data,
)


@pytest.fixture(scope="module")
def trained():
    return train(recipe(epochs=1), TRAIN, TEST)


@pytest.fixture
def saved(trained, tmp_path):
    return save_checkpoint(trained, tmp_path)


def test_float32_comes_back_bit_by_bit(trained, saved):
    loaded = load_checkpoint(saved)
    assert same(trained, loaded)
    assert loaded.summary == trained.summary
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert saved.name == f"{trained.summary.recipe.name}.safetensors"
    assert sorted(path.suffix for path in saved.parent.iterdir()) == [".json", ".safetensors"]


def test_float16_comes_back_rounded_and_says_so(trained, tmp_path):
    path = save_checkpoint(trained, tmp_path, dtype=torch.float16)
    loaded = load_checkpoint(path)
    assert loaded.summary.dtype == "float16" and trained.summary.dtype == "float32"
    for name, value in weights(trained).items():
        assert weights(loaded)[name].dtype == torch.float32
        assert torch.equal(weights(loaded)[name], value.half().float())
    full = save_checkpoint(trained, tmp_path / "full")
    # Half the bytes, but for the header of names.
    assert path.stat().st_size < 0.51 * full.stat().st_size


def test_recipe_beside_the_weights_is_readable(saved):
    record = json.loads(saved.with_suffix(".json").read_text())
    assert record["recipe"]["architecture"] == "mnist_cnn" and record["recipe"]["epochs"] == 1
    assert record["train_count"] == 40 and [moment["step"] for moment in record["history"]] == [0, 1, 2, 4, 5]


def test_loading_leaves_the_global_random_state_alone(saved):
    before = torch.get_rng_state()
    load_checkpoint(saved)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "damage", ["truncated", "header only", "empty", "other bytes", "no weights", "no json", "broken json", "other json"]
)
def test_a_damaged_checkpoint_is_refused_by_name(saved, damage):
    whole, beside = saved.read_bytes(), saved.with_suffix(".json")
    match damage:
        case "truncated":
            saved.write_bytes(whole[:-1000])
        case "header only":
            saved.write_bytes(whole[:100])
        case "empty":
            saved.write_bytes(b"")
        case "other bytes":
            saved.write_bytes(b"PK\x03\x04" * 100)
        case "no weights":
            saved.unlink()
        case "no json":
            beside.unlink()
        case "broken json":
            beside.write_text(beside.read_text()[:50])
        case "other json":
            beside.write_text('{"accuracy": 0.99}')
    with pytest.raises(CheckpointError, match=rf"(?s){saved.name} cannot be read \(.*remove it and train again"):
        load_checkpoint(saved)


def alter(path, **words) -> None:
    record = json.loads(path.read_text())
    record["recipe"] |= words
    path.write_text(json.dumps(record))


@pytest.mark.parametrize(
    "words",
    [{"options": {"padding": "same"}}, {"architecture": "resnet18"}, {"options": {"depth": 3}}],
    ids=["another padding", "another architecture", "an unknown option"],
)
def test_weights_of_another_network_than_the_recipe_says_are_refused(saved, words):
    alter(saved.with_suffix(".json"), **words)
    with pytest.raises(CheckpointError, match=f"{saved.name} does not hold the weights of"):
        load_checkpoint(saved)


def test_weights_with_other_names_are_refused(saved):
    tensors = load_file(saved)
    save_file({f"module.{name}": value for name, value in tensors.items()}, saved)
    with pytest.raises(CheckpointError, match="does not hold the weights of mnist_cnn"):
        load_checkpoint(saved)


@pytest.mark.parametrize("failing", [".safetensors", ".json"])
def test_a_full_disk_leaves_the_old_checkpoint(trained, saved, monkeypatch, failing):
    before = {path.name: path.read_bytes() for path in saved.parent.iterdir()}
    rename = os.replace

    def full(source, target):
        if str(target).endswith(failing):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(trained, saved.parent)
    assert {path.name: path.read_bytes() for path in saved.parent.iterdir()} == before
    assert same(load_checkpoint(saved), trained)


def test_a_full_disk_while_the_weights_are_written_leaves_the_old_ones(trained, saved, monkeypatch):
    before = {path.name: path.read_bytes() for path in saved.parent.iterdir()}

    def half_written(_weights, path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("paperlib.training.checkpoints.save_file", half_written)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(trained, saved.parent)
    assert {path.name: path.read_bytes() for path in saved.parent.iterdir()} == before


def test_same_predictions_sees_what_rounding_changes(trained):
    assert same_predictions(trained.model, TEST, torch.float32)
    classes = predict(trained.model, TEST.images).argmax(1)
    rounded = {name: value.half().float() for name, value in weights(trained).items()}
    found = torch.func.functional_call(trained.model, rounded, (TEST.images,)).argmax(1)
    assert same_predictions(trained.model, TEST, torch.float16) == bool((found == classes).all())

    class Close(torch.nn.Module):
        """Two logits that differ less than float16 can say."""

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor([1.0, 1.0001]))

        def forward(self, x):
            return self.weight.expand(len(x), 2)

    assert not same_predictions(Close(), TEST, torch.float16)
    assert same_predictions(Close(), TEST, torch.float32)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Empty folders for tracked and local checkpoints, and the tiny data set in place of every registered one."""
    monkeypatch.setattr(paths, "TRACKED_CHECKPOINTS", tmp_path / "tracked")
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(training.datasets, "load", lambda name, part, **_words: {"train": TRAIN, "test": TEST}[part])
    return tmp_path


def test_a_network_is_trained_once_and_then_found(places, monkeypatch):
    settings = recipe(epochs=1)
    assert find_checkpoint(settings) is None
    first = trained_network(settings)
    found = find_checkpoint(settings)
    assert found == places / "cache" / "checkpoints" / f"{settings.name}.safetensors"
    assert list((places / "cache" / "training").iterdir()) == []
    monkeypatch.setattr(training, "train", None)
    assert same(trained_network(settings), first)
    assert find_checkpoint(recipe(epochs=2)) is None


def test_the_tracked_checkpoint_comes_first(places, trained):
    settings = trained.summary.recipe
    save_checkpoint(trained, places / "cache" / "checkpoints")
    tracked = save_checkpoint(trained, places / "tracked")
    assert find_checkpoint(settings) == tracked
    tracked.with_suffix(".json").unlink()
    assert find_checkpoint(settings).parent == places / "cache" / "checkpoints"


def test_an_interrupted_network_is_resumed(places, trained, monkeypatch):
    settings = recipe(epochs=3)
    whole = train(settings, TRAIN, TEST)
    save = training.loop._save

    def stop(run, path):
        save(run, path)
        if run.epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(training.loop, "_save", stop)
    with pytest.raises(KeyboardInterrupt):
        trained_network(settings)
    assert find_checkpoint(settings) is None
    monkeypatch.setattr(training.loop, "_save", save)
    assert same(trained_network(settings), whole)


def test_a_checkpoint_under_the_name_of_another_recipe_is_refused(places, trained):
    path, wanted = save_checkpoint(trained, places / "tracked"), recipe(epochs=2)
    for suffix in (".safetensors", ".json"):
        shutil.copy(path.with_suffix(suffix), path.with_name(wanted.name + suffix))
    with pytest.raises(CheckpointError, match=f"{wanted.name}.safetensors is of another recipe"):
        trained_network(wanted)


def test_training_data_is_what_the_recipe_leaves(places):
    settings = recipe(removed_labels=(1, 9), removed_fraction=0.75, subset_seed=3)
    data = training_data(settings)
    assert data.labels.bincount(minlength=10).tolist() == [4, 1, 4, 4, 4, 4, 4, 4, 4, 1]
    assert data.selection == "without 75% of classes 1, 9, seed 3"
    assert len(training_data(recipe())) == 40


def test_names_tell_recipes_apart_and_are_stable():
    base = recipe()
    others = [recipe(seed=1), recipe(epochs=4), recipe(options={"padding": "same"}), recipe(subset_seed=1)]
    others += [recipe(momentum=0.1), recipe(removed_labels=(1,)), recipe(learning_rate=0.1), recipe(data="mnist")]
    assert len({entry.key for entry in [base, *others]}) == len(others) + 1
    assert recipe().name == base.name and base.name.startswith("mnist_cnn-")
    # Written down: a later version must find the checkpoints of today.
    settings = Recipe(
        architecture="mnist_cnn", options={"padding": "same"}, data="mnist", epochs=50, learning_rate=0.003
    )
    assert settings.key == "a5326b358f8b"


@pytest.mark.parametrize(
    "words",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0},
        {"momentum": 1},
        {"removed_fraction": 1.2},
        {"optimizer": "x"},
    ],
    ids=str,
)
def test_a_recipe_out_of_range_or_misspelt_is_refused(words):
    with pytest.raises(ValidationError):
        recipe(**words)
