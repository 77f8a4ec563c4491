"""Networks of the papers, built by name so that a checkpoint can name its architecture."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn

from paperlib.models.fully_connected import ACTIVATIONS, fully_connected
from paperlib.models.mnist import four_layer_cnn, mnist_cnn
from paperlib.models.resnet import resnet18
from paperlib.models.small import small_cnn
from paperlib.models.unet import UNet, unet
from paperlib.models.vgg import VGG, vgg

__all__ = [
    "ACTIVATIONS", "ARCHITECTURES", "VGG", "UNet", "build", "evaluating", "four_layer_cnn", "fully_connected",
    "mnist_cnn", "resnet18", "small_cnn", "unet", "vgg",
]  # fmt: skip

ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "mnist_cnn": mnist_cnn,
    "fully_connected": fully_connected,
    "resnet18": resnet18,
    "vgg": vgg,
    "four_layer_cnn": four_layer_cnn,
    "small_cnn": small_cnn,
    "unet": unet,
}


def build(architecture: str, **options) -> nn.Module:
    """Build a network by its name in ``ARCHITECTURES``; its weights are drawn from torch's global generator.

    Raises ``KeyError`` (with the known names) for an unknown name.
    """
    if architecture not in ARCHITECTURES:
        raise KeyError(f"unknown architecture {architecture!r}; known: {', '.join(sorted(ARCHITECTURES))}")
    return ARCHITECTURES[architecture](**options)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside, and each module's own mode again behind, whatever happens."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
