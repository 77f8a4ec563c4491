"""What chance gives a ratio, and what a label map hides."""

import pytest
import torch
from scipy import stats

from paperlib.projection import constant_energy, label_vectors, left_projection_ratio, right_projection_ratio


@pytest.mark.parametrize(("size", "rank"), [(10, 2), (40, 7)])
def test_ratio_of_a_random_subspace_has_a_beta_distribution(size, rank):
    generator = torch.Generator().manual_seed(5)
    Q = torch.linalg.qr(torch.randn(4000, size, rank, dtype=torch.float64, generator=generator)).Q
    x = torch.randn(size, dtype=torch.float64, generator=generator).expand(4000, size)
    found = right_projection_ratio(Q.mT, x)[:, -1]
    law = stats.beta(rank / 2, (size - rank) / 2)
    assert law.mean() == pytest.approx(rank / size)
    assert law.var() == pytest.approx(2 * rank * (size - rank) / (size**2 * (size + 2)))
    # A fixed seed; a p-value below 0.001 would be one seed in a thousand.
    assert stats.kstest(found.numpy(), law.cdf).pvalue > 0.001


@pytest.mark.parametrize(("high", "low"), [(2.0, -2.0), (1.0, 0.0), (5.0, 1.0)])
def test_directions_without_a_constant_part_see_the_centred_share_alone(high, low):
    """LPR(t; k) = (1 - gamma) LPR(centred t; k) where U_k is orthogonal to (1, ..., 1)."""
    classes = 7
    random = torch.randn(classes, classes, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    U = torch.linalg.qr(torch.cat([torch.ones(classes, 1, dtype=torch.float64), random[:, 1:]], 1)).Q[:, 1:]
    labels = torch.arange(classes)
    t = label_vectors(labels, classes, high=high, low=low)
    centred = label_vectors(labels, classes, high=high, low=low, centred=True)
    gamma = (high + (classes - 1) * low) ** 2 / (classes * (high**2 + (classes - 1) * low**2))
    torch.testing.assert_close(constant_energy(t), torch.full((classes,), gamma, dtype=torch.float64))
    raw = left_projection_ratio(U.expand(classes, -1, -1), t)
    torch.testing.assert_close(raw, (1 - gamma) * left_projection_ratio(U.expand(classes, -1, -1), centred))
    assert raw.max() <= 1 - gamma + 1e-12
