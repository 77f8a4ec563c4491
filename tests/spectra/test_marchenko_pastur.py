"""The law of random matrices against quadrature and against random matrices."""

import math

import pytest
import torch
from scipy.integrate import quad

from paperlib.spectra.marchenko_pastur import MarchenkoPastur, distance_from_random, marchenko_pastur_of

SHAPES = [(64, 576), (576, 64), (100, 100), (3, 200), (1, 9)]


def eigenvalues(shape, variance, seed=0):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(*shape, generator=generator, dtype=torch.float64) * variance**0.5
    return torch.linalg.svdvals(matrix).square()


def integral(law, low, high):
    """Of the density, with the square-root ends smoothed by x = middle + reach sin t."""
    middle, reach = (law.low + law.high) / 2, (law.high - law.low) / 2
    ends = [math.asin(max(-1.0, min(1.0, (x - middle) / reach))) for x in (low, high)]
    tensor = torch.tensor

    def height(t):
        x = middle + reach * math.sin(t)
        return law.density(tensor(x, dtype=torch.float64)).item() * reach * math.cos(t)

    return quad(height, *ends, limit=200)[0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scaled", [False, True])
def test_the_distribution_function_is_the_integral_of_the_density(shape, scaled):
    law = MarchenkoPastur(*shape, 0.3, scaled)
    for share in (0.01, 0.3, 0.5, 0.9, 0.999):
        x = law.low + share * (law.high - law.low)
        assert law.cdf(torch.tensor(x, dtype=torch.float64)).item() == pytest.approx(
            integral(law, law.low, x), abs=1e-7
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_ends_of_the_support(shape):
    law = MarchenkoPastur(*shape, 2.0)
    small, large = sorted(shape)
    assert law.high == pytest.approx(2 * (large**0.5 + small**0.5) ** 2, rel=1e-12)
    assert law.low == pytest.approx(2 * (large**0.5 - small**0.5) ** 2, rel=1e-12, abs=1e-9)
    outside = torch.tensor([law.low - 1, law.high + 1], dtype=torch.float64)
    assert law.cdf(outside).tolist() == [0, 1]
    assert law.density(outside).tolist() == [0, 0]


def test_the_mean_is_that_of_the_squared_entries():
    """Eigenvalues add up to the sum of squares: their mean is the variance times the larger side."""
    law = MarchenkoPastur(20, 180, 0.5)
    p = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    assert law.quantile(p).mean().item() == pytest.approx(0.5 * 180, rel=1e-4)
    assert law.unit == pytest.approx(90)


@pytest.mark.parametrize("shape", SHAPES)
def test_quantiles_invert_the_distribution_function(shape):
    law = MarchenkoPastur(*shape, 1.7)
    p = torch.linspace(0, 1, 101, dtype=torch.float64)
    torch.testing.assert_close(law.cdf(law.quantile(p)), p, rtol=0, atol=1e-7)


@pytest.mark.parametrize("shape", [(300, 900), (900, 300), (400, 400)])
def test_random_matrices_follow_it(shape):
    """The distance of one matrix falls like log(n) / n: 0.01 is three times what is seen at these sizes."""
    found = distance_from_random(eigenvalues(shape, 0.4), MarchenkoPastur(*shape, 0.4))
    assert found.distance < 0.01
    # The largest fluctuates about the end by n^(-2/3).
    assert found.largest == pytest.approx(1, abs=0.03)
    assert found.above + found.below <= 4


def test_scaling_goes_with_the_rows():
    values = eigenvalues((200, 600), 0.4)
    plain = distance_from_random(values, MarchenkoPastur(200, 600, 0.4))
    scaled = distance_from_random(values / 200, MarchenkoPastur(200, 600, 0.4, scaled=True))
    assert scaled.distance == pytest.approx(plain.distance, rel=1e-9)
    assert distance_from_random(values / 200, MarchenkoPastur(200, 600, 0.4)).distance == pytest.approx(1)


def test_a_planted_direction_stands_out():
    """A rank-one part of five times the end's singular value is the one eigenvalue above the support."""
    shape = (100, 400)
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(*shape, generator=generator, dtype=torch.float64)
    u, v = torch.randn(100, generator=generator).double(), torch.randn(400, generator=generator).double()
    law = MarchenkoPastur(*shape, 1.0)
    planted = noise + 5 * law.high**0.5 * torch.outer(u / u.norm(), v / v.norm())
    found = distance_from_random(torch.linalg.svdvals(planted).square(), law)
    assert found.largest > 20
    assert found.above <= 2


def test_the_law_of_a_matrix_has_its_shape_and_mean_square():
    matrix = torch.full((4, 10), 3.0)
    law = marchenko_pastur_of(matrix)
    assert (law.rows, law.columns, law.variance, law.scaled) == (4, 10, 9.0, False)


def test_refusals():
    with pytest.raises(ValueError, match="positive sides and variance"):
        MarchenkoPastur(0, 3, 1.0)
    with pytest.raises(ValueError, match="positive sides and variance"):
        MarchenkoPastur(2, 3, 0.0)
    with pytest.raises(ValueError, match="positive sides and variance"):
        MarchenkoPastur(2, 3, float("nan"))
    law = MarchenkoPastur(2, 3, 1.0)
    with pytest.raises(ValueError, match="expected 0 to 1"):
        law.quantile(torch.tensor([0.5, 1.5]))
    with pytest.raises(ValueError, match="no eigenvalues"):
        distance_from_random(torch.tensor([]), law)
    with pytest.raises(ValueError, match="expected a finite matrix"):
        marchenko_pastur_of(torch.ones(3))
    with pytest.raises(ValueError, match="finite: False"):
        marchenko_pastur_of(torch.full((2, 2), float("nan")))
