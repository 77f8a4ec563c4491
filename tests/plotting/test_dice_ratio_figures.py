"""Dice against RPR: the points, limits, means and numbers drawn are those that were given."""

import numpy as np
import pytest
from figure_support import assert_readable

from paperlib.plotting.dice_ratio import draw_bands, draw_dice_against_ratio
from paperlib.quantile_bands import quantile_bands
from paperlib.rank_correlation import RankCorrelation

GENERATOR = np.random.default_rng(0)
RATIO, NOISE = GENERATOR.uniform(0.05, 0.2, 60), GENERATOR.uniform(size=60)
DICE = 0.8 + 0.5 * RATIO + 0.02 * NOISE
FOLDS = np.arange(60) % 5
BANDS = quantile_bands(RATIO, DICE)
PAPER = (0.7728, 0.8979, 0.9375, 0.9522)


def test_a_point_for_each_volume_in_the_look_of_its_fold():
    figure = draw_dice_against_ratio(DICE, RATIO, FOLDS, k=10)
    axis = figure.axes[0]
    assert len(axis.collections) == 5 and not axis.lines and figure.get_suptitle() == ""
    for fold, points in enumerate(axis.collections):
        expected = np.stack([RATIO[fold == FOLDS], DICE[fold == FOLDS]], axis=1)
        np.testing.assert_array_equal(points.get_offsets(), expected)
        assert points.get_label() == f"fold {fold}"
    assert len({tuple(points.get_facecolor()[0]) for points in axis.collections}) == 5
    assert "k = 10" in axis.get_xlabel()
    assert_readable(figure)


def test_the_margins_count_every_volume_on_the_same_axes():
    axis, top, right = draw_dice_against_ratio(DICE, RATIO, FOLDS, k=3).axes
    assert sum(bar.get_height() for bar in top.patches) == 60
    assert sum(bar.get_width() for bar in right.patches) == 60
    assert top.get_xlim() == axis.get_xlim() and right.get_ylim() == axis.get_ylim()


def test_bands_are_limits_and_steps():
    figure = draw_dice_against_ratio(DICE, RATIO, FOLDS, k=10, bands=BANDS)
    lines = figure.axes[0].lines
    assert [line.get_xdata()[0] for line in lines[:3]] == [band.low for band in BANDS[1:]]
    for line, band in zip(lines[3:], BANDS, strict=True):
        assert list(line.get_xdata()) == [band.low, band.high] and list(line.get_ydata()) == [band.mean, band.mean]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [*(f"fold {n}" for n in range(5)), "limit of a band", "mean of a band"]


@pytest.mark.parametrize(
    ("dice", "words"), [(DICE, "mean Dice rises over the bands"), (1 - RATIO, "does not rise over all bands")]
)
def test_the_title_says_what_was_found(dice, words):
    found = RankCorrelation(-0.0712, -0.21, 0.0649, 0.6, 60)
    figure = draw_dice_against_ratio(
        dice, RATIO, FOLDS, k=10, bands=quantile_bands(RATIO, dice), correlation=found, chance=0.0731
    )
    title = figure.get_suptitle()
    assert "60 volumes" in title and "−0.07 [−0.21, 0.06], p = 0.6" in title
    assert words in title and "7.3 %" in title
    assert_readable(figure)


def test_more_folds_than_colours_are_drawn_too():
    figure = draw_dice_against_ratio(DICE, RATIO, np.arange(60) % 7, k=1)
    assert len(figure.axes[0].collections) == 7
    assert_readable(figure)


def test_ratios_of_large_volumes_are_legible():
    """A ratio of 10 triplets may be of the order of one in ten thousand."""
    assert_readable(draw_dice_against_ratio(DICE, 1e-5 * RATIO, FOLDS, k=10, bands=quantile_bands(1e-5 * RATIO, DICE)))


def test_the_papers_means_stand_beside_ours():
    labels = ("BraTS 2020, 369 volumes (the paper)", "hippocampus, 260 volumes", "phantoms, 60 volumes")
    figure = draw_bands({labels[0]: PAPER}, {labels[1]: BANDS, labels[2]: quantile_bands(DICE, RATIO)})
    (axis,) = figure.axes
    assert tuple(axis.lines[0].get_ydata()) == PAPER
    means, _, (bars,) = axis.containers[0]
    assert list(means.get_ydata()) == [band.mean for band in BANDS]
    for segment, band in zip(bars.get_segments(), BANDS, strict=True):
        assert segment[:, 1] == pytest.approx([band.mean - 2 * band.error, band.mean + 2 * band.error])
    # Side by side, in the order of the legend, none on another.
    starts = [axis.lines[0].get_xdata()[0], *(one[0].get_xdata()[0] for one in axis.containers)]
    assert starts == sorted(starts) and min(np.diff(starts)) > 0.1
    assert {text.get_text() for text in figure.legends[0].get_texts()} == set(labels)
    assert axis.get_xticklabels()[0].get_text() == "below 10 %"
    assert_readable(figure)


def test_bands_of_other_quantiles_have_their_names():
    bands = quantile_bands(RATIO, DICE, (0.5,))
    (axis,) = draw_bands({}, {"ours": bands}, ("lower half", "upper half")).axes
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["lower half", "upper half"]
