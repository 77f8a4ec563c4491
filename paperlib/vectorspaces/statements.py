"""What `vectorspaces` says of its figures in words, as numbers."""

from dataclasses import dataclass
from math import exp, lgamma, pi, sqrt

import torch
from torch import Tensor

from paperlib.subspaces import energy


@dataclass(frozen=True)
class Residuals:
    """Residuals of the class means and how much of the digit they keep.

    ``images`` ``(classes, n)``; ``energy`` ``(classes,)`` the share of each mean's energy that is left;
    ``cosines`` ``(classes,)`` between residual and mean; both follow from the angle between mean and subspace, since
    the cosine is the square root of the share.
    """

    images: Tensor
    energy: Tensor
    cosines: Tensor


def residuals_of(means: Tensor, removed: Tensor) -> Residuals:
    """Residuals ``means - removed`` of class means ``(classes, n)``, where ``removed`` is an orthogonal projection."""
    means = means.double()
    left = means - removed
    cosines = (left * means).sum(1) / (energy(left) * energy(means)).sqrt()
    return Residuals(left, energy(left) / energy(means), cosines)


def shape_cosines(residuals: Tensor, means: Tensor) -> Tensor:
    """How far each residual ``(classes, n)`` still has the shape of its own digit; ``(classes,)``.

    Cosine between residual and class mean, both less the mean of all class means: a mean digit is mostly what all
    digits have in common, and the plain cosine would tell that no residual lost anything.
    """
    common = means.double().mean(0)
    return torch.cosine_similarity(residuals.double() - common, means.double() - common, dim=1)


def neighbour_correlation(images: Tensor) -> Tensor:
    """Correlation between pixels that touch along a side, of images ``(count, height, width)``; ``(count,)``.

    Independent pixels have 0 on average, smooth images come near 1.
    """
    images = images.double()
    first = torch.cat([images[:, :, :-1].flatten(1), images[:, :-1].flatten(1)], 1)
    second = torch.cat([images[:, :, 1:].flatten(1), images[:, 1:].flatten(1)], 1)
    pairs = torch.stack([torch.cat([first, second], 1), torch.cat([second, first], 1)], 1)
    return torch.stack([torch.corrcoef(pair)[0, 1] for pair in pairs])


def bimodality(values: Tensor) -> Tensor:
    """Sarle's bimodality coefficient of each row ``(count, n)``: ``(skewness^2 + 1) / kurtosis`` in (0, 1].

    1 for two values in any proportion and for nothing else, 5/9 for a uniform distribution, 1/3 for a normal one.
    """
    centred = values.double() - values.double().mean(1, keepdim=True)
    variance = centred.square().mean(1)
    skewness = centred.pow(3).mean(1) / variance.pow(1.5)
    kurtosis = centred.pow(4).mean(1) / variance.square()
    return (skewness.square() + 1) / kurtosis


def central_disc(side: int, radius: float) -> Tensor:
    """Mask ``(side, side)`` of the pixels whose centres lie within ``radius`` pixels of the image's centre."""
    place = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    return place.square().unsqueeze(0) + place.square().unsqueeze(1) <= radius**2


def noise_edge(rows: int, columns: int) -> float:
    """Condition number of a large random matrix by the edges of the Marchenko-Pastur law, for ``rows > columns``."""
    ratio = (columns / rows) ** 0.5
    return (1 + ratio) / (1 - ratio)


def vector_agreement(one: Tensor, other: Tensor) -> Tensor:
    """``|cos|`` between the i-th rows of two sets of unit vectors ``(k, n)``; ``(k,)``, whatever their signs."""
    return (one.double() * other.double()).sum(1).abs()


def mean_random_cosine(dimension: int) -> float:
    """Mean ``|cos|`` between a vector and a random direction, or two, in this many dimensions.

    ``Gamma(n/2) / (sqrt(pi) Gamma((n+1)/2))``, the mean of the first entry's magnitude on the unit sphere. The right
    singular vectors of a matrix of independent normal entries are such directions.
    """
    return exp(lgamma(dimension / 2) - lgamma((dimension + 1) / 2)) / sqrt(pi)
