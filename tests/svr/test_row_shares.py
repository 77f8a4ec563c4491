"""Row sums of an adjacency: the share of what the later layer reads that the earlier one can write."""

import pytest
import torch

from paperlib.svr import adjacency, neurons_of_weights, overlap_excess


def draw(*shape, seed):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def pair(earlier, later):
    return adjacency(neurons_of_weights(later), neurons_of_weights(earlier))


def test_rows_are_the_shares_that_the_earlier_layer_writes():
    """Below 1 for generic directions, and 1 for those in its column space alone."""
    earlier = draw(9, 4, seed=0)
    writes = torch.linalg.qr(earlier).Q
    generic = pair(earlier, draw(3, 9, seed=1)).coefficients.sum(1)
    assert generic.max() < 0.999
    contained = pair(earlier, draw(3, 4, seed=2) @ writes.T).coefficients.sum(1)
    torch.testing.assert_close(contained, torch.ones(3, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("i", "j"), [(1, 1), (2, 3), (5, 6)])
def test_corners_are_sums_of_squared_cosines_of_principal_angles(i, j):
    U, V = (torch.linalg.qr(draw(9, size, seed=size)).Q for size in (6, 5))
    S = torch.arange(9, 0, -1, dtype=torch.float64)
    found = pair(U * S[:6], S[:5].unsqueeze(1) * V.T)
    cosines = torch.linalg.svdvals(V[:, :i].T @ U[:, :j])
    expected = cosines.square().sum() - i * j / 9
    torch.testing.assert_close(overlap_excess(found)[i - 1, j - 1], expected, rtol=0, atol=1e-12)
