"""Equations 19 and 20 by the explicit sum over receptive fields, at all kinds of layers, and what is refused."""

import pytest
import torch
from featurevis_support import CLOSE, explicit_maps, grouped, images, seeded, two_convolutions
from torch import nn

from paperlib.featurevis import Objective, channel_objective, objective, objective_values
from paperlib.featurevis.objectives import paired_values
from paperlib.models import four_layer_cnn
from paperlib.subspaces.layers import LayerError


@pytest.mark.parametrize("inplace", [False, True])
def test_objective_is_the_sum_of_signals_over_receptive_fields(inplace):
    model, given = two_convolutions(inplace), images(5, 1, 9)
    x = model[:2](given).detach()
    expected = explicit_maps(model.conv2, x).sum(2)[:, [0, 3, 5]].float()
    found = objective_values(model, objective(model, "conv2", [0, 3, 5]), given, batch_size=2)
    torch.testing.assert_close(found, expected, **CLOSE)


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_grouped_and_depthwise_layers_with_stride_and_dilation(groups):
    model, given = grouped(groups), images(3, 3, 13)
    x = model[:2](given).detach()
    expected = explicit_maps(model[2], x).sum(2).float()
    found = objective_values(model, objective(model, "2", range(8)), given)
    # Equal singular values of different groups would leave the order open; random ones are apart.
    torch.testing.assert_close(found, expected, **CLOSE)


def test_a_fully_connected_layer_has_one_receptive_field():
    model, given = seeded(four_layer_cnn), images(4, 1, 28)
    x = model[:6](given).detach()
    expected = x.double() @ torch.linalg.svd(model.fc1.weight.double())[2][0]
    found = objective_values(model, objective(model, "fc1", [0]), given)[:, 0]
    largest = torch.linalg.matrix_norm(model.fc1.weight.detach().double(), 2)
    torch.testing.assert_close(found.abs().double(), (largest * expected).abs(), **CLOSE)


def test_a_fully_connected_layer_on_sequences_is_summed_over_them():
    model = seeded(lambda: nn.Sequential(nn.Flatten(2), nn.Linear(64, 5)))
    given = images(3, 4, 8)
    _, S, Vh = torch.linalg.svd(model[1].weight.detach().double(), full_matrices=False)
    expected = S * (given.flatten(2).double().sum(1) @ Vh.T)
    found = objective_values(model, objective(model, "1", range(5)), given).double()
    torch.testing.assert_close(found.abs(), expected.abs(), **CLOSE)


def test_weighted_sets_add_up_and_integers_in_a_tensor_are_directions():
    model, given = two_convolutions(), images(5, 1, 9)
    weights = torch.tensor([[1.0, 0, 0, -2, 0, 0.5], [0, 1, 0, 0, 0, 0]])
    single = objective_values(model, objective(model, "conv2", torch.arange(6)), given)
    found = objective_values(model, objective(model, "conv2", weights), given)
    torch.testing.assert_close(found, single @ weights.T, **CLOSE)


def test_channels_are_the_layers_outputs_without_bias():
    model, given = seeded(four_layer_cnn), images(4, 1, 28)
    found = objective_values(model, channel_objective(model, "fc2", [7, 1]), given)
    torch.testing.assert_close(found, (model(given) - model.fc2.bias)[:, [7, 1]].detach(), **CLOSE)


def test_pairs_are_the_diagonal_and_carry_gradients():
    model, given = two_convolutions(inplace=True), images(3, 1, 9).requires_grad_()
    goal = objective(model, "conv2", [0, 1, 2])
    found = paired_values(model, goal, given)
    torch.testing.assert_close(found.detach(), objective_values(model, goal, given.detach()).diagonal(), **CLOSE)
    (gradient,) = torch.autograd.grad(found.sum(), given)
    shift = 1e-2 * gradient
    change = paired_values(model, goal, (given + shift).detach()) - found.detach()
    torch.testing.assert_close(change, (gradient * shift).flatten(1).sum(1), rtol=0.05, atol=1e-4)


def test_the_model_is_left_as_it_was():
    model = seeded(lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 3)))
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    objective_values(model, objective(model, "2", [0]), images(4, 1, 9))
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_unknown_layers_name_those_there_are():
    with pytest.raises(LayerError, match="no layer 'conv3'; its layers are: conv1, relu1, conv2, relu2"):
        objective(two_convolutions(), "conv3", [0])
    with pytest.raises(LayerError, match="ReLU has no spectral neurons"):
        objective(two_convolutions(), "relu1", [0])


@pytest.mark.parametrize("index", [-1, 6])
def test_directions_out_of_range_say_how_many_there_are(index):
    with pytest.raises(IndexError, match=f"6 directions, 0..5; there is no direction {index}"):
        objective(two_convolutions(), "conv2", [0, index])
    with pytest.raises(IndexError, match="6 channels"):
        channel_objective(two_convolutions(), "conv2", [index])


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ([], "no direction of layer conv2"),
        (torch.ones(6), "weights are \\(6,\\)"),
        (torch.ones(2, 5), "weights are \\(2, 5\\).*\\(images, 6\\)"),
        (torch.ones(0, 6), "weights are \\(0, 6\\)"),
        (torch.tensor([[float("nan")] * 6]), "6 of the weights are NaN"),
        (torch.eye(7, 6)[[0, 6]], "row 1 of the weights is zero"),
    ],
)
def test_targets_that_are_no_directions_are_errors(targets, words):
    with pytest.raises(ValueError, match=words):
        objective(two_convolutions(), "conv2", targets)


def test_images_that_the_model_cannot_take_are_errors():
    model = two_convolutions()
    goal = objective(model, "conv2", [0])
    with pytest.raises(ValueError, match="cannot run on images \\(3, 9, 9\\) as far as conv2"):
        objective_values(model, goal, images(2, 3, 9))
    with pytest.raises(ValueError, match="expected at least one of each"):
        objective_values(model, goal, images(2, 1, 9), batch_size=0)
    with pytest.raises(ValueError, match="expected at least one of each"):
        objective_values(model, goal, images(0, 1, 9))


def test_a_layer_that_is_not_run_is_an_error():
    class Idle(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 2, 3)

        def forward(self, x):
            return self.used(x)

    model = Idle()
    with pytest.raises(LayerError, match="'idle' but does not run it"):
        objective_values(model, Objective("idle", torch.ones(1, 2)), images(1, 1, 9))
