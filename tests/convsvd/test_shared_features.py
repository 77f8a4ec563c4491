"""What two images share: planted directions, what chance gives, and how alike they are."""

import pytest
import torch
from torch import nn

from paperlib.convsvd.shared_features import shared_directions, similarity_means


def reading_pixels():
    """Four filters of one pixel each read channels 0 to 3, with values 4, 3, 2 and 1."""
    layer = nn.Conv2d(4, 4, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.diag(torch.tensor([4.0, 3, 2, 1]))[:, :, None, None])
    return nn.Sequential(layer)


def constant(*channels):
    return torch.tensor(channels).reshape(4, 1, 1).expand(4, 3, 3)


def test_shared_and_own_directions_of_planted_images():
    pair = torch.stack([constant(1.0, 1.0, 0.0, 0.0), constant(1.0, 0.0, 1.0, 0.0)])
    found = shared_directions(reading_pixels(), "0", pair, ["one", "other"], q=0.5)
    # Signals 4, 3, 0, 0 and 4, 0, 2, 0: half of the eight are zero.
    torch.testing.assert_close(found.signals, torch.tensor([[4.0, 3, 0, 0], [4, 0, 2, 0]]))
    assert (found.shared, found.first, found.second) == ((0,), (1,), (2,))
    assert found.expected == 1.0
    assert found.hypergraph.hyperedges == {"one": (0, 1), "other": (0, 2)}


def test_equal_images_share_all():
    image = torch.rand(4, 5, 5, generator=torch.Generator().manual_seed(0))
    found = shared_directions(reading_pixels(), "0", torch.stack([image, image]), ["one", "other"], q=0.25)
    assert not found.first
    assert not found.second
    assert len(found.shared) == 3


def test_other_numbers_of_images_are_errors():
    with pytest.raises(ValueError, match="3 images and 2 names"):
        shared_directions(reading_pixels(), "0", torch.rand(3, 4, 2, 2), ["one", "other"], q=0.5)


def test_means_of_similarities_with_and_without_the_common_mean():
    base = torch.tensor([5.0, 0, 0, 0]).reshape(4, 1, 1)
    draws = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    plain = similarity_means(reading_pixels(), ["0"], *(base + 0.3 * draws))["0"]
    centred = similarity_means(reading_pixels(), ["0"], *(base + 0.3 * draws), centred=True)["0"]
    # A large common vector makes any two places alike; what is left has no direction.
    assert plain.mean > 0.95
    assert abs(centred.mean) < 0.2
    assert centred.best > centred.mean
    same = similarity_means(reading_pixels(), ["0"], draws[0], draws[0], centred=True)["0"]
    assert same.best == pytest.approx(1)
