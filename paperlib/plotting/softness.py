"""Edges of images that belong to two groups of directions (`convsvd`, Figure 9)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from paperlib.plotting.style import NETWORK_COLOURS, style


def draw_group_edges(panels: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], label: str) -> Figure:
    """A measure of edges, a panel for each kind of image and a row for each direction or class of images.

    ``panels[title][group][name]`` holds numbers, dots of a row, of which the mean is a bar. Groups differ in
    colour and marker; a dashed line is the mean of a group's means.
    """
    rows = [sum(map(len, groups.values())) for groups in panels.values()]
    with style():
        figure, axes = plt.subplots(1, len(panels), figsize=(2.75 * len(panels), 0.2 * max(rows) + 1.2), squeeze=False)
        for axis, (title, groups) in zip(axes[0], panels.items(), strict=True):
            names: list[str] = []
            looks = zip(groups.items(), NETWORK_COLOURS, "os^D", strict=False)
            for (group, members), colour, marker in looks:
                means = [sum(values) / len(values) for values in members.values()]
                for place, (values, mean) in enumerate(zip(members.values(), means, strict=True), start=len(names)):
                    axis.plot(values, [place] * len(values), marker, color=colour, markersize=3.2, alpha=0.6)
                    axis.plot([mean, mean], [place - 0.35, place + 0.35], color=colour, linewidth=2)
                if means:
                    middle = sum(means) / len(means)
                    axis.axvline(middle, color=colour, linestyle=(0, (4, 2)), linewidth=1.1, label=group)
                names += members
            axis.set_yticks(range(len(names)), names, fontsize=7)
            axis.set_ylim(len(names) - 0.4, -0.6)
            axis.set_title(title)
        figure.supxlabel(label, fontsize=9)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
        plt.close(figure)
    return figure
