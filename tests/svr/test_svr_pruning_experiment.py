"""Keeping some spectral neurons of a network: the accuracy that is left, beside that of other choices."""

import pytest
import torch
from torch import nn

from paperlib.datasets import ImageData
from paperlib.models import fully_connected
from paperlib.subspaces import LayerError
from paperlib.svr.experiments.pruning import keeping, prune
from paperlib.training import predict


def planted(hidden: int = 12, strong: int = 3) -> tuple[nn.Module, ImageData]:
    """A network whose answer goes through ``strong`` neurons, with weak noise in all others, and images it reads right.

    An image has one bright pixel, at the place of its class.
    """
    generator = torch.Generator().manual_seed(0)
    model = fully_connected((strong, hidden, strong), "relu").requires_grad_(False)
    model.linear1.weight.copy_(1e-3 * torch.rand(hidden, strong, generator=generator))
    model.linear2.weight.copy_(1e-3 * torch.rand(strong, hidden, generator=generator))
    for place in range(strong):
        model.linear1.weight[place, place] += 3
        model.linear2.weight[place, place] += 3
    labels = torch.arange(strong).repeat(20)
    images = torch.eye(strong)[labels].reshape(-1, strong, 1, 1)
    return model, ImageData(images, labels, "planted", "test", "Planted", "made here", "0" * 64)


def test_all_neurons_give_the_network_back():
    model, data = planted()
    whole = keeping(model, {"linear1": torch.arange(3), "linear2": torch.arange(3)})
    # The weights pass through a decomposition in float64 and are rounded to float32 once.
    torch.testing.assert_close(predict(whole, data.images), predict(model, data.images), rtol=1e-6, atol=1e-6)
    assert whole is not model and whole.linear1 is not model.linear1


def test_the_chosen_neurons_are_what_is_left():
    model, _ = planted()
    U, S, Vh = torch.linalg.svd(model.linear2.weight.double(), full_matrices=False)
    expected = (U[:, [0, 2]] * S[[0, 2]]) @ Vh[[0, 2]]
    found = keeping(model, {"linear2": torch.tensor([2, 0])}).linear2.weight
    # 3e-7 is what rounding to float32 does to entries near 3.
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=3e-7)


def test_the_leading_neurons_carry_the_answer():
    torch.manual_seed(1)
    model = fully_connected((6, 20, 6), "relu").requires_grad_(False)
    first, second = torch.eye(20, 6), torch.eye(6, 20)
    strong = torch.tensor([5.0, 4.8, 4.6, 1e-3, 1e-3, 1e-3])
    model.linear1.weight.copy_(first * strong)
    model.linear2.weight.copy_(strong.unsqueeze(1) * second)
    labels = torch.arange(3).repeat(10)
    images = torch.eye(6)[labels].reshape(-1, 6, 1, 1)
    data = ImageData(images, labels, "planted", "test", "Planted", "made here", "0" * 64)
    found = prune(model, {"linear1": 3, "linear2": 3}, data, draws=40, generator=torch.Generator().manual_seed(0))
    assert found.whole == found.leading == 1 and found.ranks == (3, 3)
    # Without the neurons that carry them all images give zeros, and the first class is the answer.
    assert found.bottom == pytest.approx(1 / 3)
    assert len(found.random) == 40 and found.bottom <= sum(found.random) / 40 < 1


def test_a_path_without_weights_is_an_error():
    model, _ = planted()
    with pytest.raises(LayerError):
        keeping(model, {"relu1": torch.arange(1)})
