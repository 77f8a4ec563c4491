"""Cosine similarity of spatial activations of two images."""

import pytest
import torch
import torch.nn.functional as F
from featurevis_support import seeded, two_convolutions

from paperlib.featurevis import image_similarities, similarity_maps, spatial_activations
from paperlib.models import four_layer_cnn


def activations(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_maps_are_cosines_of_the_vectors_at_two_places():
    first, second = activations(6, 3, 4), activations(6, 5, 2, seed=1)
    found = similarity_maps(first, second)
    assert found.shape == (3, 4, 5, 2)
    for place in [(0, 0, 0, 0), (2, 3, 4, 1), (1, 2, 3, 0)]:
        i, j, k, m = place
        expected = F.cosine_similarity(first[:, i, j].double(), second[:, k, m].double(), dim=0)
        torch.testing.assert_close(found[place], expected)


def test_an_image_is_like_itself_and_similarity_is_symmetric():
    first, second = activations(6, 3, 4), activations(6, 5, 2, seed=1)
    own = similarity_maps(first, first).flatten(2).flatten(0, 1)
    torch.testing.assert_close(own.diagonal(), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(own, own.T)
    torch.testing.assert_close(similarity_maps(first, second).permute(2, 3, 0, 1), similarity_maps(second, first))


def test_scale_does_not_matter_and_a_dead_place_is_like_nothing():
    first = activations(4, 2, 2)
    first[:, 1, 1] = 0
    found = similarity_maps(first, 3 * first)
    torch.testing.assert_close(found[0, 0, 0, 0], torch.tensor(1.0, dtype=torch.float64))
    assert (found[1, 1] == 0).all()
    assert (found[..., 1, 1] == 0).all()


@pytest.mark.parametrize("inplace", [False, True])
def test_activations_are_those_before_an_activation_in_place(inplace):
    model = two_convolutions(inplace)
    given = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    y = F.conv2d(model[:2](given), model.conv2.weight, padding=1).detach()
    # Adding the bias and taking it away again rounds.
    torch.testing.assert_close(spatial_activations(model, "conv2", given), y, atol=1e-6, rtol=1e-5)
    behind = (y + model.conv2.bias.detach()[:, None, None]).relu()
    torch.testing.assert_close(spatial_activations(model, "relu2", given), behind, atol=1e-6, rtol=1e-5)


def test_a_layer_without_places_and_activations_that_do_not_fit():
    with pytest.raises(ValueError, match="layer fc1 gives \\(1, 128\\), which has no places"):
        spatial_activations(seeded(four_layer_cnn), "fc1", torch.rand(1, 1, 28, 28))
    with pytest.raises(ValueError, match="as many channels in both"):
        similarity_maps(torch.rand(3, 2, 2), torch.rand(4, 2, 2))
    with pytest.raises(ValueError, match="expected \\(channels, height, width\\)"):
        similarity_maps(torch.rand(1, 3, 2, 2), torch.rand(3, 2, 2))
    with pytest.raises(ValueError, match="NaN or infinite"):
        similarity_maps(torch.full((3, 2, 2), float("nan")), torch.rand(3, 2, 2))


def test_large_maps_are_averaged_and_the_common_mean_can_be_removed():
    model = two_convolutions()
    first, second = torch.rand(2, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    found = image_similarities(model, ["conv1", "conv2"], first, second, most=5)
    assert {path: tuple(maps.shape) for path, maps in found.items()} == dict.fromkeys(["conv1", "conv2"], (5, 5, 5, 5))
    pooled = F.adaptive_avg_pool2d(spatial_activations(model, "conv2", torch.stack([first, second])), 5)
    torch.testing.assert_close(found["conv2"], similarity_maps(*pooled))
    centred = image_similarities(model, ["conv2"], first, second, most=5, centred=True)["conv2"]
    torch.testing.assert_close(centred, similarity_maps(*(pooled - pooled.mean((0, 2, 3), keepdim=True))))
    whole = image_similarities(model, ["conv2"], first, second, most=99)["conv2"]
    assert whole.shape == (10, 10, 10, 10)
    with pytest.raises(ValueError, match="most is 0"):
        image_similarities(model, ["conv2"], first, second, most=0)
