"""Links between linear layers: chains, flattening, residual sums, concatenations, and what cannot be followed."""

import networkx
import pytest
import torch
from torch import nn

from paperlib.layers import ConcatenatedSkip, ResidualSkip
from paperlib.models import build, fully_connected, mnist_cnn
from paperlib.subspaces import LayerError
from paperlib.svr import GraphError, Link, layer_graph


def pairs(graph):
    return [(link.earlier, link.later) for link in graph.links]


def test_a_chain_of_fully_connected_layers():
    graph = layer_graph(fully_connected((784, 40, 40, 10), "relu"), torch.zeros(1, 1, 28, 28))
    assert graph.layers == ("linear1", "linear2", "linear3")
    assert graph.links == (Link("linear1", "linear2", 0, 40, 1), Link("linear2", "linear3", 0, 40, 1))


def test_convolutions_pooling_and_flattening():
    graph = layer_graph(mnist_cnn(), torch.zeros(2, 1, 28, 28))
    assert graph.layers == ("conv1", "conv2", "linear1", "linear2", "linear3")
    assert pairs(graph) == [(a, b) for a, b in zip(graph.layers, graph.layers[1:], strict=False)]
    assert graph.links[0] == Link("conv1", "conv2", 0, 32, 1)
    assert graph.links[1] == Link("conv2", "linear1", 0, 64, 49)


def test_resnet18_is_an_acyclic_graph_with_every_sum():
    graph = layer_graph(build("resnet18"), torch.zeros(1, 1, 28, 28))
    assert len(graph.layers) == 21
    drawn = networkx.DiGraph(pairs(graph))
    assert networkx.is_directed_acyclic_graph(drawn) and len(drawn) == 21
    assert [a for a, b in pairs(graph) if b == "layer1.0.conv1"] == ["conv1"]
    # The second block adds its input, which is a sum already.
    assert set(drawn.predecessors("layer1.1.conv1")) == {"layer1.0.conv2", "conv1"}
    assert set(drawn.predecessors("layer2.0.conv1")) == {"layer1.1.conv2", "layer1.0.conv2", "conv1"}
    assert set(drawn.predecessors("layer2.0.downsample.0")) == set(drawn.predecessors("layer2.0.conv1"))
    # A shortcut with a convolution ends what came before.
    assert set(drawn.predecessors("layer2.1.conv1")) == {"layer2.0.conv2", "layer2.0.downsample.0"}
    assert set(drawn.predecessors("fc")) == {"layer4.1.conv2", "layer4.0.conv2", "layer4.0.downsample.0"}
    assert {link.places for link in graph.links} == {1}


def test_concatenation_shifts_the_inputs():
    branch = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), nn.ReLU())
    model = nn.Sequential(nn.Conv2d(3, 4, 1), ConcatenatedSkip(branch), nn.Conv2d(10, 2, 1))
    graph = layer_graph(model, torch.zeros(1, 3, 5, 5))
    assert graph.links == (
        Link("0", "1.branch.0", 0, 4, 1), Link("1.branch.0", "2", 0, 6, 1), Link("0", "2", 6, 4, 1)
    )  # fmt: skip


def test_a_concatenation_may_be_flattened():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), ConcatenatedSkip(nn.Conv2d(4, 6, 1)), nn.Flatten(), nn.Linear(90, 2))
    graph = layer_graph(model, torch.zeros(1, 3, 3, 3))
    assert graph.links[-2:] == (Link("1.branch", "3", 0, 6, 9), Link("0", "3", 54, 4, 9))


def test_residual_sums_link_both():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), ResidualSkip(nn.Conv2d(4, 4, 3, padding=1)), nn.Conv2d(4, 2, 1))
    assert pairs(layer_graph(model, torch.zeros(1, 3, 5, 5))) == [("0", "1.branch"), ("1.branch", "2"), ("0", "2")]


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(torch.relu(self.layer(x)))


def test_a_layer_that_runs_twice_follows_itself():
    graph = layer_graph(Twice(), torch.zeros(2, 4))
    assert graph.layers == ("layer",) and pairs(graph) == [("layer", "layer")]


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.Conv2d(2, 2, 3))
    model[2].eval()
    before = [module.training for module in model.modules()]
    assert pairs(layer_graph(model, torch.rand(2, 1, 8, 8))) == [("0", "3")]
    assert [module.training for module in model.modules()] == before
    assert model[1].num_batches_tracked == 0


class Shuffles(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 1), nn.Conv2d(2, 3, 1)

    def forward(self, x):
        return self.second(nn.functional.pixel_shuffle(self.first(x), 2))


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else x


def test_what_cannot_be_followed_is_named():
    with pytest.raises(
        GraphError, match=r"'pixel_shuffle' \(pixel_shuffle\) takes \[\(1, 8, 4, 4\)\] to \(1, 2, 8, 8\)"
    ):
        layer_graph(Shuffles(), torch.zeros(1, 3, 4, 4))
    with pytest.raises(GraphError, match=r"Branches cannot be traced by torch.fx"):
        layer_graph(Branches(), torch.zeros(1, 4))
    with pytest.raises(LayerError, match="Sequential runs no fully connected layer and no convolution"):
        layer_graph(nn.Sequential(nn.ReLU()), torch.zeros(1, 4))
