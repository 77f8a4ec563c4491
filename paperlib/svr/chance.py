"""Mean and variance of a coefficient between random directions, whatever channels and kernels the two layers have."""

from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor


@dataclass(frozen=True)
class Span:
    """What the spectral neurons of a layer's groups write or read: ``width`` inputs each, side by side from ``start``.

    Each input has ``kernel`` entries; ``counts`` ``(groups,)`` int64 is the number of neurons of each group.
    """

    start: int
    width: int
    kernel: int
    counts: Tensor


@dataclass(frozen=True)
class Chance:
    """A coefficient's law: its mean is ``1 / channels``, its variance that of a mean of ``degrees`` squares.

    See `Adjacency` for the three numbers.
    """

    channels: float
    degrees: float
    share: float


def chance(written: Span, read: Span, places: int) -> Chance:
    """The law of ``|U_m^T V_n|_F^2`` between uniform unit vectors on the spans, with ``places`` inputs for a channel.

    Of the channels that U and V hold they share ``o``. There the inner products of two Gaussian matrices, ``(o, q)``
    and ``(o, z)``, have squares whose sum has the second moment ``o q z (q (o z + 2) + 2 (o + z + 1))``, and lengths
    are independent of directions. With the kernel on one side and all channels shared, ``degrees`` is that kernel, and
    ``Beta(degrees / 2, (channels - 1) degrees / 2)`` is the exact law (`svr`, Sections 2.4 and 4.3); elsewhere it is
    the Beta law of the same mean and variance.
    """
    q, z = written.kernel, places * read.kernel
    dims = written.width // places * q, read.width * read.kernel
    pairs, together = 0, 0
    first = second = Fraction(0)
    for shared, count in _overlaps(written, read).items():
        pairs += count
        if shared:
            o = Fraction(shared, places)
            together += count
            first += count * o * q * z / (dims[0] * dims[1])
            second += count * o * q * z * (q * (o * z + 2) + 2 * (o + z + 1)) / _fourth(*dims)
    mean, square = first / together, second / together
    share = Fraction(together, pairs)
    return Chance(_number(1 / (mean * share)), _number(_degrees(1 / mean, square / mean**2, q * z)), _number(share))


def _degrees(channels: Fraction, ratio: Fraction, most: int) -> Fraction:
    """Degrees of the Beta law with the mean ``1 / channels`` and this ratio of second moment to squared mean."""
    # With a single channel each coefficient is 1, for any number of degrees.
    return Fraction(most) if ratio == 1 else 2 * (channels - ratio) / (channels * (ratio - 1))


def _fourth(*dims: int) -> int:
    """Mean fourth powers of the lengths of Gaussian vectors, multiplied."""
    product = 1
    for dim in dims:
        product *= dim * (dim + 2)
    return product


def _overlaps(written: Span, read: Span) -> dict[int, int]:
    """For each number of inputs that two groups share, the number of pairs of neurons; of groups if there are none."""
    starts, stops = zip(_ends(written), _ends(read), strict=True)
    shared = torch.minimum(stops[1].unsqueeze(1), stops[0]) - torch.maximum(starts[1].unsqueeze(1), starts[0])
    pairs = read.counts.unsqueeze(1) * written.counts
    if not pairs.any():
        pairs = torch.ones_like(shared)
    found, index = shared.clamp_min(0).unique(return_inverse=True)
    counts = torch.zeros_like(found).index_add(0, index.flatten(), pairs.flatten())
    return {o: count for o, count in zip(found.tolist(), counts.tolist(), strict=True) if count}


def _ends(span: Span) -> tuple[Tensor, Tensor]:
    starts = span.start + span.width * torch.arange(len(span.counts))
    return starts, starts + span.width


def _number(value: Fraction) -> float:
    """A whole number as one, so that it is shown and compared as one."""
    return int(value) if value.denominator == 1 else float(value)
