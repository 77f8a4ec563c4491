"""Where a power law's tail begins: the candidate of least Kolmogorov-Smirnov distance among all of them.

With the distinct values ``x_0 < x_1 < ...`` and ``N_k`` values at or above ``x_k``, the tail from ``x_k`` on has the
exponent ``1 + b_k``, ``b_k = N_k / sum(log(x / x_k))`` over the tail, and the distance

    D_k = max over l >= k of |N_l / N_k - exp(-b_k (log x_l - log x_k))|.

All exponents take one pass. All distances would take a pass each; few do: the terms of some places l, the *probes*,
bound every D_k from below. The candidate of least bound is measured in full, the place of its maximum becomes a probe,
and candidates whose bound exceeds the best distance so far are dropped until none is left. Bounds and distances are
values of one expression, so the search returns what measuring every candidate returns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Distinct values up to which measuring all candidates at once is faster than the search, measured.
_DIRECT = 200
_PROBES = 48
# Values of one block of the direct computation.
_BLOCK = 1 << 18


@dataclass(frozen=True)
class Tails:
    """Every tail of a sample: its distinct values' logarithms (increasing), their counts at or above, and exponents.

    ``slopes`` are ``alpha - 1``, infinite for the last tail, where all values are equal.
    """

    logs: Floats
    counts: Floats
    slopes: Floats


def tails(values: Floats) -> Tails:
    """Of positive values in increasing order."""
    distinct, first = np.unique(values, return_index=True)
    logs = np.log(distinct)
    counts = (len(values) - first).astype(np.float64)
    # Sums of log(x / x_k) by their differences, all of which are positive: nothing cancels.
    sums = np.zeros(len(logs))
    sums[:-1] = np.cumsum((counts[1:] * np.diff(logs))[::-1])[::-1]
    with np.errstate(divide="ignore"):
        return Tails(logs, counts, counts / sums)


@dataclass(frozen=True)
class Start:
    """The tail that fits best: its index among the distinct values, its distance, and how many were measured."""

    index: int
    distance: float
    measured: int


def best_start(found: Tails, smallest_tail: int) -> Start:
    """The candidate of least distance, of equal ones that with the longest tail.

    Candidates are all distinct values but the two largest that have ``smallest_tail`` or more values in their tail.
    """
    count = min(len(found.logs) - 2, int((found.counts >= smallest_tail).sum()))
    if count <= _DIRECT:
        distances = all_distances(found, count)
        index = int(distances.argmin())
        return Start(index, float(distances[index]), count)
    return _search(found, count)


def all_distances(found: Tails, count: int) -> Floats:
    """Distances of the first ``count`` candidates, one after the other in blocks: quadratic in the distinct values."""
    distances = np.empty(count)
    step = max(1, _BLOCK // len(found.logs))
    for start in range(0, count, step):
        rows = np.arange(start, min(start + step, count))
        gaps = _gaps(found, rows[:, None], np.arange(start, len(found.logs))[None])
        gaps[np.tril_indices(len(rows), -1, gaps.shape[1])] = 0
        distances[rows] = gaps.max(axis=1)
    return distances


def distance(found: Tails, index: int) -> tuple[float, int]:
    """Distance of one candidate, and the place of the distinct values where it is attained."""
    gaps = _gaps(found, index, np.arange(index, len(found.logs)))
    place = int(gaps.argmax())
    return float(gaps[place]), index + place


def _gaps(found: Tails, candidates: NDArray | int, places: NDArray | int) -> Floats:
    steps = np.maximum(found.logs[places] - found.logs[candidates], 0)
    return np.abs(found.counts[places] / found.counts[candidates] - np.exp(-found.slopes[candidates] * steps))


def _search(found: Tails, count: int) -> Start:
    active, bounds = np.arange(count), np.zeros(count)
    for probe in _first_probes(found):
        _raise_bounds(found, active, bounds, probe)
    best, least, measured = count, np.inf, 0
    while len(active):
        place = int(bounds.argmin())
        index = int(active[place])
        here, probe = distance(found, index)
        measured += 1
        if (here, index) < (least, best):
            least, best = here, index
        _raise_bounds(found, active, bounds, probe)
        open_ = (bounds < least) | ((bounds == least) & (active < best))
        open_[place] = False
        active, bounds = active[open_], bounds[open_]
    return Start(best, least, measured)


def _first_probes(found: Tails) -> list[int]:
    """Places where the counts at or above fall by equal factors, the largest values among them."""
    steps = np.geomspace(found.counts[0], found.counts[-1], _PROBES)
    return sorted(set(np.searchsorted(-found.counts, -steps).tolist()))


def _raise_bounds(found: Tails, active: NDArray[np.int64], bounds: Floats, probe: int) -> None:
    reached = int(np.searchsorted(active, probe, side="right"))
    gaps = _gaps(found, active[:reached], probe)
    np.maximum(bounds[:reached], gaps, out=bounds[:reached])
