"""Which classes a classifier takes for which."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.style import style

# From this share of the colour scale on, letters are white.
_DARK = 0.55


def draw_confusions(counts: Tensor, names: Sequence[str]) -> Figure:
    """Numbers of images ``(classes, classes)``, a row for each true class and a column for what it is taken for.

    The colour is that of the logarithm, so that single errors are seen beside a thousand right answers.
    """
    largest = max(2, int(counts.max()))
    norm = LogNorm(1, largest)
    with style():
        figure, axis = plt.subplots(figsize=(0.48 * len(names) + 1.2, 0.42 * len(names) + 0.8))
        blues = plt.get_cmap("Blues").with_extremes(under="white")
        axis.imshow(counts.clamp_min(0.5).numpy(), cmap=blues, norm=norm, aspect="auto")
        for row, line in enumerate(counts.tolist()):
            for column, count in enumerate(line):
                if count:
                    colour = "white" if norm(count) > _DARK else "black"
                    axis.text(column, row, str(count), ha="center", va="center", fontsize=8, color=colour)
        axis.set_xticks(range(len(names)), list(names))
        axis.set_yticks(range(len(names)), list(names))
        axis.set(xlabel="taken for", ylabel="is")
        axis.grid(visible=False)
        plt.close(figure)
    return figure
