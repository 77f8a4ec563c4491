"""Channels that are taken out: where nothing depended on them the function stays, and the rest is measured."""

import copy

import pytest
import torch
from torch import nn

from paperlib.layers import ConcatenatedSkip, ResidualSkip
from paperlib.models import build, fully_connected
from paperlib.subspaces import LayerError, linear_layer
from paperlib.svr import GraphError, layer_graph
from paperlib.svr.pruning.near_kernel import idle_neurons, near_kernel
from paperlib.svr.pruning.neuron_removal import chain_links, output_change, remove_neurons

# A few hundred float32 additions in another order, relative to the outputs.
FLOAT32 = 1e-5


def conv_network(padding: int = 0, later_bias: bool = False) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=padding),
        nn.BatchNorm2d(8),
        nn.PReLU(8),
        nn.Conv2d(8, 6, 3, padding=padding, bias=later_bias),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.BatchNorm1d(6 * 4),
        nn.Linear(6 * 4, 7),
        nn.Tanh(),
        nn.Linear(7, 4),
    )


def pictures(side: int, count: int = 5) -> torch.Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def with_statistics(model: nn.Module) -> nn.Module:
    """Batch norms as after a training: statistics, scales and shifts of every kind."""
    generator = torch.Generator().manual_seed(2)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            size = module.num_features
            with torch.no_grad():
                module.weight.copy_(torch.rand(size, generator=generator) + 0.5)
                module.bias.copy_(torch.randn(size, generator=generator))
            module.running_mean.copy_(torch.randn(size, generator=generator))
            module.running_var.copy_(torch.rand(size, generator=generator) + 0.5)
    return model.eval()


def silence(model: nn.Module, path: str, neurons: list[int]) -> None:
    with torch.no_grad():
        linear_layer(model, path).weight[neurons] = 0


def test_neurons_that_write_nothing_can_go_and_their_constants_stay():
    """Weights 0 in three layers; biases, batch norm and PReLU make constants of them that the next layers read."""
    model = with_statistics(conv_network())
    neurons = {"0": [1, 6], "3": [0, 4], "9": [2]}
    for path, chosen in neurons.items():
        silence(model, path, chosen)
    pruned = remove_neurons(model, torch.zeros(1, 3, 8, 8), neurons)
    change = output_change(model, pruned.model, pictures(8))
    assert change.relative < FLOAT32 and change.largest < FLOAT32 and change.same_class == 1.0
    assert [(one.path, one.later, one.neurons) for one in pruned.removed] == [
        ("0", "3", (1, 6)), ("3", "9", (0, 4)), ("9", "11", (2,))
    ]  # fmt: skip
    # A PReLU has slopes below zero too, ReLU cuts some constants to 0; each is read at each of four places.
    assert all(one.constants.any() for one in pruned.removed[:2])
    assert [len(one.constants) for one in pruned.removed] == [2, 8, 1]
    shapes = [tuple(module.weight.shape) for module in pruned.model if hasattr(module, "weight")]
    assert shapes == [(6, 3, 3, 3), (6,), (6,), (4, 6, 3, 3), (4,), (16,), (6, 16), (4, 6)]
    assert pruned.model[3].bias is not None and model[3].bias is None
    assert pruned.parameters == sum(p.numel() for p in pruned.model.parameters())
    assert pruned.parameters_before == sum(p.numel() for p in model.parameters())
    assert [pruned.model[9].in_features, pruned.model[9].out_features, pruned.model[3].in_channels] == [16, 6, 6]


def test_neurons_that_nothing_reads_can_go_whatever_they_write():
    model = with_statistics(conv_network(padding=1))
    with torch.no_grad():
        model[3].weight[:, [2, 5]] = 0
    pruned = remove_neurons(model, torch.zeros(1, 3, 4, 4), {"0": torch.tensor([5, 2])})
    assert output_change(model, pruned.model, pictures(4)).relative < FLOAT32
    assert pruned.model[3].bias is None


def test_without_biases_and_shifts_the_constants_are_zero():
    model = fully_connected((9, 8, 7, 3), "relu")
    silence(model, "linear1", [0, 3, 7])
    pruned = remove_neurons(model, torch.zeros(1, 9), {"linear1": [0, 3, 7]})
    assert output_change(model, pruned.model, torch.randn(20, 9)).relative < FLOAT32
    assert pruned.removed[0].constants.tolist() == [0, 0, 0] and pruned.model.linear2.bias is None


def test_a_padding_of_zeros_keeps_constants_from_the_edge_only():
    model = with_statistics(nn.Sequential(*conv_network(padding=1)[:5]))
    silence(model, "0", [1, 6])
    pruned = remove_neurons(model, torch.zeros(1, 3, 9, 9), {"0": [1, 6]})
    x = pictures(9)
    with torch.no_grad():
        difference = (model(x) - pruned.model(x)).abs()
    assert difference[..., 1:-1, 1:-1].max() < 1e-5
    assert difference[..., 0, :].max() > 1e-2


