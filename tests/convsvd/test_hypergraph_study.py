"""The studies of the notebooks of Figures 6 and 7, on a small network and on planted signals."""

import pytest
import torch
from torch import nn

from paperlib.convsvd import hypergraph_study as study
from paperlib.datasets import ImageData
from paperlib.hypergraphs import LayerSignals, chance_structures, semantic_hierarchy, signal_vectors, significance


def bars(count=60, seed=0):
    """Images with a bright bar: at the left (class 0), at the right (class 1) or on top (class 2)."""
    generator = torch.Generator().manual_seed(seed)
    images = 0.1 * torch.rand(count, 1, 12, 12, generator=generator)
    labels = torch.arange(count) % 3
    images[labels == 0, :, :, :3] += 0.8
    images[labels == 1, :, :, -3:] += 0.8
    images[labels == 2, :, :3, :] += 0.8
    return ImageData(images, labels, "bars", "test", "Bars", "made here", "0" * 64)


def network(seed=0):
    torch.manual_seed(seed)
    layers = [nn.Conv2d(1, 6, 3), nn.ReLU(inplace=True), nn.Conv2d(6, 8, 3), nn.ReLU(inplace=True), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(8 * 64, 16))


def test_a_layer_is_studied_as_by_hand():
    data, model = bars(), network()
    found = study.study_layer(model, data, "5", 0.7, 60)
    signals = signal_vectors(model, data.images, ["5"])["5"]
    table = significance(signals, data.labels, ["0", "1", "2"], 0.7, 60).table
    assert torch.equal(found.hypergraph.incidence, table[table.any(1)])
    assert found.hierarchy == semantic_hierarchy(found.hypergraph)
    values = found.values()
    assert values["nodes"] == int(table.any(1).sum()) and values["hyperedges"] == int(table.any(0).sum())
    assert values["top_all"] == bool(table.all(1).any())
    assert values["mean_size"] == pytest.approx(float(table.sum()) / 3)
    members = [member for one in values["members"] for member in one]
    assert sorted(members) == list(found.hypergraph.nodes)
    flat = [value for one in values["singular_values"] for value in one]
    assert flat == [float(signals.singular_values[member]) for member in members]
    for one, labels in zip(found.hierarchy.classes, values["labels"], strict=True):
        assert [int(label) for label in labels] == list(one.hyperedges)


def test_the_size_bound_holds_and_is_reached():
    assert study.mean_size_bound(0.85, 75, 64) == pytest.approx(12.8)
    # Half of the directions carry every image: all that lies above the median is theirs.
    signals = torch.cat([torch.rand(40, 5) + 2, torch.rand(40, 5)], 1)
    table = significance(signals, torch.arange(40) % 2, ["a", "b"], 0.5, 100).table
    # The rank is rounded down, so that one signal more may lie above than q says.
    assert float(table.sum()) / 2 == study.mean_size_bound(0.5, 100, 10) == 5


def test_networks_of_other_seeds_are_compared_pair_by_pair():
    data = bars()
    models = {seed: network(seed) for seed in (0, 1, 2)}
    band = study.network_band(models, data, "5", 0.7, 60)
    sizes = [study.study_layer(model, data, "5", 0.7, 60).values() for model in models.values()]
    assert band.structures.nodes.tolist() == [one["nodes"] for one in sizes]
    assert band.structures.classes.tolist() == [one["classes"] for one in sizes]
    assert band.top_all == tuple(one["top_all"] for one in sizes)
    assert len(band.overall) == len(band.structure) == 3 and (0 <= band.overall).all() and (band.overall <= 1).all()
    twice = study.network_band({0: models[0], 1: models[0]}, data, "5", 0.7, 60)
    assert twice.overall.tolist() == twice.structure.tolist() == [1]
    alone = study.network_band({0: models[0]}, data, "5", 0.7, 60).values()
    assert alone["nodes"] == [sizes[0]["nodes"]] and alone["overlap"] == []


def test_samples_are_those_of_a_balanced_subset():
    data, model = bars(120), network()
    found = study.sample_structures(model, data, "2", 0.6, 60, per_class=15, draws=6, seed=3)
    again = study.sample_structures(model, data, "2", 0.6, 60, per_class=15, draws=6, seed=3)
    assert len(found) == 6 and found.to_lists() == again.to_lists()
    whole = study.sample_structures(model, data, "2", 0.6, 60, per_class=40, draws=2, seed=0)
    # Every image is in every sample: the order alone differs.
    own = study.study_layer(model, data, "2", 0.6, 60).values()
    assert whole.nodes.tolist() == [own["nodes"]] * 2 and whole.classes.tolist() == [own["classes"]] * 2


def planted():
    """Direction 0 positive in all images, 1 negative in all, 2 positive in class 0 and negative in class 1."""
    data = bars()
    table = torch.zeros(60, 6)
    table[:, 0], table[:, 1] = 5, -5
    table[data.labels == 0, 2], table[data.labels == 1, 2] = 4, -4
    signals = LayerSignals("planted", table, torch.arange(6.0).flip(0), torch.eye(6), torch.eye(6))
    return study.study_signals(signals, data, 0.75, 60)


def test_signs_decide_which_directions_are_nodes():
    found = planted()
    assert found.hypergraph.hyperedges == {"0": (0, 2), "1": (0,), "2": (0,)}
    signs = study.random_signs(40, 6, 0)
    sizes = study.sign_structures(found, draws=40, seed=0)
    # Nodes of every class: 0 where its sign stays, 1 where it turns. Where both are above, they fill the upper quarter
    # by themselves, the threshold is their own signal, and nothing is strictly greater.
    above = (signs[:, 0] > 0).long() + (signs[:, 1] < 0).long()
    assert sizes.general.tolist() == (above == 1).long().tolist()
    # Direction 2 is positive in one class either way.
    assert sizes.nodes.tolist() == [{0: 1, 1: 2, 2: 0}[count] for count in above.tolist()]


def test_random_signs_are_fair_and_fixed_by_the_seed():
    signs = study.random_signs(200, 50, 1)
    assert set(signs.unique().tolist()) == {-1, 1} and abs(float(signs.mean())) < 4 / 100
    assert torch.equal(signs, study.random_signs(200, 50, 1)) and not torch.equal(signs, study.random_signs(200, 50, 2))


def test_groups_are_the_same_from_recorded_values():
    found = planted()
    chance = chance_structures(found.signals, found.data.labels, found.hypergraph.classes, 0.75, 60, draws=3, seed=0)
    models = {0: network(0), 1: network(1)}
    band = study.network_band(models, found.data, "5", 0.7, 60)
    recorded = {"seeds": band.values(), "samples": chance.to_lists(), "signs": chance.to_lists()}
    groups = study.recorded_groups(recorded | {"chance": chance.to_lists()})
    assert list(groups) == ["other samples", "networks by seed", "other signs", "permuted labels"]
    assert groups["networks by seed"].to_lists() == band.structures.to_lists()
    assert groups["permuted labels"].to_lists() == chance.to_lists()
    assert next(iter(study.size_groups(found, groups))) == "this hypergraph"
    assert study.size_groups(found, groups)["this hypergraph"].nodes.tolist() == [2]
