"""How many nodes and equivalence classes hypergraphs have: over thresholds, networks, samples and chance."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from paperlib.hypergraphs import Family, StructureSample, structure_of
from paperlib.plotting.style import BASELINE, DIGIT_COLOURS, NETWORK_COLOURS, style

_TITLES = {"nodes": "nodes", "classes": "equivalence classes", "general": "nodes of every class"}


def draw_structure_sizes(
    groups: Mapping[str, StructureSample], reference: tuple[str, Mapping[str, int]] | None = None
) -> Figure:
    """Sizes of groups of hypergraphs, a line for each group: nodes, equivalence classes, nodes that all classes have.

    A disc's area tells how many hypergraphs of its group have this size. ``reference`` is a name with some of the sizes
    by name (``"nodes"``, ``"classes"``), drawn as a rule.
    """
    with style():
        size = (8.4, 0.36 * len(groups) + 1.4)
        figure, axes = plt.subplots(1, 3, figsize=size, sharey=True)
        rules = []
        for axis, (name, title) in zip(axes, _TITLES.items(), strict=True):
            for place, sample in enumerate(groups.values()):
                _discs(axis, place, getattr(sample, name))
            if reference is not None and name in reference[1]:
                rules.append(axis.axvline(reference[1][name], **BASELINE, zorder=1))
            axis.set_title(title)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            largest = max(int(getattr(sample, name).max()) for sample in groups.values())
            axis.set_xlim(0, 1.1 * largest + 0.3)
        axes[0].set_yticks(range(len(groups)), list(groups))
        axes[0].set_ylim(len(groups) - 0.4, -0.6)
        if rules:
            figure.legend(rules[:1], [reference[0]], loc="outside lower center")
        plt.close(figure)
    return figure


def _discs(axis: Axes, place: int, sizes: Tensor) -> None:
    values, counts = np.unique(sizes.numpy(), return_counts=True)
    axis.scatter(
        values, np.full(len(values), place), s=130 * counts / counts.sum() + 8, zorder=3,
        color=NETWORK_COLOURS[0], edgecolors="white", linewidths=0.6, clip_on=False,
    )  # fmt: skip


def draw_family(family: Family, chosen: tuple[float, float] | None = None) -> Figure:
    """Numbers of nodes and of equivalence classes against the quantile, a line for each majority of a family.

    Nodes can only go when q or p rises; equivalence classes are most in between. ``chosen`` marks one (q, p).
    """
    tables = family.incidences()
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(8.0, 2.9))
        for number, p in enumerate(family.majorities):
            sizes = structure_of(list(tables[:, number]))
            look = {"color": DIGIT_COLOURS[number % 10], "marker": "osD^v"[number % 5], "markersize": 3.5}
            for axis, name in zip(axes, ("nodes", "classes"), strict=True):
                values = getattr(sizes, name)
                axis.plot(family.quantiles, values, linewidth=1.2, label=f"p = {p:g} %", **look)
                if chosen is not None and p == chosen[1]:
                    place = family.quantiles.index(chosen[0])
                    ring = {"markersize": 11, "markerfacecolor": "none", "color": "k", "markeredgewidth": 1.2}
                    axis.plot(chosen[0], values[place], "o", zorder=4, **ring)
                axis.set_title(_TITLES[name])
                axis.set_xlabel("quantile q")
                axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0].legend(fontsize=8)
        plt.close(figure)
    return figure
