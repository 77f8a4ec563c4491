"""Dice against the right projection ratio, volume by volume and in bands (`generalizability`, Figure 4 and Table 2)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from paperlib.plotting.style import BASELINE, FOLD_COLOURS, FOLD_MARKS, NETWORK_COLOURS, legend_columns, style
from paperlib.quantile_bands import Band, band_names, rises
from paperlib.rank_correlation import RankCorrelation

_STEP = {"color": "0.1", "linewidth": 2.0, "solid_capstyle": "butt"}


def draw_dice_against_ratio(
    dice: ArrayLike,
    ratio: ArrayLike,
    folds: ArrayLike,
    *,
    k: int,
    bands: Sequence[Band] | None = None,
    correlation: RankCorrelation | None = None,
    chance: float | None = None,
) -> Figure:
    """Dice against RPR with ``k`` triplets, a point for each volume, and how each of the two is distributed (Figure 4).

    ``dice``, ``ratio`` and ``folds`` (integers from 0) are ``(count,)``. Of ``bands`` the limits are dashed and the
    mean Dice are steps; ``correlation`` stands in the title, and ``chance``, the probability that the means of such
    bands rise by chance (`paperlib.quantile_bands.chance_of_rising`), beside whether they do.
    """
    values, ratios, numbers = np.asarray(dice), np.asarray(ratio), np.asarray(folds)
    with style():
        figure = plt.figure(figsize=(7.2, 5.4))
        grid = figure.add_gridspec(2, 2, width_ratios=(6, 1), height_ratios=(1, 5), wspace=0.02, hspace=0.02)
        axis = figure.add_subplot(grid[1, 0])
        top, right = figure.add_subplot(grid[0, 0], sharex=axis), figure.add_subplot(grid[1, 1], sharey=axis)
        _points(axis, ratios, values, numbers)
        if bands is not None:
            _steps(axis, bands)
        axis.set(xlabel=f"right projection ratio, k = {k}", ylabel="Dice")
        top.hist(ratios, bins=30, color="0.7")
        right.hist(values, bins=30, color="0.7", orientation="horizontal")
        top.tick_params(labelbottom=False)
        right.tick_params(labelleft=False)
        top.set_ylabel("volumes")
        right.set_xlabel("volumes")
        for counts in (top.yaxis, right.xaxis):
            counts.get_major_locator().set_params(integer=True, nbins=3)
        title = _title(bands, correlation, chance)
        if title:
            figure.suptitle(title, fontsize=9)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=7, columnspacing=1.2)
        plt.close(figure)
    return figure


def _points(axis: Axes, ratios: NDArray, dice: NDArray, folds: NDArray) -> None:
    for fold in np.unique(folds):
        chosen = folds == fold
        axis.scatter(
            ratios[chosen], dice[chosen], s=16, alpha=0.7, linewidths=0, label=f"fold {fold}",
            color=FOLD_COLOURS[fold % len(FOLD_COLOURS)], marker=FOLD_MARKS[fold % len(FOLD_MARKS)],
        )  # fmt: skip


def _steps(axis: Axes, bands: Sequence[Band]) -> None:
    for place, band in enumerate(bands[1:]):
        axis.axvline(band.low, **BASELINE, label="limit of a band" if place == 0 else None)
    for place, band in enumerate(bands):
        label = "mean of a band" if place == 0 else None
        axis.plot([band.low, band.high], [band.mean, band.mean], **_STEP, label=label)


def _title(bands: Sequence[Band] | None, correlation: RankCorrelation | None, chance: float | None) -> str:
    lines = []
    if correlation is not None:
        lines.append(
            f"{correlation.count} volumes, rank correlation {correlation.value:.2f} "
            f"[{correlation.low:.2f}, {correlation.high:.2f}], p = {correlation.p_value:.2g}".replace("-", "−")
        )
    if bands is not None:
        means = "mean Dice rises over the bands" if rises(bands) else "mean Dice does not rise over all bands"
        lines.append(means + ("" if chance is None else f" (by chance it does in {100 * chance:.1f} % of the cases)"))
    return "\n".join(lines)


def draw_bands(
    paper: Mapping[str, Sequence[float]], ours: Mapping[str, Sequence[Band]], names: Sequence[str] | None = None
) -> Figure:
    """Mean Dice by band of RPR (Table 2): the paper's values beside ours, with two standard errors.

    Keys name the data that each was measured on; ``paper`` has means only. ``names`` are the bands', by default those
    of the paper's quantiles.
    """
    names = band_names() if names is None else names
    count = len(paper) + len(ours)
    with style():
        figure, axis = plt.subplots(figsize=(7.2, 3.8))
        places = np.arange(len(names))
        shifts = 0.16 * (np.arange(count) - (count - 1) / 2)
        for shift, (label, means) in zip(shifts, paper.items(), strict=False):
            look = {"color": "0.35", "markerfacecolor": "white", "markersize": 6}
            axis.plot(places + shift, means, "D", linestyle=":", linewidth=0.9, label=label, **look)
        for place, (label, bands) in enumerate(ours.items()):
            look = {"color": NETWORK_COLOURS[place % len(NETWORK_COLOURS)], "marker": FOLD_MARKS[place % 5]}
            means, errors = [band.mean for band in bands], [2 * band.error for band in bands]
            at = places + shifts[len(paper) + place]
            axis.errorbar(
                at, means, errors, linestyle=":", linewidth=0.9, elinewidth=1.5, capsize=2.5, label=label, **look
            )
        axis.set_xticks(places, names)
        axis.set_xlim(-0.6, len(names) - 0.4)
        axis.grid(axis="x", visible=False)
        axis.set(xlabel="band of the right projection ratio", ylabel="mean Dice")
        handles, labels = axis.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=legend_columns(labels, 7.0))
        plt.close(figure)
    return figure
