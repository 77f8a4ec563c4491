"""The paper's Table 2, and the names under which correlations stand in the figures beside it."""

from paperlib.rank_correlation import RankCorrelation
from paperlib.segmentation.prediction import BASELINE_NAMES, Prediction
from paperlib.segmentation.rows import READING_NAMES

# Mean Dice of 369 volumes of BraTS 2020 by RPR: below the 10th percentile, to the 50th, to the 90th, above.
PAPER = (0.7728, 0.8979, 0.9375, 0.9522)


def correlation_groups(found: Prediction) -> dict[str, dict[str, RankCorrelation]]:
    """Correlations with Dice by group and name, as `paperlib.plotting.correlations.draw_correlations` takes them."""
    ratio = {
        "all volumes": found.correlation,
        "ranked inside the folds": found.within_folds,
        "label volume and contrast removed": found.partial,
        "numerator alone": found.numerator,
    }
    readings = {READING_NAMES[name]: value for name, value in found.readings.items() if name in READING_NAMES}
    return {
        "right projection ratio": ratio | readings,
        "ratio, by fold": {f"fold {fold}": value for fold, value in enumerate(found.by_fold)},
        "without an SVD": {BASELINE_NAMES[name]: value for name, value in found.baselines.items()},
    }
