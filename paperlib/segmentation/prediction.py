"""What the ratio says of the quality of segmentations: correlations, baselines, bands."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from paperlib.intervals import Estimate
from paperlib.quantile_bands import Band, chance_of_rising, quantile_bands, rises
from paperlib.rank_correlation import (
    RankCorrelation,
    difference_of_dependent_correlations,
    partial_rank_correlation,
    pearson_correlation,
    rank_correlation,
    within_groups,
)
from paperlib.segmentation.rows import READINGS, VolumeTable

# Numbers that need no label either, and cost one forward pass, with their names in figures.
BASELINE_NAMES = {
    "entropy": "entropy, all voxels",
    "foreground_entropy": "entropy, marked voxels",
    "foreground_probability": "largest probability, marked voxels",
    "predicted_volume": "number of marked voxels",
    "norm": "norm of the image",
}


@dataclass(frozen=True)
class Prediction:
    """How RPR goes with Dice over the measured volumes of a table.

    ``correlation``: Spearman's rho of RPR at the largest k with Dice; ``pearson`` the same of the numbers themselves;
    ``within_folds`` after ranking inside each fold, so that no difference between networks counts. ``by_rank[j]`` is
    for k = j + 1, ``by_fold`` for each fold, ``readings`` for each reading of RPR that was measured, ``numerator`` for
    what RPR would be without the norm of x in its denominator, ``baselines`` for the numbers in `BASELINE_NAMES`,
    ``partial`` with label volume and contrast removed. ``less_than_entropy`` is rho of RPR less that of the entropy
    over the marked voxels, which is turned round to rise with Dice: below 0 where the entropy tells more. ``bands`` are
    Table 2 of `generalizability`; ``rises`` says whether their mean Dice rises from each to the next, and
    ``chance_of_rising`` how often it does where RPR means nothing.
    """

    count: int
    failed: int
    mean_dice: float
    deviation_dice: float
    mean_ratio: float
    deviation_ratio: float
    correlation: RankCorrelation
    pearson: RankCorrelation
    within_folds: RankCorrelation
    by_rank: tuple[RankCorrelation, ...]
    by_fold: tuple[RankCorrelation, ...]
    readings: dict[str, RankCorrelation]
    numerator: RankCorrelation
    baselines: dict[str, RankCorrelation]
    partial: RankCorrelation
    less_than_entropy: Estimate
    bands: tuple[Band, ...]
    rises: bool
    chance_of_rising: float

    def as_dict(self) -> dict:
        """Plain numbers, lists and mappings, for a result file."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, found: Mapping) -> Self:
        """The summary that `as_dict` was made of; further entries are left aside."""
        return cls(**{field.name: _parsed(field.name, found[field.name]) for field in fields(cls)})


def prediction(
    table: VolumeTable, *, inside_folds: bool = False, draws: int = 2000, permutations: int = 9999, seed: int = 0
) -> Prediction:
    """Summarise a table; intervals come from ``draws`` resamplings, p-values from ``permutations``, both seeded.

    With ``inside_folds`` every Spearman correlation but those in ``less_than_entropy`` is of ranks inside the folds.
    """
    settings = {"draws": draws, "permutations": permutations, "seed": seed}
    dice, ratios, folds = table.column("dice"), table.ratios(), table.folds
    ratio, bands = ratios[:, -1], quantile_bands(ratios[:, -1], dice)
    groups = folds if inside_folds else np.zeros_like(folds)
    readings = [name for name in READINGS if all(getattr(row, name) for row in table.measured)]

    def correlated(values: NDArray) -> RankCorrelation:
        # Where nothing was marked there is no foreground to take a mean over.
        known = np.isfinite(values)
        return within_groups(values[known], dice[known], groups[known], **settings)

    return Prediction(
        count=len(dice),
        failed=len(table.failed),
        mean_dice=float(dice.mean()),
        deviation_dice=float(dice.std(ddof=1)),
        mean_ratio=float(ratio.mean()),
        deviation_ratio=float(ratio.std(ddof=1)),
        correlation=correlated(ratio),
        pearson=pearson_correlation(ratio, dice, **settings),
        within_folds=within_groups(ratio, dice, folds, **settings),
        by_rank=tuple(correlated(column) for column in ratios.T),
        by_fold=tuple(
            rank_correlation(ratio[folds == fold], dice[folds == fold], **settings) for fold in np.unique(folds)
        ),
        readings={name: correlated(table.ratios(name)[:, -1]) for name in readings},
        numerator=correlated(ratio * table.column("norm") ** 2),
        baselines={name: correlated(table.column(name)) for name in BASELINE_NAMES},
        partial=_partial(table, ratio, dice, groups, settings),
        less_than_entropy=_less_than_entropy(table, ratio, dice, draws, seed),
        bands=bands,
        rises=rises(bands),
        chance_of_rising=chance_of_rising(ratio, dice, permutations=permutations, seed=seed),
    )


def _partial(table: VolumeTable, ratio: NDArray, dice: NDArray, groups: NDArray, settings: dict) -> RankCorrelation:
    controls = np.column_stack([table.column("volume"), table.column("contrast")])
    known = np.isfinite(controls).all(1)
    return partial_rank_correlation(ratio[known], dice[known], controls[known], groups=groups[known], **settings)


def _less_than_entropy(table: VolumeTable, ratio: NDArray, dice: NDArray, draws: int, seed: int) -> Estimate:
    certainty = -table.column("foreground_entropy")
    known = np.isfinite(certainty)
    return difference_of_dependent_correlations(ratio[known], certainty[known], dice[known], draws=draws, seed=seed)


def _plain(value):
    if isinstance(value, tuple):
        return [part.as_dict() for part in value]
    if isinstance(value, dict):
        return {name: part.as_dict() for name, part in value.items()}
    return value.as_dict() if isinstance(value, RankCorrelation | Estimate) else value


def _parsed(name: str, value):
    kind = {"bands": Band, "less_than_entropy": Estimate}.get(name, RankCorrelation)
    if isinstance(value, list):
        return tuple(kind.from_dict(part) for part in value)
    if not isinstance(value, dict):
        return value
    if name in ("readings", "baselines"):
        return {key: kind.from_dict(part) for key, part in value.items()}
    return kind.from_dict(value)
