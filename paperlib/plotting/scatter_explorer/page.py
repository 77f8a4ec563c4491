"""The explorer of Dice against a ratio as HTML, with a table of the bands for readers without scripts."""

import numpy as np
from matplotlib.figure import Figure

from paperlib.plotting.explorers import Explorer, explorer, table
from paperlib.plotting.scatter_explorer.payload import ScatterPoints, payload
from paperlib.quantile_bands import band_names, quantile_bands

# Each needs those before it.
MODULES = ("statistics", "words", "columns", "scales", "marks", "plot", "tables", "explorer")


def scatter_explorer(points: ScatterPoints, *, fallback: Figure, alt: str) -> Explorer:
    """Dice against RPR, a point for each volume, for a reader to explore (`generalizability`, Figure 4, Table 2).

    A list puts the ratio or another of the points' columns on the horizontal axis, a slider chooses k. Pointing at a
    volume, or going to it with arrow keys, shows its name, fold, Dice and RPR; buttons bring out a fold. The page
    itself computes Spearman's correlation of what it shows, and the mean Dice in the bands between the 10, 50 and 90 %
    quantiles. Paper, and readers without scripts, get ``fallback``, such as `draw_dice_against_ratio`, with the text
    ``alt``, and a table of the bands at the largest k.

    Raises ``ValueError`` as `payload` does.
    """
    data = payload(points)
    return explorer(
        __package__,
        MODULES,
        data,
        name="scatter-explorer",
        fallback=fallback,
        alt=alt,
        static=_bands(points),
    )


def _bands(points: ScatterPoints) -> str:
    ratios = np.asarray(points.ratios)
    rows = [
        [name, f"{band.low:.4f} to {band.high:.4f}", f"{band.count}", f"{band.mean:.4f}" if band.count else "none"]
        for name, band in zip(band_names(), quantile_bands(ratios[:, -1], points.dice), strict=True)
    ]
    caption = f"Mean Dice in bands of the right projection ratio, k = {ratios.shape[1]}"
    return table(caption, ["band", "RPR", "volumes", "mean Dice"], rows)
