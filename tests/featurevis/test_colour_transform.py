"""Colours of components: their covariance is that of the images, and back again they are uncorrelated."""

import pytest
import torch

from paperlib import datasets
from paperlib.featurevis import ColourTransform, colour_transform


def correlated(seed=0):
    mixture = torch.tensor([[1.0, 0.2, 0.1], [0.9, -0.1, 0.3], [0.8, -0.4, 0.0]], dtype=torch.float64)
    draws = torch.randn(4, 3, 30, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return 0.5 + 0.1 * torch.einsum("dc,bchw->bdhw", mixture, draws)


def covariance(images):
    return torch.cov(images.movedim(1, 0).flatten(1))


@pytest.mark.parametrize("images", [correlated(), datasets.load("photograph_tiles", "test").images])
def test_components_are_uncorrelated_and_of_equal_variance(images):
    transform = colour_transform(images, "test")
    found = covariance(transform.unmixed(images.double()))
    torch.testing.assert_close(found / found[0, 0], torch.eye(3, dtype=torch.float64), atol=1e-9, rtol=0)


def test_mixed_components_have_the_covariance_of_the_images():
    images = correlated()
    matrix = torch.tensor(colour_transform(images, "test").matrix, dtype=torch.float64)
    product = matrix @ matrix.T
    torch.testing.assert_close(product / product.trace(), covariance(images) / covariance(images).trace())


def test_mixing_and_unmixing_are_inverse_and_the_first_component_brightens():
    images = correlated(1)
    transform = colour_transform(images, "planted")
    torch.testing.assert_close(transform.mixed(transform.unmixed(images)), images)
    columns = torch.tensor(transform.matrix)
    assert transform.source == "planted"
    assert columns[:, 0].norm() == pytest.approx(1)
    assert (columns.norm(dim=0).diff() < 0).all()
    assert (columns[:, 0] > 0).all()


def test_photographs_vary_most_in_brightness():
    matrix = torch.tensor(colour_transform(datasets.load("photograph_tiles", "test").images, "tiles").matrix)
    brightness = torch.ones(3) / 3**0.5
    assert matrix[:, 0] @ brightness > 0.9
    assert matrix[:, 1].norm() < 0.6


def test_grey_is_left_as_it_is():
    images = correlated()[:, :1]
    transform = colour_transform(images, "grey")
    assert transform == ColourTransform(((1.0,),), "grey")
    torch.testing.assert_close(transform.mixed(images), images)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.rand(3, 8, 8), "expected \\(count, channels, height, width\\)"),
        (torch.rand(0, 3, 8, 8), "expected \\(count, channels, height, width\\)"),
        (torch.full((1, 3, 4, 4), float("nan")), "48 pixels"),
        (torch.rand(1, 3, 1, 1), "single pixel"),
        (torch.rand(2, 1, 4, 4).expand(2, 3, 4, 4), "do not vary independently"),
        (torch.zeros(2, 1, 4, 4), "do not vary independently"),
    ],
)
def test_images_without_such_a_transform_are_errors(images, words):
    with pytest.raises(ValueError, match=words):
        colour_transform(images, "test")
