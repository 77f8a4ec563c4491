"""Networks of the papers, built by name so that a checkpoint can name its architecture."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from paperlib.layers import IMAGENET_DEVIATION, IMAGENET_MEAN, Standardise, SumPool


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


# Channels of the convolutions between the five poolings (Simonyan and Zisserman 2015, table 1: A, B, D, E).
_VGG_CHANNELS = (64, 128, 256, 512, 512)
_VGG_REPEATS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


class VGG(nn.Module):
    """Convolutions ``features``, pooling ``avgpool`` and fully connected layers ``classifier``, as torchvision has it.

    Takes images in [0, 1] and standardises them itself.
    """

    def __init__(self, features: nn.Sequential, pooled: int, classifier: nn.Sequential) -> None:
        super().__init__()
        self.standardise = Standardise(IMAGENET_MEAN, IMAGENET_DEVIATION)
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d(pooled)
        self.flatten = nn.Flatten()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.flatten(self.avgpool(self.features(self.standardise(images)))))


def vgg(
    depth: int = 16,
    width: float = 1.0,
    batch_norm: bool = False,
    classes: int = 1000,
    hidden: int = 4096,
    pooled: int = 7,
    dropout: float = 0.5,
) -> VGG:
    """VGG-11, -13, -16 or -19 of Simonyan and Zisserman (2015): ``(batch, 3, height, width)`` in [0, 1] to logits.

    ``width`` multiplies the channels of all convolutions, 64 to 512; ``pooled`` is the side of the map that the
    three fully connected layers read, ``hidden`` the outputs of the first two. With the defaults the state dict is
    torchvision's, name by name. Weights are drawn as He et al. (2015) do, by the number of inputs; biases start at 0.

    Raises ``ValueError`` for another depth or a width that leaves a convolution without channels.
    """
    if depth not in _VGG_REPEATS:
        raise ValueError(f"depth is {depth}; expected one of {', '.join(map(str, _VGG_REPEATS))}")
    widths = [round(channels * width) for channels in _VGG_CHANNELS]
    if widths[0] < 1:
        raise ValueError(f"width is {width}; expected at least {1 / _VGG_CHANNELS[0]:.3g}, one channel")
    layers, before = [], 3
    for after, repeats in zip(widths, _VGG_REPEATS[depth], strict=True):
        for _ in range(repeats):
            layers.append(nn.Conv2d(before, after, 3, padding=1))
            layers += [nn.BatchNorm2d(after)] if batch_norm else []
            layers.append(nn.ReLU())
            before = after
        layers.append(nn.MaxPool2d(2))
    sizes = (before * pooled**2, hidden, hidden, classes)
    classifier = []
    for entering, leaving in pairwise(sizes):
        classifier += [nn.Linear(entering, leaving), nn.ReLU(), nn.Dropout(dropout)]
    network = VGG(nn.Sequential(*layers), pooled, nn.Sequential(*classifier[:-2]))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return network


ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "mnist_cnn": mnist_cnn,
    "fully_connected": fully_connected,
    "resnet18": resnet18,
    "vgg": vgg,
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
