"""The explorer of the rank-k CNN as HTML, with tables of what it says at each rank for readers without scripts."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from paperlib.plotting.explorers import Explorer, explorer, table
from paperlib.plotting.rank_explorer.payload import payload
from paperlib.rank_frames import RankFrames

# Each needs those before it.
MODULES = ("words", "data", "pictures", "scores", "ratios", "ranks", "explorer")


def rank_explorer(networks: Mapping[str, RankFrames], *, fallback: Figure, alt: str) -> Explorer:
    """Images at every rank of the networks at them, for a reader to explore (`generalizability`, Figures 1 to 3).

    A slider moves k; lists choose the image and, of several, the network. The page shows the image beside its
    projection on k right singular vectors, the scores of the rank-k CNN beside those of the network, and RPR and LPR
    against k. The networks are by name, all with the same images. Paper, and readers without scripts, get ``fallback``,
    such as `draw_rank_frames`, with the text ``alt``, and for each network a table of classes and ratios.

    Raises ``ValueError`` as `payload` does.
    """
    return explorer(
        __package__,
        MODULES,
        payload(networks),
        name="rank-explorer",
        fallback=fallback,
        alt=alt,
        static="".join(_table(name, frames) for name, frames in networks.items()),
    )


def _table(name: str, frames: RankFrames) -> str:
    rows = []
    for place, index in enumerate(frames.indices):
        said = ", ".join(map(str, frames.rank_k_classes[place].tolist()))
        ratios = (", ".join(f"{value:.2f}" for value in ratio[place].tolist()) for ratio in (frames.rpr, frames.lpr))
        image = f"#{index}, a {frames.labels[place]}, read as {frames.full_classes[place]}"
        rows.append([image, said, *ratios])
    heads = ["image", "read at rank k as", "RPR", "LPR"]
    return table(f"{name}: what the rank-k network says, and both ratios, for k = 1 to {frames.k_max}", heads, rows)
