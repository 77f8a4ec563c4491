"""Drawings of hypergraphs, hierarchies and their sizes: everything given is drawn, and the same each time."""

import io

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.collections import PolyCollection

from paperlib.hypergraphs import Hypergraph, StructureSample, families, semantic_hierarchy
from paperlib.plotting.hierarchy import Pictures, draw_class_pictures, draw_hierarchy
from paperlib.plotting.hypergraph_sizes import draw_family, draw_structure_sizes
from paperlib.plotting.hypergraphs import class_colours, collapsed, draw_hypergraph, members_text

VALUES = torch.arange(20, 0, -1).double()


def graph_of(sets, classes, nodes=None):
    table = torch.tensor([[name in one for name in classes] for one in sets], dtype=torch.bool)
    nodes = tuple(range(len(sets))) if nodes is None else nodes
    return Hypergraph("fc1", tuple(classes), nodes, table.reshape(-1, len(classes)), 0.9, 75.0, torch.tensor(0.0))


DIGITS = graph_of(["0123456789", "0123456789", "023", "17", "1", "0"], "0123456789", (0, 3, 4, 7, 9, 12))


def drawn(figure):
    """All words of the figure, after a real drawing."""
    figure.canvas.draw()
    assert figure.get_figwidth() <= 8.5
    return [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()]


def pixels(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=60)
    return buffer.getvalue()


def test_every_hyperedge_and_every_class_of_nodes_is_drawn_and_named():
    figure = draw_hypergraph(DIGITS)
    words = drawn(figure)
    (bands,) = figure.axes[0].findobj(PolyCollection)
    assert len(bands.get_paths()) == 10
    for name in DIGITS.classes:
        # Once at its band and once above its column.
        assert words.count(name) >= 2
    assert {"0 ×2", "0, 3", "7", "12"} <= set(words)


def test_each_band_holds_the_nodes_of_its_class_alone_where_they_are_apart():
    figure = draw_hypergraph(graph_of(["a", "ab", "b", "c"], "abc"))
    (bands,) = figure.axes[0].findobj(PolyCollection)
    places = {t.get_text(): t.xy for t in figure.axes[0].texts if t.get_text().isdigit()}
    inside = [{name for name, xy in places.items() if path.contains_point(xy)} for path in bands.get_paths()]
    assert [{"0", "1"} <= inside[0], {"1", "2"} <= inside[1], "3" in inside[2]] == [True] * 3


def test_labels_of_nodes_stand_apart():
    figure = draw_hypergraph(graph_of(["0123456789", "012345678", "01234567", "0123456"], "0123456789"))
    points = np.array([text.xy for text in figure.axes[0].texts if text.get_fontsize() == 7])
    gaps = np.linalg.norm(points[:, None] - points, axis=2)[~np.eye(4, dtype=bool)]
    assert gaps.min() > 0.25


def test_the_seed_alone_determines_the_layout():
    assert pixels(draw_hypergraph(DIGITS, seed=3)) == pixels(draw_hypergraph(DIGITS, seed=3))
    assert pixels(draw_hypergraph(DIGITS, seed=3)) != pixels(draw_hypergraph(DIGITS, seed=4))


@pytest.mark.parametrize("sets", [["a"], ["a", "a"], ["ab"], ["a", "b"]])
def test_small_hypergraphs(sets):
    drawn(draw_hypergraph(graph_of(sets, "ab")))
    drawn(draw_hierarchy(semantic_hierarchy(graph_of(sets, "ab"))))


def test_long_names_and_many_classes():
    names = [f"class {number}" for number in range(14)]
    table = torch.eye(14, dtype=torch.bool) | torch.eye(14, dtype=torch.bool).roll(1, 1)
    graph = Hypergraph("x", tuple(names), tuple(range(14)), table, 0.9, 75.0, torch.tensor(0.0))
    assert len(set(class_colours(14))) == 14 and len(set(class_colours(10))) == 10
    assert set(names) <= set(drawn(draw_hypergraph(graph)))


def test_a_hypergraph_without_nodes_is_refused():
    empty = graph_of([], "ab")
    with pytest.raises(ValueError, match=r"the hypergraph at q = 0.9 and p = 75 has no node; lower q or p"):
        draw_hypergraph(empty)
    for draw in (draw_hierarchy, lambda one: draw_class_pictures(one, [])):
        with pytest.raises(ValueError, match="no equivalence class"):
            draw(semantic_hierarchy(empty))


def test_collapsing_keeps_the_first_of_each_class():
    small = collapsed(DIGITS)
    assert small.nodes == (0, 4, 7, 9, 12) and len(set(small.class_sets)) == 5


def test_many_members_are_counted():
    assert members_text([1, 2, 3]) == "1, 2, 3" and members_text(range(9), 3) == "0, 1, 2, … (9)"


def test_the_hasse_diagram_has_a_line_for_each_cover_and_a_card_for_each_class():
    hierarchy = semantic_hierarchy(DIGITS)
    figure = draw_hierarchy(hierarchy, VALUES)
    words = drawn(figure)
    assert len(figure.axes[0].lines) == len(hierarchy.edges) == 4
    assert len(words) == len(hierarchy.classes)
    assert "$[v_{0}]$, s = 20\nmembers 0, 3\n0 1 2 3 4 5 6 7 8 9" in words and "$[v_{7}]$, s = 13\n1 7" in words


