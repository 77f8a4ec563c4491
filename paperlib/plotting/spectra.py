"""Spectral distributions with what they are compared with, and the capacity metric against accuracy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter
from torch import Tensor

from paperlib.plotting.style import BASELINE, NETWORK_COLOURS, style
from paperlib.spectra.esd import SpectralDistribution
from paperlib.spectra.marchenko_pastur import MarchenkoPastur
from paperlib.spectra.power_law import PowerLaw

_EXPONENTS = (1.5, 2, 3, 5, 10, 20, 50, 100, 200)
# Decades below the largest eigenvalue that a panel shows at most; rounding makes many more.
_DECADES = 6.0


@dataclass(frozen=True)
class SpectrumPanel:
    """One spectrum to draw: a power law fitted to it, the law of a random matrix, and the same weights in random order.

    Each of the last three may be None.
    """

    spectrum: SpectralDistribution
    fit: PowerLaw | None = None
    law: MarchenkoPastur | None = None
    shuffled: SpectralDistribution | None = None


def draw_spectra(panels: Mapping[str, SpectrumPanel], *, columns: int = 2, bins: int = 40) -> Figure:
    """Densities of eigenvalues on logarithmic axes, a panel for each title (`convsvd`, Figure 3a).

    The spectrum is filled, with a tick for each eigenvalue where they are few; the fitted tail is a line from its
    start on, the random matrix's law is dashed, the shuffled weights' spectrum is a step line.
    """
    rows = -(-len(panels) // columns)
    with style():
        size = (4.2 * columns, 2.9 * rows + 0.5)
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for axis, (title, panel) in zip(axes.flat, panels.items(), strict=False):
            _spectrum(axis, panel, bins)
            axis.set_title(title)
            axis.set_xlabel(r"eigenvalue $\lambda$")
        for axis in axes[:, 0]:
            axis.set_ylabel("density")
        figure.legend(*_all_labels(axes.flat), loc="outside lower center", ncols=4, fontsize=8)
        plt.close(figure)
    return figure


def _spectrum(axis: Axes, panel: SpectrumPanel, bins: int) -> None:
    found = panel.spectrum
    few = len(found.eigenvalues) < 100
    top = _histogram(axis, found, min(bins, max(5, len(found.eigenvalues) // 4)), "spectrum", filled=True)
    if panel.shuffled is not None:
        count = min(bins, max(5, len(panel.shuffled.eigenvalues) // 4))
        top = max(top, _histogram(axis, panel.shuffled, count, "weights shuffled", filled=False))
    low, high = axis.get_ylim()
    if panel.law is not None:
        x = np.linspace(panel.law.low, panel.law.high, 1001)[1:-1]
        axis.plot(x, panel.law.density(torch.from_numpy(x)), **BASELINE | {"linewidth": 1.4}, label="Marchenko-Pastur")
    if panel.fit is not None:
        x = np.geomspace(panel.fit.x_min, found.largest, 50)
        # The fit is a density of the tail alone.
        share = panel.fit.tail / panel.fit.count
        axis.plot(
            x, share * panel.fit.density(torch.from_numpy(x)), color=NETWORK_COLOURS[1], linewidth=2, label="power law"
        )
        note = (
            rf"$\alpha$ = {panel.fit.alpha:.2f} ± {panel.fit.error:.2f}"
            + f"\n{panel.fit.tail:,} of {panel.fit.count:,}"
        )
        axis.text(0.97, 0.96, note, transform=axis.transAxes, fontsize=8, ha="right", va="top", bbox=_NOTE)
    if few:
        axis.plot(found.eigenvalues, np.full(len(found.eigenvalues), low), "|", color=NETWORK_COLOURS[0], markersize=9)
    axis.set_ylim(low, max(high, 10 * top))
    axis.set_xlim(left=max(axis.get_xlim()[0], found.largest * 10**-_DECADES))


_NOTE = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}


def _histogram(axis: Axes, found: SpectralDistribution, bins: int, label: str, *, filled: bool) -> float:
    """Draw a density and return its largest value."""
    shown = found.eigenvalues[found.eigenvalues > found.largest * 10**-_DECADES]
    histogram = SpectralDistribution(shown, 0, found.rows, found.scaled).histogram(bins)
    # Still a density of all non-zero eigenvalues.
    density = (histogram.density * (len(shown) / len(found.eigenvalues))).numpy()
    edges, seen = histogram.edges.numpy(), density > 0
    axis.set_xscale("log")
    axis.set_yscale("log")
    bottom = density[seen].min() / 5
    axis.set_ylim(min(bottom, axis.get_ylim()[0]) if axis.patches else bottom, None)
    heights = np.where(seen, density, bottom)
    if filled:
        axis.stairs(heights, edges, baseline=bottom, fill=True, color=NETWORK_COLOURS[0], alpha=0.45, label=label)
    else:
        axis.stairs(heights, edges, baseline=None, color="0.1", linewidth=1.0, label=label)
    return float(density.max())


def draw_exponent_samples(samples: Mapping[str, Mapping[int, Tensor]], alpha: Mapping[str, float]) -> Figure:
    """Fitted exponents of many drawn spectra: a panel for each law, a box for each number of eigenvalues.

    ``samples[law][count]`` are exponents ``(draws,)``; boxes hold half of them, whiskers 95 %. The true exponent of a
    law is dashed where ``alpha`` has one.
    """
    with style():
        figure, axes = plt.subplots(1, len(samples), figsize=(8.4, 3.0), sharey=True, squeeze=False)
        for axis, (title, groups) in zip(axes[0], samples.items(), strict=True):
            axis.boxplot(
                [values.numpy() for values in groups.values()], whis=(2.5, 97.5), showfliers=False, widths=0.55,
                medianprops={"color": NETWORK_COLOURS[1]}, boxprops={"color": NETWORK_COLOURS[0]},
            )  # fmt: skip
            if title in alpha:
                axis.axhline(alpha[title], **BASELINE)
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(FixedLocator(_EXPONENTS))
            axis.yaxis.set_minor_locator(NullLocator())
            axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_xticks(range(1, len(groups) + 1), [f"{int(count):,}" for count in groups])
            axis.set_title(title)
            axis.set_xlabel("eigenvalues")
        axes[0, 0].set_ylabel(r"fitted $\alpha$")
        plt.close(figure)
    return figure


def _all_labels(axes: Iterable[Axes]) -> tuple[list, list[str]]:
    """Handles and labels over all panels, each label once."""
    found = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
