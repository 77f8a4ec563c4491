"""Networks of the papers, built by name so that a checkpoint can name its architecture."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Literal

from torch import nn

from paperlib.layers import SumPool


def mnist_cnn(padding: Literal["same", "valid"] = "same") -> nn.Sequential:
    """The MNIST classifier of `generalizability` (Section 2.1): ``(batch, 1, 28, 28)`` to ten logits, no bias anywhere.

    Two bias-free 5x5 convolutions (32 and 64 filters), each with ReLU and sum pooling by 2, then linear layers
    to 512, 256 and 10. The paper says 'zero padding', which can be read in two ways: ``"same"`` pads with zeros
    to keep the size (1,791,264 weights; the reading that fits the paper's adjoint), ``"valid"`` pads nothing.
    """
    sides = {"same": 7, "valid": 4}
    if padding not in sides:
        raise ValueError(f"padding is {padding!r}; expected one of {sorted(sides)}")
    pad = 2 if padding == "same" else 0
    features = 64 * sides[padding] ** 2
    layers = OrderedDict(
        conv1=nn.Conv2d(1, 32, 5, padding=pad, bias=False),
        relu1=nn.ReLU(),
        pool1=SumPool(2),
        conv2=nn.Conv2d(32, 64, 5, padding=pad, bias=False),
        relu2=nn.ReLU(),
        pool2=SumPool(2),
        flatten=nn.Flatten(),
        linear1=nn.Linear(features, 512, bias=False),
        relu3=nn.ReLU(),
        linear2=nn.Linear(512, 256, bias=False),
        relu4=nn.ReLU(),
        linear3=nn.Linear(256, 10, bias=False),
    )
    return nn.Sequential(layers)


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "selu": nn.SELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
}


def fully_connected(
    widths: Sequence[int], activation: str = "selu", last_activation: bool = False, bias: bool = False
) -> nn.Sequential:
    """Linear layers ``linear1``, ``linear2``, ... between the ``widths`` (input first), after flattening the input.

    ``(batch, *shape)`` of ``widths[0]`` entries an image to ``(batch, widths[-1])``. The activation (a name in
    ``ACTIVATIONS``) stands between the layers, and after the last one too where ``last_activation``.

    Raises ``ValueError`` for fewer than two widths, a width below 1 or an unknown activation.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths are {tuple(widths)}; expected two or more positive numbers, the input's first")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; expected one of {', '.join(ACTIVATIONS)}")
    layers = OrderedDict(flatten=nn.Flatten())
    count = len(widths) - 1
    for number, (before, after) in enumerate(pairwise(widths), start=1):
        layers[f"linear{number}"] = nn.Linear(before, after, bias=bias)
        if number < count or last_activation:
            layers[f"{activation}{number}"] = ACTIVATIONS[activation]()
    return nn.Sequential(layers)


def resnet18(channels: int = 1, classes: int = 10) -> nn.Module:
    """ResNet18 of He et al. (2016) for 2-D images, ``(batch, channels, height, width)`` to ``(batch, classes)``.

    MONAI's, with the stem (7x7, stride 2, max pooling) and the layer names of torchvision, so that
    ``layer1.0.conv1`` is the first convolution of the first block, and torchvision's state dicts fit but for a first
    convolution of other channels and a last layer of other classes. Weights are drawn at random.
    """
    # MONAI takes a second to import, which no one should pay who wants another network.
    from monai.networks.nets import resnet18 as monai_resnet18

    return monai_resnet18(
        spatial_dims=2, n_input_channels=channels, num_classes=classes, conv1_t_stride=2, bias_downsample=False
    )


ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "mnist_cnn": mnist_cnn,
    "fully_connected": fully_connected,
    "resnet18": resnet18,
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
