"""Hypergraphs of permuted labels."""

import pytest
import torch

from paperlib.hypergraphs import chance_structures, significance, structure_of

NAMES = list("abcd")


def planted(seed=0):
    """Direction 0 is strong everywhere, 1 to 4 in one class each, the others are noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(200) % 4
    signals = 0.1 * torch.randn(200, 12, generator=generator)
    signals[:, 0] += 5
    for label in range(4):
        signals[labels == label, 1 + label] += 5
    return signals, labels


def test_chance_keeps_what_is_common_and_loses_what_tells_classes_apart():
    signals, labels = planted()
    own = structure_of([significance(signals, labels, NAMES, 0.8, 75).table])
    assert [own.nodes.item(), own.classes.item(), own.general.item(), own.incidences.item()] == [5, 5, 1, 8]
    found = chance_structures(signals, labels, NAMES, 0.8, 75, draws=30, seed=1)
    assert len(found) == 30
    for sizes in (found.nodes, found.classes, found.general):
        assert sizes.tolist() == [1] * 30
    assert found.hyperedges.tolist() == [4] * 30 and found.incidences.tolist() == [4] * 30


def test_each_draw_is_the_significance_of_permuted_labels():
    signals = torch.randn(40, 6, generator=torch.Generator().manual_seed(3))
    labels = torch.arange(40) % 4
    for per_direction in (False, True):
        settings = {"per_direction": per_direction}
        found = chance_structures(signals, labels, NAMES, 0.4, 60, draws=5, seed=7, **settings)
        generator = torch.Generator().manual_seed(7)
        tables = [
            significance(signals, labels[torch.randperm(40, generator=generator)], NAMES, 0.4, 60, **settings).table
            for _ in range(5)
        ]
        expected = structure_of(tables)
        assert found.nodes.tolist() == expected.nodes.tolist()
        assert found.incidences.tolist() == expected.incidences.tolist() and found.incidences.unique().numel() > 1


def test_the_seed_determines_the_draws():
    signals = torch.randn(40, 6, generator=torch.Generator().manual_seed(3))
    labels = torch.arange(40) % 4
    one, same, other = (
        chance_structures(signals, labels, NAMES, 0.4, 60, draws=8, seed=seed).incidences.tolist() for seed in (0, 0, 1)
    )
    assert one == same != other


def test_refusals():
    signals, labels = planted()
    with pytest.raises(ValueError, match="draws is 0"):
        chance_structures(signals, labels, NAMES, 0.8, 75, draws=0, seed=0)
    with pytest.raises(ValueError, match="p is 20"):
        chance_structures(signals, labels, NAMES, 0.8, 20, draws=1, seed=0)


def test_sizes_of_no_table():
    found = structure_of([torch.zeros(3, 2, dtype=torch.bool)])
    assert [getattr(found, name).item() for name in vars(found)] == [0, 0, 0, 0, 0]
