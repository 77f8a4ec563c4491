"""The paper's Table 2, and the names under which correlations stand in the figures beside it."""

from paperlib.rank_correlation import RankCorrelation
from paperlib.segmentation.prediction import Prediction

# Mean Dice of 369 volumes of BraTS 2020 by RPR: below the 10th percentile, to the 50th, to the 90th, above.
PAPER = (0.7728, 0.8979, 0.9375, 0.9522)

_READINGS = {"rpr_patches": "mean of the patches' ratios", "rpr_foreground": "within the marked voxels"}
# Columns of a table of volumes that need no SVD, as figures name them.
BASELINE_NAMES = {
    "entropy": "entropy, all voxels",
    "foreground_entropy": "entropy, marked voxels",
    "foreground_probability": "largest probability, marked voxels",
    "predicted_volume": "number of marked voxels",
    "norm": "norm of the image",
}


def correlation_groups(found: Prediction) -> dict[str, dict[str, RankCorrelation]]:
    """Correlations with Dice by group and name, as `paperlib.plotting.correlations.draw_correlations` takes them."""
    ratio = {
        "all volumes": found.correlation,
        "ranked inside the folds": found.within_folds,
        "label volume and contrast removed": found.partial,
        "numerator alone": found.numerator,
    }
    readings = {_READINGS[name]: value for name, value in found.readings.items() if name in _READINGS}
    return {
        "right projection ratio": ratio | readings,
        "ratio, by fold": {f"fold {fold}": value for fold, value in enumerate(found.by_fold)},
        "without an SVD": {BASELINE_NAMES[name]: value for name, value in found.baselines.items()},
    }
