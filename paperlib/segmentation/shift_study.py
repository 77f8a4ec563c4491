"""One network measured at the same volumes, as they are and under shifts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paperlib.datasets.volumes import VolumeSet
from paperlib.segmentation.measuring import MeasureSettings, measure_volumes
from paperlib.segmentation.recipe import SegmentationNetwork
from paperlib.segmentation.rows import VolumeTable
from paperlib.segmentation.shifts import Shift, shifted_volumes


@dataclass(frozen=True)
class ShiftTable:
    """Tables of the same volumes: ``unshifted``, and one for each of the ``shifts``."""

    shifts: tuple[Shift, ...]
    unshifted: VolumeTable
    shifted: tuple[VolumeTable, ...]

    @property
    def tables(self) -> tuple[VolumeTable, ...]:
        """The unshifted table, then the others."""
        return (self.unshifted, *self.shifted)

    @property
    def names(self) -> tuple[str, ...]:
        """The volumes that were measured under every shift, in the order of the unshifted table."""
        done = set.intersection(*({row.name for row in table.measured} for table in self.tables))
        return tuple(row.name for row in self.unshifted.measured if row.name in done)

    @property
    def failed(self) -> tuple[tuple[str, str, str], ...]:
        """Shift, volume and reason of every measurement that failed."""
        tables = {"unshifted": self.unshifted} | dict(zip(map(str, self.shifts), self.shifted, strict=True))
        return tuple((title, row.name, row.note) for title, table in tables.items() for row in table.failed)

    def column(self, name: str) -> np.ndarray:
        """Float64 ``(1 + shifts, volumes)``: a column of the tables at ``names``, the unshifted volumes first."""
        return np.stack([self._at(table, table.column(name)) for table in self.tables])

    def rpr(self, k: int) -> np.ndarray:
        """Float64 ``(1 + shifts, volumes)``: the right projection ratio of rank ``k``, as `column` orders it."""
        return np.stack([self._at(table, table.ratios()[:, k - 1]) for table in self.tables])

    def entropy(self) -> np.ndarray:
        """As `column`: the mean entropy over the predicted foreground; where there is none ln 2, the largest of all."""
        entropy = self.column("foreground_entropy")
        return np.where(np.isnan(entropy), math.log(2), entropy)

    def _at(self, table: VolumeTable, values: np.ndarray) -> np.ndarray:
        places = {row.name: index for index, row in enumerate(table.measured)}
        return np.asarray(values, dtype=np.float64)[[places[name] for name in self.names]]


def shift_study(
    network: SegmentationNetwork,
    volumes: VolumeSet,
    shifts: Sequence[Shift],
    names: Sequence[str],
    settings: MeasureSettings,
    *,
    seed: int = 0,
    folder: Path | None = None,
    workers: int = 1,
    progress: bool = False,
) -> ShiftTable:
    """Measure ``network`` at the volumes ``names``, unshifted and under each of ``shifts`` drawn by ``seed``.

    What is done is kept on disk, as `paperlib.segmentation.measure_volumes` keeps it; a volume that fails is left out.
    Raises what that function raises, and ``ValueError`` for a shift that is named twice or changes nothing.
    """
    idle = [shift for shift in shifts if shift.level == shift.neutral]
    if idle or len(set(shifts)) < len(shifts):
        raise ValueError(
            f"{idle[0]} changes nothing; leave it out" if idle else "a shift is named twice; leave one out"
        )
    kept = {"folder": folder, "workers": workers, "progress": progress}
    tables = [
        measure_volumes([network], source, settings, names=names and [names], **kept)
        for source in (volumes, *(shifted_volumes(volumes, shift, seed=seed) for shift in shifts))
    ]
    return ShiftTable(tuple(shifts), tables[0], tuple(tables[1:]))
