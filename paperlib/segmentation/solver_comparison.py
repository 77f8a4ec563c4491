"""This library's solver beside the paper's, on the same operators, in turn."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from paperlib.datasets.volumes import VolumeSet
from paperlib.operators import sliding_window
from paperlib.segmentation.inference import window_settings
from paperlib.segmentation.measuring import MeasureSettings
from paperlib.segmentation.patches import prepared
from paperlib.segmentation.recipe import SegmentationNetwork
from paperlib.svd import slepc_available, truncated_svd

SOLVERS = ("lanczos", "slepc cross")


@dataclass(frozen=True)
class SolverCost:
    """Means over ``volumes`` volumes of the ``seconds`` of one SVD and of its ``products``; the largest ``residual``.

    ``disagreement`` is the largest relative difference of a singular value from the first solver's.
    """

    solver: str
    volumes: int
    seconds: float
    products: float
    residual: float
    disagreement: float

    def as_dict(self) -> dict:
        """Plain numbers, for a result file."""
        return asdict(self)


def compare_solvers(
    network: SegmentationNetwork,
    volumes: VolumeSet,
    settings: MeasureSettings,
    *,
    count: int,
    solvers: Sequence[str] = SOLVERS,
) -> tuple[SolverCost, ...]:
    """The solvers on the first ``count`` test volumes of a network; those of SLEPc only where it is installed.

    The time includes each solver's own check of its residuals, not the freezing of the network.
    """
    solvers = [name for name in solvers if "slepc" not in name or slepc_available()]
    runs: dict[str, list] = {name: [] for name in solvers}
    recipe = network.summary.recipe
    for name in network.summary.test[:count]:
        operator = sliding_window(network.model, prepared(volumes.read(name), recipe.scale), **window_settings(recipe))
        for solver in solvers:
            start = time.perf_counter()
            triplets = truncated_svd(operator, settings.k, solver=solver, tol=settings.tol, seed=settings.seed)
            runs[solver].append((time.perf_counter() - start, triplets))
    return tuple(_cost(name, found, runs[solvers[0]]) for name, found in runs.items() if found)


def _cost(name: str, found: list, first: list) -> SolverCost:
    pairs = zip(found, first, strict=True)
    return SolverCost(
        solver=name,
        volumes=len(found),
        seconds=sum(seconds for seconds, _ in found) / len(found),
        products=sum(triplets.products for _, triplets in found) / len(found),
        residual=max(triplets.relative_residuals.max().item() for _, triplets in found),
        disagreement=max((ours.S / theirs.S - 1).abs().max().item() for (_, ours), (_, theirs) in pairs),
    )
