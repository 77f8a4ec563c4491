"""The VGG networks of Simonyan and Zisserman (2015), of any width."""

from itertools import pairwise

from torch import Tensor, nn

from paperlib.layers import IMAGENET_DEVIATION, IMAGENET_MEAN, Standardise

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
