"""The significant edges of a whole representation: which coefficients chance does not explain (`svr`, 2.4, 4.3)."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor

from paperlib.svr.adjacency import Adjacency
from paperlib.svr.null import Law, check_probability, law_of
from paperlib.svr.representation import Representation

Correction = Literal["none", "false_discovery_rate"]


@dataclass(frozen=True)
class Edges:
    """Significant edges of a representation, connection after connection, strongest first within each.

    ``connection`` (index into ``representation.connections``), ``later`` and ``earlier`` (spectral neurons) are int64,
    ``coefficient`` and ``p_value`` (at least 2e-308) float64, all ``(edges,)``. For each connection, ``thresholds`` is
    the coefficient from which an edge is significant (infinite where none can be), ``candidates`` the number of
    coefficients tested, and ``significant`` how many passed, of which at most ``most`` are kept. ``cut`` is the p-value
    that an edge had to reach, the same for all connections: ``p`` itself, or the largest that passed with the false
    discovery rate (0 where none did). ``expected_false`` is the number of edges of the whole representation that would
    have passed at ``cut`` if all coefficients were chance.
    """

    connection: Tensor
    later: Tensor
    earlier: Tensor
    coefficient: Tensor
    p_value: Tensor
    thresholds: tuple[float, ...]
    candidates: tuple[int, ...]
    significant: tuple[int, ...]
    cut: float
    expected_false: float
    p: float
    law: Law
    correction: Correction
    most: int | None

    def __len__(self) -> int:
        return len(self.coefficient)

    def __getitem__(self, chosen: Tensor) -> "Edges":
        """The same with the edges at indices or a mask alone."""
        names = ("connection", "later", "earlier", "coefficient", "p_value")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})


def significant_edges(
    representation: Representation,
    p: float,
    law: Law = "chi2",
    *,
    correction: Correction = "none",
    most: int | None = None,
) -> Edges:
    """The coefficients that the null ``law`` gives with probability ``p`` at most.

    ``correction="none"`` tests each coefficient by itself, as the paper does: of a random network a share ``p`` of the
    edges is shown. With ``"false_discovery_rate"`` at most a share ``p`` of the edges shown is false on average
    (Benjamini and Hochberg 1995), over the edges of all connections together. ``most`` keeps the strongest ones of each
    connection (the authors' code: 100). Coefficients that say nothing are not tested: those that are 0 by
    construction, and all between layers that share a single channel, which are 1.

    Raises ``ValueError`` for a p outside (0, 1), an unknown law or correction, or ``most`` below 1.

    In the book: thm-chance-adjacency.
    """
    check_probability(p)
    if correction not in get_args(Correction):
        raise ValueError(f"correction is {correction!r}; expected one of {', '.join(get_args(Correction))}")
    if law not in get_args(Law):
        raise ValueError(f"law is {law!r}; expected one of {', '.join(get_args(Law))}")
    if most is not None and most < 1:
        raise ValueError(f"most is {most}; expected at least one edge for each connection")
    found = [connection.adjacency for connection in representation.connections]
    candidates = tuple(_candidates(one) for one in found)
    parts = [_passing(one, p, law) for one in found]
    cut = p
    if correction == "false_discovery_rate":
        cut = _largest_passing(torch.cat([part[3] for part in parts]), p, sum(candidates))
        parts = [tuple(values[part[3] <= cut] for values in part) for part in parts]
    kept = [tuple(values[:most] for values in part) for part in parts]
    indices = [torch.full((len(part[0]),), index) for index, part in enumerate(kept)]
    later, earlier, coefficient, p_value = (torch.cat(values) for values in zip(*kept, strict=True))
    return Edges(
        torch.cat(indices), later, earlier, coefficient, p_value,
        thresholds=tuple(_threshold(one, cut, law) for one in found),
        candidates=candidates,
        significant=tuple(len(part[0]) for part in parts),
        cut=cut, expected_false=cut * sum(candidates),
        p=p, law=law, correction=correction, most=most,
    )  # fmt: skip


def _testable(found: Adjacency) -> bool:
    return found.channels * found.share > 1


def _candidates(found: Adjacency) -> int:
    return round(found.share * found.coefficients.numel()) if _testable(found) else 0


def _threshold(found: Adjacency, cut: float, law: Law) -> float:
    return float(law_of(found, law).isf(cut)) if _testable(found) and cut > 0 else float("inf")


def _passing(found: Adjacency, p: float, law: Law) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rows, columns, coefficients and p-values of a connection's coefficients above the threshold, strongest first."""
    values = found.coefficients.cpu()
    # p-values of these alone: the law's tail takes a hundred times as long as a comparison.
    later, earlier = (values >= _threshold(found, p, law)).nonzero(as_tuple=True)
    coefficient, order = values[later, earlier].double().sort(descending=True, stable=True)
    tail = law_of(found, law).sf(coefficient.numpy()) if len(order) else []
    # A coefficient at the threshold may have a p-value that rounding puts above p, and underflow is no certainty.
    p_value = torch.as_tensor(tail, dtype=torch.float64).clamp(torch.finfo(torch.float64).tiny, p)
    return later[order], earlier[order], coefficient, p_value


def _largest_passing(p_values: Tensor, p: float, candidates: int) -> float:
    """The cut of Benjamini and Hochberg; p-values above ``p`` never pass and need not be among those given."""
    ordered = p_values.sort().values
    ranks = torch.arange(1, len(ordered) + 1, dtype=torch.float64)
    passing = ordered[ordered <= p * ranks / candidates]
    return passing[-1].item() if len(passing) else 0.0
