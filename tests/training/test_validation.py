"""Images kept for validation, recipes of older checkpoints, options with widths, and counters of batch norm."""

import json
from collections import OrderedDict

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import nn
from training_support import TEST, TRAIN, recipe, same, weights

from paperlib import models, paths, training
from paperlib.training import (
    Recipe,
    TrainingError,
    find_checkpoint,
    load_checkpoint,
    same_predictions,
    save_checkpoint,
    train,
    training_data,
    validation_data,
)


@pytest.fixture
def numbered(monkeypatch):
    """The tiny data set in place of every registered one, each image marked with its number."""
    images = TRAIN.images.clone()
    images[:, 0, 0, 0] = torch.arange(len(TRAIN), dtype=torch.float32)
    marked = training.datasets.select(TRAIN, torch.arange(len(TRAIN)), "all")
    object.__setattr__(marked, "images", images)
    monkeypatch.setattr(training.datasets, "load", lambda _name, part: {"train": marked, "test": TEST}[part])


def numbers(data) -> list[int]:
    return data.images[:, 0, 0, 0].int().tolist()


@pytest.mark.parametrize("count", [1, 13, 39])
def test_training_and_validation_images_are_disjoint_and_complete(numbered, count):
    settings = recipe(validation_count=count)
    kept, apart = numbers(training_data(settings)), numbers(validation_data(settings))
    assert len(apart) == count and not set(kept) & set(apart)
    assert sorted(kept + apart) == list(range(40))
    assert kept == sorted(kept) and apart == sorted(apart)
    assert validation_data(settings).labels.tolist() == TRAIN.labels[apart].tolist()


def test_the_subset_seed_chooses_them_and_no_other_field(numbered):
    first = numbers(validation_data(recipe(validation_count=13)))
    assert numbers(validation_data(recipe(validation_count=13, seed=5, epochs=1))) == first
    assert numbers(validation_data(recipe(validation_count=13, removed_labels=(1,), removed_fraction=1))) == first
    assert numbers(validation_data(recipe(validation_count=13, subset_seed=1))) != first


def test_images_are_kept_apart_before_any_are_removed(numbered):
    settings = recipe(validation_count=13, removed_labels=(1, 9), removed_fraction=1.0)
    kept, apart = numbers(training_data(settings)), numbers(validation_data(settings))
    assert not set(kept) & set(apart)
    assert set(kept) | set(apart) == {n for n in range(40) if n % 10 not in (1, 9) or n in apart}


def test_what_was_chosen_is_said_in_words(numbered):
    settings = recipe(validation_count=4, subset_seed=2)
    assert training_data(settings).selection.endswith("without 4 random images, seed 2")
    assert validation_data(settings).selection.endswith("4 random images, seed 2")
    assert training_data(settings).provenance()["count"] == 36


def test_without_validation_images_there_are_none_to_give(numbered):
    settings = recipe()
    with pytest.raises(ValueError, match=f"{settings.name} keeps no images for validation; set its validation_count"):
        validation_data(settings)
    assert len(training_data(settings)) == 40


@pytest.mark.parametrize("count", [40, 41])
def test_all_images_cannot_be_kept_apart(numbered, count):
    with pytest.raises(ValueError, match=f"{count} of the 40 images"):
        training_data(recipe(validation_count=count))


def test_a_count_below_zero_is_refused():
    with pytest.raises(ValidationError):
        recipe(validation_count=-1)


def test_the_count_is_part_of_the_name_where_it_is_not_zero():
    assert recipe(validation_count=0).name == recipe().name
    assert len({recipe(validation_count=count).key for count in (0, 1, 500)}) == 3


@pytest.mark.parametrize("name", ["mnist_cnn-48502af575bd", "mnist_cnn-a5326b358f8b"])
def test_tracked_checkpoints_are_found_by_the_recipes_that_they_store(name):
    """They were written before there were validation images, so their files have no such field."""
    stored = json.loads((paths.TRACKED_CHECKPOINTS / f"{name}.json").read_text())["recipe"]
    assert "validation_count" not in stored
    settings = Recipe(**stored)
    assert settings.name == name and settings.validation_count == 0
    assert find_checkpoint(settings) == paths.TRACKED_CHECKPOINTS / f"{name}.safetensors"
    assert load_checkpoint(find_checkpoint(settings)).summary.recipe == settings


OPTIONS = {"widths": (784, 16, 10), "activation": "selu", "last_activation": True, "bias": False}


def test_options_with_widths_survive_json():
    settings = recipe(architecture="fully_connected", options=OPTIONS)
    stored = Recipe.model_validate_json(settings.model_dump_json())
    assert stored == settings and stored.key == settings.key
    assert stored.options["widths"] == (784, 16, 10) and isinstance(stored.options["widths"], tuple)
    assert stored.options["bias"] is False and stored.options["last_activation"] is True
    listed = recipe(architecture="fully_connected", options=OPTIONS | {"widths": [784, 16, 10]})
    assert listed == settings and listed.key == settings.key
    other = recipe(architecture="fully_connected", options=OPTIONS | {"widths": (784, 17, 10)})
    assert other.key != settings.key


def test_numbers_and_switches_among_the_options_keep_their_type():
    given = {"number": 1, "switch": True, "share": 0.5, "word": "1", "widths": (1,)}
    stored = Recipe.model_validate_json(recipe(options=given).model_dump_json()).options
    assert stored == given
    assert {name: type(value) for name, value in stored.items()} == {name: type(given[name]) for name in given}


