"""Singular values of a convolution with its zero padding, and how far a circular boundary is from them."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from paperlib.spectra.circular import circular_singular_values
from paperlib.spectra.lanczos import SpectrumEstimate, spectrum_estimate
from paperlib.svd import truncated_svd
from paperlib.unfolding import Boundary, Convolution, ConvolutionMatrices, convolution_matrices


@dataclass(frozen=True)
class BoundaryDifference:
    """The spectrum with a circular boundary beside that with the layer's zero padding.

    ``distance`` is Kolmogorov's and Smirnov's, the largest difference of the shares of singular values below some
    value, with its standard ``error`` over the probes of the estimate for zero padding. ``top_circular`` and
    ``top_zero`` are the largest singular values.
    """

    distance: float
    error: float
    top_circular: float
    top_zero: float

    @property
    def top_ratio(self) -> float:
        """Largest singular value with zero padding over that with a circular boundary."""
        return self.top_zero / self.top_circular


def largest_singular_values(
    layer: Convolution | ConvolutionMatrices | Tensor,
    input_size: tuple[int, ...],
    k: int = 1,
    *,
    boundary: Boundary = "zero",
    tol: float = 1e-8,
) -> Tensor:
    """The k largest singular values of the operator matrix, float64, decreasing, by `paperlib.svd.truncated_svd`.

    ``tol`` bounds the relative residual where the matrix is too large to be formed. Raises
    ``UnfoldingError`` for a layer or size without an operator matrix, and what ``truncated_svd`` raises.
    """
    matrices = _matrices(layer)
    operator = replace(matrices, weight=matrices.weight.double()).operator(input_size, boundary)
    return truncated_svd(operator, k, tol=tol).S


def zero_padding_estimate(
    layer: Convolution | ConvolutionMatrices | Tensor,
    input_size: tuple[int, ...],
    *,
    steps: int = 100,
    probes: int = 8,
    seed: int = 0,
) -> SpectrumEstimate:
    """Estimate the distribution of all singular values with zero padding, see `spectrum_estimate`.

    Raises ``UnfoldingError`` for a layer or size without an operator matrix, ``ValueError`` for too few steps.
    """
    # In the precision of the weights: the probes err by far more than its rounding.
    operator = _matrices(layer).operator(input_size, "zero")
    return spectrum_estimate(operator, steps=steps, probes=probes, seed=seed)


def boundary_difference(
    layer: Convolution | ConvolutionMatrices | Tensor,
    input_size: tuple[int, ...],
    *,
    circular: Tensor | None = None,
    estimate: SpectrumEstimate | None = None,
    seed: int = 0,
) -> BoundaryDifference:
    """How far the spectrum with a circular boundary is from that with zero padding.

    ``circular`` are all singular values with a circular boundary, decreasing, and ``estimate`` is that for zero
    padding, where they are known already. Raises as `circular_singular_values` and `largest_singular_values`.
    """
    values = circular_singular_values(layer, input_size) if circular is None else circular
    if estimate is None:
        estimate = zero_padding_estimate(layer, input_size, seed=seed)
    increasing = values.flip(0)
    # Between neighbouring nodes the estimate is linear, so that more points than these tell no more.
    places = torch.cat([increasing[:: max(1, len(increasing) // 2000)], estimate.nodes.flatten()]).sort().values
    share = torch.searchsorted(increasing, places, right=True) / len(increasing)
    found, error = estimate.cumulative(places)
    worst = int((share - found).abs().argmax())
    top = float(largest_singular_values(layer, input_size))
    return BoundaryDifference(float((share - found)[worst].abs()), float(error[worst]), float(values[0]), top)


def _matrices(layer: Convolution | ConvolutionMatrices | Tensor) -> ConvolutionMatrices:
    return layer if isinstance(layer, ConvolutionMatrices) else convolution_matrices(layer)
