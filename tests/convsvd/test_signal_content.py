"""Brightness and edges below heat maps, and the class by positive and negative signals."""

import pytest
import torch
from torch import nn

from paperlib.convsvd.signal_content import map_correlations, sign_accuracies
from paperlib.featurevis import projection_heat_maps


def images(count=20, seed=0):
    return torch.rand(count, 1, 14, 12, generator=torch.Generator().manual_seed(seed))


def test_a_layer_that_averages_is_correlated_with_brightness_alone():
    model = nn.Sequential(nn.Conv2d(1, 1, 3))
    nn.init.constant_(model[0].weight, 0.5)
    found = map_correlations(model, "0", images(), [0])
    assert found.brightness.item() == pytest.approx(1, abs=1e-6)
    assert abs(found.edges.item()) < 0.5


def test_a_signal_is_that_of_the_direction_not_of_the_output():
    """W = -1: the right singular vector is turned to be positive, and so is what it says about bright images."""
    model = nn.Sequential(nn.Conv2d(1, 1, 3, bias=False), nn.Conv2d(1, 1, 3))
    for layer, value in zip(model, (-1.0, 1.0), strict=True):
        nn.init.constant_(layer.weight, value)
    assert (model[0](images()) < 0).all()
    assert map_correlations(model, "0", images(), [0]).brightness.item() == pytest.approx(1, abs=1e-6)
    # What enters the second layer is negative. It sees five pixels, weighted, where the mean has equal weights.
    assert map_correlations(model, "1", images(), [0]).brightness.item() < -0.8


def test_the_correlation_is_that_of_numpy_over_all_positions():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 3, 3))
    x = images()
    found = map_correlations(model, "2", x, [2, 0])
    maps = projection_heat_maps(model, "2", x, [2, 0]).double()
    windows = x[:, 0].double().unfold(1, 5, 1).unfold(2, 5, 1).mean((3, 4))
    assert maps.shape[2:] == windows.shape[1:]
    for number in range(2):
        both = torch.stack([maps[:, number].flatten(), windows.flatten()])
        assert found.brightness[number].item() == pytest.approx(torch.corrcoef(both)[0, 1].item(), abs=1e-9)


def test_a_fully_connected_layer_sees_the_whole_image():
    model = nn.Sequential(nn.Flatten(), nn.Linear(14 * 12, 1))
    nn.init.constant_(model[1].weight, 1.0)
    assert map_correlations(model, "1", images(), [0]).brightness.item() == pytest.approx(1, abs=1e-6)


def test_a_constant_map_is_correlated_with_nothing():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3))
    found = map_correlations(model, "0", torch.zeros(3, 1, 14, 12), [0])
    assert found.brightness.item() == found.edges.item() == 0


def test_layers_behind_pooling_are_refused():
    model = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(1, 2, 3))
    with pytest.raises(ValueError, match="map of layer 1 is 5 x 4 for images of 14 x 12; expected a layer without"):
        map_correlations(model, "1", images(), [0])


def halves(seed=0, count=400):
    """Two classes apart in one direction: class 1 has a positive signal there, class 0 none or a negative one."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    signals = 0.1 * torch.randn(count, 5, generator=generator)
    signals[:, 0] = torch.where(labels == 1, 1.0, 0.0) * torch.rand(count, generator=generator)
    return (signals[:200], labels[:200]), (signals[200:], labels[200:])


def test_the_part_that_carries_the_class_is_the_better_one():
    found = sign_accuracies(*halves(), draws=6, seed=0)
    assert found.positive > 0.9 and abs(found.negative - 0.5) < 0.15 and found.both > 0.9 and found.count == 200


def test_turning_signs_exchanges_the_two_parts():
    found = sign_accuracies(*halves(), draws=8, seed=0)
    high = found.random_positive > 0.8
    assert high.any() and not high.all()
    assert torch.equal(found.random_negative > 0.8, ~high)
    assert found.values()["random_positive"] == found.random_positive.tolist()