def test_what_is_not_idle_shows_in_the_output():
    model = with_statistics(conv_network())
    pruned = remove_neurons(model, torch.zeros(1, 3, 8, 8), {"0": [1, 6]})
    assert output_change(model, pruned.model, pictures(8)).relative > 0.01


def test_idle_neurons_of_a_vgg_are_found_and_taken_from_the_weights_alone():
    """Planted in two pairs of layers of a VGG with batch norm, a ten-thousandth as strong as the others."""
    model = with_statistics(build("vgg", depth=11, width=0.25, batch_norm=True, classes=10, hidden=12, pooled=1))
    planted = {"features.0": ("features.4", [3, 4, 9]), "features.25": ("classifier.0", [0, 100])}
    for path, (later, chosen) in planted.items():
        with torch.no_grad():
            linear_layer(model, path).weight[chosen] *= 1e-4
            linear_layer(model, later).weight[:, chosen] *= 1e-4
    found = {
        link.earlier: idle_neurons(near_kernel(*(linear_layer(model, path) for path in (link.earlier, link.later))))
        for link in chain_links(layer_graph(model, torch.zeros(1, 3, 32, 32)))
    }
    assert {path: chosen.tolist() for path, chosen in found.items() if len(chosen)} == {
        path: chosen for path, (_, chosen) in planted.items()
    }
    pruned = remove_neurons(model, torch.zeros(1, 3, 32, 32), found)
    assert [one.path for one in pruned.removed] == list(planted)
    change = output_change(model, pruned.model, torch.rand(4, 3, 32, 32))
    assert change.relative < 1e-3 and change.same_class == 1.0


def test_residual_networks_lose_channels_inside_their_blocks():
    model = with_statistics(build("resnet18"))
    silence(model, "layer1.0.conv1", [5, 7])
    links = chain_links(layer_graph(model, torch.zeros(1, 1, 28, 28)))
    assert {(link.earlier, link.later) for link in links} == {
        (f"layer{stage}.{block}.conv1", f"layer{stage}.{block}.conv2") for stage in range(1, 5) for block in range(2)
    }
    # The padded second convolution reads a constant, which its edge does not have: none here.
    with torch.no_grad():
        model.layer1[0].bn1.bias[[5, 7]] = -10.0
    pruned = remove_neurons(model, torch.zeros(1, 1, 28, 28), {"layer1.0.conv1": [5, 7]})
    assert pruned.removed[0].constants.tolist() == [0, 0]
    assert output_change(model, pruned.model, torch.rand(3, 1, 28, 28)).relative < FLOAT32


def test_the_model_is_left_as_it_was_and_nothing_to_take_changes_nothing():
    model = conv_network().train()
    model[0].weight.requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    pruned = remove_neurons(model, torch.zeros(2, 3, 8, 8), {"0": [0], "3": []})
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in pruned.model.modules())
    assert [p.requires_grad for p in pruned.model[0].parameters()] == [False, True]
    assert all(module.training for module in pruned.model.modules()) and len(pruned.removed) == 1


@pytest.mark.parametrize(
    ("model", "path", "error", "message"),
    [
        (nn.Sequential(nn.Conv2d(3, 4, 1), ResidualSkip(nn.Conv2d(4, 4, 1)), nn.Conv2d(4, 2, 1)), "0", GraphError,
         "layer 0 does not feed exactly one layer that nothing else feeds; the layers that do are: none"),
        (nn.Sequential(nn.Conv2d(3, 4, 1), ConcatenatedSkip(nn.Conv2d(4, 4, 1)), nn.Conv2d(8, 2, 1)), "1.branch",
         GraphError, "does not feed exactly one layer"),
        (nn.Sequential(ResidualSkip(nn.Conv2d(3, 3, 1)), nn.Conv2d(3, 2, 1)), "0.branch", GraphError,
         "the channels of layer 0.branch lead elsewhere than to 1"),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1, groups=2)), "0", LayerError, "layer 1 has 2 groups"),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.GroupNorm(2, 4), nn.Conv2d(4, 4, 1)), "0", LayerError,
         r"module 1 \(GroupNorm\) stands between 0 and 2"),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)), "1", GraphError, "the layers that do are: 0"),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)), "7", LayerError, "no linear layer '7'"),
    ],
    ids=["sum", "concatenation", "sum with the input", "groups", "group norm", "last", "missing"],
)  # fmt: skip
def test_channels_that_cannot_be_taken_out_are_named(model, path, error, message):
    with pytest.raises(error, match=message):
        remove_neurons(model, torch.zeros(1, 3, 4, 4), {path: [0]})


def test_neurons_that_do_not_exist_or_are_all_are_refused():
    model = fully_connected((5, 4, 3))
    for wrong in ([4], [-1, 2]):
        with pytest.raises(ValueError, match="layer linear1 has neurons 0 to 3"):
            remove_neurons(model, torch.zeros(1, 5), {"linear1": wrong})
    with pytest.raises(ValueError, match="all 4 neurons of layer linear1 would go"):
        remove_neurons(model, torch.zeros(1, 5), {"linear1": range(4)})
