"""A small convolutional network, and what two representations have in common."""

import torch
from torch import nn


def convolutional():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, bias=False), nn.ReLU(),
        nn.Flatten(), nn.Linear(32, 12, bias=False), nn.ReLU(), nn.Linear(12, 5, bias=False),
    ).double()  # fmt: skip


IMAGES = torch.zeros(1, 3, 10, 10, dtype=torch.float64)


def coefficients(found):
    return [connection.adjacency.coefficients for connection in found.connections]


def same(first, second, atol=1e-10):
    assert len(first.connections) == len(second.connections)
    for a, b in zip(coefficients(first), coefficients(second), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=atol)
