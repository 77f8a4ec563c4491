"""Trained networks on disk: the same after a round trip, found by their recipe, refused by name where damaged."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from segmentation_support import tiny_volumes
from segmentation_training_support import history, same, small_recipe, trained, weights

from paperlib import paths
from paperlib.segmentation import (
    checkpoints,
    find_segmentation,
    load_segmentation,
    save_segmentation,
    segmentation_network,
    train_segmentation,
    volume_dice,
)
from paperlib.training import CheckpointError


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(paths, "TRACKED_CHECKPOINTS", tmp_path / "tracked")


def test_a_network_comes_back_as_it_was(tmp_path):
    network = trained(small_recipe())
    path = save_segmentation(network, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.with_suffix(".json").name, path.name]
    loaded = load_segmentation(path, small_recipe())
    assert same(weights(loaded), weights(network)) and loaded.summary == network.summary
    assert not loaded.model.training and not any(one.requires_grad for one in loaded.model.parameters())
    test = tiny_volumes().select(network.summary.test, "test")
    assert volume_dice(loaded.model, test, small_recipe()) == volume_dice(network.model, test, small_recipe())


def test_half_precision_is_rounded_once_and_hardly_moves_dice(tmp_path):
    recipe = small_recipe(learning_rate=0.01, epochs=5)
    network = trained(recipe)
    path = save_segmentation(network, tmp_path, torch.float16)
    assert {value.dtype for value in load_file(path).values()} == {torch.float16}
    loaded = load_segmentation(path)
    assert loaded.summary == network.summary.model_copy(update={"dtype": "float16"})
    for name, value in weights(loaded).items():
        assert value.dtype == torch.float32
        assert torch.equal(value, weights(network)[name].half().float())
    # Another rounding of what is rounded changes nothing more.
    again = load_segmentation(save_segmentation(loaded, tmp_path / "again", torch.float16))
    assert same(weights(again), weights(loaded))
    test = tiny_volumes().select(network.summary.test, "test")
    before, after = (volume_dice(one.model, test, recipe) for one in (network, loaded))
    # Eleven bits of mantissa: a few voxels at the border of two classes change sides.
    assert after == pytest.approx(before, abs=0.02)


def test_a_recipe_is_trained_once_and_then_found(tmp_path, monkeypatch):
    recipe = small_recipe()
    assert find_segmentation(recipe) is None
    first = segmentation_network(recipe, tiny_volumes())
    assert same(weights(first), weights(trained(recipe))) and history(first) == history(trained(recipe))
    assert find_segmentation(recipe) == tmp_path / "cache" / "checkpoints" / f"{recipe.name}.safetensors"
    # The state of the training is not needed any more.
    assert not list((tmp_path / "cache" / "training").iterdir())
    monkeypatch.setattr(checkpoints, "train_segmentation", None)
    again = segmentation_network(recipe, tiny_volumes())
    assert same(weights(again), weights(first)) and again.summary == first.summary
    assert find_segmentation(small_recipe(seed=1)) is None


def test_the_tracked_checkpoint_comes_first(tmp_path):
    recipe = small_recipe()
    for folder in (tmp_path / "cache" / "checkpoints", tmp_path / "tracked"):
        path = save_segmentation(trained(recipe), folder)
    assert find_segmentation(recipe) == path
    # Half a checkpoint is none.
    path.with_suffix(".json").unlink()
    assert find_segmentation(recipe) == tmp_path / "cache" / "checkpoints" / path.name


def test_an_interrupted_training_is_resumed_by_its_recipe(tmp_path, monkeypatch):
    recipe, state = small_recipe(), tmp_path / "cache" / "training" / f"{small_recipe().name}.safetensors"
    train_segmentation(recipe, tiny_volumes(), state_file=state)
    before, asked = state.read_bytes(), []

    def noted(*arguments, **words):
        asked.append(words["state_file"].read_bytes())
        return train_segmentation(*arguments, **words)

    monkeypatch.setattr(checkpoints, "train_segmentation", noted)
    resumed = segmentation_network(recipe, tiny_volumes())
    assert asked == [before]
    assert same(weights(resumed), weights(trained(recipe)))


@pytest.mark.parametrize("damage", ["no weights", "no summary", "truncated", "other bytes", "another summary"])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    path = save_segmentation(trained(small_recipe()), tmp_path)
    summary = path.with_suffix(".json")
    if damage == "no weights":
        path.unlink()
    elif damage == "no summary":
        summary.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-8])
    elif damage == "other bytes":
        path.write_bytes(b"no weights at all")
    else:
        summary.write_text(json.dumps({"recipe": {}}))
    with pytest.raises(CheckpointError, match=rf"(?s){path.name} cannot be read .* remove it and train again"):
        load_segmentation(path)


def test_weights_of_another_architecture_are_named(tmp_path):
    path = save_segmentation(trained(small_recipe()), tmp_path)
    other = save_segmentation(trained(small_recipe(filters=4)), tmp_path / "other")
    save_file(load_file(other), path)
    with pytest.raises(CheckpointError, match=rf"(?s){path.name} does not hold the weights of a U-Net of depth 2"):
        load_segmentation(path)


def test_a_checkpoint_of_another_recipe_is_named(tmp_path):
    path = save_segmentation(trained(small_recipe()), tmp_path)
    with pytest.raises(CheckpointError, match=rf"{path.name} is of another recipe; remove it and train again"):
        load_segmentation(path, small_recipe(fold=1))


def test_a_full_disk_leaves_no_half_checkpoint(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(OSError, match="no space left"):
        save_segmentation(trained(small_recipe()), tmp_path)
    assert not list(tmp_path.iterdir())
