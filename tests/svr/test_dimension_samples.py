"""Internal dimensions of many matrices: planted blocks, uniform frames, and two ways to draw what chance gives."""

import math

import pytest
import torch
from scipy import stats

from paperlib.svr import Adjacency, internal_dimensions
from paperlib.svr.samples import chance_dimensions, haar_frames, sample_dimensions


def block(rows: int, columns: int) -> Adjacency:
    """Two blocks of equal coefficients, the first as small as told, in a 6 x 6 matrix whose rows add up to 1."""
    found = torch.zeros(6, 6, dtype=torch.float64)
    found[:rows, :columns], found[rows:, columns:] = 1 / columns, 1 / (6 - columns)
    return Adjacency(found, 6, 1)


def test_a_sample_holds_the_dimensions_of_each_matrix():
    matrices = [block(2, 3), block(4, 1), block(3, 3)]
    sample = sample_dimensions(matrices)
    assert sample.d_out.tolist() == [2, 4, 3] and sample.d_in.tolist() == [3, 1, 3] and len(sample) == 3
    assert sample.excess.tolist() == pytest.approx([internal_dimensions(one).excess for one in matrices])
    assert sample.at_most().tolist() == [True, False, True]


def test_no_matrices_are_refused():
    with pytest.raises(ValueError, match="no adjacency matrix is given"):
        sample_dimensions([])


def test_frames_are_orthonormal():
    frames = haar_frames(20, 7, 4, torch.Generator().manual_seed(0))
    gram = frames.mT @ frames
    # float64: rounding of a few sums of seven products.
    torch.testing.assert_close(gram, torch.eye(4, dtype=torch.float64).expand(20, 4, 4), rtol=0, atol=1e-13)


def test_frames_are_uniform():
    """Any entry of a uniform unit vector squared is Beta(1/2, (n - 1)/2), and either sign is as likely."""
    entries = haar_frames(4000, 5, 3, torch.Generator().manual_seed(1))[:, 2, 1]
    assert stats.kstest(entries.square().numpy(), stats.beta(0.5, 2).cdf).pvalue > 0.001
    assert abs((entries > 0).double().mean().item() - 0.5) < 4 * 0.5 / math.sqrt(4000)


@pytest.mark.parametrize("size", [0, 6])
def test_frames_that_do_not_fit_are_refused(size):
    with pytest.raises(ValueError, match=f"{size} orthonormal columns in dimension 5; expected 1 to 5"):
        haar_frames(1, 5, size, torch.Generator())


@pytest.mark.parametrize(("later", "earlier", "channels"), [(12, 12, 12), (5, 12, 12), (4, 7, 20)])
def test_chance_is_that_of_two_independent_frames(later, earlier, channels):
    """One side fixed by invariance against both drawn, by the law of each number."""
    quick = chance_dimensions(later, earlier, channels, 600, seed=3)
    generator = torch.Generator().manual_seed(7)
    V, U = haar_frames(600, channels, later, generator), haar_frames(600, channels, earlier, generator)
    full = sample_dimensions(Adjacency(one, channels, 1) for one in (V.mT @ U).square())
    for name in ("d_out", "d_in", "excess"):
        found, expected = getattr(quick, name), getattr(full, name)
        assert stats.ks_2samp(found.numpy(), expected.numpy()).pvalue > 0.001


def test_chance_gives_dimensions_of_half_the_width_and_an_excess_below_1():
    """svr.prop.15: 20.0 with deviation 8.4 and an excess of 0.58 for 40 x 40, within four standard errors."""
    sample = chance_dimensions(40, 40, 40, 400, seed=0)
    assert sample.d_out.mean().item() == pytest.approx(20.0, abs=4 * 8.4 / 20)
    assert sample.excess.mean().item() == pytest.approx(0.58, abs=0.05)


def test_chance_follows_from_its_seed():
    first, second, other = (chance_dimensions(6, 6, 6, 5, seed=s).excess for s in (0, 0, 1))
    assert torch.equal(first, second) and not torch.equal(first, other)


@pytest.mark.parametrize(("later", "earlier"), [(3, 9), (9, 3), (0, 3), (3, 0)])
def test_more_neurons_than_channels_or_none_are_refused(later, earlier):
    with pytest.raises(ValueError, match=r"in 8 channels do not fit|in dimension 8; expected 1 to 8"):
        chance_dimensions(later, earlier, 8, 2, seed=0)
