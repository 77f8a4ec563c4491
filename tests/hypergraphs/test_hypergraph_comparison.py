"""Comparison of two hypergraphs, by direction and by class sets."""

import math

import pytest
import torch
from hypergraph_support import graph_of

from paperlib.hypergraphs import compare


def test_a_hypergraph_agrees_with_itself():
    graph = graph_of(["abcd", "ab", "c"])
    for by in ("directions", "class_sets"):
        found = compare(graph, graph, by)
        assert found.overall == found.structure == 1 and found.by_class.tolist() == [1, 1, 1, 1]
        assert found.pairs == ((0, 0), (1, 1), (2, 2)) and found.only_first == found.only_second == ()


def test_known_indices_by_direction():
    first, second = graph_of(["ab", "a", "d"], nodes=(0, 1, 4)), graph_of(["a", "a", "b"], nodes=(0, 2, 4))
    found = compare(first, second)
    # a: {0, 1} and {0, 2}; b: {0} and {4}; c: none; d: {4} and none.
    assert found.by_class.tolist()[:2] == [pytest.approx(1 / 3), 0] and math.isnan(found.by_class[2])
    assert found.by_class[3] == 0 and found.overall == pytest.approx(1 / 6)
    assert found.pairs == ((0, 0), (4, 4)) and found.only_first == (1,) and found.only_second == (2,)
    # Collections {ab, a, d} and {a, b}.
    assert found.structure == 1 / 4


def test_class_sets_match_nodes_of_another_order():
    first = graph_of(["abcd", "ab", "c"], nodes=(0, 1, 2))
    second = graph_of(["c", "abcd", "ab"], nodes=(5, 6, 9))
    found = compare(first, second, "class_sets")
    assert set(found.pairs) == {(0, 6), (1, 9), (2, 5)} and found.overall == found.structure == 1
    assert compare(first, second).pairs == () and compare(first, second).overall == 0


def test_the_matching_is_the_best_one():
    # Greedily 'abc' would take 'ab', which leaves 'a' and 'bcd' with nothing in common.
    first, second = graph_of(["abc", "ab"]), graph_of(["ab", "abcd"])
    assert compare(first, second, "class_sets").pairs == ((0, 1), (1, 0))


def test_nodes_with_nothing_in_common_are_no_pair():
    found = compare(graph_of(["a"]), graph_of(["b"]), "class_sets")
    assert found.pairs == () and found.overall == 0 and found.only_first == (0,)


def test_empty_hypergraphs():
    found = compare(graph_of([]), graph_of([]), "class_sets")
    assert math.isnan(found.overall) and math.isnan(found.structure) and torch.isnan(found.by_class).all()
    assert compare(graph_of(["a"]), graph_of([])).overall == 0


def test_refusals():
    with pytest.raises(ValueError, match="by is 'names'; expected one of directions, class_sets"):
        compare(graph_of(["a"]), graph_of(["a"]), "names")
    with pytest.raises(ValueError, match="the hypergraphs have the classes a, b and b, a"):
        compare(graph_of(["a"], "ab"), graph_of(["a"], "ba"))
