"""The co-SVR reads what the gradient's convolution writes, and rows of an adjacency add up to less than 1."""

import torch
from torch import nn

from paperlib.svr import adjacency, spectral_neurons


def test_co_svr_has_the_representations_of_the_convolution_that_carries_the_gradient():
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 6, 3, padding=1, bias=False).double()
    back = nn.Conv2d(6, 4, 3, padding=1, bias=False).double()
    with torch.no_grad():
        back.weight.copy_(layer.weight.transpose(0, 1).flip(2, 3))
    x = torch.randn(1, 4, 8, 8, dtype=torch.float64, requires_grad=True)
    g = torch.randn(1, 6, 8, 8, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(layer(x), x, g)
    torch.testing.assert_close(gradient, back(g), rtol=0, atol=1e-12)
    behind, other = spectral_neurons(layer, "co_svr"), spectral_neurons(back)
    torch.testing.assert_close(behind.S, other.S, rtol=1e-12, atol=0)
    # Pairs are determined up to a common sign.
    read, written = (behind.V[:, 0] * other.U[:, 0]).sum(0), (behind.U.flip(1) * other.V).sum((0, 1))
    torch.testing.assert_close(read * written, torch.ones(4, dtype=torch.float64), rtol=0, atol=1e-10)


def test_a_row_adds_up_to_the_share_that_the_earlier_layer_can_write():
    torch.manual_seed(0)
    earlier, later = nn.Conv2d(1, 12, 2).double(), nn.Conv2d(12, 5, 3).double()
    writes, reads = spectral_neurons(earlier), spectral_neurons(later)
    inside = torch.einsum("cm,dm,dzn->czn", writes.U[:, 0], writes.U[:, 0], reads.V)
    rows = adjacency(reads, writes).coefficients.sum(1)
    torch.testing.assert_close(rows, inside.square().sum((0, 1)), rtol=0, atol=1e-12)
    assert rows.max() < 1
