"""Internal dimensions of planted blocks, under noise and under pure chance."""

import pytest
import torch

from paperlib.svr import Adjacency, intensities, internal_dimensions, overlap_excess


def haar(n, generator):
    Q, R = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))
    return Q * R.diagonal().sign()


def blocks(p, n, generator, noise=0.0):
    """The planted matrix of `svr`, Section B.1: two orthogonal blocks, turned by a random rotation."""
    P = torch.block_diag(haar(p, generator), haar(n - p, generator))
    A = torch.randn(n, n, dtype=torch.float64, generator=generator)
    return Adjacency((P @ torch.linalg.matrix_exp(noise * (A - A.T))).square(), n, 1)


@pytest.mark.parametrize("p", [10, 30, 50, 70, 90])
def test_planted_blocks_are_found_exactly(p):
    found = internal_dimensions(blocks(p, 100, torch.Generator().manual_seed(p)))
    assert (found.d_out, found.d_in) == (p, p)
    # The block holds p of the overlap where chance gives p^2 / n.
    assert found.excess == pytest.approx(p - p * p / 100, rel=1e-9)


@pytest.mark.parametrize(("p", "noise", "low", "high"), [(30, 0.06, 30, 30), (50, 0.1, 49, 52), (10, 0.24, 25, 75)])
def test_noise_is_borne_up_to_a_level(p, noise, low, high):
    """svr.claim.25: the block is found up to some noise, then any number near the middle."""
    generator = torch.Generator().manual_seed(p)
    found = [internal_dimensions(blocks(p, 100, generator, noise)).d_out for _ in range(10)]
    assert low <= sum(found) / 10 <= high


def test_chance_alone_gives_dimensions_too_and_little_excess():
    """svr.prop.15: near the middle with a wide spread, and an excess below 1 where structure gives several."""
    generator = torch.Generator().manual_seed(0)
    found = [
        internal_dimensions(Adjacency((haar(40, generator).T @ haar(40, generator)).square(), 40, 1))
        for _ in range(200)
    ]
    d_out = torch.tensor([float(one.d_out) for one in found])
    excess = torch.tensor([one.excess for one in found])
    # 20.0 with a deviation of 8.4: four standard errors of the mean.
    assert d_out.mean().item() == pytest.approx(20.0, abs=2.4) and d_out.std().item() == pytest.approx(8.4, abs=1.7)
    assert excess.mean().item() == pytest.approx(0.58, abs=0.06)


def test_excess_is_that_of_the_projections_on_the_leading_spans():
    """svr.prop.07: B_ij = |p_F p_G|_F^2 in either order."""
    generator = torch.Generator().manual_seed(1)
    U, V = haar(9, generator)[:, :6], haar(9, generator)[:, :5]
    found = Adjacency((V.T @ U).square(), 9, 1)
    excess = overlap_excess(found)
    for i in range(1, 6):
        for j in range(1, 7):
            F, G = U[:, :j] @ U[:, :j].T, V[:, :i] @ V[:, :i].T
            for product in (F @ G, G @ F):
                assert excess[i - 1, j - 1].item() == pytest.approx(
                    product.square().sum().item() - i * j / 9, abs=1e-12
                )


def test_intensities_mark_the_columns_of_a_block():
    coefficients = torch.full((4, 5), 0.1, dtype=torch.float64)
    coefficients[0, 1], coefficients[1, 2] = 0.9, 0.5
    found = intensities(Adjacency(coefficients, 4, 1))
    # Over 1/4 a row: column 1 exceeds by 0.9 - 0.25, column 2 by 0.1 + 0.5 - 0.5; the others never do.
    torch.testing.assert_close(
        found, torch.tensor([0, 1, 0.1 / 0.65, 0, 0], dtype=torch.float64), rtol=1e-12, atol=1e-15
    )
    assert intensities(Adjacency(torch.zeros(3, 4), 4, 1)).tolist() == [0, 0, 0, 0]
