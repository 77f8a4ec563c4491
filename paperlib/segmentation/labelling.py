"""Choose what to label next: networks trained on ever more labels, which a ranking of the unlabelled volumes picks.

`generalizability` suggests its right projection ratio for the ranking, since it needs no label. Each round trains a
network from scratch on what is labelled by then, so that rankings are compared by nothing but the labels they choose.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from paperlib import paths
from paperlib.datasets.volumes import VolumeSet
from paperlib.segmentation.checkpoints import segmentation_network
from paperlib.segmentation.folds import parts
from paperlib.segmentation.kept_values import KeptValues
from paperlib.segmentation.label_ranking import STRATEGIES, Ranking, ranking
from paperlib.segmentation.learning_curves import LabelledRound, LearningCurves
from paperlib.segmentation.measuring import MeasureSettings
from paperlib.segmentation.recipe import SegmentationNetwork, SegmentationRecipe

# A network that marks a few stray voxels has learned no more than one that marks none.
_MARKS_NOTHING = 0.01
# Far from the seeds of the other repetitions, so that no restart repeats one of them.
_NEXT_WEIGHTS = 1000


@dataclass(frozen=True)
class LabellingPlan:
    """How labels are added, and what is compared.

    Each of ``seeds`` draws a pool of ``pool`` volumes (0: all) of those that the fold leaves to train, and ``start`` of
    them that are labelled at once; it also draws the weights and patches of the networks. Then come ``rounds`` rounds:
    train, rank the rest of the pool, label the first ``added``; after the last there is one more training. The
    ``strategies`` are of `STRATEGIES`. Every training takes about ``steps`` steps of the optimiser, whatever the
    number of labels, in whole epochs, and looks ``looks`` times at the validation volumes. One that never marks a
    voxel there has fallen into "background everywhere", which no choice of labels is to blame for; it begins again from
    other weights, ``attempts`` times in all. ``settings`` are those of the singular value decompositions.

    Raises ``ValueError`` for numbers out of range and strategies that are unknown.
    """

    start: int
    added: int
    rounds: int
    seeds: tuple[int, ...]
    steps: int
    pool: int = 0
    strategies: tuple[str, ...] = ("rpr", "entropy", "random")
    looks: int = 5
    attempts: int = 6
    settings: MeasureSettings = field(default_factory=MeasureSettings)

    def __post_init__(self):
        for name in ("start", "added", "rounds", "steps", "looks", "attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 or more")
        unknown = [name for name in self.strategies if name not in STRATEGIES]
        if unknown:
            raise ValueError(f"strategy {unknown[0]!r} is unknown; expected some of {', '.join(STRATEGIES)}")
        if not self.strategies or not self.seeds:
            raise ValueError("no strategy or no seed; expected one or more of each")

    @property
    def counts(self) -> tuple[int, ...]:
        """Labelled volumes at each training."""
        return tuple(self.start + self.added * step for step in range(self.rounds + 1))

    def recipe(self, base: SegmentationRecipe, labelled: Sequence[str], seed: int) -> SegmentationRecipe:
        """The training on the ``labelled`` volumes; ``base`` gives everything else."""
        epochs = max(1, round(self.steps / -(-len(labelled) // base.batch_size)))
        changes = {"train_names": tuple(sorted(labelled)), "train_count": 0, "seed": seed, "epochs": epochs}
        changes["validate_every"] = -(-epochs // self.looks)
        return SegmentationRecipe.model_validate(base.model_dump() | changes)


def labelling_study(
    base: SegmentationRecipe,
    volumes: VolumeSet,
    plan: LabellingPlan,
    *,
    folder: Path | None = None,
    progress: bool = False,
) -> LearningCurves:
    """Carry out a plan with the volumes of a data set; Dice is that of the test volumes of the fold of ``base``.

    Networks are kept as `segmentation_network` keeps them, and what is measured with them in ``folder`` (default:
    ``labelling`` in the cache), so that an interrupted run goes on where it was. Strategies share the first network,
    and later ones where they chose the same labels. ``progress`` shows a bar.

    Raises ``ValueError`` where the pool is too small, and what training and measuring raise.
    """
    free = parts(base.model_copy(update={"train_count": 0, "train_names": ()}), volumes.names).train
    needed = max(plan.counts)
    if max(plan.pool, needed) > len(free) or 0 < plan.pool < needed:
        raise ValueError(
            f"fold {base.fold} leaves {len(free)} volumes to train, and the pool is to hold {plan.pool or 'all'} of "
            f"them, {needed} of which are labelled in the end; lower start, added, rounds or pool"
        )
    folder = folder or paths.cache_directory() / "labelling"
    total = len(plan.seeds) * len(plan.strategies) * len(plan.counts)
    with tqdm(total=total, desc="labelling", unit="training", disable=not progress) as bar:
        rounds = []
        for seed in plan.seeds:
            for strategy in plan.strategies:
                for done in _Run(base, volumes, plan, folder, strategy, seed).rounds(free):
                    rounds.append(done)
                    bar.update()
    return LearningCurves(plan.counts, plan.strategies, plan.seeds, tuple(rounds))


@dataclass(frozen=True)
class _Run:
    """One strategy with one seed."""

    base: SegmentationRecipe
    volumes: VolumeSet
    plan: LabellingPlan
    folder: Path
    strategy: str
    seed: int

    def rounds(self, free: Sequence[str]):
        """Yields a `LabelledRound` for each training."""
        pool = np.random.default_rng(self.seed).permutation(sorted(free))[: self.plan.pool or None].tolist()
        labelled, rest = pool[: self.plan.start], pool[self.plan.start :]
        for number, count in enumerate(self.plan.counts):
            network, restarts = self._trained(labelled)
            kept = KeptValues(self.folder, network)
            test = self.volumes.select(network.summary.test, "test")
            dice = kept.forward(test)["dice"]
            found = None
            if count < self.plan.counts[-1]:
                generator = np.random.default_rng([self.seed, number])
                found = ranking(self.strategy, kept, self.volumes.select(rest, "pool"), self.plan.settings, generator)
            yield self._round(number, labelled, dice, found, restarts)
            if found is not None:
                chosen = found.first(self.plan.added)
                labelled, rest = [*labelled, *chosen], [name for name in rest if name not in chosen]

    def _trained(self, labelled: list[str]) -> tuple[SegmentationNetwork, int]:
        for restarts in range(self.plan.attempts):
            recipe = self.plan.recipe(self.base, labelled, self.seed + restarts * _NEXT_WEIGHTS)
            network = segmentation_network(recipe, self.volumes)
            if network.summary.validation_dice > _MARKS_NOTHING:
                break
        return network, restarts

    def _round(
        self, number: int, labelled: list[str], dice: list[float], found: Ranking | None, restarts: int
    ) -> LabelledRound:
        chosen = () if found is None else found.first(self.plan.added)
        return LabelledRound(
            strategy=self.strategy,
            seed=self.seed,
            round=number,
            labelled=tuple(labelled),
            dice=tuple(dice),
            chosen=tuple(chosen),
            score_correlation=float("nan") if found is None else found.correlation(),
            chosen_dice=float("nan") if found is None else found.mean_dice(chosen),
            rest_dice=float("nan") if found is None else found.mean_dice(found.names),
            restarts=restarts,
        )
