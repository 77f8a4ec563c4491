"""Signal vectors hold the mean output, and all of it."""

import torch
from torch import nn

from paperlib.hypergraphs import signal_vectors


def test_signal_vectors_are_the_mean_output_in_the_basis_of_the_left_singular_vectors():
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 5, 3, padding=1).double()
    images = torch.randn(4, 3, 7, 8, dtype=torch.float64)
    found = signal_vectors(nn.Sequential(layer, nn.ReLU(inplace=True)), images)["0"]
    mean = (layer(images).detach() - layer.bias.detach().reshape(1, 5, 1, 1)).mean((2, 3))
    torch.testing.assert_close(found.signals @ found.U.mT, mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(found.signals.square().sum(1), mean.square().sum(1), rtol=1e-12, atol=0)
