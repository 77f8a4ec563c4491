"""Equivalence classes, partial order and Hasse diagram, on known hypergraphs and on random ones."""

import networkx
import torch
from hypergraph_support import graph_of
from hypothesis import given
from hypothesis import strategies as st

from paperlib.hypergraphs import (
    equivalence_classes,
    hierarchy_to_networkx,
    semantic_hierarchy,
    strict_order,
    transitive_reduction,
)


def test_known_hierarchy():
    graph = graph_of(["abcd", "ab", "abcd", "a", "bc", "c"], nodes=(0, 2, 3, 5, 7, 11))
    found = semantic_hierarchy(graph)
    assert [(one.members, one.hyperedges) for one in found.classes] == [
        ((0, 3), (0, 1, 2, 3)), ((2,), (0, 1)), ((7,), (1, 2)), ((5,), (0,)), ((11,), (2,))
    ]  # fmt: skip
    # Not from the top to 'a' and 'c': 'ab' and 'bc' lie between.
    assert found.edges == ((0, 1), (0, 2), (1, 3), (2, 4))
    assert found.levels == (0, 1, 1, 2, 2) and found.top == 0
    assert found.names_of(2) == ("b", "c")
    assert graph.hyperedges == {"a": (0, 2, 3, 5), "b": (0, 2, 3, 7), "c": (0, 3, 7, 11), "d": (0, 3)}


def test_levels_are_longest_chains():
    # 'a' lies below 'abc' directly in no diagram, but by way of 'ab'.
    found = semantic_hierarchy(graph_of(["abc", "ab", "a", "d"]))
    by_name = {one.name: level for one, level in zip(found.classes, found.levels, strict=True)}
    assert by_name == {0: 0, 1: 1, 2: 2, 3: 0} and found.top is None


def test_empty_hypergraph_and_one_class():
    assert semantic_hierarchy(graph_of([])).classes == ()
    alone = semantic_hierarchy(graph_of(["a", "a"], classes="a"))
    assert [one.members for one in alone.classes] == [(0, 1)] and alone.edges == () and alone.top == 0


def test_classes_that_do_not_contain_each_other_are_not_ordered():
    assert semantic_hierarchy(graph_of(["ab", "bc", "cd"])).edges == ()


subsets = st.lists(st.text("abcde", min_size=1, max_size=5), max_size=12)


@given(subsets)
def test_equal_class_sets_make_a_partition(sets):
    graph = graph_of(sets, "abcde")
    classes = equivalence_classes(graph)
    members = sorted(member for one in classes for member in one.members)
    assert members == list(graph.nodes)
    # (17) is an equivalence: together exactly where the class sets are the same.
    home = {member: place for place, one in enumerate(classes) for member in one.members}
    for i in graph.nodes:
        for j in graph.nodes:
            assert (home[i] == home[j]) == (set(sets[i]) == set(sets[j]))


@given(subsets)
def test_the_order_is_strict_and_transitive(sets):
    table = graph_of(sets, "abcde").incidence
    order = strict_order(table)
    n = len(order)
    assert not order.diagonal().any() and not (order & order.T).any()
    assert not ((order.double() @ order.double() > 0) & ~order).any()
    for i in range(n):
        for j in range(n):
            assert bool(order[i, j]) == (set(sets[i]) > set(sets[j]))


@given(subsets)
def test_the_hasse_diagram_is_the_transitive_reduction(sets):
    graph = graph_of(sets, "abcde")
    found = semantic_hierarchy(graph)
    whole = networkx.DiGraph()
    whole.add_nodes_from(range(len(found.classes)))
    whole.add_edges_from(
        (i, j)
        for i, one in enumerate(found.classes)
        for j, other in enumerate(found.classes)
        if set(one.hyperedges) > set(other.hyperedges)
    )
    assert set(found.edges) == set(networkx.transitive_reduction(whole).edges)
    drawn = hierarchy_to_networkx(found)
    for node, about in drawn.nodes.items():
        above = networkx.ancestors(drawn, node)
        longest = networkx.dag_longest_path_length(drawn.subgraph({node} | above)) if above else 0
        assert about["level"] == longest


def test_the_reduction_of_a_chain_is_its_steps():
    order = torch.ones(5, 5, dtype=torch.bool).triu(1)
    assert transitive_reduction(order).nonzero().tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
