"""Networks and volumes for the tests of the sliding-window operator."""

import torch
from torch import Tensor, nn

from paperlib.models import unet

# Some layers deep, each a sum of up to some hundred products: a few thousand units of rounding of float64.
CLOSE = dict(rtol=1e-10, atol=1e-11)

# Sides of the volume and of the window: several windows with a rest, one axis smaller than the window, one equal to
# it, and a volume that is smaller throughout.
SIZES = {
    "2-D": ((9, 13), (6, 4)),
    "2-D, smaller on an axis": ((3, 11), (8, 4)),
    "2-D, smaller": ((3, 5), (6, 8)),
    "3-D": ((5, 7, 6), (4, 4, 4)),
    "3-D, smaller on an axis": ((6, 3, 5), (4, 4, 2)),
}
OVERLAPS = {"0": 0, "0.25": 0.25, "0.5": 0.5, "0.7": 0.7, "per axis": (0.6, 0.3, 0.5)}
MODES = ("constant", "gaussian")


def network(axes: int, *, bias: bool = False) -> nn.Module:
    """Two channels to three, in float64; with biases, the same behind layers that have them."""
    torch.manual_seed(1)
    model = unet(2, 3, depth=2, filters=3, spatial_dims=axes)
    if bias:
        conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
        model = nn.Sequential(conv(2, 2, 3, padding=1), model, nn.LeakyReLU(0.2), conv(3, 3, 1))
    return model.double().eval()


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def per_axis(overlap, axes: int):
    return overlap[:axes] if isinstance(overlap, tuple) else overlap
