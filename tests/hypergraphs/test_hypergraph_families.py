"""Families over quantiles and majorities: the same as one by one, and monotone in both."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paperlib.hypergraphs import LayerSignals, families, hypergraph, significance

QUANTILES = [0.0, 0.3, 0.5, 0.85, 0.95, 1.0]
MAJORITIES = [50.5, 60.0, 75.0, 100.0]
NAMES = ["zero", "one", "two"]


def sample(seed, images=90, directions=7, coarse=False):
    generator = torch.Generator().manual_seed(seed)
    signals = torch.randn(images, directions, generator=generator) + torch.randn(directions, generator=generator)
    # Rounded to a few values, many of which are the threshold itself.
    signals = (2 * signals).round() / 2 if coarse else signals
    return signals, torch.cat([torch.arange(3), torch.randint(3, (images - 3,), generator=generator)])


@pytest.mark.parametrize("per_direction", [False, True])
@pytest.mark.parametrize("coarse", [False, True])
def test_a_family_is_the_tables_one_by_one(per_direction, coarse):
    signals, labels = sample(1, coarse=coarse)
    family = families(signals, labels, NAMES, QUANTILES, MAJORITIES, per_direction=per_direction)
    tables = family.incidences()
    assert tables.shape == (6, 4, 7, 3)
    for i, q in enumerate(QUANTILES):
        for j, p in enumerate(MAJORITIES):
            alone = significance(signals, labels, NAMES, q, p, per_direction=per_direction)
            assert torch.equal(tables[i, j], alone.table)
            one = family.significance(q, p)
            assert torch.equal(one.counts, alone.counts) and torch.equal(one.threshold, alone.threshold)
            assert family.hypergraph(q, p).hyperedges == hypergraph(alone).hyperedges


def test_lists_are_sorted_and_each_value_is_there_once():
    signals, labels = sample(2)
    family = families(signals, labels, NAMES, [0.9, 0.1, 0.9], [75, 60])
    assert family.quantiles == (0.1, 0.9) and family.majorities == (60.0, 75.0)


@given(st.integers(0, 2**31 - 1), st.booleans(), st.booleans())
def test_raising_q_or_p_never_adds_an_incidence(seed, per_direction, coarse):
    signals, labels = sample(seed, images=30, directions=4, coarse=coarse)
    tables = families(signals, labels, NAMES, QUANTILES, MAJORITIES, per_direction=per_direction).incidences()
    assert not (tables[1:] & ~tables[:-1]).any()
    assert not (tables[:, 1:] & ~tables[:, :-1]).any()


def test_the_number_of_equivalence_classes_is_not_monotone():
    """Nodes can only go when q rises, but their class sets may become different."""
    signals = torch.tensor([[3.0, 3.0, 0.0], [3.0, 2.0, 0.0], [3.0, 1.0, 0.0]])
    family = families(signals, torch.arange(3), NAMES, [0.3, 0.6, 0.8], [75])
    sets = [len(set(family.hypergraph(q, 75).class_sets)) for q in family.quantiles]
    assert sets == [1, 2, 0]


def test_json_holds_all_that_the_tables_follow_from():
    signals, labels = sample(3)
    family = families(signals, labels, NAMES, QUANTILES, MAJORITIES)
    found = json.loads(family.to_json())
    assert (found["schema"], found["version"]) == ("paperlib.hypergraphs.family", 1)
    assert found["classes"] == NAMES and found["singular_values"] is None
    counts, sizes = torch.tensor(found["counts"]), torch.tensor(found["sizes"])
    tables = torch.stack([100 * counts >= p * sizes for p in found["majorities"]], 1)
    assert torch.equal(tables, family.incidences())


def test_signals_of_a_layer_bring_their_path_and_values():
    signals, labels = sample(4)
    layer = LayerSignals("conv2", signals, torch.arange(7.0).flip(0), torch.eye(7), torch.eye(7))
    family = families(layer, labels, NAMES, [0.5], [75])
    assert family.path == family.hypergraph(0.5, 75).path == "conv2"
    assert json.loads(family.to_json())["singular_values"] == [6, 5, 4, 3, 2, 1, 0]
    assert len(layer) == 90


def test_refusals():
    signals, labels = sample(5)
    with pytest.raises(ValueError, match="0 quantiles and 1 majorities"):
        families(signals, labels, NAMES, [], [75])
    with pytest.raises(ValueError, match=r"q is 1\.5"):
        families(signals, labels, NAMES, [0.5, 1.5], [75])
    with pytest.raises(ValueError, match="p is 30"):
        families(signals, labels, NAMES, [0.5], [75, 30])
    family = families(signals, labels, NAMES, [0.5, 0.9], [75])
    with pytest.raises(ValueError, match=r"0\.7 is not among the quantiles of this family: 0\.5, 0\.9"):
        family.hypergraph(0.7, 75)
    with pytest.raises(ValueError, match="80 is not among the majorities"):
        family.significance(0.5, 80)
