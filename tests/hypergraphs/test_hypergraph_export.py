"""HIF there and back, against the format's schema; copies for HyperNetX and networkx."""

import json

import hypernetx
import jsonschema
import matplotlib
import pytest
import torch
from hypergraph_support import graph_of
from hypothesis import given
from hypothesis import strategies as st

from paperlib.hypergraphs import from_hif, hierarchy_to_networkx, semantic_hierarchy, to_hif, to_hypernetx

_NAME = {"type": ["string", "integer"]}
_COMMON = {"weight": {"type": "number"}, "attrs": {"type": "object"}}


def _records(**properties):
    entry = {"type": "object", "properties": properties | _COMMON, "additionalProperties": False}
    names = [name for name in properties if name != "direction"]
    return {"type": "array", "items": entry | {"required": names}}


# What the standard (github.com/HIF-org/HIF-standard) asks of an object.
SCHEMA = {
    "type": "object",
    "properties": {
        "network-type": {"enum": ["undirected", "directed", "asc"]},
        "metadata": {"type": "object"},
        "incidences": _records(edge=_NAME, node=_NAME, direction={"enum": ["head", "tail"]}),
        "nodes": _records(node=_NAME),
        "edges": _records(edge=_NAME),
    },
    "additionalProperties": False,
    "required": ["incidences"],
}


def same(one, other):
    names = ("path", "classes", "nodes", "q", "p")
    assert all(getattr(one, name) == getattr(other, name) for name in names)
    assert torch.equal(one.incidence, other.incidence)
    assert torch.allclose(one.threshold, other.threshold)


@given(st.lists(st.text("abcde", min_size=1, max_size=5), max_size=9))
def test_there_and_back(sets):
    graph = graph_of(sets, "abcde", tuple(range(3, 3 + len(sets))))
    found = json.loads(json.dumps(to_hif(graph)))
    jsonschema.validate(found, SCHEMA)
    same(from_hif(found), graph)


def test_a_class_without_nodes_is_no_hyperedge_but_is_kept():
    found = to_hif(graph_of(["ab", "a"], "abc"))
    assert found["edges"] == [{"edge": "a"}, {"edge": "b"}]
    assert found["incidences"] == [{"edge": "a", "node": 0}, {"edge": "a", "node": 1}, {"edge": "b", "node": 0}]
    assert from_hif(found).empty_classes == ("c",)


def test_thresholds_of_each_direction():
    graph = graph_of(["a"])
    found = to_hif(type(graph)(**vars(graph) | {"threshold": torch.tensor([0.5, 0.25])}))
    assert from_hif(found).threshold.tolist() == [0.5, 0.25]


def test_the_order_of_records_does_not_matter():
    graph = graph_of(["abc", "b", "cd"])
    found = to_hif(graph)
    same(from_hif(found | {"nodes": found["nodes"][::-1], "incidences": found["incidences"][::-1]}), graph)


REFUSALS = {
    "metadata of another program": ({"metadata": {"name": "mine"}}, "metadata lack path, classes, q, p, threshold"),
    "directed": ({"network-type": "directed"}, "network type is 'directed'"),
    "unknown node": ({"incidences": [{"edge": "a", "node": 9}]}, "names a node or a class that is not listed"),
    "node alone": ({"incidences": []}, "a node lies in no hyperedge"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_other_objects_are_refused(case):
    changed, words = REFUSALS[case]
    with pytest.raises(ValueError, match=words):
        from_hif(to_hif(graph_of(["ab", "a"])) | changed)


def test_hypernetx_gets_the_same_incidences():
    graph = graph_of(["abd", "b", "bd"], "abcd", (2, 5, 7))
    with matplotlib.rc_context():
        before = dict(matplotlib.rcParams)
        found = to_hypernetx(graph)
        assert dict(matplotlib.rcParams) == before
    assert {name: tuple(found.edges[name]) for name in found.edges} == graph.hyperedges
    assert sorted(found.nodes) == [2, 5, 7]


def test_hypernetx_reads_the_hif_object(monkeypatch):
    """It fetches the schema from the network; here the test's own one answers."""

    class Answer:
        text = json.dumps(SCHEMA)

    monkeypatch.setattr("hypernetx.hif.requests.get", lambda _: Answer)
    graph = graph_of(["abd", "b", "bd"], "abcd", (2, 5, 7))
    found = hypernetx.from_hif(to_hif(graph))
    assert {name: tuple(sorted(found.edges[name])) for name in found.edges} == graph.hyperedges


def test_the_hierarchy_as_a_graph():
    found = hierarchy_to_networkx(semantic_hierarchy(graph_of(["abcd", "ab", "ab", "c"])))
    assert set(found.edges) == {(0, 1), (0, 3)}
    assert found.nodes[1] == {"members": (1, 2), "classes": ("a", "b"), "level": 1}
