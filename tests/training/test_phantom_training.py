"""Training on generated volumes: the same whole or interrupted, kept, and refused where it is damaged."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from paperlib.datasets.phantoms import phantom_volumes
from paperlib.training import CheckpointError, TrainingError, phantoms
from paperlib.training.phantoms import PhantomTraining, patches, phantom_unet, save_phantom_unet, train_on_phantoms

TINY = PhantomTraining(modalities=2, depth=2, filters=4, volumes=3, side=16, patch=8, steps=4)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))


def weights(network):
    return network.model.state_dict()


def same(first, second) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_same_training_gives_the_same_bits_and_another_seed_does_not():
    first, again = train_on_phantoms(TINY), train_on_phantoms(TINY)
    assert same(weights(first), weights(again)) and first.dice == again.dice
    assert not same(weights(first), weights(train_on_phantoms(replace(TINY, seed=1))))
    assert not any(parameter.requires_grad for parameter in first.model.parameters())


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path, monkeypatch):
    state = tmp_path / "state.safetensors"
    monkeypatch.setattr(phantoms, "_STEPS_AT_ONCE", 2)
    real = phantoms.patches

    def stops(data, training, step):
        if step == 3:
            raise KeyboardInterrupt
        return real(data, training, step)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(phantoms, "patches", stops)
        train_on_phantoms(TINY, state_file=state)
    taken = []

    def counts(data, training, step):
        taken.append(step)
        return real(data, training, step)

    monkeypatch.setattr(phantoms, "patches", counts)
    resumed = train_on_phantoms(TINY, state_file=state)
    assert taken == [2, 3]
    assert same(weights(resumed), weights(train_on_phantoms(TINY)))


def test_training_lowers_the_loss_and_finds_lesions():
    longer = replace(TINY, modalities=4, filters=8, volumes=8, side=24, patch=16, steps=300, learning_rate=1e-3)
    untrained = phantoms.held_out_dice(longer.network().eval(), longer)
    trained = train_on_phantoms(longer)
    assert sum(trained.dice) / 6 > 0.3 + sum(untrained) / 6


def test_patches_follow_from_step_and_seed_and_are_cut_from_the_volumes():
    data = phantom_volumes(3, (16, 16, 16), modalities=2, seed=100)
    images, labels = patches(data, TINY, 5)
    again, _ = patches(data, TINY, 5)
    other, _ = patches(data, TINY, 6)
    assert torch.equal(images, again) and not torch.equal(images, other)
    assert images.shape == (2, 2, 8, 8, 8) and labels.shape == (2, 8, 8, 8)
    voxels = {tuple(voxel) for voxel in data.images.movedim(1, -1).flatten(0, -2).tolist()}
    assert all(tuple(voxel) in voxels for voxel in images.movedim(1, -1).flatten(0, -2).tolist())


def test_most_patches_hold_a_lesion():
    data = phantom_volumes(4, (32, 32, 32), modalities=1, seed=3)
    training = replace(TINY, modalities=1, patch=8)
    held = [bool(label.any()) for step in range(40) for label in patches(data, training, step)[1]]
    # 80 draws, of which at least two thirds were made around a lesion: 53, with a deviation of 4.2.
    assert sum(held) > 53 - 3 * 4.2


def test_network_is_kept_and_found_again(tmp_path):
    first = phantom_unet(TINY)
    kept = list((tmp_path / "checkpoints").iterdir())
    assert [path.name for path in kept] == [f"{TINY.name}.safetensors"]
    assert not list((tmp_path / "training").glob("*.safetensors"))
    again = phantom_unet(TINY)
    assert same(weights(first), weights(again)) and again.dice == first.dice and again.seconds == first.seconds


def test_half_precision_is_rounded_once(tmp_path):
    network = train_on_phantoms(TINY)
    save_phantom_unet(network, tmp_path / "checkpoints", torch.float16)
    loaded = phantom_unet(TINY)
    for name, value in weights(loaded).items():
        assert value.dtype == torch.float32
        assert torch.equal(value, weights(network)[name].half().float())


def test_damaged_files_are_named(tmp_path):
    checkpoint = tmp_path / "checkpoints" / f"{TINY.name}.safetensors"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match=rf"{TINY.name}.*remove it and train again"):
        phantom_unet(TINY)
    checkpoint.unlink()
    state = tmp_path / "state.safetensors"
    save_file({"weight.head.weight": torch.zeros(1)}, state, metadata={"step": "2", "seconds": "1.0"})
    with pytest.raises(TrainingError, match=r"state\.safetensors is no state of this training"):
        train_on_phantoms(TINY, state_file=state)
    save_phantom_unet(train_on_phantoms(TINY), tmp_path)
    assert load_file(tmp_path / f"{TINY.name}.safetensors")["head.weight"].shape == (2, 4, 1, 1, 1)


def test_a_loss_that_is_not_finite_stops_the_training():
    with pytest.raises(TrainingError, match=r"loss is nan at step \d; a smaller learning rate"):
        train_on_phantoms(replace(TINY, learning_rate=1e30))
