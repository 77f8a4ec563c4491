"""Whether a number finds the volumes that are segmented worst."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

from paperlib.segmentation.rows import VolumeTable

# Numbers by which one would look, each turned so that the suspicious volumes come first.
SUSPICIONS: Mapping[str, tuple[str, int]] = {
    "low RPR": ("rpr", 1),
    "high entropy, all voxels": ("entropy", -1),
    "high entropy, marked voxels": ("foreground_entropy", -1),
    "low largest probability, marked voxels": ("foreground_probability", 1),
    "few marked voxels": ("predicted_volume", 1),
}


@dataclass(frozen=True)
class Search:
    """Of the ``count`` worst volumes, ``found`` are among the ``count`` most suspicious; by chance ``expected`` are."""

    name: str
    count: int
    found: int
    expected: float

    @property
    def key(self) -> str:
        """The name as part of a result's key, without spaces."""
        return self.name.replace(",", "").replace(" ", "_")

    def as_dict(self) -> dict:
        return asdict(self)


def search(name: str, dice: ArrayLike, suspicion: ArrayLike, share: float = 0.1) -> Search:
    """Compare the volumes of lowest Dice with those of lowest ``suspicion``, both ``(n,)`` and without NaN.

    ``count`` is the nearest whole number to ``share`` of n, at least 1. Where values are equal, the volume that stands
    first counts as the lower one. Raises ``ValueError`` for other shapes and for a share outside (0, 1].
    """
    values, order = np.asarray(dice, dtype=np.float64), np.asarray(suspicion, dtype=np.float64)
    if values.shape != order.shape or values.ndim != 1 or not len(values):
        raise ValueError(f"Dice of shape {values.shape} and a number of shape {order.shape}; expected one of each")
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; expected a number above 0 and up to 1")
    count = max(1, round(share * len(values)))
    worst, first = (set(np.argsort(numbers, kind="stable")[:count].tolist()) for numbers in (values, order))
    return Search(name, count, len(worst & first), count * count / len(values))


def searches(table: VolumeTable, share: float = 0.1) -> tuple[Search, ...]:
    """`search` with each of `SUSPICIONS` over the measured volumes, with RPR at the largest k.

    A volume in which nothing was marked, and which has no mean over marked voxels, is the most suspicious.
    """
    dice = table.column("dice")
    columns = {
        name: sign * (table.ratios()[:, -1] if key == "rpr" else table.column(key))
        for name, (key, sign) in SUSPICIONS.items()
    }
    return tuple(
        search(name, dice, np.where(np.isnan(column), -np.inf, column), share) for name, column in columns.items()
    )
