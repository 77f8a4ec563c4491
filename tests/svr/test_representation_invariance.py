"""What leaves a network's representation as it is: scales, orders of hidden units, pooling."""

import copy

import pytest
import torch
from representation_support import IMAGES, convolutional, same
from torch import nn

from paperlib.models import fully_connected
from paperlib.svr import representation


@pytest.mark.parametrize("kind", ["svr", "co_svr", "mixed"])
def test_positive_scaling_of_layers_changes_nothing(kind):
    """svr.prop.13 for a whole network."""
    model = convolutional()
    expected = representation(model, IMAGES, kind=kind)
    with torch.no_grad():
        for index, factor in ((0, 31.0), (3, 0.004), (6, 2.5), (8, 700.0)):
            model[index].weight.mul_(factor)
    same(representation(model, IMAGES, kind=kind), expected)


@pytest.mark.parametrize("kind", ["svr", "co_svr", "mixed"])
def test_permuting_hidden_units_changes_nothing(kind):
    model = convolutional()
    expected = representation(model, IMAGES, kind=kind)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for before, after, places in ((0, 3, 1), (3, 6, 4), (6, 8, 1)):
            order = torch.randperm(len(model[before].weight), generator=generator)
            model[before].weight.copy_(model[before].weight[order])
            read = model[after].weight.unflatten(1, (-1, places))[:, order].flatten(1, 2)
            model[after].weight.copy_(read)
    same(representation(model, IMAGES, kind=kind), expected)


def test_pooling_has_no_part_in_it():
    """svr.claim.30."""
    torch.manual_seed(2)
    first, second, last = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1), nn.Linear(8, 4)
    without = nn.Sequential(first, second, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)
    pooled = nn.Sequential(
        first, nn.MaxPool2d(2), nn.ReLU(), second, nn.AvgPool2d(2), nn.AdaptiveMaxPool2d(1), nn.Flatten(), last
    )
    images = torch.zeros(1, 3, 8, 8)
    same(representation(without, images), representation(pooled, images), atol=0)


def test_scaling_leaves_what_a_bias_free_network_decides():
    """svr.prop.17."""
    model = fully_connected((12, 20, 20, 6), "relu").double()
    scaled = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for module in scaled.modules():
            if isinstance(module, nn.Linear):
                module.weight.mul_(10 ** (4 * torch.rand(1, generator=generator, dtype=torch.float64) - 2))
    x = torch.randn(200, 12, dtype=torch.float64, generator=generator)
    assert torch.equal(model(x).argmax(1), scaled(x).argmax(1)) and len(model(x).argmax(1).unique()) > 2
