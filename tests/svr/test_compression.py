"""Networks cut to their leading spectral neurons against truncated matrices, and the ranks of internal dimensions."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from paperlib.models import build, fully_connected
from paperlib.subspaces import LayerError
from paperlib.svr import Adjacency, internal_dimensions, spectral_neurons
from paperlib.svr.pruning.compression import compress, internal_ranks
from paperlib.svr.representation import Connection, Layer, Representation

LAYERS = {
    "linear": (nn.Linear(40, 30), (40,)),
    "linear without bias": (nn.Linear(30, 40, bias=False), (30,)),
    "strided": (nn.Conv2d(8, 16, 3, stride=2, padding=1), (8, 9, 9)),
    "dilated, reflected": (nn.Conv2d(8, 16, 3, dilation=2, padding=2, padding_mode="reflect"), (8, 9, 9)),
    "flat": (nn.Conv2d(8, 16, (1, 5), padding="same"), (8, 5, 6)),
    "1-D": (nn.Conv1d(8, 16, 4), (8, 12)),
    "3-D": (nn.Conv3d(4, 16, (1, 2, 3)), (4, 3, 4, 5)),
    "grouped": (nn.Conv2d(8, 16, 3, groups=2), (8, 6, 6)),
    "depthwise": (nn.Conv2d(8, 8, 3, groups=8), (8, 6, 6)),
}


def inputs(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(3, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def truncated(layer: nn.Module, rank: int) -> nn.Module:
    """The layer with its weights cut to the rank by a dense SVD of its full matrix, groups written out."""
    groups = getattr(layer, "groups", 1)
    weight = layer.weight.detach().flatten(1)
    U, S, Vh = np.linalg.svd(torch.block_diag(*weight.chunk(groups)).numpy(), full_matrices=False)
    cut = torch.from_numpy((U[:, :rank] * S[:rank]) @ Vh[:rank])
    rows, columns = len(weight) // groups, weight.shape[1]
    blocks = [cut[g * rows : (g + 1) * rows, g * columns : (g + 1) * columns] for g in range(groups)]
    made = copy.deepcopy(layer)
    made.weight = nn.Parameter(torch.cat(blocks).reshape(layer.weight.shape))
    return made


@pytest.mark.parametrize("rank", [2, 8])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_compute_what_their_truncated_matrices_do(name, rank):
    layer, shape = LAYERS[name]
    layer = copy.deepcopy(layer).double()
    found = compress(nn.Sequential(layer), {"0": rank})
    x = inputs(shape)
    torch.testing.assert_close(found.model(x), truncated(layer, rank)(x), rtol=0, atol=1e-12)
    (summary,) = found.layers
    # Two layers without groups have more parameters than one of many groups.
    assert summary.factored == ((name, rank) not in (("grouped", 8), ("depthwise", 2), ("depthwise", 8)))
    values = spectral_neurons(layer).S
    assert (summary.neurons, summary.kept) == (len(values), rank)
    assert summary.energy == pytest.approx((values[:rank].square().sum() / values.square().sum()).item(), abs=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_all_neurons_are_the_layer_itself(name):
    layer, shape = LAYERS[name]
    layer = copy.deepcopy(layer).double()
    rank = min(torch.block_diag(*layer.weight.flatten(1).chunk(getattr(layer, "groups", 1))).shape)
    found = compress(nn.Sequential(layer), {"0": rank})
    torch.testing.assert_close(found.model(inputs(shape)), layer(inputs(shape)), rtol=0, atol=1e-12)
    # Two layers of full rank have more parameters than the one: it stays one.
    assert not found.layers[0].factored and found.parameters == found.parameters_before
    assert found.layers[0].energy == 1.0


def test_parameters_are_those_of_the_cheaper_form():
    model = fully_connected((100, 60, 50, 10), "relu", bias=True)
    found = compress(model, {"linear1": 20, "linear2": 40, "linear3": 5})
    first, second, third = found.layers
    assert (first.parameters_before, first.parameters) == (100 * 60 + 60, 20 * 160 + 60)
    # 40 (60 + 50) is more than 60 times 50.
    assert (second.parameters_before, second.parameters, second.factored) == (3050, 3050, False)
    assert (third.parameters_before, third.parameters) == (510, 5 * 60 + 10)
    assert found.parameters_before == sum(p.numel() for p in model.parameters())
    assert found.parameters == sum(p.numel() for p in found.model.parameters())
    assert found.parameters_before - found.parameters == 6060 - 3260 + 510 - 310
    convolution = compress(nn.Sequential(nn.Conv2d(16, 32, 3)), {"0": 4}).layers[0]
    assert (convolution.parameters_before, convolution.parameters) == (16 * 32 * 9 + 32, 4 * (16 * 9 + 32) + 32)


def test_a_planted_rank_loses_nothing_in_whole_networks():
    generator = torch.Generator().manual_seed(3)
    for name, shape in (("mnist_cnn", (1, 28, 28)), ("resnet18", (1, 28, 28)), ("vgg", (3, 32, 32))):
        options = {"depth": 11, "width": 0.1, "pooled": 1, "hidden": 16, "classes": 10} if name == "vgg" else {}
        model = build(name, **options).eval()
        ranks = {}
        for path, layer in model.named_modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                matrix = layer.weight.detach().flatten(1)
                ranks[path] = max(1, min(matrix.shape) // 4)
                mixed = torch.randn(ranks[path], len(matrix), generator=generator) @ matrix / len(matrix) ** 0.5
                planted = torch.randn(len(matrix), ranks[path], generator=generator) @ mixed / ranks[path] ** 0.5
                layer.weight.data.copy_(planted.reshape(layer.weight.shape))
        found = compress(model, ranks)
        x = torch.rand(2, *shape, generator=generator)
        with torch.no_grad():
            expected, result = model(x), found.model(x)
        # Float32 through up to twenty layers, relative to the outputs.
        assert (result - expected).abs().max() < 1e-4 * expected.abs().max(), name
        assert found.parameters < 0.7 * found.parameters_before
        assert [layer.kept for layer in found.layers] == list(ranks.values())
        assert all(layer.energy > 1 - 1e-6 for layer in found.layers)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(20, 20)
        self.again = nn.Sequential(nn.ReLU(), self.first)

    def forward(self, x):
        return self.again(self.first(x))


def test_the_model_stays_and_a_shared_layer_is_replaced_wherever_it_stands():
    model = Shared().train()
    model.first.weight.requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    found = compress(model, {"first": 3})
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert isinstance(model.first, nn.Linear)
    assert found.model.first is found.model.again[1] and isinstance(found.model.first, nn.Sequential)
    assert all(module.training for module in found.model.modules())
    assert {name: p.requires_grad for name, p in found.model.first.named_parameters()} == {
        "0.weight": False, "1.weight": False, "1.bias": True
    }  # fmt: skip
    alone = compress(nn.Linear(20, 20), {"": 3})
    assert isinstance(alone.model, nn.Sequential) and alone.layers[0].path == ""


def test_layers_without_weights_and_ranks_beyond_the_numerical_one():
    layer = nn.Linear(6, 6).double()
    with torch.no_grad():
        layer.weight.copy_(torch.diag(torch.tensor([3.0, 2.0, 0, 0, 0, 0])))
    found = compress(nn.Sequential(layer), {"0": 5})
    assert (found.layers[0].neurons, found.layers[0].kept, found.layers[0].factored) == (2, 2, True)
    with torch.no_grad():
        layer.weight.zero_()
    found = compress(nn.Sequential(layer), {"0": 1})
    assert (found.layers[0].kept, found.layers[0].energy) == (0, 1.0)
    torch.testing.assert_close(found.model(inputs((6,))), layer(inputs((6,))), rtol=0, atol=0)


def test_ranks_and_layers_that_do_not_exist_are_refused():
    model = nn.Sequential(nn.Conv2d(2, 30, 3), nn.ConvTranspose2d(30, 2, 3))
    for rank in (0, 19):
        with pytest.raises(ValueError, match=f"layer 0 cannot keep {rank} spectral neurons; .* in 1..18"):
            compress(model, {"0": rank})
    with pytest.raises(LayerError, match="layer 1 is a ConvTranspose2d, which has no spectral neurons"):
        compress(model, {"1": 1})
    with pytest.raises(LayerError, match="no linear layer '2'"):
        compress(model, {"2": 1})


def block(d_out: int, d_in: int, rows: int, columns: int) -> Adjacency:
    """An adjacency matrix whose internal dimensions are planted."""
    coefficients = torch.full((rows, columns), 0.01, dtype=torch.float64)
    coefficients[:d_out, :d_in] = 0.1
    found = Adjacency(coefficients, 20, 1)
    assert internal_dimensions(found).d_out == d_out and internal_dimensions(found).d_in == d_in
    return found


def representation(*connections: tuple[int, int, Adjacency]) -> Representation:
    paths = ("a", "b", "c", "d")
    layers = [Layer(path, "fully_connected", "svr", (20, 20), torch.ones(20)) for path in paths]
    return Representation(tuple(layers), tuple(Connection(*one) for one in connections), "ignored")


def test_ranks_of_a_chain_by_each_reading():
    found = representation((0, 1, block(4, 6, 20, 20)), (1, 2, block(8, 3, 20, 20)), (2, 3, block(2, 9, 10, 20)))
    assert internal_ranks(found) == {"a": 6, "b": 3, "c": 9, "d": 2}
    assert internal_ranks(found, "as_later") == {"a": 6, "b": 4, "c": 8, "d": 2}
    assert internal_ranks(found, "larger") == {"a": 6, "b": 4, "c": 9, "d": 2}
    assert internal_ranks(found, "smaller") == {"a": 6, "b": 3, "c": 8, "d": 2}


def test_of_several_neighbours_the_largest_dimension_counts_and_loners_have_none():
    found = representation((0, 1, block(4, 6, 20, 20)), (0, 2, block(8, 3, 20, 20)), (1, 2, block(5, 7, 20, 20)))
    assert internal_ranks(found) == {"a": 6, "b": 7, "c": 8}
    assert internal_ranks(found, "smaller") == {"a": 6, "b": 4, "c": 8}


def test_readings_that_do_not_exist_and_networks_without_connections_are_refused():
    with pytest.raises(ValueError, match="reading is 'both'; expected one of as_earlier, as_later, larger, smaller"):
        internal_ranks(representation((0, 1, block(1, 1, 3, 3))), "both")
    with pytest.raises(ValueError, match="the representation has no connections"):
        internal_ranks(representation())
    co_svr = Layer("a", "convolution", "co_svr", (20, 20, 3, 3), torch.ones(20))
    with pytest.raises(ValueError, match=r"layer a is in the co-SVR; .* expected kind 'svr'"):
        internal_ranks(Representation((co_svr,), (Connection(0, 0, block(1, 1, 3, 3)),)))
