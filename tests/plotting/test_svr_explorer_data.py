"""What the explorer's page is given: all numbers of the graphs, and nothing that a page cannot hold."""

import base64
from dataclasses import replace

import numpy as np
import pytest
import torch
from svr_graph_support import ROWS, chain, layer, with_links

from paperlib.plotting.svr_explorer import payload as payload_module
from paperlib.plotting.svr_explorer.payload import payload
from paperlib.svr import representation_of_weights, significant_edges, svr_graph


def array(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)


def test_vertices_are_layer_after_layer():
    graph = chain()
    (moment,) = payload([graph], ["trained"])["moments"]
    assert moment["label"] == "trained"
    assert [one["count"] for one in moment["layers"]] == [3, 3, 2]
    assert array(moment["singularValues"], "<f4").tolist() == [4, 2, 1, 3, 1.5, 0.5, 2.5, 0.25]
    # A step of an eight-bit intensity is 1 / 255; 0.5 is 127.5 of them, 0.2 is 51 and 0.4 is 102.
    assert array(moment["intensities"], "u1").tolist() == [255, 128, 0, 51, 255, 102, 255, 255]


def test_layers_say_what_they_are_and_where_they_stand():
    first, second, last = payload([chain()], ["trained"])["moments"][0]["layers"]
    assert first == {
        "path": "conv", "name": "conv", "kind": "convolution", "side": "svr", "shape": "3 × 3 × 3 × 3", "count": 3,
        "place": round(1 / 6, 5),
    }  # fmt: skip
    assert (second["kind"], second["shape"]) == ("fully_connected", "3 × 3")
    assert [second["place"], last["place"]] == [0.5, round(5 / 6, 5)]


def test_layers_side_by_side_stay_within_the_drawing():
    layers = [layer(path, [1.0]) for path in "abc"]
    # Two layers that nothing feeds, and one that both feed; then one that feeds two.
    for links in ([(0, 2), (1, 2)], [(0, 1), (0, 2)]):
        places = [one["place"] for one in payload([with_links(links, layers)], ["x"])["moments"][0]["layers"]]
        assert len(set(places)) == 3 and min(places) > 0 and max(places) < 1


def test_edges_are_connection_after_connection_with_indices_within_their_layers():
    (moment,) = payload([chain()], ["trained"])["moments"]
    links = moment["connections"]
    assert [(link["earlier"], link["later"], link["edges"]) for link in links] == [(0, 1, 3), (1, 2, 2)]
    assert array(moment["earlier"], "<u2").tolist() == [row[1] for row in ROWS]
    assert array(moment["later"], "<u2").tolist() == [row[2] for row in ROWS]
    assert array(moment["coefficients"], "<f4") == pytest.approx([row[3] for row in ROWS], rel=1e-7)
    assert 10.0 ** -array(moment["significances"], "<f4") == pytest.approx([row[4] for row in ROWS], rel=1e-5)


def test_edges_in_another_order_are_sorted_by_connection():
    graph = chain()
    shuffled = replace(graph, edges=graph.edges[torch.tensor([3, 0, 4, 2, 1])])
    (moment,) = payload([shuffled], ["trained"])["moments"]
    assert [link["edges"] for link in moment["connections"]] == [3, 2]
    found = list(zip(array(moment["earlier"], "<u2").tolist(), array(moment["later"], "<u2").tolist(), strict=True))
    assert found == [(0, 0), (2, 1), (1, 2), (0, 1), (2, 0)]


def test_the_test_of_the_edges_goes_along():
    found = payload([chain(significant=(9, 2), most=3), chain(cut=0.01)], ["a", "b"])
    first, second = found["moments"]
    assert found["level"] == 0.15
    assert (first["cut"], first["candidates"], first["most"]) == (0.15, 12, 3)
    assert [link["significant"] for link in first["connections"]] == [9, 2]
    assert (second["cut"], second["most"]) == (0.01, None)


def test_graphs_without_a_significant_edge_have_a_level_for_the_slider():
    found = payload([chain([], cut=0.0, correction="false_discovery_rate")], ["a"])
    assert found["level"] == 0.15
    assert [array(found["moments"][0][name], "<f4").size for name in ("coefficients", "significances")] == [0, 0]


def test_the_smallest_p_value_stays_finite():
    tiny = torch.finfo(torch.float64).tiny
    (moment,) = payload([chain([(0, 0, 0, 1.0, tiny)])], ["a"])["moments"]
    assert array(moment["significances"], "<f4") == pytest.approx([307.65], abs=0.01)


def test_a_real_representation_comes_back_from_the_arrays():
    generator = torch.Generator().manual_seed(1)
    weights = [torch.randn(shape, generator=generator) for shape in ((6, 3, 3, 3), (8, 6, 3, 3), (5, 8))]
    found = representation_of_weights(weights)
    edges = significant_edges(found, 0.4)
    (moment,) = payload([svr_graph(found, edges)], ["random"])["moments"]
    first = 0
    for link, connection in zip(moment["connections"], found.connections, strict=True):
        own = slice(first, first + link["edges"])
        later, earlier = (array(moment[name], "<u2")[own] for name in ("later", "earlier"))
        coefficients = connection.adjacency.coefficients.numpy()[later, earlier]
        assert array(moment["coefficients"], "<f4")[own] == pytest.approx(coefficients, rel=1e-6)
        first += link["edges"]
    assert first == len(edges) > 0


def test_what_a_page_cannot_hold_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="1 graphs have 2 labels"):
        payload([chain()], ["a", "b"])
    with pytest.raises(ValueError, match="0 graphs have 0 labels"):
        payload([], [])
    with pytest.raises(ValueError, match=r"\['a', 'a'\]; expected different ones"):
        payload([chain(), chain()], ["a", "a"])
    with pytest.raises(ValueError, match=r"b: edges reach spectral neuron 5 of layer 'hidden', which has 3"):
        payload([chain(), chain([(0, 0, 5, 0.5, 0.01)])], ["a", "b"])
    monkeypatch.setattr(payload_module, "MOST_EDGES", 4)
    with pytest.raises(ValueError, match=r"trained: 5 edges are more than the 4 .* smaller p"):
        payload([chain()], ["trained"])
