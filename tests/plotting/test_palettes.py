"""Colours that stand for different things stay apart, for colour-blind readers too."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from paperlib.plotting.style import DIGIT_COLOURS, FOLD_COLOURS, NETWORK_COLOURS

# What is left of linear sRGB in complete colour blindness of each kind: Machado, Oliveira and Fernandes (2009).
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# From linear sRGB to XYZ (IEC 61966-2-1), and the white of that space.
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = XYZ.sum(1)
# In CIELAB about 2 can just be seen; four times that is told apart on small marks.
APART = 8


def seen(colour, vision: str) -> np.ndarray:
    """CIELAB coordinates of a colour as it is seen."""
    values = np.array(to_rgb(colour))
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    relative = XYZ @ np.clip(np.array(VISION[vision]) @ linear, 0, 1) / WHITE
    x, y, z = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def closest(colours, vision: str) -> float:
    places = [seen(colour, vision) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(places, 2))


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("colours", [DIGIT_COLOURS, NETWORK_COLOURS, FOLD_COLOURS], ids=["digits", "networks", "folds"])
def test_no_two_colours_are_taken_for_one(colours, vision):
    assert closest(colours, vision) > APART


@pytest.mark.parametrize("colour", [*DIGIT_COLOURS, *FOLD_COLOURS])
def test_each_colour_is_seen_on_white(colour):
    values = np.array(to_rgb(colour))
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    # What WCAG asks of lines and marks.
    assert 1.05 / (linear @ XYZ[1] + 0.05) > 2.99


def test_the_measure_knows_what_colour_blindness_confuses():
    # Two reds and greens of the same lightness, which are 60 apart to others.
    pair = ("#c07060", "#889050")
    assert closest(pair, "normal") > 3 * closest(pair, "deuteranopia")
    assert seen("white", "normal") == pytest.approx([100, 0, 0], abs=1e-3)
