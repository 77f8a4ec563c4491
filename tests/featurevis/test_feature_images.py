"""Optimised images: better than any image of the data, reproducible, independent of what they are optimised beside."""

from dataclasses import replace

import pytest
import torch
from featurevis_support import grouped, seeded, two_convolutions

from paperlib import datasets
from paperlib.featurevis import (
    ColourTransform,
    Transformations,
    VisualisationSettings,
    channel_objective,
    objective,
    objective_values,
    optimise,
)
from paperlib.featurevis.optimise import rendered
from paperlib.models import four_layer_cnn, vgg

SMALL = VisualisationSettings(size=(9, 9), steps=15)


@pytest.fixture(scope="module")
def network():
    return seeded(four_layer_cnn)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist_5000", "test").images[::5]


@pytest.mark.parametrize(("path", "directions"), [("conv2", [0, 1, 2, 3]), ("fc1", [0, 1, 5])])
@pytest.mark.parametrize("transformations", [None, Transformations()])
def test_optimised_images_beat_the_best_image_of_the_data(network, digits, path, directions, transformations):
    settings = VisualisationSettings(steps=100, rate=0.1, transformations=transformations)
    found = optimise(network, path, directions, settings=settings, seed=0)
    best = objective_values(network, objective(network, path, directions), digits).max(0).values
    assert (found.final > best).all()


def test_from_every_random_start_the_objective_grows_far_beyond_what_starts_have(network):
    settings = VisualisationSettings(steps=60, rate=0.1)
    found = optimise(network, "fc1", [0] * 8, settings=settings, seed=range(8))
    assert (found.final - found.start.mean() > 20 * found.start.std()).all()


def test_weighted_sets_and_channels_are_optimised(network):
    weights = torch.zeros(2, 64)
    weights[0, :3], weights[1, 4] = torch.tensor([1.0, 0.5, 0.25]), 1
    settings = VisualisationSettings(steps=40, rate=0.1)
    found = optimise(network, "conv2", weights, settings=settings)
    assert (found.final > found.start).all()
    values = objective_values(network, objective(network, "conv2", weights), found.images)
    # The better of the two images for each set is its own.
    assert (values.argmax(0) == torch.tensor([0, 1])).all()
    classes = optimise(network, "fc2", channel_objective(network, "fc2", [3, 8]), settings=settings)
    assert network(classes.images).argmax(1).tolist() == [3, 8]


def test_result_says_what_it_is():
    model = two_convolutions(inplace=True)
    found = optimise(model, "conv2", [0, 2, 4], settings=SMALL, seed=[5, 6, 7])
    assert found.images.shape == (3, 1, 9, 9)
    assert found.images.dtype == torch.float32
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    assert found.objectives.shape == (15, 3)
    assert (found.seeds, found.path, found.settings, len(found)) == ((5, 6, 7), "conv2", SMALL, 3)
    values = objective_values(model, objective(model, "conv2", [0, 2, 4]), found.images).diagonal()
    torch.testing.assert_close(found.final, values, rtol=1e-4, atol=1e-4)


def test_without_movements_the_first_objective_is_that_of_the_start():
    found = optimise(two_convolutions(), "conv2", [0, 1], settings=replace(SMALL, transformations=None))
    torch.testing.assert_close(found.objectives[0], found.start)
    assert (found.objectives.diff(dim=0) > 0).double().mean() > 0.9


def test_images_follow_from_their_seed_alone():
    model = two_convolutions()
    together = optimise(model, "conv2", [0, 3, 0], settings=SMALL, seed=[1, 1, 2])
    again = optimise(model, "conv2", [0, 3, 0], settings=SMALL, seed=[1, 1, 2])
    alone = optimise(model, "conv2", [3], settings=SMALL, seed=1)
    parts = optimise(model, "conv2", [0, 3, 0], settings=replace(SMALL, batch_size=1), seed=[1, 1, 2])
    assert torch.equal(together.images, again.images)
    # Batches of another size may be summed in another order.
    torch.testing.assert_close(together.images[1:2], alone.images, atol=1e-3, rtol=0)
    torch.testing.assert_close(together.images, parts.images, atol=1e-3, rtol=0)
    torch.testing.assert_close(together.objectives, parts.objectives, atol=1e-3, rtol=1e-3)
    assert (together.images[0] - together.images[2]).abs().max() > 0.01


