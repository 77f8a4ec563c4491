"""Projection heat maps: the explicit signals of receptive fields, whose sum is the objective."""

import pytest
import torch
from featurevis_support import CLOSE, explicit_maps, grouped, images, seeded, two_convolutions

from paperlib.featurevis import objective, objective_values, projection_heat_maps
from paperlib.models import four_layer_cnn
from paperlib.subspaces.layers import LayerError


@pytest.mark.parametrize("inplace", [False, True])
def test_maps_are_scaled_projections_of_receptive_fields(inplace):
    model, given = two_convolutions(inplace), images(5, 1, 9)
    expected = explicit_maps(model.conv2, model[:2](given).detach())[:, [4, 0]].unflatten(2, (7, 7)).float()
    torch.testing.assert_close(projection_heat_maps(model, "conv2", given, [4, 0], batch_size=2), expected, **CLOSE)


@pytest.mark.parametrize("groups", [1, 4, 8])
def test_maps_of_grouped_layers_with_stride(groups):
    model, given = grouped(groups), images(2, 3, 14)
    expected = explicit_maps(model[2], model[:2](given).detach()).unflatten(2, (4, 4)).float()
    torch.testing.assert_close(projection_heat_maps(model, "2", given, range(8)), expected, **CLOSE)


def test_maps_sum_to_the_objective():
    model, given = two_convolutions(), images(3, 1, 12)
    maps = projection_heat_maps(model, "conv2", given, [0, 1, 2])
    assert maps.shape == (3, 3, 10, 10)
    values = objective_values(model, objective(model, "conv2", [0, 1, 2]), given)
    torch.testing.assert_close(maps.sum((2, 3)), values, **CLOSE)


def test_a_fully_connected_layer_has_numbers_for_maps():
    model, given = seeded(four_layer_cnn), images(3, 1, 28)
    found = projection_heat_maps(model, "fc1", given, [0, 5])
    torch.testing.assert_close(found, objective_values(model, objective(model, "fc1", [0, 5]), given), **CLOSE)


def test_layers_and_directions_that_are_not_there():
    model = two_convolutions()
    with pytest.raises(LayerError, match="no layer 'conv9'"):
        projection_heat_maps(model, "conv9", images(1, 1, 9), [0])
    with pytest.raises(IndexError, match="layer conv1 has 4 directions"):
        projection_heat_maps(model, "conv1", images(1, 1, 9), [4])
