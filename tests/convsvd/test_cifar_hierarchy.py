"""Directions of living things and of vehicles in a planted network, and pictures that come back from a result."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from paperlib.convsvd.cifar_hierarchy import (
    CLASSES,
    LIVING,
    MEASURES,
    VEHICLES,
    Edges,
    PicturedFamily,
    convolution_path,
    directions_of,
    from_values,
    part_of,
    pictured_family,
    to_values,
)
from paperlib.convsvd.cifar_study import affinity_correlations, edge_panels, kept_study, study_values
from paperlib.datasets import ImageData
from paperlib.engine.results import Result, plain
from paperlib.featurevis import VisualisationSettings
from paperlib.hypergraphs import Family

# Channel values of an image of each kind; the layer's directions are the three axes, by decreasing singular value.
LIT = {"living": (1.0, 0.0, 0.2), "vehicles": (0.0, 1.0, 0.2)}
SETTINGS = VisualisationSettings(size=(8, 8), channels=3, steps=3)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    network = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.ReLU(), nn.Conv2d(3, 2, 3))
    with torch.no_grad():
        network[0].weight.copy_(torch.diag(torch.tensor([4.0, 3.0, 2.0])).reshape(3, 3, 1, 1))
    return network.requires_grad_(False)


@pytest.fixture(scope="module")
def data() -> ImageData:
    labels = torch.arange(10).repeat_interleave(2)
    kinds = [LIT["living" if CLASSES[label] in LIVING else "vehicles"] for label in labels]
    generator = torch.Generator().manual_seed(0)
    noise = 0.01 * torch.rand(20, 3, 8, 8, generator=generator)
    images = torch.tensor(kinds).reshape(20, 3, 1, 1) * (1 - noise)
    return ImageData(images, labels, "planted", "test", "Planted", "here", "")


@pytest.fixture(scope="module")
def found(model, data) -> PicturedFamily:
    return pictured_family(model, "0", data, [0.5, 0.7], [60, 100], settings=SETTINGS, seeds=[0, 1], count=2)


def test_all_classes_belong_to_one_group():
    assert sorted(LIVING + VEHICLES) == sorted(CLASSES)


def test_convolutions_are_counted_from_one(model):
    assert [convolution_path(model, number) for number in (1, 2)] == ["0", "2"]
    for wrong in (0, 3):
        with pytest.raises(IndexError, match=f"has 2 convolutions, 1..2; there is no {wrong}"):
            convolution_path(model, wrong)


def test_directions_of_planted_groups(found):
    graph = found.family.hypergraph(0.7, 100)
    assert graph.nodes == (0, 1)
    assert directions_of(graph, LIVING) == (0,)
    assert directions_of(graph, VEHICLES) == (1,)
    assert directions_of(graph, CLASSES) == (0, 1)
    assert directions_of(graph, ("bird", "cat")) == ()


def test_a_part_has_the_rows_of_its_nodes(found):
    graph = found.family.hypergraph(0.5, 60)
    assert graph.nodes == (0, 1, 2)
    part = part_of(graph, [2, 1])
    assert part.nodes == (1, 2)
    assert torch.equal(part.incidence, graph.incidence[1:])
    assert (part.q, part.p, part.classes) == (graph.q, graph.p, graph.classes)
    with pytest.raises(ValueError, match=r"\[5\] are no nodes of the hypergraph"):
        part_of(graph, [1, 5])


def test_every_node_anywhere_has_its_pictures(found, data):
    assert set(found.optimised) == set(found.exemplary) == {0, 1, 2}
    for node, images in found.optimised.items():
        assert images.shape == (1, 3, 8, 8)
        for name, measure in MEASURES.items():
            numbers = found.edges[name].optimised[node]
            assert numbers[0] == pytest.approx(measure(images).item())
            # Another start gives another image.
            assert len(set(numbers)) == 2
    # Direction 0 is the first channel: its best images are of living things.
    first = found.exemplary[0]
    assert first.shape == (2, 3, 8, 8) and (first[:, 0] > 0.9).all()
    ships = data.images[data.labels == CLASSES.index("ship")]
    for name, measure in MEASURES.items():
        assert found.edges[name].exemplary[0] == pytest.approx(measure(first).tolist())
        assert found.edges[name].classes["ship"] == pytest.approx(measure(ships).mean().item())


def test_values_keep_everything(found):
    values = json.loads(json.dumps(plain(to_values(found), "values")))
    back = from_values(values)
    assert vars(back.family).keys() == vars(found.family).keys()
    for q in (0.5, 0.7):
        one, other = (family.hypergraph(q, 60) for family in (found.family, back.family))
        assert one.nodes == other.nodes and torch.equal(one.incidence, other.incidence)
    # Six digits of singular values, eight bits of pictures.
    assert torch.allclose(back.family.singular_values, found.family.singular_values, rtol=1e-5)
    for before, after in ((found.optimised, back.optimised), (found.exemplary, back.exemplary)):
        assert before.keys() == after.keys()
        assert all((before[node] - after[node]).abs().max() < 0.51 / 255 for node in before)
    assert back.edges == found.edges


def planted(living: float, vehicles: float) -> PicturedFamily:
    """Six directions of either group, with gradients around the two numbers."""
    counts = torch.zeros(1, 12, 10, dtype=torch.int64)
    counts[0, :6, [CLASSES.index(name) for name in LIVING]] = 4
    counts[0, 6:, CLASSES.index("truck")] = 4
    S = torch.linspace(12, 1, 12, dtype=torch.float64)
    family = Family("conv", CLASSES, (0.9,), (75.0,), torch.tensor([1.5]), counts, torch.full((10,), 4), S)
    numbers = {node: (base, base + 0.1) for node in range(12) for base in [(living if node < 6 else vehicles) + node]}
    edges = Edges(numbers, {node: (7.0,) for node in range(12)}, dict.fromkeys(CLASSES, 1.0))
    image = torch.zeros(1, 3, 2, 2)
    return PicturedFamily(family, dict.fromkeys(range(12), image), {}, dict.fromkeys(MEASURES, edges))


def test_study_values_of_planted_groups():
    values = study_values(planted(0.0, 100.0), 0.9, 75.0, draws=4000, seed=0)
    assert (values["nodes"], values["classes"], values["hyperedges"], values["edges"]) == (12, 2, 7, 0)
    assert (values["threshold"], values["top_all"]) == (1.5, False)
    assert values["living"]["nodes"] == values["living"]["whole"] == [0, 1, 2, 3, 4, 5]
    # Trucks alone are not all vehicles.
    assert values["vehicles"]["nodes"] == [6, 7, 8, 9, 10, 11] and values["vehicles"]["whole"] == []
    assert values["vehicles"]["singular_values"] == [6, 5, 4, 3, 2, 1]
    assert values["gradient"]["living"] == pytest.approx([node + 0.05 for node in range(6)])
    assert values["gradient"]["difference"] == pytest.approx(2.5 - 108.5)
    # One division of 924 is as extreme.
    assert values["gradient"]["p_below"] < 0.005
    assert values["sharpness"] == values["gradient"]
    for same in (values["exemplary"]["sharpness"], values["baseline"]["gradient"]):
        assert same["difference"] == 0 and same["p_two_sided"] == 1


def test_affinity_with_living_things_orders_the_directions():
    study = planted(0.0, 0.0)
    # From all living things to none, as the edges get sharper from direction to direction.
    counts = torch.zeros(1, 12, 10, dtype=torch.int64)
    for node in range(12):
        counts[0, node, [CLASSES.index(name) for name in LIVING[: 6 - node // 2]]] = 4
        counts[0, node, CLASSES.index("ship")] = node % 2
    found = affinity_correlations(replace(study, family=replace(study.family, counts=counts)), 0.9)
    assert found["directions"] == 12
    assert found["sharpness"]["spearman"] == pytest.approx(-1) and found["sharpness"]["p_value"] < 1e-6
    assert found["gradient"] == found["sharpness"]


def test_without_a_group_there_is_no_comparison(found):
    family = found.family
    counts = family.counts * torch.tensor([1, 0, 0]).reshape(1, 3, 1)
    bare = replace(found, family=replace(family, counts=counts))
    values = study_values(bare, 0.7, 100, draws=10, seed=0)
    assert values["vehicles"]["nodes"] == [] and "difference" not in values["gradient"]
    assert "difference" in values["baseline"]["gradient"]


def test_panels_have_a_row_for_each_direction_and_class():
    panels = edge_panels(planted(0.0, 100.0), "sharpness", 0.9, 75.0)
    assert list(panels) == ["optimised images", "exemplary images", "all images of a class"]
    assert list(panels["optimised images"]["living things"]) == [f"v{node}" for node in range(6)]
    assert panels["optimised images"]["vehicles"]["v6"] == (106.0, 106.1)
    assert list(panels["all images of a class"]["vehicles"]) == list(VEHICLES)


def test_a_kept_result_must_have_been_measured_alike(found):
    names = (
        "per_class",
        "depth",
        "layer",
        "quantiles",
        "majorities",
        "steps",
        "seeds",
        "seed",
        "data",
        "width",
        "epochs",
    )
    parameters = dict.fromkeys(names, 1)
    result = Result(
        id="x/y", profile="laptop", parameters=parameters, data=[{"name": "cifar10"}], seeds={},
        values=plain({"pictured": to_values(found)}, "values"), residuals={}, versions={}, threads=1, device="cpu",
        commit=None, seconds=1, date="",
    )  # fmt: skip
    back, provenance = kept_study(parameters, result)
    assert back.edges == found.edges and provenance == [{"name": "cifar10"}]
    with pytest.raises(ValueError, match="kept result was measured with layer = 1; set images to"):
        kept_study(parameters | {"layer": 2}, result)
