"""One look for all figures: legible in print, on a light and on a dark page, and for the colour-blind."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl

# Found by search: each has a contrast of 3 to white, and the two that are nearest to each other are told apart easily,
# in every kind of colour blindness too. The digits keep their colour in every figure.
DIGIT_COLOURS = (
    "#003cf7", "#e77500", "#500800", "#9493a5", "#7e01aa", "#9e3851", "#bc1900", "#bb875f", "#514379", "#4a9ada",
)  # fmt: skip
NETWORK_COLOURS = ("#1f6f8b", "#c8553d", "#6a4c93", "#b08900")
# The folds of a cross validation, the same in every figure; marks tell them apart where hues cannot.
FOLD_COLOURS = (*NETWORK_COLOURS, "#5a5a5a")
FOLD_MARKS = "os^Dv"
BASELINE = {"color": "0.35", "linestyle": (0, (4, 2)), "linewidth": 1.0}

_SETTINGS = {
    # An opaque page behind the axes: a transparent one would put black letters on a dark page.
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "legend.frameon": False,
    "image.interpolation": "nearest",
    # Fixed identifiers, so that the same figure is the same file.
    "svg.hashsalt": "paperlib",
}


def legend_columns(labels: Sequence[str], width: float) -> int:
    """How many columns of a legend with these labels fit side by side into ``width`` inches, at least one."""
    # A line with its margins, and a letter of the wider sort at the size of the house style.
    column = 0.62 + 0.073 * max(map(len, labels))
    return max(1, min(len(labels), int(width / column)))


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house style and leave the global settings as they were."""
    with mpl.rc_context(_SETTINGS):
        yield
