"""Training of a fold: the same whole or interrupted, the best epoch is kept, and what stops it."""

import random
from dataclasses import replace

import monai
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from segmentation_support import tiny_volumes
from segmentation_training_support import history, same, small_recipe, trained, weights

from paperlib.datasets.volumes import VolumeError
from paperlib.segmentation import parts, train_segmentation, training, volume_dice
from paperlib.segmentation.patches import TrainingPatches
from paperlib.training import TrainingError
from paperlib.training.dice import relaxed_dice_loss

# MONAI would draw from the global generator of numpy's older interface.
GLOBAL = np.random.mtrand


def stopped(monkeypatch, recipe, state, epochs: int):
    """A training that is interrupted in the middle of the epoch after ``epochs``."""
    whole = TrainingPatches.epoch

    def stops(self, epoch):
        for number, batch in enumerate(whole(self, epoch)):
            if (epoch, number) == (epochs, 1):
                raise KeyboardInterrupt
            yield batch

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TrainingPatches, "epoch", stops)
        train_segmentation(recipe, tiny_volumes(), state_file=state)


def test_the_same_recipe_gives_the_same_bits_and_another_seed_does_not():
    again = train_segmentation(small_recipe(), tiny_volumes())
    assert same(weights(trained(small_recipe())), weights(again))
    assert history(trained(small_recipe())) == history(again)
    assert not same(weights(again), weights(trained(small_recipe(seed=1))))


