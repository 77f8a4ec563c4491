"""What a hypergraph looks like where classes mean nothing: the same signals with their labels permuted."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from paperlib.hypergraphs.checks import check_majorities, class_sizes, table_of
from paperlib.hypergraphs.signals import LayerSignals
from paperlib.hypergraphs.significance import at_least, significant_directions, threshold


@dataclass(frozen=True)
class StructureSample:
    """Sizes of several hypergraphs, each int64 ``(draws,)``.

    ``nodes``, ``classes`` (equivalence classes), ``hyperedges``, ``incidences``, and ``general``, the nodes that every
    class has.
    """

    nodes: Tensor
    classes: Tensor
    hyperedges: Tensor
    incidences: Tensor
    general: Tensor

    def __len__(self) -> int:
        return len(self.nodes)

    def to_lists(self) -> dict[str, list[int]]:
        """The sizes by name, for a result file."""
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}

    def summary(self) -> dict[str, dict[str, float]]:
        """``mean``, ``low`` and ``high`` (least and largest) of each size by name."""
        return {
            name: {"mean": sum(values) / len(values), "low": min(values), "high": max(values)}
            for name, values in self.to_lists().items()
        }

    @classmethod
    def from_lists(cls, found: dict[str, list[int]]) -> "StructureSample":
        """The sample that `to_lists` wrote; other entries are left alone."""
        return cls(*(torch.tensor(found[name]) for name in cls.__dataclass_fields__))


def structure_of(tables: Sequence[Tensor]) -> StructureSample:
    """The sizes of the hypergraphs of tables of significance, each bool ``(directions, classes)``."""
    rows = [
        (
            int(table.any(1).sum()),
            len(table[table.any(1)].unique(dim=0)),
            int(table.any(0).sum()),
            int(table.sum()),
            int(table.all(1).sum()),
        )
        for table in tables
    ]
    return StructureSample(*torch.tensor(rows).reshape(-1, 5).T)


def chance_structures(
    signals: LayerSignals | Tensor,
    labels: Tensor,
    classes: Sequence[str],
    q: float,
    p: float,
    *,
    draws: int,
    seed: int,
    per_direction: bool = False,
) -> StructureSample:
    """The sizes of the hypergraphs of ``draws`` random permutations of the labels, drawn by ``seed``.

    The threshold knows no labels, so a direction that is above it for most images of every kind stays significant for
    all classes: chance does not give empty hypergraphs. What it cannot give is directions that tell classes apart,
    and with them several equivalence classes. Raises ``ValueError`` as `significance` does and without any draw.
    """
    if draws < 1:
        raise ValueError(f"draws is {draws}; expected at least one permutation")
    check_majorities([p])
    table = table_of(signals)
    sizes = class_sizes(labels, classes, len(table))
    above = significant_directions(table, threshold(table, q, per_direction=per_direction)).float().mT.contiguous()
    members = one_hot(labels.cpu().long(), len(classes)).float()
    generator = torch.Generator().manual_seed(seed)
    orders = (torch.randperm(len(table), generator=generator) for _ in range(draws))
    return structure_of([at_least(above @ members[order], sizes, p) for order in orders])
