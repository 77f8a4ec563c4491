"""What signals carry: local brightness and edges of the image, and the class by their positive or negative parts."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from paperlib.convsvd.hypergraph_study import random_signs
from paperlib.featurevis import projection_heat_maps
from paperlib.svr.images.sobel import sobel_magnitude


@dataclass(frozen=True)
class Correlations:
    """Of each direction's heat map with what lies below it: each float64 ``(directions,)``, in [-1, 1].

    ``brightness`` is that with the mean of the pixels that a position of the map sees, ``edges`` with the mean
    magnitude of Sobel's filters there.
    """

    brightness: Tensor
    edges: Tensor

    @property
    def strongest_brightness(self) -> tuple[float, float]:
        """The strongest correlations with darkness and with brightness, as positive numbers."""
        return -self.brightness.min().item(), self.brightness.max().item()


def map_correlations(model: nn.Module, path: str, images: Tensor, directions: Sequence[int]) -> Correlations:
    """Correlations over all positions of all ``images`` ``(count, channels, height, width)``.

    For layers of stride 1 without padding up to them, such as both convolutions of the four-layer network: there a
    position sees the window of ``height - map height + 1`` pixels. A fully connected layer, whose map is one number,
    sees the whole image.

    Raises ``ValueError`` for a map of less than half the image's side, and what `projection_heat_maps` raises.
    """
    maps = projection_heat_maps(model, path, images, directions).double()
    pixels = torch.stack([images.mean(1), sobel_magnitude(images)], 1).double()
    if maps.dim() == 2:
        seen = pixels.mean((2, 3))
        return Correlations(*(_correlation(maps, one.unsqueeze(1)) for one in seen.T))
    height, width = images.shape[2:]
    rows, columns = maps.shape[2:]
    if 2 * rows <= height or 2 * columns <= width:
        raise ValueError(
            f"the map of layer {path} is {rows} x {columns} for images of {height} x {width}; expected a layer without "
            "stride and pooling before it"
        )
    seen = F.avg_pool2d(pixels, (height - rows + 1, width - columns + 1), stride=1)
    return Correlations(*(_correlation(maps, one.unsqueeze(1)) for one in seen.unbind(1)))


def _correlation(maps: Tensor, other: Tensor) -> Tensor:
    """Pearson's correlation over images and positions of each map ``(count, n, ...)`` with ``(count, 1, ...)``."""
    x, y = (values.transpose(0, 1).flatten(1) for values in (maps, other))
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    # A map that is constant, such as that of a blank sample, is correlated with nothing.
    norms = (x.norm(dim=1) * y.norm(dim=1)).clamp_min(torch.finfo(x.dtype).tiny)
    return (x * y).sum(1) / norms


@dataclass(frozen=True)
class SignAccuracies:
    """Held-out accuracy of a classifier that sees only some parts of the signals, each in [0, 1].

    ``positive``, ``negative`` and ``both`` for the signs as they are given; ``random_positive`` and
    ``random_negative`` float64 ``(draws,)`` for signs of the singular vectors drawn at random. ``count`` is the number
    of images that it was tested on.
    """

    positive: float
    negative: float
    both: float
    random_positive: Tensor
    random_negative: Tensor
    count: int

    def values(self) -> dict:
        return {
            "positive": self.positive,
            "negative": self.negative,
            "both": self.both,
            "advantage": self.positive - self.negative,
            "random_positive": self.random_positive.tolist(),
            "random_negative": self.random_negative.tolist(),
            "count": self.count,
        }


def sign_accuracies(
    train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], *, draws: int, seed: int
) -> SignAccuracies:
    """Logistic regression on positive parts ``max(signal, 0)``, on negative ones, and on all (`convsvd`, footnote 9).

    ``train`` and ``test`` are signals ``(images, directions)`` and labels of different images. Turning the sign of a
    singular vector exchanges its positive and negative part; the draws tell how much of a difference is due to the
    convention.
    """
    (x, y), (x_test, y_test) = train, test

    def accuracy(part) -> float:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        model.fit(part(x).numpy(), y.numpy())
        return float((model.predict(part(x_test).numpy()) == y_test.numpy()).mean())

    signs = random_signs(draws, x.shape[1], seed).to(x)
    turned = [[accuracy(lambda table, row=row: (table * row).clamp_min(0)) for row in side] for side in (signs, -signs)]
    return SignAccuracies(
        positive=accuracy(lambda table: table.clamp_min(0)),
        negative=accuracy(lambda table: table.clamp_max(0)),
        both=accuracy(lambda table: table),
        random_positive=torch.tensor(turned[0], dtype=torch.float64),
        random_negative=torch.tensor(turned[1], dtype=torch.float64),
        count=len(y_test),
    )