def test_a_fully_connected_network_comes_back_from_its_checkpoint(tmp_path):
    network = train(recipe(architecture="fully_connected", options=OPTIONS, epochs=1), TRAIN, TEST)
    loaded = load_checkpoint(save_checkpoint(network, tmp_path))
    assert same(network, loaded) and loaded.summary == network.summary
    assert [type(layer).__name__ for layer in loaded.model] == ["Flatten", "Linear", "SELU", "Linear", "SELU"]


def normed() -> nn.Module:
    """A small network with batch norm, as ResNet18 has, and so with a counter among its buffers."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(1, 3, 5, stride=5, bias=False),
            norm=nn.BatchNorm2d(3),
            relu=nn.ReLU(),
            flatten=nn.Flatten(),
            fc=nn.Linear(75, 10),
        )
    )


@pytest.fixture
def normed_recipe(monkeypatch) -> Recipe:
    monkeypatch.setitem(models.ARCHITECTURES, "normed", normed)
    return recipe(architecture="normed", options={}, epochs=2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_counters_of_batch_norm_stay_whole_numbers(normed_recipe, tmp_path, dtype):
    network = train(normed_recipe, TRAIN, TEST)
    # 2,049 is the first whole number that float16 cannot say.
    network.model.norm.num_batches_tracked.fill_(2049)
    path = save_checkpoint(network, tmp_path, dtype)
    counter = load_file(path)["norm.num_batches_tracked"]
    assert counter.dtype == torch.int64 and counter.item() == 2049
    loaded = weights(load_checkpoint(path))
    for name, value in weights(network).items():
        assert loaded[name].dtype == value.dtype, name
        expected = value.to(dtype).to(value.dtype) if value.is_floating_point() else value
        assert torch.equal(loaded[name], expected), name
    assert not torch.equal(loaded["norm.running_mean"], torch.zeros(3))


def test_predictions_of_a_network_with_batch_norm_are_compared(normed_recipe):
    model = train(normed_recipe, TRAIN, TEST).model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert same_predictions(model, TEST, torch.float32)
    # A bias that float16 cannot tell from none decides every image for the last class.
    with torch.no_grad():
        model.fc.weight.zero_()
        model.fc.bias.copy_(torch.ones(10))
        model.fc.bias[9] = 1.0001
    assert not same_predictions(model, TEST, torch.float16)
    assert torch.equal(model.norm.num_batches_tracked, before["norm.num_batches_tracked"])
    assert torch.equal(model.norm.running_mean, before["norm.running_mean"])


@pytest.mark.parametrize("words", [{}, {"momentum": 0.9}, {"optimiser": "adam", "weight_decay": 0.01}], ids=str)
def test_a_network_with_batch_norm_is_resumed_bit_by_bit(normed_recipe, tmp_path, monkeypatch, words):
    settings = Recipe(**(normed_recipe.model_dump() | words))
    whole, state_file, save = train(settings, TRAIN, TEST), tmp_path / "state", training.loop._save

    def stop(run, path):
        save(run, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(training.loop, "_save", stop)
    with pytest.raises(KeyboardInterrupt):
        train(settings, TRAIN, TEST, state_file=state_file)
    monkeypatch.setattr(training.loop, "_save", save)
    assert same(train(settings, TRAIN, TEST, state_file=state_file), whole)


def test_a_look_at_an_untrained_network_leaves_its_statistics(monkeypatch):
    def build():
        return nn.Sequential(nn.Conv2d(1, 3, 5, stride=5), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(75, 10))

    monkeypatch.setitem(models.ARCHITECTURES, "normed", build)
    network = train(recipe(architecture="normed", options={}, epochs=2), TRAIN, TEST)
    assert network.model[1].num_batches_tracked.item() == 10


def test_a_mini_batch_too_small_for_batch_norm_says_so(monkeypatch):
    def build():
        return nn.Sequential(nn.Conv2d(1, 3, 28), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 10))

    monkeypatch.setitem(models.ARCHITECTURES, "single", build)
    settings = recipe(architecture="single", options={}, batch_size=len(TRAIN) - 1)
    with pytest.raises(TrainingError, match=r"mini-batch of 1 images: .*another batch size"):
        train(settings, TRAIN, TEST)


@pytest.mark.parametrize("largest", [1, 200, 10**9])
def test_weights_may_go_on_in_further_files(normed_recipe, tmp_path, largest):
    network = train(normed_recipe, TRAIN, TEST)
    path = training.save_checkpoint(network, tmp_path, largest_file=largest)
    files = sorted(tmp_path.glob("*.safetensors"))
    held = [sum(tensor.nbytes for tensor in load_file(file).values()) for file in files]
    most = max(value.nbytes for value in network.model.state_dict().values())
    assert all(size <= max(largest, most) for size in held)
    assert len(files) == {1: len(network.model.state_dict()), 10**9: 1}.get(largest, len(files))
    assert 200 != largest or 1 < len(files) < len(network.model.state_dict())
    loaded = training.load_checkpoint(path)
    assert loaded.summary.files == len(files)
    assert weights(loaded).keys() == weights(network).keys()
    assert all(torch.equal(weights(loaded)[name], value) for name, value in weights(network).items())


def test_a_missing_further_file_is_named(normed_recipe, tmp_path):
    path = training.save_checkpoint(train(normed_recipe, TRAIN, TEST), tmp_path, largest_file=1)
    path.with_name(f"{path.stem}.2.safetensors").unlink()
    with pytest.raises(training.CheckpointError, match=r"cannot be read.*remove it and train again"):
        training.load_checkpoint(path)
