"""The numbers behind what `vectorspaces` says in words, on samples whose answer is known."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from paperlib.subspaces import four_spaces, neuron_basis, project
from paperlib.vectorspaces.statements import (
    bimodality,
    central_disc,
    neighbour_correlation,
    noise_edge,
    residuals_of,
    shape_cosines,
    vector_agreement,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def checkerboard(height: int, width: int) -> Tensor:
    return (torch.arange(height).unsqueeze(1) + torch.arange(width)) % 2


def test_neighbours_of_noise_are_unrelated():
    images = torch.rand(20, 64, 64, generator=generator())
    found = neighbour_correlation(images)
    # 8,064 pairs: a standard deviation of 0.011.
    assert found.shape == (20,) and found.abs().max() < 0.05
    assert found.abs().max() > 0


@pytest.mark.parametrize("ramp", [lambda n: torch.arange(n).expand(n, n), lambda n: torch.arange(n).expand(n, n).T])
def test_neighbours_on_a_ramp_are_almost_the_same(ramp):
    found = neighbour_correlation(torch.stack([ramp(28), -3 * ramp(28) + 7]))
    assert (found > 0.98).all() and (found < 1).all()
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=0)


def test_neighbours_on_a_checkerboard_are_opposite():
    found = neighbour_correlation(torch.stack([checkerboard(6, 7), 1 - checkerboard(6, 7)]))
    torch.testing.assert_close(found, torch.full((2,), -1.0, dtype=torch.float64), rtol=0, atol=1e-14)


def test_neighbour_correlation_is_that_of_the_pairs_in_both_orders():
    image = draw(5, 8).cumsum(1)
    pairs = [(image[i, j], image[i, j + 1]) for i in range(5) for j in range(7)]
    pairs += [(image[i, j], image[i + 1, j]) for i in range(4) for j in range(8)]
    both = np.array(pairs + [(b, a) for a, b in pairs])
    expected = np.corrcoef(both.T)[0, 1]
    assert neighbour_correlation(image.unsqueeze(0)).item() == pytest.approx(expected, rel=1e-12)
    assert neighbour_correlation(image.T.unsqueeze(0)).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("ones", [1, 50, 73])
def test_two_values_in_any_proportion_are_bimodal(ones):
    values = torch.tensor([[4.0] * ones + [-1.0] * (100 - ones)])
    assert bimodality(values).item() == pytest.approx(1, rel=1e-12)


def test_bimodality_of_uniform_and_normal_values():
    # The middles of a million equal shares: the moments of the distribution to 1e-5, of the normal tails to 1e-3.
    middles = (torch.arange(1_000_000, dtype=torch.float64) + 0.5) / 1_000_000
    found = bimodality(torch.stack([middles, torch.special.ndtri(middles), 5 - 2 * middles]))
    assert found[0].item() == pytest.approx(5 / 9, rel=1e-5)
    assert found[1].item() == pytest.approx(1 / 3, rel=1e-3)
    assert found[2].item() == pytest.approx(5 / 9, rel=1e-5)


def test_bimodality_of_a_skewed_sample_is_that_of_scipy():
    from scipy.stats import kurtosis, skew

    values = draw(3, 40).exp()
    expected = (skew(values.numpy(), axis=1) ** 2 + 1) / kurtosis(values.numpy(), axis=1, fisher=False)
    torch.testing.assert_close(bimodality(values), torch.from_numpy(expected), rtol=1e-12, atol=0)


def test_disc_in_small_images():
    plus = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=torch.bool)
    assert torch.equal(central_disc(3, 1), plus)
    assert central_disc(3, 0.9).sum() == 1 and central_disc(3, 1.5).all()
    # The centre of an even image lies between its pixels.
    assert central_disc(4, 0.7).sum() == 0 and central_disc(4, 0.71).sum() == 4


@pytest.mark.parametrize(("side", "radius"), [(101, 40), (200, 83.3), (28, 5)])
def test_disc_has_the_area_and_symmetry_of_a_disc(side, radius):
    disc = central_disc(side, radius)
    assert disc.shape == (side, side) and disc.dtype == torch.bool
    # The edge, of length 2 pi r, is met to a fraction of a pixel.
    assert abs(disc.sum().item() - math.pi * radius**2) < 0.5 * 2 * math.pi * radius
    assert torch.equal(disc, disc.rot90()) and torch.equal(disc, disc.T)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_residuals_add_up_and_the_cosine_is_the_root_of_the_share(dtype):
    means = draw(10, 30).to(dtype)
    space = four_spaces(draw(6, 30, seed=1)).row_space
    removed = project(space, means)
    found = residuals_of(means, removed)
    torch.testing.assert_close(found.images + removed, means.double(), rtol=0, atol=1e-14)
    torch.testing.assert_close(found.cosines.square(), found.energy, rtol=1e-12, atol=0)
    lengths = np.linalg.norm(found.images.numpy(), axis=1) / np.linalg.norm(means.double().numpy(), axis=1)
    torch.testing.assert_close(found.cosines, torch.from_numpy(lengths), rtol=1e-12, atol=0)
    assert found.images.shape == (10, 30) and found.energy.shape == found.cosines.shape == (10,)
    torch.testing.assert_close(found.images @ space, torch.zeros(10, 6, dtype=torch.float64), rtol=0, atol=1e-13)


def test_residuals_of_planted_angles():
    """A mean at 60 degrees to the only direction keeps three quarters of its energy."""
    axis = neuron_basis(torch.tensor([1.0, 0.0, 0.0]))
    means = torch.tensor([[1.0, math.sqrt(3), 0.0], [0.0, 0.0, 2.0], [5.0, 0.0, 5.0]], dtype=torch.float64)
    found = residuals_of(means, project(axis, means))
    torch.testing.assert_close(found.energy, torch.tensor([0.75, 1.0, 0.5], dtype=torch.float64), rtol=0, atol=1e-14)
    assert found.images[:, 0].abs().max() < 1e-15


def test_shapes_are_compared_without_what_all_digits_share():
    """Three means that share one direction: what is left of a shape after another is taken off has known angles."""
    common, *own = torch.eye(4, dtype=torch.float64)
    means = torch.stack([10 * common + one for one in own])
    assert shape_cosines(means, means).tolist() == pytest.approx([1, 1, 1])
    assert shape_cosines(2 * means.mean(0) - means, means).tolist() == pytest.approx([-1, -1, -1])
    # A mean less the average of the three is (2, -1, -1) / 3; two of them make an angle of 120 degrees.
    assert shape_cosines(means[[1, 2, 0]], means).tolist() == pytest.approx([-0.5] * 3)
    # The plain cosine would see no difference.
    assert residuals_of(means, means - means[[1, 2, 0]]).cosines.min() > 0.98


def test_noise_edge():
    # The root of 9 / 4096 is 3 / 64.
    assert noise_edge(4096, 9) == pytest.approx(67 / 61, rel=1e-14)
    assert noise_edge(4096, 9) == pytest.approx(1.0984, abs=1e-3)
    matrix = draw(4000, 1000)
    assert noise_edge(4000, 1000) == pytest.approx(3.0, rel=1e-14)
    # Edges are met at a rate of n^(-2/3), a hundredth here.
    assert np.linalg.cond(matrix.numpy()) == pytest.approx(3.0, rel=0.02)


def test_agreement_of_vectors_ignores_signs():
    vectors = four_spaces(draw(4, 9)).Vh
    turned = vectors * torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64).unsqueeze(1)
    torch.testing.assert_close(vector_agreement(vectors, turned), torch.ones(4, dtype=torch.float64))
    swapped = vectors[[1, 0, 2, 3]]
    expected = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(vector_agreement(vectors.float(), swapped), expected, rtol=0, atol=1e-6)
