"""The steps of one convolution: each by its definition, and what ReLU leaves of planted signals."""

from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from paperlib.convsvd.layer_steps import chance_survival, layer_steps, survival
from paperlib.models import four_layer_cnn
from paperlib.subspaces.layers import LayerError


def network(inplace=False, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = OrderedDict(conv1=nn.Conv2d(1, 3, 3), relu1=nn.ReLU(inplace), conv2=nn.Conv2d(3, 6, 3, **options))
        return nn.Sequential(layers | {"relu2": nn.ReLU(inplace)})


def images(count, size=9, seed=0):
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("options", [{}, {"padding": 1}, {"stride": 2}, {"groups": 3}, {"bias": False}])
def test_every_step_is_what_its_formula_says(options):
    model, image = network(inplace=True, **options), images(1)[0]
    found = layer_steps(model, "conv2", image)
    x = model[:2](image[None]).detach()
    layer = model.conv2
    torch.testing.assert_close(found.input, x[0].double())
    y = F.conv2d(x, layer.weight, None, layer.stride, layer.padding, 1, layer.groups)[0].detach().double()
    # The network is in single precision.
    torch.testing.assert_close(found.output, y, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.activated, layer(x)[0].relu().detach().double(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.signals, found.singular_values[:, None, None] * found.projections)
    r = len(found.singular_values)
    assert (len(found.projections), len(found.signals), len(found.returned)) == (r, r, r)
    assert found.fields.shape == (27, *found.output.shape[1:])
    # Projections are products with an orthonormal set: no more energy than the fields have.
    assert found.projections.square().sum() <= found.fields.square().sum() * (1 + 1e-9)
    torch.testing.assert_close(found.signals.square().sum((1, 2)).sum(), found.output.square().sum())


def test_the_first_layer_of_the_papers_network():
    found = layer_steps(four_layer_cnn(), "conv1", images(1, 28)[0])
    assert found.fields.shape == found.signals.shape == found.returned.shape == (9, 26, 26)
    assert found.output.shape == found.activated.shape == (32, 26, 26)
    image = images(1, 28)[0, 0].double()
    torch.testing.assert_close(found.fields[5], image[1:27, 2:28])


def planted():
    """Two directions of values 4 and 1 that write along e0 and along (e1 - e2) / sqrt 2; no bias."""
    layer = nn.Conv2d(1, 4, (1, 2), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[4.0, 0], [0, 0.5**0.5], [0, -(0.5**0.5)], [0, 0]]).reshape(4, 1, 1, 2))
    return nn.Sequential(layer)


def test_what_relu_leaves_of_planted_directions():
    given = images(20, 8)
    found = survival(planted(), "0", given, batch_size=7)
    fields = torch.stack([given[..., :-1].flatten(), given[..., 1:].flatten()]).double()
    energies = fields.square().mean(1)
    torch.testing.assert_close(found.before, energies * torch.tensor([16.0, 1.0]).double(), atol=1e-6, rtol=1e-5)
    # Pixels are positive: the first passes whole, of the second the negative half is lost.
    torch.testing.assert_close(found.ratio, torch.tensor([1.0, 0.25]).double(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found.correlation, torch.ones(2).double(), atol=1e-6, rtol=1e-5)
    # What is left of the second lies along e1: as much in each of the two directions of the plane of e1 and e2.
    torch.testing.assert_close(found.after.sum(), found.before[0] + found.before[1] / 2, atol=1e-6, rtol=1e-5)
    assert found.after.shape == (4,)
    assert (found.ratio_rank, found.energy_rank) == pytest.approx((1.0, 1.0))


def test_random_directions_get_the_same_signals():
    model, given = network(), images(6)
    own, chance = survival(model, "conv2", given), chance_survival(model, "conv2", given, 3, seed=5)
    assert len(chance) == 3
    for one in chance:
        torch.testing.assert_close(one.before, own.before)
        assert not torch.allclose(one.after, own.after)
    again = chance_survival(model, "conv2", given, 3, seed=5)
    assert all(torch.equal(one.after, other.after) for one, other in zip(chance, again, strict=True))
    # Without its own directions a layer's energies differ from draw to draw.
    assert not torch.allclose(chance[0].after, chance[1].after)


def test_survival_is_that_of_the_steps():
    model, given = network(), images(3)
    steps = [layer_steps(model, "conv2", image) for image in given]
    found = survival(model, "conv2", given)
    before = torch.stack([one.signals for one in steps], 1)
    after = torch.stack([one.returned for one in steps], 1)
    torch.testing.assert_close(found.before, before.square().mean((1, 2, 3)), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found.after[:6], after.square().mean((1, 2, 3)), atol=1e-6, rtol=1e-5)


def test_layers_without_such_steps_are_errors():
    with pytest.raises(LayerError, match="layer fc1 is a Linear; its steps are those of a 2-D convolution"):
        layer_steps(four_layer_cnn(), "fc1", images(1, 28)[0])
    with pytest.raises(LayerError, match="no layer 'conv3'"):
        survival(network(), "conv3", images(2))
    with pytest.raises(ValueError, match="expected at least one of each"):
        survival(network(), "conv2", images(0))
