"""Images by their Fourier coefficients, scaled so that all frequencies move alike (Olah et al. 2017, Section 3).

The coefficients are real, those of the Hartley transform: the real part of the Fourier transform less its imaginary
part. For each frequency k those of k and -k span what the cosine and the sine of k span, so nothing is lost and nothing
stands twice, whether sides are even or odd; and the transform is orthogonal and its own inverse.
"""

import torch
from torch import Tensor


def pixels(coefficients: Tensor) -> Tensor:
    """Pixels before the squashing to [0, 1] from coefficients, both ``(..., height, width)``: ``H (scale * c)``."""
    return _hartley(coefficients * frequency_scale(coefficients.shape[-2:]).to(coefficients))


def coefficients_of(values: Tensor) -> Tensor:
    """The inverse of `pixels`: each image has exactly one set of coefficients."""
    return _hartley(values) / frequency_scale(values.shape[-2:]).to(values)


def adjoint(values: Tensor) -> Tensor:
    """The adjoint of `pixels`: it carries the gradient with respect to pixels to that of the coefficients."""
    return _hartley(values) * frequency_scale(values.shape[-2:]).to(values)


def frequency_scale(size: tuple[int, int]) -> Tensor:
    """What a coefficient is multiplied by: 1 over its frequency in cycles a pixel, ``(height, width)`` float64.

    The mean, of frequency 0, is scaled as the lowest frequency of the longer side is.
    """
    height, width = size
    down, right = torch.fft.fftfreq(height, dtype=torch.float64), torch.fft.fftfreq(width, dtype=torch.float64)
    return 1 / torch.hypot(down[:, None], right[None]).clamp_min(1 / max(size))


def random_coefficients(shape: tuple[int, ...], deviation: float, generator: torch.Generator) -> Tensor:
    """Normal coefficients ``(channels, height, width)``, float32: an image that is nearly grey if they are small."""
    return deviation * torch.randn(shape, generator=generator)


def _hartley(values: Tensor) -> Tensor:
    transformed = torch.fft.fft2(values, norm="ortho")
    return transformed.real - transformed.imag
