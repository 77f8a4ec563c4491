"""The figure of a table of ratios: what it shows, for one image and for thousands, and names with odd characters."""

import io

import numpy as np
import pytest
import torch

from paperlib.plotting.ratio_table import draw_extremes, draw_ratio_table
from paperlib.ratios import RatioRow, RatioTable


def table(count: int, failed: int = 0, k: int = 5) -> RatioTable:
    generator = np.random.default_rng(0)
    rows = [
        RatioRow(f"image {place}", tuple(np.cumsum(generator.dirichlet(np.ones(3 * k))[:k]))) for place in range(count)
    ]
    return RatioTable.of([*rows, *(RatioRow(f"bad {place}", note="broken") for place in range(failed))], k)


def test_the_panels_show_the_ratios_in_order():
    drawn = table(40, failed=3)
    figure = draw_ratio_table(drawn)
    ordered, histogram, growth = figure.axes
    heights = ordered.collections[0].get_offsets()[:, 1]
    assert np.allclose(heights, [row.ratio for row in drawn.measured])
    assert sum(bar.get_width() for bar in histogram.patches) == 40
    assert len(growth.lines) == 5 and len(growth.collections[0].get_segments()) == 35
    assert np.allclose(growth.lines[0].get_ydata(), drawn.rows[0].rpr)
    assert ordered.get_title(loc="left") == "40 images, 3 more failed"


def test_the_lowest_are_named():
    drawn = table(12)
    texts = [text.get_text() for text in draw_ratio_table(drawn, lowest=3).legends[0].get_texts()]
    assert texts == [f"{row.name} ({row.ratio:.3g})" for row in drawn.rows[:3]]


def test_names_are_no_mathematics_and_are_shortened():
    names = ("_hidden_$x", "a" * 80)
    rows = [RatioRow(name, (0.1 * place, 0.2 * place)) for place, name in enumerate(names, 1)]
    figure = draw_ratio_table(RatioTable.of(rows, 2))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[0].strip().startswith("_hidden_$x (") and len(texts[1]) < 45
    figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize("count", [1, 2, 3000])
def test_any_number_of_images_makes_a_small_file(count):
    content = io.BytesIO()
    draw_ratio_table(table(count, k=3)).savefig(content, format="svg")
    assert 5_000 < len(content.getvalue()) < 400_000


def test_a_table_without_ratios_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_ratio_table(table(0, failed=2))
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_extremes(table(0, failed=2), {})


@pytest.mark.parametrize(("count", "columns"), [(20, 6), (5, 2), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_extreme_images_stand_below_their_names(count, columns, channels):
    drawn = table(count)
    images = {row.name: torch.full((channels, 4, 4), float(place)) for place, row in enumerate(drawn.rows)}
    images = {name: image + torch.arange(16.0).reshape(4, 4) for name, image in images.items()}
    axes = draw_extremes(drawn, images).axes
    lowest, highest = drawn.rows[:columns], drawn.rows[-columns:]
    names = [axis.get_title().splitlines()[0] for axis in axes]
    assert names == [row.name for row in (*lowest, *highest)]
    assert np.allclose(axes[0].images[0].get_array().max(), 1)
    with pytest.raises(KeyError):
        draw_extremes(drawn, {})
