"""The graph of spectral neurons in networkx, as a table, and to JSON and back."""

import json

import networkx
import pytest
import torch

from paperlib.svr import (
    edge_table,
    from_json,
    internal_dimensions,
    layer_intensities,
    representation_of_weights,
    significant_edges,
    svr_graph,
    to_json,
    to_networkx,
)


def network():
    generator = torch.Generator().manual_seed(0)
    shapes = [(6, 3, 3, 3), (8, 6, 3, 3), (5, 32), (4, 5)]
    names = ("features.0", "features.2", "classifier.0", "classifier.2")
    return {name: torch.randn(shape, generator=generator) for name, shape in zip(names, shapes, strict=True)}


def graph(kind="svr", **settings):
    whole = representation_of_weights(network(), kind=kind)
    return whole, svr_graph(whole, significant_edges(whole, **({"p": 0.3} | settings)))


def test_a_graph_has_what_sums_up_its_connections():
    whole, found = graph()
    assert found.layers == whole.layers and found.batch_norm == "ignored"
    for values, expected in zip(found.intensities, layer_intensities(whole), strict=True):
        assert torch.equal(values, expected)
    for one, connection in zip(found.connections, whole.connections, strict=True):
        expected = internal_dimensions(connection.adjacency)
        assert (one.earlier, one.later) == (connection.earlier, connection.later)
        assert (one.d_out, one.d_in, one.excess) == (expected.d_out, expected.d_in, expected.excess)
        assert one.channels == connection.adjacency.channels and 0 < one.energy < 1


def test_networkx_has_every_neuron_and_every_edge():
    whole, found = graph()
    drawn = to_networkx(found)
    assert len(drawn) == 6 + 8 + 5 + 4 and drawn.number_of_edges() == len(found.edges) > 10
    assert networkx.is_directed_acyclic_graph(drawn)
    node = drawn.nodes["features.2", "svr", 3]
    assert node["layer"] == 1 and node["singular_value"] == whole.layers[1].singular_values[3].item()
    assert node["intensity"] == found.intensities[1][3].item()
    names = [layer.path for layer in whole.layers]
    for (early, _, column), (late, _, row), data in drawn.edges(data=True):
        connection = whole.connections[names.index(early)]
        assert names[connection.later] == late
        assert data["weight"] == connection.adjacency.coefficients[row, column].item()
        assert data["p_value"] <= 0.3


def test_the_two_sides_of_a_layer_are_different_nodes():
    whole, found = graph("mixed")
    drawn = to_networkx(found)
    assert len(whole.layers) == 6
    assert {side for path, side, _ in drawn if path == "features.2"} == {"svr", "co_svr"}
    assert len(drawn) == sum(len(layer.singular_values) for layer in whole.layers)


def test_a_table_has_a_row_for_each_edge():
    whole, found = graph()
    table = edge_table(found)
    assert len(table) == len(found.edges) and set(table.earlier_layer) <= set(network())
    assert list(table.coefficient) == found.edges.coefficient.tolist()
    row = table.iloc[-1]
    late = whole.layers[[layer.path for layer in whole.layers].index(row.later_layer)]
    assert row.later_value == late.singular_values[row.later_neuron].item() and row.later_side == "svr"


@pytest.mark.parametrize("settings", [{}, {"correction": "false_discovery_rate", "p": 0.01}, {"most": 3, "p": 0.9}])
@pytest.mark.parametrize("kind", ["svr", "mixed"])
def test_json_and_back(kind, settings):
    _, found = graph(kind, **settings)
    again = from_json(to_json(found, digits=17))
    for one, other in zip(again.layers, found.layers, strict=True):
        assert (one.path, one.kind, one.side, one.weight_shape) == (
            other.path, other.kind, other.side, other.weight_shape
        )  # fmt: skip
        assert torch.equal(one.singular_values, other.singular_values)
    assert again.connections == found.connections and again.batch_norm == found.batch_norm
    for values, expected in zip(again.intensities, found.intensities, strict=True):
        assert torch.equal(values, expected)
    edges, expected = vars(again.edges), vars(found.edges)
    assert edges.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, torch.Tensor):
            assert edges[name].dtype == value.dtype and torch.equal(edges[name], value)
        else:
            assert edges[name] == value


def test_json_is_compact_and_strict():
    _, found = graph()
    text = to_json(found)
    assert " " not in text and len(text) < 0.7 * len(to_json(found, digits=17))
    # No NaN or Infinity, which JSON does not have.
    data = json.loads(text, parse_constant=pytest.fail)
    assert (data["schema"], data["version"]) == ("paperlib.svr.graph", 1)
    again = from_json(text)
    torch.testing.assert_close(again.edges.coefficient, found.edges.coefficient, rtol=5e-6, atol=0)
    torch.testing.assert_close(again.layers[0].singular_values, found.layers[0].singular_values, rtol=5e-6, atol=0)


def test_a_graph_without_edges_is_written_too():
    _, found = graph(p=1e-12)
    again = from_json(to_json(found))
    assert len(again.edges) == 0 and len(edge_table(again)) == 0 and to_networkx(again).number_of_edges() == 0
    assert again.edges.later.dtype == torch.int64
    _, nothing = graph(p=1e-12, correction="false_discovery_rate")
    assert json.loads(to_json(nothing), parse_constant=pytest.fail)["connections"][0]["threshold"] is None


@pytest.mark.parametrize("text", ['{"schema": "paperlib.svr.graph", "version": 2}', '{"nodes": []}', "[1, 2]"])
def test_other_json_is_refused(text):
    with pytest.raises(ValueError, match=r"expected 'paperlib.svr.graph', version 1"):
        from_json(text)
