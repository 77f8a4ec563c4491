"""A few images at several ranks: what the rank-k CNN keeps of each, and its scores beside the network's."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.plotting.images import bare
from paperlib.plotting.style import NETWORK_COLOURS, style
from paperlib.rank_frames import RankFrames

_FULL, _TRUNCATED = NETWORK_COLOURS[0], NETWORK_COLOURS[1]


def draw_rank_frames(frames: RankFrames, ranks: Sequence[int] = (1, 3, 5, 10)) -> Figure:
    """A row for each image: itself, its projections on ``k`` right singular vectors, and the class scores.

    The projections of a row share one scale, blue negative and red positive; over each stands RPR. The bars are the
    scores of the rank-k CNN at the middle one of ``ranks`` beside those of the network. Ranks above those of
    ``frames`` are left out.
    """
    shown = [rank for rank in ranks if rank <= frames.k_max] or [frames.k_max]
    middle = shown[len(shown) // 2]
    count = len(frames.indices)
    with style():
        widths = [1] * (1 + len(shown)) + [2.6]
        size = (1.05 * sum(widths) + 0.3, 1.2 * count + 0.5)
        figure, axes = plt.subplots(count, len(widths), figsize=size, width_ratios=widths, squeeze=False)
        for place, row in enumerate(axes):
            _draw_images(row[:-1], frames, place, shown)
            _draw_scores(row[-1], frames, place, middle)
        axes[-1][-1].set_xlabel("class")
        handles, labels = axes[0][-1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)
        plt.close(figure)
    return figure


def _draw_images(row: Sequence[Axes], frames: RankFrames, place: int, ranks: Sequence[int]) -> None:
    row[0].imshow(frames.images[place].numpy(), cmap="gray", vmin=0)
    bare(row[0], f"a {frames.labels[place]}, read as {frames.full_classes[place]}", size=8)
    bound = float(frames.projections[place].abs().max())
    for axis, rank in zip(row[1:], ranks, strict=True):
        axis.imshow(frames.projections[place, rank - 1].numpy(), cmap="RdBu_r", vmin=-bound, vmax=bound)
        bare(axis, f"k = {rank}, RPR {frames.rpr[place, rank - 1]:.2f}", size=8)


def _draw_scores(axis: Axes, frames: RankFrames, place: int, rank: int) -> None:
    classes = np.arange(frames.full_scores.shape[1])
    truncated, full = frames.scores[place, rank - 1].numpy(), frames.full_scores[place].numpy()
    axis.bar(classes - 0.2, truncated, 0.4, color=_TRUNCATED, label=f"scores at k = {rank}")
    axis.bar(classes + 0.2, full, 0.4, color="white", edgecolor=_FULL, hatch="////", label="of the network")
    axis.axhline(0, color="0.3", linewidth=0.8)
    axis.set_xticks(classes)
    axis.tick_params(labelsize=7)
    axis.grid(axis="x", visible=False)
