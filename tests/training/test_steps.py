"""What a step does to the images and to the learning rate, and what is called between epochs."""

import copy

import pytest
import torch
from training_support import TEST, TRAIN, recipe

from paperlib import training
from paperlib.training import train
from paperlib.training.steps import SHIFT, cosine_factor, flipped_and_shifted


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_each_image_is_a_window_of_itself_or_of_its_mirror_image():
    images = torch.rand(40, 3, 8, 6, generator=generator()) + 1
    seen = flipped_and_shifted(images, generator(1))
    assert seen.shape == images.shape
    found = []
    for image, result in zip(images, seen, strict=True):
        for flipped in (False, True):
            whole = torch.nn.functional.pad(image.flip(2) if flipped else image, (SHIFT,) * 4)
            found += [
                (flipped, down, right)
                for down in range(2 * SHIFT + 1)
                for right in range(2 * SHIFT + 1)
                if torch.equal(whole[:, down : down + 8, right : right + 6], result)
            ]
    assert len(found) == len(images)
    flips, downs, rights = zip(*found, strict=True)
    assert 10 < sum(flips) < 30
    # Forty draws of nine shifts: that one of them or the extremes were never drawn on either axis has odds below 1 %.
    assert len(set(downs)) > 6 and len(set(rights)) > 6


def test_the_same_generator_gives_the_same_images():
    images = torch.rand(5, 1, 8, 8, generator=generator())
    assert torch.equal(flipped_and_shifted(images, generator(3)), flipped_and_shifted(images, generator(3)))
    assert not torch.equal(flipped_and_shifted(images, generator(3)), flipped_and_shifted(images, generator(4)))


def test_the_learning_rate_falls_along_half_a_cosine():
    factors = [cosine_factor(step, 100) for step in range(100)]
    assert factors[0] == 1 and factors[50] == pytest.approx(0.5) and 0 < factors[99] < 0.001
    assert factors == sorted(factors, reverse=True)


def test_the_schedule_reaches_the_optimiser(monkeypatch):
    rates, step = [], torch.optim.SGD.step

    def noted(optimiser, *arguments):
        rates.append(optimiser.param_groups[0]["lr"])
        return step(optimiser, *arguments)

    monkeypatch.setattr(torch.optim.SGD, "step", noted)
    settings = recipe(epochs=2, schedule="cosine")
    train(settings, TRAIN, TEST)
    steps = len(rates)
    assert steps == 2 * -(-len(TRAIN) // settings.batch_size)
    assert rates == [settings.learning_rate * cosine_factor(number, steps) for number in range(steps)]


@pytest.mark.parametrize(
    "words", [{"schedule": "cosine"}, {"augmentation": "flips_and_shifts"}, {"precision": "bfloat16"}]
)
def test_each_of_them_changes_the_network(words):
    plain, changed = train(recipe(), TRAIN, TEST), train(recipe(**words), TRAIN, TEST)
    pairs = list(zip(plain.model.parameters(), changed.model.parameters(), strict=True))
    assert any(not torch.equal(one, other) for one, other in pairs)
    assert all(other.dtype == torch.float32 for _, other in pairs)


def test_the_accuracy_of_a_training_in_bfloat16_is_that_of_float32():
    network = train(recipe(precision="bfloat16"), TRAIN, TEST)
    assert network.summary.test_accuracy == training.accuracy(network.model, TEST)


def test_the_network_is_shown_before_and_after_each_epoch():
    shown = []
    settings = recipe(epochs=3)
    network = train(settings, TRAIN, TEST, at_epoch=lambda epoch, model: shown.append((epoch, copy.deepcopy(model))))
    assert [epoch for epoch, _ in shown] == [0, 1, 2, 3]
    expected = [training.initial_network(settings), train(recipe(epochs=1), TRAIN, TEST).model, None, network.model]
    for (_, model), other in zip(shown, expected, strict=True):
        if other is not None:
            pairs = zip(model.parameters(), other.parameters(), strict=True)
            assert all(torch.equal(one, two) for one, two in pairs)


def test_a_resumed_training_shows_what_it_trains(tmp_path):
    state, shown = tmp_path / "state.safetensors", []
    train(recipe(epochs=2), TRAIN, TEST, state_file=state)
    train(recipe(epochs=2), TRAIN, TEST, state_file=state, at_epoch=lambda epoch, _: shown.append(epoch))
    assert shown == []
