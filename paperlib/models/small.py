"""Families of small networks for colour images, alike but for their depth or width."""

from collections import OrderedDict
from typing import Literal, get_args

from torch import Tensor, nn

Kind = Literal["plain", "batch_norm", "residual"]


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm beside a shortcut, then ReLU, as He et al. (2016, Section 3.3) have it.

    ``(batch, c_in, h, w)`` to ``(batch, c_out, h, w)``. The shortcut is a 1x1 convolution where the channels change.
    """

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(entering, leaving, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(leaving)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(leaving, leaving, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(leaving)
        self.shortcut = nn.Identity() if entering == leaving else nn.Conv2d(entering, leaving, 1, bias=False)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.norm1(self.conv1(x)))
        return self.relu2(self.norm2(self.conv2(y)) + self.shortcut(x))


def small_cnn(
    kind: Kind = "plain", blocks: int = 1, width: int = 16, channels: int = 3, classes: int = 10
) -> nn.Sequential:
    """A convolution to ``width`` channels, three stages of ``blocks`` blocks each, global average, one linear layer.

    ``(batch, channels, height, width)``, height and width at least 8, to ``(batch, classes)``. Maps are halved before
    each stage, and channels double from stage to stage. A block is a 3x3 convolution and ReLU (``"plain"``), the
    same with batch norm between (``"batch_norm"``), or two convolutions with a shortcut (``"residual"``).

    Raises ``ValueError`` for another kind, and for fewer than one block or channel.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(get_args(Kind))}")
    if min(blocks, width) < 1:
        raise ValueError(f"blocks is {blocks} and width {width}; expected at least 1 of each")
    layers = OrderedDict(stem=_block("plain" if kind == "plain" else "batch_norm", channels, width))
    before = width
    for stage in range(3):
        layers[f"pool{stage + 1}"] = nn.MaxPool2d(2)
        after = width * 2**stage
        for number in range(blocks):
            layers[f"block{stage + 1}_{number + 1}"] = _block(kind, before, after)
            before = after
    layers |= OrderedDict(average=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), linear=nn.Linear(before, classes))
    network = nn.Sequential(layers)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return network


def _block(kind: Kind, entering: int, leaving: int) -> nn.Module:
    if kind == "residual":
        return ResidualBlock(entering, leaving)
    layers = OrderedDict(conv=nn.Conv2d(entering, leaving, 3, padding=1, bias=kind == "plain"))
    if kind == "batch_norm":
        layers["norm"] = nn.BatchNorm2d(leaving)
    return nn.Sequential(layers | OrderedDict(relu=nn.ReLU()))
