"""Figures of the inverse of a network: how near each round comes, and how errors of an output grow."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from paperlib.inverse import Stability
from paperlib.plotting.style import BASELINE, style

_COLOURS = ("#1f6f8b", "#c8553d", "#6a4c93")


def draw_inversion_rounds(searches: Mapping[str, Mapping[str, Sequence[Any]]], reference: tuple[str, float]) -> Figure:
    """Relative distance to the wanted output by round, on a logarithmic axis, for each of ``searches``.

    Each holds ``medians`` (full line) and ``largest`` distances (dotted) over the samples, and ``kinds``: a ring marks
    the last ``"sweep"`` before the ``"step"`` rounds. ``reference`` is the name and the median distance of what they
    are compared with, a dashed line.
    """
    with style():
        figure, axis = plt.subplots(figsize=(6.4, 3.6))
        for (name, search), colour in zip(searches.items(), _COLOURS, strict=False):
            count, swept = len(search["kinds"]), list(search["kinds"]).count("sweep")
            for part, line in (("medians", "-"), ("largest", ":")):
                axis.plot(
                    range(1, count + 1),
                    search[part],
                    line,
                    color=colour,
                    linewidth=1.8,
                    label=f"{name}, {part.removesuffix('s')}",
                )
                if 0 < swept < count:
                    ring = {"color": colour, "markerfacecolor": "white", "markersize": 6}
                    axis.plot([swept], [search[part][swept - 1]], "o", **ring)
        axis.axhline(reference[1], **BASELINE, label=reference[0])
        axis.set_yscale("log")
        axis.set_xlabel("round")
        axis.set_ylabel("relative distance to the output")
        figure.legend(loc="outside upper center", ncols=3, fontsize=8)
        plt.close(figure)
    return figure


def draw_amplifications(layers: Mapping[str, Stability]) -> Figure:
    """For each layer the growth of random errors (dots), of the worst one (diamond), and the condition number (bar)."""
    with style():
        figure, axis = plt.subplots(figsize=(6.2, 0.42 * len(layers) + 1.1))
        for place, found in enumerate(layers.values()):
            values = found.amplifications.tolist()
            # Spread over the height in a fixed pattern, so that equal values stay visible.
            heights = [place + 0.25 * ((7 * i) % 11 - 5) / 5 for i in range(len(values))]
            named = place == 0
            axis.plot(
                values,
                heights,
                "o",
                color=_COLOURS[0],
                markersize=2.5,
                alpha=0.5,
                label="random errors" if named else None,
            )
            axis.plot(
                [found.condition_number] * 2,
                [place - 0.4, place + 0.4],
                color="k",
                linewidth=1.6,
                label="condition number" if named else None,
            )
            axis.plot(
                [found.worst], [place], "D", color=_COLOURS[1], markersize=5, label="worst error" if named else None
            )
        axis.set_xscale("log")
        axis.set_yticks(range(len(layers)), list(layers))
        axis.set_ylim(len(layers) - 0.45, -0.55)
        axis.grid(axis="y", visible=False)
        axis.set_xlabel("relative change of the solution / relative change of the output")
        figure.legend(loc="outside upper center", ncols=3, fontsize=8)
        plt.close(figure)
    return figure
