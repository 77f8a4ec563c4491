"""A tiny data set and recipes whose training takes a moment."""

import torch
from torch import Tensor

from paperlib.datasets import ImageData
from paperlib.training import Recipe, TrainedNetwork


def digits(count: int, seed: int = 0) -> ImageData:
    """Images of noise with a bright bar whose place is the label: something that can be learnt."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 10
    images = 0.3 * torch.rand(count, 1, 28, 28, generator=generator)
    for image, label in zip(images, labels.tolist(), strict=True):
        image[:, 2 * label + 3 : 2 * label + 5] = 1.0
    return ImageData(images, labels, "synthetic", "train", "Synthetic", "made here", "0" * 64)


TRAIN, TEST = digits(40), digits(20, seed=1)


def recipe(**words) -> Recipe:
    settings = dict(architecture="mnist_cnn", options={"padding": "valid"}, data="synthetic", epochs=3, batch_size=8)
    return Recipe(**(settings | dict(learning_rate=0.003) | words))


def weights(network: TrainedNetwork) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.model.state_dict().items()}


def same(first: TrainedNetwork, second: TrainedNetwork) -> bool:
    a, b = weights(first), weights(second)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def history(network: TrainedNetwork) -> list[tuple]:
    """All of the history that does not depend on the clock."""
    return [(moment.epoch, moment.step, moment.loss, moment.test_accuracy) for moment in network.summary.history]