def test_the_steps_are_adams_on_the_relaxed_dice_loss():
    recipe = small_recipe(epochs=1, learning_rate=0.01)
    model, split = recipe.network(), parts(recipe, tiny_volumes().names)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for images, labels in TrainingPatches(tiny_volumes().select(split.train, "training"), recipe).epoch(0):
        loss = relaxed_dice_loss(model(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    network = trained(recipe)
    assert network.summary.history[0].loss == pytest.approx(sum(losses) / 2, rel=1e-4)
    for name, value in model.state_dict().items():
        # Adam's first steps are the signs of the gradients: rounding alone must not turn one that counts.
        assert (value - network.model.state_dict()[name]).abs().mean() < 1e-4 * value.abs().mean()


def test_training_learns_to_find_bright_lesions():
    def bright(volume):
        return replace(volume, image=volume.image + 5 * volume.label)

    recipe = small_recipe(epochs=15, validate_every=15, learning_rate=0.003, patch=(16, 16, 16))
    volumes = tiny_volumes().mapped(bright, "brighter lesions")
    network = train_segmentation(recipe, volumes)
    seen = volumes.select(network.summary.test, "test")
    before = volume_dice(recipe.network().eval(), seen, recipe)
    after = volume_dice(network.model, seen, recipe)
    assert sum(after) / len(after) > 0.5 + sum(before) / len(before)


def test_the_network_is_frozen_and_its_summary_says_what_it_saw():
    network, recipe = trained(small_recipe()), small_recipe()
    split, summary = parts(recipe, tiny_volumes().names), network.summary
    assert (summary.recipe, summary.train, summary.validation, summary.test) == (
        recipe, split.train, split.validation, split.test
    )  # fmt: skip
    assert not network.model.training and not any(one.requires_grad for one in network.model.parameters())
    assert summary.threads == torch.get_num_threads() and summary.device == "cpu"
    assert summary.seconds > 0 and summary.torch == torch.__version__


def test_no_test_volume_is_read():
    read = []

    def noted(volume):
        read.append(volume.name)
        return volume

    summary = train_segmentation(small_recipe(), tiny_volumes().mapped(noted, "noted")).summary
    assert set(read) == {*summary.train, *summary.validation}


@pytest.mark.parametrize(("every", "looks"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (9, [5])])
def test_validation_comes_every_few_epochs_and_after_the_last(every, looks):
    network = trained(small_recipe(epochs=5, validate_every=every))
    assert [moment.epoch for moment in network.summary.history] == looks
    # How often it is looked at changes nothing in a training: the losses are means over the epochs between.
    losses = [moment.loss for moment in trained(small_recipe(epochs=5)).summary.history]
    between = np.split(np.array(losses), looks[:-1])
    found = [moment.loss for moment in network.summary.history]
    np.testing.assert_allclose(found, [part.mean() for part in between], rtol=1e-12)


def test_the_earliest_best_epoch_is_kept(monkeypatch):
    planted, seen = [0.2, 0.7, 0.7, 0.5], []

    def looked(model, volumes, recipe):
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return [planted[len(seen) - 1] - 0.1, planted[len(seen) - 1] + 0.1]

    monkeypatch.setattr(training, "volume_dice", looked)
    network = train_segmentation(small_recipe(epochs=4), tiny_volumes())
    assert network.summary.best_epoch == 2
    assert network.summary.validation_dice == pytest.approx(0.7)
    assert [moment.validation_dice for moment in network.summary.history] == pytest.approx(planted)
    assert same(weights(network), seen[1]) and not same(seen[1], seen[2])


def test_the_validation_dice_is_that_of_the_network_that_is_returned():
    recipe = small_recipe(epochs=5, learning_rate=0.01)
    network = trained(recipe)
    validation = tiny_volumes().select(network.summary.validation, "validation")
    assert np.mean(volume_dice(network.model, validation, recipe)) == pytest.approx(network.summary.validation_dice)
    best = max(moment.validation_dice for moment in network.summary.history)
    assert network.summary.validation_dice == best


@pytest.mark.parametrize(
    ("epochs", "changes"),
    [(0, {}), (1, {}), (3, {}), (3, {"validate_every": 2}), (2, {"precision": "bfloat16"}), (2, {"mirrored": False})],
)
def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path, monkeypatch, epochs, changes):
    recipe, state = small_recipe(epochs=4, learning_rate=0.01, **changes), tmp_path / "state.safetensors"
    stopped(monkeypatch, recipe, state, epochs)
    assert state.is_file() == (epochs > 0)
    resumed, whole = train_segmentation(recipe, tiny_volumes(), state_file=state), trained(recipe)
    assert same(weights(resumed), weights(whole))
    assert history(resumed) == history(whole)
    assert resumed.summary.best_epoch == whole.summary.best_epoch


def test_a_best_epoch_before_the_interruption_survives_it(tmp_path, monkeypatch):
    planted, first = iter([0.9, 0.1, 0.2]), trained(small_recipe(epochs=1))
    monkeypatch.setattr(training, "volume_dice", lambda *_: [next(planted)])
    recipe, state = small_recipe(epochs=3), tmp_path / "state.safetensors"
    stopped(monkeypatch, recipe, state, 2)
    resumed = train_segmentation(recipe, tiny_volumes(), state_file=state)
    assert resumed.summary.best_epoch == 1
    assert same(weights(resumed), weights(first))


def test_a_state_that_is_complete_is_only_read(tmp_path):
    recipe, state = small_recipe(), tmp_path / "state.safetensors"
    first = train_segmentation(recipe, tiny_volumes(), state_file=state)
    before = state.read_bytes()
    again = train_segmentation(recipe, tiny_volumes(), state_file=state)
    assert same(weights(first), weights(again)) and first.summary == again.summary
    assert state.read_bytes() == before


def test_the_state_of_another_recipe_is_refused(tmp_path):
    state = tmp_path / "state.safetensors"
    train_segmentation(small_recipe(epochs=1), tiny_volumes(), state_file=state)
    with pytest.raises(TrainingError, match=r"state\.safetensors holds the state of another recipe; remove it or name"):
        train_segmentation(small_recipe(epochs=2), tiny_volumes(), state_file=state)


@pytest.mark.parametrize("damage", ["truncated", "other bytes", "empty", "another network", "no header"])
def test_a_damaged_state_is_refused(tmp_path, damage):
    recipe, state = small_recipe(epochs=1), tmp_path / "state.safetensors"
    train_segmentation(recipe, tiny_volumes(), state_file=state)
    if damage == "another network":
        with safe_open(state, "pt") as file:
            header = file.metadata()
        save_file(load_file(state) | {"weight.elsewhere": torch.zeros(1)}, state, metadata=header)
    elif damage == "no header":
        save_file(load_file(state), state)
    else:
        whole = state.read_bytes()
        state.write_bytes({"truncated": whole[:-100], "other bytes": b"#" * 500, "empty": b""}[damage])
    with pytest.raises(TrainingError, match=r"(?s)state\.safetensors is no state of this training .* remove it to"):
        train_segmentation(recipe, tiny_volumes(), state_file=state)


def test_products_in_bfloat16_train_almost_the_same_weights():
    whole = trained(small_recipe())
    rounded = trained(small_recipe(precision="bfloat16"))
    assert all(value.dtype == torch.float32 for value in weights(rounded).values())
    assert not same(weights(whole), weights(rounded))
    # Eight bits of mantissa, over some layers.
    assert rounded.summary.history[0].loss == pytest.approx(whole.summary.history[0].loss, rel=0.03)


def test_a_loss_that_is_not_finite_stops_the_training():
    with pytest.raises(TrainingError, match=r"the loss is nan in epoch 1; a smaller learning rate may mend it"):
        train_segmentation(small_recipe(learning_rate=1e30), tiny_volumes())


def test_weights_that_are_not_finite_are_not_returned(monkeypatch):
    # The root of 0, whose slope is infinite: a loss that is finite before each step.
    monkeypatch.setattr(training, "relaxed_dice_loss", lambda outputs, labels: (0 * outputs).nansum().sqrt())
    with pytest.raises(TrainingError, match=r"the weights of epoch 1 are not finite; a smaller learning rate"):
        train_segmentation(small_recipe(), tiny_volumes())


def test_a_volume_that_cannot_be_normalised_is_named():
    volumes = tiny_volumes().mapped(lambda volume: replace(volume, image=torch.zeros_like(volume.image)), "black")
    with pytest.raises(VolumeError, match=r"phantom_\d{4}: .*zero everywhere, so it has no scale"):
        train_segmentation(small_recipe(), volumes)


def test_global_settings_are_neither_used_nor_changed():
    def state():
        return torch.get_rng_state().tolist(), GLOBAL.get_state()[1].tolist(), random.getstate(), track_meta()

    track_meta = monai.data.get_track_meta
    torch.manual_seed(11)
    GLOBAL.seed(11)
    random.seed(11)
    before = state()
    network = train_segmentation(small_recipe(), tiny_volumes())
    assert state() == before
    assert same(weights(network), weights(trained(small_recipe())))
    # Denormal numbers are flushed while it trains alone.
    assert (torch.tensor([1e-38]) / 10 != 0).all()
