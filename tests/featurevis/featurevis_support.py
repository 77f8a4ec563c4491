"""Small networks with planted weights for the tests of feature visualisation."""

from collections import OrderedDict

import torch
from torch import nn

from paperlib.unfolding import output_unfolding, receptive_fields

# Sums of hundreds of products in single precision.
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def seeded(build, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build()


def two_convolutions(inplace=False):
    """``(batch, 1, h, w)`` to maps of six channels, with biases."""
    layers = OrderedDict(conv1=nn.Conv2d(1, 4, 3), relu1=nn.ReLU(inplace), conv2=nn.Conv2d(4, 6, 3, padding=1))
    return seeded(lambda: nn.Sequential(layers | {"relu2": nn.ReLU(inplace)}))


def grouped(groups):
    """A convolution with groups behind one without, stride 2 and dilation 2; as many channels as groups: depthwise."""
    return seeded(
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2, dilation=2, groups=groups))
    )


def explicit_maps(layer, x):
    """Signals ``s_i v_i^T Psi(X)``, ``(batch, r, positions)`` in float64, by numpy's way of the SVD."""
    matrix = output_unfolding(layer.weight.detach().double(), layer.groups)
    _, S, Vh = torch.linalg.svd(matrix, full_matrices=False)
    Vh = Vh * torch.gather(Vh, 1, Vh.abs().argmax(1, keepdim=True)).sign()
    return S[:, None] * (Vh @ receptive_fields(layer, x.double()).mT)


def images(count, channels, size, seed=0):
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(seed))
