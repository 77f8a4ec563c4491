"""What shifts do to Dice, and whether a number that needs no label sees it.

The shifted versions of one volume are not independent of each other. All intervals are therefore those of a bootstrap
that draws volumes, each with all of its versions.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from paperlib.intervals import Estimate, percentile_interval
from paperlib.row_scores import correlations, rank_scores
from paperlib.segmentation.shift_study import ShiftTable

Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class ShiftEffect:
    """One shift over the volumes: means, changes against the same volumes unshifted, and how well it is noticed.

    ``rpr_area`` is the area under the ROC curve for telling shifted volumes from other volumes that are unshifted by a
    low right projection ratio, ``entropy_area`` that by a high entropy; 0.5 is chance.
    """

    kind: str
    level: float
    dice: Estimate
    rpr: Estimate
    entropy: Estimate
    dice_change: Estimate
    rpr_change: Estimate
    entropy_change: Estimate
    rpr_area: Estimate
    entropy_area: Estimate


@dataclass(frozen=True)
class KindEffect:
    """All levels of one kind of shift together with the unshifted volumes.

    ``rpr`` and ``entropy`` are Spearman's rank correlations with Dice over all volumes and levels; ``rpr_changes`` and
    ``entropy_changes`` those between the changes that the shifts made, so that differences between volumes are out.
    """

    kind: str
    levels: tuple[float, ...]
    rpr: Estimate
    entropy: Estimate
    rpr_changes: Estimate
    entropy_changes: Estimate


@dataclass(frozen=True)
class ShiftStudy:
    """`ShiftEffect` of every shift, `KindEffect` of every kind, and of ``all`` kinds together.

    ``unshifted`` holds the means of Dice, RPR and entropy without a shift, ``rpr_unshifted`` and ``entropy_unshifted``
    Spearman's correlation with Dice over the ``count`` unshifted volumes alone. A correlation with something that is
    the same everywhere is NaN.
    """

    count: int
    k: int
    unshifted: dict[str, Estimate]
    rpr_unshifted: Estimate
    entropy_unshifted: Estimate
    effects: tuple[ShiftEffect, ...]
    kinds: tuple[KindEffect, ...]
    all: KindEffect

    def as_dict(self) -> dict:
        """Plain numbers and lists, NaN as None; `from_dict` takes them back."""
        return _plain(asdict(self))

    @classmethod
    def from_dict(cls, values: Mapping) -> "ShiftStudy":
        return cls(
            values["count"],
            values["k"],
            {name: Estimate.from_dict(value) for name, value in values["unshifted"].items()},
            Estimate.from_dict(values["rpr_unshifted"]),
            Estimate.from_dict(values["entropy_unshifted"]),
            tuple(ShiftEffect(**_fields(effect)) for effect in values["effects"]),
            tuple(KindEffect(**_fields(kind)) for kind in values["kinds"]),
            KindEffect(**_fields(values["all"])),
        )


def shift_effects(table: ShiftTable, k: int, *, draws: int = 2000, level: float = 0.95, seed: int = 0) -> ShiftStudy:
    """Effects of the shifts of a table, with RPR of rank ``k`` and the entropy over the predicted foreground.

    ``draws`` resamplings of the volumes, drawn by ``seed``, give the intervals of ``level``. Raises ``ValueError``
    where fewer than three volumes were measured under every shift.
    """
    count = len(table.names)
    if count < 3:
        raise ValueError(f"{count} volumes were measured under every shift; expected three or more")
    draw = _Bootstrap(np.random.default_rng(seed).integers(count, size=(draws, count)), level)
    dice, rpr, doubt = table.column("dice"), table.rpr(k), table.entropy()
    kinds = tuple(dict.fromkeys(shift.kind for shift in table.shifts))

    def of_kind(kind: str, rows: list[int]) -> KindEffect:
        return KindEffect(
            kind,
            tuple(table.shifts[row - 1].level for row in rows),
            draw.correlation(rpr[[0, *rows]], dice[[0, *rows]]),
            draw.correlation(doubt[[0, *rows]], dice[[0, *rows]]),
            draw.correlation(rpr[rows] - rpr[0], dice[rows] - dice[0]),
            draw.correlation(doubt[rows] - doubt[0], dice[rows] - dice[0]),
        )

    return ShiftStudy(
        count,
        k,
        {"dice": draw.mean(dice[0]), "rpr": draw.mean(rpr[0]), "entropy": draw.mean(doubt[0])},
        draw.correlation(rpr[:1], dice[:1]),
        draw.correlation(doubt[:1], dice[:1]),
        tuple(
            _effect(draw, shift.kind, shift.level, (dice[[0, row]], rpr[[0, row]], doubt[[0, row]]))
            for row, shift in enumerate(table.shifts, 1)
        ),
        tuple(of_kind(kind, [row for row, s in enumerate(table.shifts, 1) if s.kind == kind]) for kind in kinds),
        of_kind("all", list(range(1, len(table.shifts) + 1))),
    )


def _effect(draw: "_Bootstrap", kind: str, level: float, columns: tuple[np.ndarray, ...]) -> ShiftEffect:
    means = [draw.mean(column[1]) for column in columns]
    changes = [draw.mean(column[1] - column[0]) for column in columns]
    _, rpr, doubt = columns
    return ShiftEffect(kind, level, *means, *changes, draw.area(-rpr[1], -rpr[0]), draw.area(doubt[1], doubt[0]))


@dataclass(frozen=True)
class _Bootstrap:
    """``picks`` ``(draws, volumes)`` are places of volumes."""

    picks: np.ndarray
    level: float

    def mean(self, values: np.ndarray) -> Estimate:
        """Of values ``(volumes,)``."""
        return self._estimate(lambda places: values[places].mean(1))

    def area(self, high: np.ndarray, low: np.ndarray) -> Estimate:
        """Area under the ROC curve of ``(volumes,)`` against ``(volumes,)``, over pairs of different volumes.

        It is the share of these pairs that are in order, ties half. A volume is not compared with itself, which
        resampling would make ever more frequent.
        """
        order = (np.sign(high[:, None] - low[None, :]) + 1) / 2
        other = 1 - np.eye(len(high))

        def areas(places: np.ndarray) -> np.ndarray:
            weights = np.stack([np.bincount(row, minlength=len(high)) for row in places])
            pairs = np.einsum("di,ij,dj->d", weights, other, weights, optimize=True)
            found = np.einsum("di,ij,dj->d", weights, other * order, weights, optimize=True)
            # NaN for a resampling of one and the same volume.
            return np.divide(found, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)

        return self._estimate(areas)

    def correlation(self, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Spearman's, over all entries of ``(versions, volumes)``."""

        def spearman(places: np.ndarray) -> np.ndarray:
            return correlations(rank_scores(_together(x, places)), rank_scores(_together(y, places)))

        return self._estimate(spearman)

    def _estimate(self, statistic: Statistic) -> Estimate:
        value = statistic(np.arange(self.picks.shape[1])[None])[0]
        return Estimate(float(value), *percentile_interval(statistic(self.picks), self.level))


def _together(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """``(versions, volumes)`` at places ``(draws, volumes)``, all versions in one row: ``(draws, entries)``."""
    return np.concatenate([row[places] for row in values], axis=1)


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _fields(values: Mapping) -> dict:
    found = {name: Estimate.from_dict(value) if isinstance(value, dict) else value for name, value in values.items()}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
