"""Training, measuring and correlating under one condition after the other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

from paperlib.rank_correlation import RankCorrelation
from paperlib.segmentation.checkpoints import segmentation_network
from paperlib.segmentation.conditions import Condition, condition_recipe, measured_names
from paperlib.segmentation.folds import recipe_volumes
from paperlib.segmentation.measuring import MeasureSettings, measure_volumes
from paperlib.segmentation.prediction import Prediction, prediction
from paperlib.segmentation.rows import READING_NAMES, VolumeTable

CONDITION_HEADER = (
    "condition", "Dice", "RPR", "ρ of RPR", "ρ of RPR, label's size and contrast removed", "ρ of the entropy",
)  # fmt: skip
# For which k a correlation is shown beside that of the largest.
_RANKS = (1, 2, 5, 10)


@dataclass(frozen=True)
class ConditionResult:
    """What was found under a condition.

    ``dice``, ``ratio`` (RPR at the largest k) and ``folds`` have an entry for each measured volume; Spearman's
    correlations in ``prediction`` are of ranks inside the folds. ``residual`` is the largest of a triplet, ``data`` the
    provenance of the volumes.
    """

    condition: Condition
    dice: tuple[float, ...]
    ratio: tuple[float, ...]
    folds: tuple[int, ...]
    prediction: Prediction
    residual: float
    data: dict

    def as_dict(self) -> dict:
        """Plain numbers, texts, lists and mappings, for a result file."""
        named = {name: getattr(self, name) for name in ("residual", "data")}
        listed = {name: list(getattr(self, name)) for name in ("dice", "ratio", "folds")}
        return {"condition": asdict(self.condition), **listed, "prediction": self.prediction.as_dict(), **named}

    @classmethod
    def from_dict(cls, found: Mapping) -> Self:
        """What `as_dict` was made of."""
        listed = {name: tuple(found[name]) for name in ("dice", "ratio", "folds")}
        parsed = {"condition": Condition(**found["condition"]), "prediction": Prediction.from_dict(found["prediction"])}
        return cls(**parsed, **listed, residual=found["residual"], data=found["data"])


def condition_study(
    conditions: Iterable[Condition],
    base: dict,
    *,
    folds: Sequence[int],
    volumes: int,
    settings: MeasureSettings,
    draws: int = 2000,
    workers: int = 1,
    progress: bool = False,
) -> Iterator[ConditionResult]:
    """For each condition a network for each of ``folds``, and the first ``volumes`` volumes of each fold's test part.

    ``base`` is what `paperlib.segmentation.conditions.condition_recipe` takes. All conditions are read before the
    first is trained. Networks and finished volumes are kept, so that an interrupted study goes on where it was.
    """
    asked = [(condition, [condition_recipe(condition, base, fold) for fold in folds]) for condition in conditions]
    for condition, recipes in asked:
        data = recipe_volumes(recipes[0])
        networks = [segmentation_network(recipe, data, progress=progress) for recipe in recipes]
        names = [measured_names(recipe, data.names, volumes) for recipe in recipes]
        measured = replace(settings, patches=condition.patches)
        table = measure_volumes(networks, data, measured, names=names, workers=workers, progress=progress)
        yield _result(
            condition, table, data.select([name for part in names for name in part], "test").provenance(), draws
        )


def by_group(results: Iterable[ConditionResult]) -> dict[str, dict[str, RankCorrelation]]:
    """The correlation of RPR with Dice by group and name; where windows were measured one by one, of all readings."""
    groups: dict[str, dict[str, RankCorrelation]] = {}
    for result in results:
        group = groups.setdefault(result.condition.group, {})
        group[result.condition.name] = result.prediction.correlation
        if result.condition.patches:
            group |= {f"  {title}": result.prediction.readings[name] for name, title in READING_NAMES.items()}
    return groups


def in_other_ways(result: ConditionResult) -> dict[str, dict[str, RankCorrelation]]:
    """The correlation under one condition for other numbers of triplets and other readings of RPR."""
    by_rank, readings = result.prediction.by_rank, result.prediction.readings
    name = result.condition.name
    return {
        f"triplets, under {name}": {f"k = {k}": by_rank[k - 1] for k in _RANKS if k <= len(by_rank)},
        f"reading, under {name}": {title: readings[key] for key, title in READING_NAMES.items() if key in readings},
    }


def condition_rows(results: Iterable[ConditionResult]) -> list[list[str]]:
    """A row for each condition, below `CONDITION_HEADER`: means with deviations over volumes, rho with intervals."""
    return [
        [
            f"{result.condition.group}: {result.condition.name}",
            _mean(found.mean_dice, found.deviation_dice),
            _mean(found.mean_ratio, found.deviation_ratio),
            _interval(found.correlation),
            _interval(found.partial),
            _interval(found.baselines["foreground_entropy"]),
        ]
        for result in results
        for found in [result.prediction]
    ]


def _result(condition: Condition, table: VolumeTable, data: dict, draws: int) -> ConditionResult:
    return ConditionResult(
        condition,
        tuple(table.column("dice").tolist()),
        tuple(table.ratios()[:, -1].tolist()),
        tuple(table.folds.tolist()),
        prediction(table, inside_folds=True, draws=draws),
        float(table.column("residuals").max()),
        data,
    )


def _mean(mean: float, deviation: float) -> str:
    # A line of a narrow column must not break before the deviation.
    return f"{mean:.3f}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{deviation:.3f}"


def _interval(found: RankCorrelation) -> str:
    return f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"