def test_lines_go_down():
    figure = draw_hierarchy(semantic_hierarchy(DIGITS), VALUES)
    for line in figure.axes[0].lines:
        top, bottom = line.get_ydata()
        assert top < bottom


def test_a_wide_level_takes_several_lines_of_cards():
    figure = draw_hierarchy(semantic_hierarchy(graph_of(list("abcdefgh"), "abcdefgh")))
    heights = {round(text.get_position()[1], 3) for text in figure.axes[0].texts}
    assert len(heights) == 2 and len(drawn(figure)) == 8


def pictures(hierarchy, generator, signed=False):
    counts = range(1, len(hierarchy.classes) + 1)
    images = [torch.rand(count, *([] if signed else [1]), 8, 8, generator=generator) for count in counts]
    titles = None if signed else [[f"t{n}" for n in range(count)] for count in counts]
    return Pictures("maps" if signed else "a heading that is long", images, signed, titles)


def test_pictures_stand_in_rows_of_classes():
    hierarchy, generator = semantic_hierarchy(DIGITS), torch.Generator().manual_seed(0)
    groups = [pictures(hierarchy, generator), pictures(hierarchy, generator, signed=True)]
    figure = draw_class_pictures(hierarchy, groups, VALUES)
    words = drawn(figure)
    assert {"a heading that is long", "maps", "t4", "$[v_{0}]$ ×2\ns = 20\n0 1 2 3 4 5 6 7 8 9"} <= set(words)
    assert len(figure.axes) == 2 * (1 + 2 + 3 + 4 + 5)
    tops = sorted({round(axis.get_position().y1, 4) for axis in figure.axes}, reverse=True)
    assert len(tops) == 5
    # The row of the first class has one picture of each group, that of the last five.
    assert [sum(round(axis.get_position().y1, 4) == top for axis in figure.axes) for top in tops] == [2, 4, 6, 8, 10]


def test_heat_maps_are_white_at_zero_and_of_one_scale_in_a_row():
    hierarchy = semantic_hierarchy(graph_of(["a"], "a"))
    maps = torch.tensor([[[0.0, 1.0]], [[-4.0, 0.0]]])
    figure = draw_class_pictures(hierarchy, [Pictures("maps", [maps], signed=True)])
    for axis in figure.axes:
        (image,) = axis.images
        assert image.get_clim() == (-4, 4)
        red, green, blue, _ = image.cmap(image.norm(0.0))
        assert min(red, green, blue) > 0.95
    left, right = (axis.images[0] for axis in figure.axes)
    assert left.cmap(left.norm(1.0))[0] > left.cmap(left.norm(1.0))[2]
    assert right.cmap(right.norm(-4.0))[2] > right.cmap(right.norm(-4.0))[0]


def test_colour_pictures_and_those_on_cards():
    hierarchy = semantic_hierarchy(graph_of(["ab", "a"], "ab"))
    group = Pictures("colour", [torch.rand(1, 3, 6, 6), torch.rand(2, 3, 6, 6)])
    figure = draw_hierarchy(hierarchy, None, group)
    drawn(figure)
    assert [image.get_array().shape for image in figure.axes[0].images] == [(6, 6, 3)] * 2


def test_pictures_of_another_number_of_classes_are_refused():
    hierarchy = semantic_hierarchy(DIGITS)
    wrong = Pictures("few", [torch.rand(1, 1, 4, 4)])
    for draw in (lambda: draw_class_pictures(hierarchy, [wrong]), lambda: draw_hierarchy(hierarchy, None, wrong)):
        with pytest.raises(ValueError, match=r"few has pictures of 1 classes; .* each of the 5 equivalence classes"):
            draw()


def test_sizes_are_discs_at_their_numbers():
    sample = StructureSample(*torch.tensor([[5, 5, 7], [2, 3, 3], [1, 1, 1], [9, 9, 9], [0, 1, 1]]))
    figure = draw_structure_sizes({"one": sample, "two": sample}, ("the paper", {"nodes": 6}))
    assert {"one", "two", "nodes", "equivalence classes", "the paper"} <= set(drawn(figure))
    offsets = [collection.get_offsets().data.tolist() for collection in figure.axes[0].collections]
    assert offsets == [[[5, 0], [7, 0]], [[5, 1], [7, 1]]]
    areas = figure.axes[0].collections[0].get_sizes()
    assert areas[0] > areas[1]
    assert figure.axes[0].lines[0].get_xdata() == [6, 6] and not figure.axes[1].lines


def test_a_family_is_drawn_as_it_is_and_the_chosen_hypergraph_marked():
    generator = torch.Generator().manual_seed(0)
    signals = torch.randn(60, 9, generator=generator) + torch.randn(9, generator=generator)
    family = families(signals, torch.arange(60) % 3, ["a", "b", "c"], [0.3, 0.6, 0.9], [60, 75])
    figure = draw_family(family, (0.6, 75))
    assert {"p = 60 %", "p = 75 %", "quantile q"} <= set(drawn(figure))
    lines = figure.axes[0].lines
    for line, p in zip((lines[0], lines[1]), (60, 75), strict=True):
        assert line.get_ydata().tolist() == [len(family.hypergraph(q, p).nodes) for q in family.quantiles]
    assert lines[2].get_xdata() == [0.6] and lines[2].get_ydata() == [len(family.hypergraph(0.6, 75).nodes)]
