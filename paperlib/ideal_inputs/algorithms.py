"""Which of the paper's six algorithms comes nearest to the ideal output of each class (`vectorspaces`, Figure 3)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

NAMES = {"avg": "avg-img", "min": "min-img", "avg_min": "avg-min-img"}
ALGORITHMS = (*NAMES.values(), *(f"{name}+training" for name in NAMES.values()))


@dataclass(frozen=True)
class DistanceTable:
    """Distances ``(6, C)`` float64 to the ideal outputs: a row for each of ``ALGORITHMS``, a column for each class."""

    distances: Tensor

    @property
    def best(self) -> Tensor:
        """Row ``(C,)`` int64 of the algorithm with the smallest distance, the first of equals."""
        return self.distances.argmin(dim=0)

    @property
    def winners(self) -> list[str]:
        """Name of the best algorithm for each class."""
        return [ALGORITHMS[row] for row in self.best.tolist()]


def distance_table(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> DistanceTable:
    """Table of the distances ``(C,)`` of the starts ``"avg"``, ``"min"`` and ``"avg_min"`` before and after training.

    Other starts are left out. Raises ``ValueError`` where one of the three is missing, shapes differ or a distance is
    NaN.
    """
    missing = [start for start in NAMES if start not in before or start not in after]
    if missing:
        raise ValueError(f"no distances of the start {missing[0]!r}; expected before and after for {', '.join(NAMES)}")
    rows = [distances[start] for distances in (before, after) for start in NAMES]
    if len({row.shape for row in rows}) > 1 or rows[0].dim() != 1:
        raise ValueError(f"distances have shapes {[tuple(row.shape) for row in rows]}; expected all to be (classes,)")
    table = torch.stack(rows).double()
    if table.isnan().any():
        raise ValueError(f"the distances of {ALGORITHMS[int(table.isnan().any(1).nonzero()[0])]} hold NaN")
    return DistanceTable(table)