def test_global_generator_weights_and_gradients_are_left_alone():
    model = two_convolutions()
    state, weights = torch.get_rng_state(), [one.clone() for one in model.parameters()]
    optimise(model, "conv2", [0], settings=SMALL)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(one, before) for one, before in zip(model.parameters(), weights, strict=True))
    assert all(one.grad is None for one in model.parameters())


@pytest.mark.parametrize("groups", [2, 8])
def test_grouped_layers_and_odd_sizes_in_colour(groups):
    colours = ColourTransform(((0.6, 0.2, 0.1), (0.6, 0.0, -0.2), (0.5, -0.3, 0.1)), "planted")
    settings = VisualisationSettings(size=(13, 15), channels=3, steps=20, colours=colours)
    model = grouped(groups)
    # With live channels all over: a depthwise filter reads one alone.
    torch.nn.init.ones_(model[0].bias)
    found = optimise(model, "2", [0, 7], settings=settings)
    assert found.images.shape == (2, 3, 13, 15)
    assert (found.final > found.start).all()


def test_a_colour_network_at_its_own_and_at_another_size():
    model = seeded(lambda: vgg(11, width=0.05, classes=10, hidden=8, pooled=1))
    for side in (32, 57):
        settings = VisualisationSettings(size=(side, side), channels=3, steps=10)
        found = optimise(model, "features.6", [0], settings=settings)
        assert found.images.shape == (1, 3, side, side)
        assert (found.final > found.start).all()


def test_pixels_can_be_optimised_themselves():
    coefficients = torch.randn(2, 1, 6, 5, generator=torch.Generator().manual_seed(0))
    plain = VisualisationSettings(size=(6, 5), fourier=False)
    torch.testing.assert_close(rendered(coefficients, plain), coefficients.sigmoid())
    assert (rendered(coefficients, replace(plain, fourier=True)) - coefficients.sigmoid()).abs().max() > 0.1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": (1, 9)}, "size is \\(1, 9\\)"),
        ({"size": (9,)}, "size is \\(9,\\)"),
        ({"steps": 0}, "steps is 0"),
        ({"channels": 0}, "channels is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"rate": 0.0}, "rate is 0.0"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"deviation": -1.0}, "deviation is -1.0"),
        ({"colours": ColourTransform(((1.0,),), "grey"), "channels": 3}, "colours has 1 channels \\(from grey\\)"),
    ],
)
def test_settings_out_of_range_are_errors(change, words):
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **change)


def test_what_does_not_fit_together_is_an_error():
    model = two_convolutions()
    with pytest.raises(ValueError, match="2 seeds for 1 images"):
        optimise(model, "conv2", [0], settings=SMALL, seed=[1, 2])
    with pytest.raises(ValueError, match="the objective is of layer conv2, images are asked for at conv1"):
        optimise(model, "conv1", objective(model, "conv2", [0]), settings=SMALL)
    with pytest.raises(ValueError, match="cannot run on images \\(3, 9, 9\\)"):
        optimise(model, "conv2", [0], settings=replace(SMALL, channels=3))


def test_an_objective_that_is_not_a_number_is_an_error():
    model = two_convolutions()
    goal = objective(model, "conv2", [0])
    with torch.no_grad():
        model.conv1.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="objective of image 0 at layer conv2 is nan at step 0"):
        optimise(model, "conv2", goal, settings=SMALL)


def test_a_direction_behind_dead_units_is_left_at_its_start():
    model = two_convolutions()
    with torch.no_grad():
        model.conv1.bias.fill_(-100)
    found = optimise(model, "conv2", [0], settings=SMALL)
    assert found.final == found.start == 0
    assert (found.images - 0.5).abs().max() < 0.1
