"""Rankings of volumes that have no label yet: which of them to label first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from paperlib.datasets.volumes import VolumeSet
from paperlib.segmentation.kept_values import KeptValues
from paperlib.segmentation.measuring import MeasureSettings, measure_volumes

STRATEGIES = ("rpr", "highest rpr", "entropy", "random")


@dataclass(frozen=True)
class Ranking:
    """Volumes with their ``scores``, high where a volume is to be labelled early; NaN comes last.

    ``dice`` is that of the network at each volume, which the ranking itself knows nothing of; NaN where it was not
    measured.
    """

    names: tuple[str, ...]
    scores: np.ndarray
    dice: np.ndarray

    def first(self, count: int) -> tuple[str, ...]:
        """The ``count`` volumes to label next; of equal scores the first in the order of the names."""
        order = np.argsort(-np.nan_to_num(self.scores, nan=-np.inf, posinf=np.inf), kind="stable")
        return tuple(self.names[index] for index in order[:count])

    def correlation(self) -> float:
        """Spearman's between score and Dice, NaN where one of them is not there or constant."""
        known = ~np.isnan(self.scores) & ~np.isnan(self.dice)
        scores, dice = self.scores[known], self.dice[known]
        if len(scores) < 3 or len(set(scores)) == 1 or len(set(dice)) == 1:
            return float("nan")
        return float(spearmanr(scores, dice).statistic)

    def mean_dice(self, names: Sequence[str]) -> float:
        """Mean Dice at some of the volumes; NaN where it was not measured at one."""
        places = {name: index for index, name in enumerate(self.names)}
        return float(np.mean([self.dice[places[name]] for name in names]))


def ranking(
    strategy: str, kept: KeptValues, volumes: VolumeSet, settings: MeasureSettings, generator: np.random.Generator
) -> Ranking:
    """Rank volumes by a strategy with the network of ``kept``.

    ``"rpr"``: the lowest right projection ratio of rank ``settings.k`` first, as `generalizability` suggests;
    ``"highest rpr"``: the opposite. ``"entropy"``: the highest mean entropy over the predicted foreground first, and
    before all a volume where none is predicted. ``"random"``: as ``generator`` draws, with no measurement.

    Raises what `paperlib.segmentation.measure_volumes` raises.
    """
    if strategy == "random":
        nothing = np.full(len(volumes), np.nan)
        return Ranking(volumes.names, generator.permutation(len(volumes)).astype(float), nothing)
    if strategy == "entropy":
        found = kept.forward(volumes)
        entropy = np.array(found["foreground_entropy"], dtype=np.float64)
        return Ranking(volumes.names, np.where(np.isnan(entropy), np.inf, entropy), np.array(found["dice"]))
    table = measure_volumes([kept.network], volumes, settings, names=[volumes.names], folder=kept.folder / "ratios")
    rows = {row.name: row for row in table.measured}
    ratios = np.array([rows[name].rpr[-1] if name in rows else np.nan for name in volumes.names])
    dice = np.array([rows[name].dice if name in rows else np.nan for name in volumes.names])
    return Ranking(volumes.names, ratios if strategy == "highest rpr" else -ratios, dice)
