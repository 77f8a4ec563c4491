"""Seeded training: the same from the same seed, whole or interrupted, and what stops it."""

import errno
import math
import os
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from training_support import TEST, TRAIN, digits, history, recipe, same, weights

from paperlib.training import TrainingError, accuracy, initial_network, loop, predict, train


@pytest.fixture(scope="module")
def trained():
    return train(recipe(), TRAIN, TEST)


def test_same_seed_gives_the_same_bits(trained):
    again = train(recipe(), TRAIN, TEST)
    assert same(trained, again)
    assert history(trained) == history(again)


def test_another_seed_gives_other_weights(trained):
    other = train(recipe(seed=1), TRAIN, TEST)
    assert not any(torch.equal(a, b) for a, b in zip(weights(trained).values(), weights(other).values(), strict=True))


def test_training_moves_every_layer_and_learns(trained):
    start = initial_network(recipe()).state_dict()
    assert not any(torch.equal(value, start[name]) for name, value in weights(trained).items())
    longer = train(recipe(epochs=10, learning_rate=0.01, momentum=0.5), TRAIN, TEST)
    losses = [moment.loss for moment in longer.summary.history]
    assert losses[-1] < 0.5 * losses[0]
    assert longer.summary.test_accuracy == accuracy(longer.model, TEST) > 0.5


def test_first_weights_are_those_of_the_seed_alone():
    torch.manual_seed(5)
    first = initial_network(recipe()).state_dict()
    torch.manual_seed(6)
    second = initial_network(recipe(epochs=9, data="mnist")).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = initial_network(recipe(seed=1)).state_dict()
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_steps_are_those_of_plain_gradient_descent():
    """One epoch by hand, in the order that the seed gives."""
    settings = recipe(epochs=1, batch_size=20, learning_rate=0.05)
    model = initial_network(settings)
    order = torch.randperm(len(TRAIN), generator=torch.Generator().manual_seed(settings.seed * 1_000_003))
    for batch in order.split(20):
        loss = torch.nn.functional.cross_entropy(model(TRAIN.images[batch]), TRAIN.labels[batch])
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter -= 0.05 * gradient
    found = weights(train(settings, TRAIN, TEST))
    for name, value in model.state_dict().items():
        # Another memory format sums float32 in another order; two steps keep the difference at rounding.
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)


def test_order_of_the_images_changes_from_epoch_to_epoch(monkeypatch):
    seen = []
    original = torch.randperm

    def spy(*args, **kwargs):
        seen.append(original(*args, **kwargs))
        return seen[-1]

    monkeypatch.setattr(torch, "randperm", spy)
    train(recipe(), TRAIN, TEST)
    assert len(seen) == 3
    assert not torch.equal(seen[0], seen[1]) and not torch.equal(seen[1], seen[2])


def test_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    train(recipe(epochs=1), TRAIN, TEST)
    assert torch.equal(torch.get_rng_state(), before)


def test_model_is_frozen_and_in_evaluation_mode(trained):
    assert not trained.model.training
    assert not any(parameter.requires_grad for parameter in trained.model.parameters())


def test_summary_says_how_it_went(trained):
    summary = trained.summary
    assert (summary.train_count, summary.test_count) == (40, 20)
    assert summary.recipe == recipe() and summary.torch == torch.__version__ and summary.device == "cpu"
    assert summary.test_accuracy == summary.history[-1].test_accuracy == accuracy(trained.model, TEST)
    assert summary.seconds > 0 and summary.threads >= 1


@pytest.mark.parametrize(
    ("count", "batch_size", "steps"),
    [
        (40, 8, [0, 1, 2, 4, 5, 10]),
        (40, 5, [0, 1, 2, 4, 8, 8, 16]),
        (20, 20, [0, 1, 1, 2]),
        (21, 4, [0, 1, 2, 4, 6, 12]),
    ],
)
def test_history_begins_with_the_powers_of_two(count, batch_size, steps):
    found = train(recipe(epochs=2, batch_size=batch_size), digits(count), TEST).summary.history
    assert [moment.step for moment in found] == steps
    assert [moment.epoch for moment in found] == [0] * (len(steps) - 2) + [1, 2]
    assert all(math.isfinite(moment.loss) and 0 <= moment.test_accuracy <= 1 for moment in found)
    assert [moment.seconds for moment in found] == sorted(moment.seconds for moment in found)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "weight_decay": 0.01},
        {"optimiser": "adam"},
        {"optimiser": "adam", "weight_decay": 0.01},
        {"momentum": 0.9, "schedule": "cosine", "augmentation": "flips_and_shifts"},
        {"optimiser": "adam", "schedule": "cosine", "precision": "bfloat16"},
    ],
    ids=str,
)
@pytest.mark.parametrize("epochs_before", [1, 2])
def test_an_interrupted_training_ends_with_the_same_bits(tmp_path, monkeypatch, words, epochs_before):
    settings = recipe(**words)
    whole = train(settings, TRAIN, TEST)
    state, save = tmp_path / "state.safetensors", loop._save

    def save_and_stop(run, path):
        save(run, path)
        if run.epoch == epochs_before:
            raise Interrupted

    monkeypatch.setattr(loop, "_save", save_and_stop)
    with pytest.raises(Interrupted):
        train(settings, TRAIN, TEST, state_file=state)
    monkeypatch.setattr(loop, "_save", save)
    resumed = train(settings, TRAIN, TEST, state_file=state)
    assert same(resumed, whole)
    assert history(resumed) == history(whole)
    assert resumed.summary.seconds > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.safetensors"]


