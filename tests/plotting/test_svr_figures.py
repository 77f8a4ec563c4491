"""Drawings of the SVR from planted graphs: every vertex and edge is where it belongs, and looks as it should."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from svr_graph_support import ROWS, chain, layer, with_links

from paperlib.plotting.svr import KIND_COLOURS, draw_svr
from paperlib.plotting.svr_adjacency import draw_adjacencies
from paperlib.plotting.svr_layout import layer_columns, layer_names
from paperlib.plotting.svr_scheme import draw_svr_scheme
from paperlib.svr import Adjacency, Connection, representation_of_weights, significant_edges, svr_graph


def drawn(figure: Figure) -> Figure:
    """After a real drawing, which fails where a label or a limit cannot be set."""
    figure.canvas.draw()
    return figure


def words(figure: Figure) -> list[str]:
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def edges_drawn(axis) -> LineCollection:
    (found,) = [one for one in axis.collections if isinstance(one, LineCollection)]
    return found


def vertices_drawn(axis) -> list[PathCollection]:
    return [one for one in axis.collections if isinstance(one, PathCollection)]


def test_vertices_stand_at_their_layer_and_singular_value_in_the_colour_of_kind_and_intensity():
    graph = chain()
    (axis,) = drawn(draw_svr({"planted": graph})).axes
    columns = vertices_drawn(axis)
    for place, (points, one, own) in enumerate(zip(columns, graph.layers, graph.intensities, strict=True)):
        places, values = points.get_offsets().T
        assert set(places) == {place}
        # Upside down, so that the largest is painted last.
        assert values.tolist() == one.singular_values.flip(0).tolist()
        assert np.allclose(points.get_facecolors(), KIND_COLOURS[one.kind](own.flip(0).numpy()))
    assert [label.get_text() for label in axis.get_xticklabels()] == ["conv", "hidden", "last"]


def test_kinds_differ_in_hue_and_intensity_in_lightness():
    def lightness(colour) -> float:
        return float(np.dot(colour[:3], (0.2126, 0.7152, 0.0722)))

    for colours in KIND_COLOURS.values():
        assert lightness(colours(0.0)) > lightness(colours(0.5)) > lightness(colours(1.0))
    red, blue = (KIND_COLOURS[kind](1.0) for kind in ("convolution", "fully_connected"))
    assert red[0] > red[2] + 0.3 and blue[2] > blue[0] + 0.3


def test_edges_join_their_spectral_neurons_and_the_strongest_is_painted_last_in_the_darkest_grey():
    graph = chain()
    (axis,) = drawn(draw_svr({"planted": graph})).axes
    lines = edges_drawn(axis)
    values = [one.singular_values.tolist() for one in graph.layers]
    expected = [
        [[link, values[link][earlier]], [link + 1, values[link + 1][later]]]
        for link, earlier, later, *_ in sorted(ROWS, key=lambda row: row[3])
    ]
    assert [segment.tolist() for segment in lines.get_segments()] == expected
    greys = np.asarray(lines.get_colors())[:, 0]
    assert (np.diff(greys) < 0).all() and (np.diff(lines.get_linewidths()) > 0).all()


def test_many_edges_are_few_lines_of_the_same_places_and_nearly_the_same_looks():
    rng = np.random.default_rng(0)
    layers = [layer("a", sorted(rng.random(40), reverse=True)), layer("b", sorted(rng.random(40), reverse=True))]
    pairs = [(earlier, later) for earlier in range(40) for later in range(40)]
    coefficients = rng.random(len(pairs)) ** 2
    rows = [(0, *pair, value, 0.01) for pair, value in zip(pairs, coefficients, strict=True)]
    graph = replace(with_links([(0, 1)], layers), edges=chain(rows).edges)
    graph = replace(graph, edges=replace(graph.edges, thresholds=(0.0,), candidates=(1600,)))
    (axis,) = drawn(draw_svr({"dense": graph})).axes
    lines = edges_drawn(axis)
    paths = [path.vertices for path in lines.get_paths()]
    assert len(paths) <= 32 and sum(len(path) for path in paths) == 3 * 1600
    ends = {tuple(end) for path in paths for end in path.reshape(-1, 3, 2)[:, :2].reshape(-1, 4).tolist()}
    values = [one.singular_values.tolist() for one in layers]
    assert ends == {(0.0, values[0][earlier], 1.0, values[1][later]) for earlier, later in pairs}
    assert all(np.isnan(path[2::3]).all() for path in paths)
    widths = np.repeat(lines.get_linewidths(), [len(path) // 3 for path in paths])
    assert np.abs(np.sort(widths) - np.sort(0.35 + 1.25 * np.sqrt(coefficients))).max() < 1.25 / 32


def test_edges_cross_a_layer_in_a_branching_network():
    links = [(0, 1), (0, 2), (1, 2)]
    graph = with_links(links, [layer("a", [2.0]), layer("b", [1.0]), layer("c", [3.0])])
    rows = chain([(0, 0, 0, 0.5, 0.01), (1, 0, 0, 0.6, 0.01), (2, 0, 0, 0.7, 0.01)]).edges
    graph = replace(graph, edges=replace(rows, thresholds=(0.1,) * 3, candidates=(1,) * 3))
    (axis,) = drawn(draw_svr({"residual": graph})).axes
    ends = [segment[:, 0].tolist() for segment in edges_drawn(axis).get_segments()]
    assert ends == [[0, 1], [0, 2], [1, 2]]


def test_panels_share_the_axis_and_have_titles_and_one_legend_of_what_is_there():
    small, large = with_links([(0, 1)], [layer("a", [1.0]), layer("b", [0.5])]), chain()
    figure = drawn(draw_svr({"before": small, "after": large}))
    left, right = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["before", "after"]
    assert left.get_ylim() == right.get_ylim()
    assert left.get_ylim()[0] < 0 < 4 < left.get_ylim()[1]
    (legend,) = figure.legends
    entries = [text.get_text() for text in legend.get_texts()]
    assert entries[:2] == ["convolution", "fully connected"] and entries[2:] == [
        "coefficient 0.05",
        "coefficient 0.25",
        "coefficient 1",
    ]
    only = draw_svr({"before": small}).legends[0].get_texts()
    assert "convolution" not in [text.get_text() for text in only]


@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (4, 2, 2), (6, 2, 3), (5, 2, 3)])
def test_panels_of_small_networks_stand_in_rows(count, rows, columns):
    figure = drawn(draw_svr({f"epoch {number}": chain() for number in range(count)}))
    grid = figure.axes[0].get_subplotspec().get_gridspec()
    assert (grid.nrows, grid.ncols) == (rows, columns)
    assert [axis.axison for axis in figure.axes] == [True] * count + [False] * (rows * columns - count)
    assert figure.get_figwidth() <= 8.5


def test_deep_networks_stand_below_each_other_with_slanted_names():
    layers = [layer(f"features.{number}", [2.0, 1.0], "convolution") for number in range(19)]
    graph = with_links([(number, number + 1) for number in range(18)], layers)
    figure = drawn(draw_svr({"plain": graph, "normed": graph}))
    grid = figure.axes[0].get_subplotspec().get_gridspec()
    assert (grid.nrows, grid.ncols) == (2, 1)
    assert {label.get_rotation() for label in figure.axes[0].get_xticklabels()} == {55.0}
    assert draw_svr({"plain": graph, "normed": graph}, columns=2).axes[0].get_subplotspec().get_gridspec().ncols == 2


def test_logarithmic_axis():
    assert drawn(draw_svr({"planted": chain()}, logarithmic=True)).axes[0].get_yscale() == "log"
    assert draw_svr({"planted": chain()}).axes[0].get_yscale() == "linear"


def test_a_graph_without_edges_can_be_drawn():
    (axis,) = drawn(draw_svr({"none": chain([])})).axes
    assert len(edges_drawn(axis).get_segments()) == 0


def test_nothing_to_draw_and_edges_of_another_representation_are_refused():
    with pytest.raises(ValueError, match="no graphs"):
        draw_svr({})
    with pytest.raises(ValueError, match=r"trained: edges reach spectral neuron 2 of layer 'last', which has 2"):
        draw_svr({"trained": chain([(1, 0, 2, 0.5, 0.01)])})
    with pytest.raises(ValueError, match=r"trained: edges belong to connection 2 of 2"):
        draw_svr({"trained": chain([(2, 0, 0, 0.5, 0.01)])})


def test_columns_of_a_chain_are_its_running_order():
    assert layer_columns(chain()) == [0, 1, 2]


def test_columns_follow_the_longest_path_and_part_what_runs_side_by_side():
    # A residual block with a projection: a feeds b, b feeds c, a feeds the projection d, and c and d feed e.
    layers = [layer(path, [1.0]) for path in "abcde"]
    columns = layer_columns(with_links([(0, 1), (1, 2), (0, 3), (2, 4), (3, 4)], layers))
    assert columns == [0, 0.75, 2, 1.25, 3]


def test_both_sides_of_a_layer_have_columns_and_names():
    sides = [("a", "svr"), ("b", "co_svr"), ("b", "svr"), ("c", "co_svr")]
    graph = with_links([(0, 1), (2, 3)], [layer(path, [1.0], side=side) for path, side in sides])
    assert layer_columns(graph) == [0, 1, 2, 3]
    assert layer_names(graph) == ["a", "b (co-SVR)", "b (SVR)", "c"]


def test_long_names_keep_their_end():
    graph = with_links([(0, 1)], [layer("encoder.blocks.11.attention.out", [1.0]), layer("features.28", [1.0])])
    first, second = layer_names(graph)
    assert first.startswith("…") and "encoder.blocks.11.attention.out".endswith(first[1:]) and len(first) == 18
    assert second == "features.28"


def test_a_real_network_is_drawn_with_all_its_edges():
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(shape, generator=generator) for shape in ((8, 3, 3, 3), (6, 8, 3, 3), (10, 6))]
    found = representation_of_weights(weights)
    graph = svr_graph(found, significant_edges(found, 0.3))
    (axis,) = drawn(draw_svr({"random": graph})).axes
    assert len(edges_drawn(axis).get_segments()) == len(graph.edges) > 0


def planted_adjacency() -> Connection:
    """The first three of five rows fit the first two of four columns."""
    coefficients = torch.full((5, 4), 0.02, dtype=torch.float64)
    coefficients[:3, :2] = 0.6
    return Connection(1, 2, Adjacency(coefficients, channels=6, degrees=1))


def test_adjacencies_are_images_on_one_scale_with_their_internal_dimensions():
    planted = planted_adjacency()
    flat = replace(planted, adjacency=Adjacency(torch.full((5, 4), 0.25, dtype=torch.float64), 4, 1))
    figure = drawn(draw_adjacencies({"before": flat, "after": planted}))
    before, after, bar = figure.axes
    assert np.array_equal(after.images[0].get_array(), planted.adjacency.coefficients.numpy())
    assert before.images[0].get_clim() == after.images[0].get_clim() == (0, 0.6)
    rows, columns = after.lines
    assert set(rows.get_ydata()) == {2.5} and set(columns.get_xdata()) == {1.5}
    assert after.get_title() == "after\n$d_{out}=3$, $d_{in}=2$"
    assert (after.get_xlabel(), after.get_ylabel()) == ("spectral neuron of layer 1", "spectral neuron of layer 2")
    assert bar.get_ylabel() == "coefficient"
    # Black is the largest.
    assert after.images[0].cmap(after.images[0].norm(0.6)) == to_rgba("black")


def test_many_adjacencies_stand_in_rows_of_three():
    figure = drawn(draw_adjacencies({str(number): planted_adjacency() for number in range(4)}))
    grid = figure.axes[0].get_subplotspec().get_gridspec()
    assert (grid.nrows, grid.ncols) == (2, 3)
    assert len([axis for axis in figure.axes if axis.images]) == 4


def test_no_adjacency_is_refused():
    with pytest.raises(ValueError, match="no connections"):
        draw_adjacencies({})


def test_the_scheme_writes_the_shapes_of_all_factors_and_adjacencies():
    found = words(drawn(draw_svr_scheme([784, 40, 30, 10])))
    factors = {"V_{0}^T": "40×784", "V_{1}^T": "30×40", "V_{2}^T": "10×30"}
    factors |= {"U_{0}": "40×40", "U_{1}": "30×30", "U_{2}": "10×10"}
    adjacencies = {"|V_{1}^T U_{0}|^2": "30×40", "|V_{2}^T U_{1}|^2": "10×30"}
    assert {f"${name}$\n{shape}" for name, shape in (factors | adjacencies).items()} <= set(found)
    assert found.count(r"$\psi$") == 2
    assert [word for word in found if word.startswith("layer")] == ["layer 0", "layer 1", "layer 2"]
    assert {"784\ninputs", "40\nneurons", "10\noutputs", "30\nspectral\nneurons"} <= set(found)


def test_the_scheme_shows_all_of_a_short_column_and_a_few_of_a_long_one():
    figure = drawn(draw_svr_scheme([5, 3, 2]))
    counts = [len(points.get_offsets()) for points in vertices_drawn(figure.axes[0])]
    # Neurons of three columns, then spectral neurons of two, and these again as vertices.
    assert counts == [5, 3, 2, 3, 2, 3, 2]
    many = [len(points.get_offsets()) for points in vertices_drawn(draw_svr_scheme([784, 40, 10]).axes[0])]
    assert set(many) == {6}


@pytest.mark.parametrize("widths", [[], [3, 4], [3, 0, 4], list(range(1, 9))])
def test_the_scheme_refuses_widths_that_it_cannot_draw(widths):
    with pytest.raises(ValueError, match=r"expected three to seven positive numbers"):
        draw_svr_scheme(widths)
