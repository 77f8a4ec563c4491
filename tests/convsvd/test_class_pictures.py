"""Pictures of equivalence classes: objectives of sets of directions, and the better of several ascents."""

import pytest
import torch
from torch import nn

from paperlib.convsvd.class_pictures import class_pictures, class_weights
from paperlib.featurevis import VisualisationSettings, exemplary_images
from paperlib.hypergraphs import EquivalenceClass, SemanticHierarchy, signal_vectors


def hierarchy(path):
    classes = (EquivalenceClass((0, 2), (0, 1)), EquivalenceClass((1,), (1,)))
    return SemanticHierarchy(path, ("a", "b"), classes, ((0, 1),), (0, 1))


def network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 3, 3), nn.ReLU(inplace=True), nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 64, 5))


def pictures(path, directions, steps=(30,), **changed):
    settings = [VisualisationSettings(size=(12, 12), steps=count, **changed) for count in steps]
    images = torch.rand(9, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    model = network()
    found = class_pictures(model, hierarchy(path), directions, images, count=3, settings=settings, seed=0)
    return model, images, found


def test_weights_are_ones_at_members():
    assert class_weights(hierarchy("x"), 4).tolist() == [[1, 0, 1, 0], [0, 1, 0, 0]]


@pytest.mark.parametrize(("path", "directions", "positions"), [("2", 4, 64), ("5", 5, 1)])
def test_objectives_are_sums_of_signals_and_exemplars_have_the_largest(path, directions, positions):
    model, images, found = pictures(path, directions)
    signals = signal_vectors(model, images, [path])[path].signals
    sums = positions * torch.stack([signals[:, 0] + signals[:, 2], signals[:, 1]], 1)
    expected = exemplary_images(sums, images, 3)
    assert torch.equal(found.exemplars.indices, expected.indices)
    torch.testing.assert_close(found.exemplars.values, expected.values, rtol=1e-4, atol=1e-4)
    own = signal_vectors(model, found.optimised, [path])[path].signals
    values = positions * torch.stack([own[0, 0] + own[0, 2], own[1, 1]])
    torch.testing.assert_close(found.objectives, values, rtol=1e-4, atol=1e-4)
    recorded = found.values()
    assert recorded["optimised"] == found.objectives.tolist() and recorded["attempts"] == [1, 1]
    assert all(high > low for high, low in zip(recorded["optimised"], recorded["best_training"], strict=True))


def test_heat_maps_add_up_to_the_objectives_of_the_exemplars():
    _, _, found = pictures("2", 4)
    assert found.heat_maps.shape == (2, 3, 8, 8)
    torch.testing.assert_close(found.heat_maps.sum((2, 3)), found.exemplars.values, rtol=1e-4, atol=1e-4)
    assert pictures("5", 5)[2].heat_maps is None


def test_an_ascent_that_stays_below_the_images_is_tried_again():
    # One small step from grey rises above no image, and the second settings do.
    _, _, weak = pictures("5", 5, steps=(1,))
    assert (weak.objectives < weak.exemplars.values[:, 0]).all()
    _, _, found = pictures("5", 5, steps=(1, 60))
    assert found.attempts == (2, 2) and (found.objectives > found.exemplars.values[:, 0]).all()
    # A second ascent that is no better than the first leaves the first.
    _, _, same = pictures("5", 5, steps=(1, 1))
    assert torch.equal(same.optimised, weak.optimised) and same.attempts == (2, 2)
