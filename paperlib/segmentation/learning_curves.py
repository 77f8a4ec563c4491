"""Dice against the number of labels, for each way to choose them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch

from paperlib.intervals import Mean, mean_interval


@dataclass(frozen=True)
class LabelledRound:
    """One training: what was ``labelled``, ``dice`` of each test volume, and what was ``chosen`` to be labelled next.

    ``score_correlation`` is Spearman's between the score that ranked the rest of the pool, high where it is to be
    labelled early, and Dice there: negative where the ranking finds the volumes at which the network fails.
    ``chosen_dice`` and ``rest_dice`` are the mean Dice of this network at what was chosen, and at all that could have
    been. NaN where there is no score or no choice. The network is that of the first training that did not fall into
    marking nothing, after ``restarts`` that did.
    """

    strategy: str
    seed: int
    round: int
    labelled: tuple[str, ...]
    dice: tuple[float, ...]
    chosen: tuple[str, ...]
    score_correlation: float
    chosen_dice: float
    rest_dice: float
    restarts: int = 0


@dataclass(frozen=True)
class LearningCurves:
    """The rounds of all strategies and seeds; ``counts`` are the numbers of labelled volumes."""

    counts: tuple[int, ...]
    strategies: tuple[str, ...]
    seeds: tuple[int, ...]
    rounds: tuple[LabelledRound, ...]

    def dice(self, strategy: str) -> np.ndarray:
        """Mean Dice over the test volumes, float64 ``(seeds, len(counts))``."""
        found = {(row.seed, row.round): float(np.mean(row.dice)) for row in self.rounds if row.strategy == strategy}
        return np.array([[found[seed, step] for step in range(len(self.counts))] for seed in self.seeds])

    def by_count(self, strategy: str) -> dict[int, list[float]]:
        """The same by the number of labelled volumes: a list over the seeds for each."""
        return dict(zip(self.counts, self.dice(strategy).T.tolist(), strict=True))

    def area(self, strategy: str) -> np.ndarray:
        """Area under each curve over the range of the counts: a mean Dice, ``(seeds,)``."""
        return np.trapezoid(self.dice(strategy), self.counts, axis=1) / (self.counts[-1] - self.counts[0])

    def difference(self, strategy: str, other: str = "random", level: float = 0.95) -> Mean:
        """Area under the curve of a strategy less that of another, seed by seed, with Student's interval.

        Raises ``ValueError`` for a single seed.
        """
        return mean_interval(torch.from_numpy(self.area(strategy) - self.area(other)), level)

    def end_difference(self, strategy: str, other: str = "random", level: float = 0.95) -> Mean:
        """The same of Dice after the last round."""
        return mean_interval(torch.from_numpy(self.dice(strategy)[:, -1] - self.dice(other)[:, -1]), level)

    def first_round(self, strategy: str, name: str) -> np.ndarray:
        """A number of each seed's first round, ``(seeds,)``."""
        found = {row.seed: getattr(row, name) for row in self.rounds if row.strategy == strategy and row.round == 0}
        return np.array([found[seed] for seed in self.seeds])

    @property
    def restarts(self) -> int:
        """Trainings that fell into marking nothing and were begun again, each network counted once."""
        networks = {(row.seed, frozenset(row.labelled)): row.restarts for row in self.rounds}
        return sum(networks.values())

    def first_mean(self, strategy: str, name: str) -> float | None:
        """The mean of the same over the seeds that have it; None where none has."""
        values = self.first_round(strategy, name)
        known = values[~np.isnan(values)]
        return float(known.mean()) if len(known) else None

    def as_dict(self) -> dict:
        """As plain numbers and lists, NaN as None; `from_dict` takes them back."""
        return {
            "counts": list(self.counts),
            "strategies": list(self.strategies),
            "seeds": list(self.seeds),
            "rounds": [{name: _plain(value) for name, value in asdict(row).items()} for row in self.rounds],
        }

    @classmethod
    def from_dict(cls, values: Mapping) -> "LearningCurves":
        rounds = tuple(LabelledRound(**{name: _back(value) for name, value in row.items()}) for row in values["rounds"])
        return cls(tuple(values["counts"]), tuple(values["strategies"]), tuple(values["seeds"]), rounds)


def _plain(value):
    if isinstance(value, tuple):
        return list(value)
    return None if value != value else value


def _back(value):
    if isinstance(value, list):
        return tuple(value)
    return float("nan") if value is None else value
