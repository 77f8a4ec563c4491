"""The U-Net of `generalizability` (its BraTS experiment) for volumes, pictures and signals."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from paperlib.layers import SumPool

_CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


class UNet(nn.Module):
    """A U-Net without biases, with as many filters at every level, see `unet`.

    Submodules, level 1 being the finest: ``encoder1`` ... ``encoder{depth}``, ``pool1`` ..., ``up1`` ...,
    ``decoder1`` ... ``decoder{depth - 1}``, each encoder and decoder with ``conv1``, ``relu1``, ``conv2``, ``relu2``;
    then ``head``, the last convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, depth: int, filters: int, spatial_dims: int):
        super().__init__()
        self.depth = depth
        conv = _CONV[spatial_dims]
        self.encoder1 = _level(conv, in_channels, filters)
        for level in range(2, depth + 1):
            self.add_module(f"pool{level - 1}", SumPool(2))
            self.add_module(f"encoder{level}", _level(conv, filters, filters))
        for level in reversed(range(1, depth)):
            self.add_module(f"up{level}", nn.Upsample(scale_factor=2))
            self.add_module(f"decoder{level}", _level(conv, 2 * filters, filters))
        self.head = conv(filters, out_channels, 1, bias=False)
        self._draw_weights(window=2**spatial_dims)

    def forward(self, x: Tensor) -> Tensor:
        x = self.encoder1(x)
        skips = []
        for level in range(2, self.depth + 1):
            skips.append(x)
            x = self._part("encoder", level)(self._part("pool", level - 1)(x))
        for level in reversed(range(1, self.depth)):
            x = self._part("decoder", level)(torch.cat([self._part("up", level)(x), skips.pop()], dim=1))
        return self.head(x)

    def _part(self, kind: str, level: int) -> nn.Module:
        return getattr(self, f"{kind}{level}")

    def _draw_weights(self, window: int) -> None:
        """He's initialisation, divided by ``window`` in the first convolution behind each sum pooling.

        He's deviation keeps the size of activations from layer to layer, but a sum over ``window`` neighbours, which
        are positive and much alike behind a ReLU, is about ``window`` times as large as each of them: 8 to the power
        of 4 at the bottom of five levels. Divided once, the network starts as the one with average pooling.
        """
        for module in self.modules():
            if isinstance(module, tuple(_CONV.values())):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        with torch.no_grad():
            for level in range(2, self.depth + 1):
                self._part("encoder", level).conv1.weight /= window


def unet(
    in_channels: int = 4, out_channels: int = 2, *, depth: int = 5, filters: int = 32, spatial_dims: int = 3
) -> UNet:
    """The segmentation network of `generalizability`, without biases.

    It maps ``(batch, in_channels, *spatial)`` to ``(batch, out_channels, *spatial)``. Each level is two bias-free 3^d
    convolutions with ReLU, all with the same number of filters; sum pooling by 2 goes down, nearest-neighbour
    up-sampling by 2 goes up, where the up-sampled features and the skipped ones are concatenated in this order; a
    bias-free 1^d convolution gives the logits (584,128 weights by default). Every spatial side must be a multiple of
    ``2^(depth - 1)``; the forward pass raises ``ValueError`` otherwise.

    ``depth`` counts the levels of resolution, so ``depth - 1`` poolings (128 voxels a side become 8 at depth 5). The
    paper's 'depth 5' may mean five poolings instead: that is ``depth=6`` here. It does not say the size of the kernels
    in the last layer either; 1^d is usual. Weights are drawn from torch's global generator.

    Raises ``ValueError`` for spatial dimensions other than 1, 2, 3 and for sizes below one.
    """
    if spatial_dims not in _CONV:
        raise ValueError(f"spatial_dims is {spatial_dims}; expected 1, 2 or 3")
    sizes = {"in_channels": in_channels, "out_channels": out_channels, "depth": depth, "filters": filters}
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}; expected 1 or more")
    return UNet(in_channels, out_channels, depth, filters, spatial_dims)


def _level(conv: type[nn.Module], inputs: int, filters: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=conv(inputs, filters, 3, padding=1, bias=False),
            relu1=nn.ReLU(),
            conv2=conv(filters, filters, 3, padding=1, bias=False),
            relu2=nn.ReLU(),
        )
    )