def test_an_epoch_that_was_interrupted_begins_anew(tmp_path, monkeypatch):
    whole = train(recipe(), TRAIN, TEST)
    state, accurate, looks = tmp_path / "state.safetensors", loop.accuracy, []

    def stop_in_the_second_epoch(model, data):
        looks.append(None)
        if len(looks) == 7:
            raise KeyboardInterrupt
        return accurate(model, data)

    monkeypatch.setattr(loop, "accuracy", stop_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        train(recipe(epochs=3), TRAIN, TEST, state_file=state)
    monkeypatch.setattr(loop, "accuracy", accurate)
    resumed = train(recipe(epochs=3), TRAIN, TEST, state_file=state)
    assert same(resumed, whole) and history(resumed) == history(whole)


def test_a_state_that_is_complete_is_only_read(tmp_path):
    state = tmp_path / "state.safetensors"
    first = train(recipe(), TRAIN, TEST, state_file=state)
    before = state.read_bytes()
    second = train(recipe(), TRAIN, TEST, state_file=state)
    assert same(first, second) and first.summary.history == second.summary.history
    assert state.read_bytes() == before


@pytest.mark.parametrize(
    "other",
    [dict(seed=1), dict(epochs=4), dict(learning_rate=0.01), dict(options={}), dict(optimiser="adam")],
    ids=str,
)
def test_state_of_another_recipe_is_refused(tmp_path, other):
    state = tmp_path / "state.safetensors"
    train(recipe(epochs=1), TRAIN, TEST, state_file=state)
    with pytest.raises(TrainingError, match=r"state.safetensors holds the state of another recipe; remove it"):
        train(recipe(**(dict(epochs=1) | other)), TRAIN, TEST, state_file=state)


@pytest.mark.parametrize("damage", ["truncated", "other bytes", "empty", "weights without a state", "a stray tensor"])
def test_a_damaged_state_is_refused(tmp_path, damage):
    state = tmp_path / "state.safetensors"
    train(recipe(epochs=1), TRAIN, TEST, state_file=state)
    if damage == "weights without a state":
        save_file({"conv1": torch.zeros(1)}, state)
    elif damage == "a stray tensor":
        with safe_open(state, "pt") as file:
            metadata = file.metadata()
        save_file(load_file(state) | {"conv1": torch.zeros(1)}, state, metadata=metadata)
    else:
        whole = state.read_bytes()
        state.write_bytes({"truncated": whole[:-100], "other bytes": b"#" * 500, "empty": b""}[damage])
    with pytest.raises(TrainingError, match=r"state.safetensors is no state of this training .* remove it to begin"):
        train(recipe(epochs=1), TRAIN, TEST, state_file=state)


def test_a_full_disk_leaves_the_state_of_the_epoch_before(tmp_path, monkeypatch):
    state = tmp_path / "state.safetensors"
    settings, rename, renames = recipe(), os.replace, []

    def full_the_second_time(source, target):
        renames.append(target)
        if len(renames) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(source, target)

    monkeypatch.setattr(os, "replace", full_the_second_time)
    with pytest.raises(OSError, match="No space left"):
        train(settings, TRAIN, TEST, state_file=state)
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]
    monkeypatch.setattr(os, "replace", rename)
    assert same(train(settings, TRAIN, TEST, state_file=state), train(settings, TRAIN, TEST))


@pytest.mark.parametrize("where", ["a step that is too long", "images that are no numbers"])
def test_a_loss_that_is_not_finite_stops(tmp_path, where):
    state, data, settings = tmp_path / "state.safetensors", TRAIN, recipe(learning_rate=1e12)
    if where == "images that are no numbers":
        data, settings = replace(TRAIN, images=torch.full_like(TRAIN.images, float("nan"))), recipe()
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) at step \d+; a smaller learning rate"):
        train(settings, data, TEST, state_file=state)
    assert list(tmp_path.iterdir()) == []


def test_a_last_step_that_breaks_the_weights_stops():
    # One mini-batch in all: its loss is finite, and only the step after it overflows.
    one_batch = replace(TRAIN, images=TRAIN.images[:8] * 1e6, labels=TRAIN.labels[:8])
    with pytest.raises(TrainingError, match="not finite"):
        train(recipe(epochs=1, learning_rate=1e38), one_batch, TEST)


def test_predictions_do_not_depend_on_the_batch_size(trained):
    whole = predict(trained.model, TEST.images)
    assert whole.shape == (20, 10) and not whole.requires_grad
    # float32 sums of a thousand terms, in another order for another batch.
    torch.testing.assert_close(predict(trained.model, TEST.images, batch_size=7), whole, rtol=1e-4, atol=1e-5)


def test_accuracy_is_the_share_of_right_answers():
    class Answer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return torch.nn.functional.one_hot(torch.full((len(x),), 3), 10).float()

    assert accuracy(Answer(), TEST) == 0.1
