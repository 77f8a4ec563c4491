"""Idle neurons planted in pairs of layers, and rotations of degenerate singular values."""

import pytest
import torch
from torch import nn

from paperlib.svr import ChainError, adjacency, compose, spectral_neurons
from paperlib.svr.pruning.near_kernel import idle_neurons, near_kernel, rotated

ORDER = torch.randperm(16, generator=torch.Generator().manual_seed(11))
GROUPS = {"alive": ORDER[:9], "small": ORDER[9:13], "tiny": ORDER[13:]}


def scaled_pair(later: nn.Module | None = None, tiny: float = 1e-6) -> tuple[nn.Module, nn.Module]:
    """Two layers whose 16 shared channels are of three kinds: alive, a thousandth as strong, and as strong as tiny."""
    earlier = nn.Conv2d(3, 16, 3, bias=False)
    later = later or nn.Conv2d(16, 20, 3, bias=False)
    scale = torch.ones(16)
    scale[GROUPS["small"]], scale[GROUPS["tiny"]] = 1e-3, tiny
    with torch.no_grad():
        earlier.weight.mul_(scale.reshape(16, 1, 1, 1))
        places = later.weight.shape[1] // 16
        scale = scale.repeat_interleave(places)
        later.weight.mul_(scale.reshape(1, -1, *(1 for _ in later.weight.shape[2:])))
    return earlier, later


PAIRS = {
    "convolutions": lambda: scaled_pair(),
    "fully connected behind": lambda: scaled_pair(nn.Linear(16, 30)),
    "behind a flattening": lambda: scaled_pair(nn.Linear(16 * 4, 70)),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_three_kinds_of_channels_are_three_blocks(pair):
    found = near_kernel(*PAIRS[pair](), draws=99)
    if pair != "behind a flattening":
        assert [len(rows) for rows in found.blocks.rows] == [9, 4, 3]
    assert [len(columns) for columns in found.blocks.columns] == [9, 4, 3]
    # Channels a thousandth as strong turn the singular vectors by a thousandth at most.
    assert found.blocks.off_block < 1e-4
    for border in found.blocks.borders:
        assert border.earlier_gap > 100 and border.later_gap > 100
    expected = torch.empty(16, dtype=torch.int64)
    for index, channels in enumerate(GROUPS.values()):
        expected[channels] = index
    assert torch.equal(found.block, expected) and found.clear() == 1.0
    for shares in (found.written, found.read):
        torch.testing.assert_close(shares.sum(1), torch.ones(16, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize("pair", PAIRS)
def test_idle_are_those_that_count_for_neither_layer(pair):
    found = near_kernel(*PAIRS[pair]())
    both = torch.cat([GROUPS["small"], GROUPS["tiny"]]).sort().values
    assert torch.equal(idle_neurons(found, negligible=1e-2), both)
    assert torch.equal(idle_neurons(found, negligible=1e-4), GROUPS["tiny"].sort().values)
    assert len(idle_neurons(found, negligible=1e-9)) == 0


def test_shares_are_those_of_the_rows_of_the_representations():
    earlier, later = scaled_pair()
    found = near_kernel(earlier, later)
    U = spectral_neurons(earlier, tolerance=1e-12).U[:, 0]
    V = spectral_neurons(later, "co_svr", tolerance=1e-12).V[:, 0]
    for shares, rows in ((found.written, U), (found.read, V)):
        expected = torch.stack([rows[:, a:b].norm(dim=1).square() for a, b in ((0, 9), (9, 13), (13, 16))], dim=1)
        torch.testing.assert_close(shares[:, :3], expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(found.mixed.coefficients, (V.T @ U).square(), rtol=0, atol=1e-12)


def test_channels_without_any_weight_lie_outside_and_are_idle():
    """Their singular values are zero, which are none: the matrix has 13 rows and columns."""
    found = near_kernel(*scaled_pair(tiny=0.0))
    assert found.blocks.shape == (13, 13) and [len(columns) for columns in found.blocks.columns] == [9, 4]
    assert torch.equal((found.block == 2).nonzero().flatten(), GROUPS["tiny"].sort().values)
    assert torch.equal(idle_neurons(found, negligible=1e-9), GROUPS["tiny"].sort().values)


def test_channels_weak_in_one_layer_only_are_not_idle():
    earlier, later = nn.Conv2d(3, 16, 3, bias=False), nn.Conv2d(16, 20, 3, bias=False)
    with torch.no_grad():
        earlier.weight[GROUPS["small"]] *= 1e-4
    found = near_kernel(earlier, later)
    assert len(idle_neurons(found)) == 0
    assert (found.earlier.S < 1e-3 * found.earlier.S[0]).sum() == 4


def test_random_layers_have_no_blocks_and_no_idle_neurons():
    found = near_kernel(nn.Conv2d(3, 16, 3), nn.Conv2d(16, 20, 3))
    assert len(found.blocks) == 1 and len(idle_neurons(found)) == 0
    (refused,) = found.blocks.refused
    assert refused.leakage > 0.3 and refused.p_value > 0.01


def test_rotation_leaves_neurons_of_distinct_values_as_they_are():
    generator = torch.Generator().manual_seed(0)
    for layer, side in ((nn.Conv2d(5, 9, 3), "svr"), (nn.Conv2d(5, 9, 3), "co_svr"), (nn.Linear(12, 7), "svr")):
        neurons = spectral_neurons(layer, side)
        turned = rotated(neurons, generator)
        assert turned.side == side and torch.equal(turned.S, neurons.S)
        # Rounding in float64 over gaps of about a hundredth.
        torch.testing.assert_close(turned.U, neurons.U, rtol=0, atol=1e-11)
        torch.testing.assert_close(turned.V, neurons.V, rtol=0, atol=1e-11)


def test_rotation_takes_degenerate_neurons_off_the_axes_and_keeps_the_layer():
    layer = nn.Conv2d(8, 8, (1, 3), bias=False).double()
    with torch.no_grad():
        layer.weight.zero_()
        for channel in range(8):
            layer.weight[channel, channel, 0, 1] = 3.0 if channel < 3 else 0.5
    neurons = spectral_neurons(layer)
    # Each output representation is one channel alone.
    assert (neurons.U.abs().amax((0, 1)) > 1 - 1e-12).all()
    turned = rotated(neurons, torch.Generator().manual_seed(1))
    assert (turned.U.abs().amax((0, 1)) < 1 - 1e-3).all()
    torch.testing.assert_close(compose(turned, (1, 3)), layer.weight.detach(), rtol=0, atol=1e-12)
    first, again = neurons.U[:, 0, :3], turned.U[:, 0, :3]
    torch.testing.assert_close(first @ first.T, again @ again.T, rtol=0, atol=1e-12)


def test_rotation_of_a_pair_changes_neither_blocks_nor_shares():
    earlier, later = scaled_pair()
    plain = near_kernel(earlier, later)
    turned = near_kernel(earlier, later, rotation=torch.Generator().manual_seed(2))
    assert turned.blocks.rows == plain.blocks.rows and turned.blocks.columns == plain.blocks.columns
    # The small values are as far below the others as their gaps allow: 1e-16 over 1e-8 or so.
    torch.testing.assert_close(turned.written, plain.written, rtol=0, atol=1e-7)
    expected = adjacency(plain.later, plain.earlier).coefficients
    torch.testing.assert_close(turned.mixed.coefficients[:9, :9], expected[:9, :9], rtol=0, atol=1e-10)


def test_layers_that_do_not_chain_or_are_all_zero_are_refused():
    with pytest.raises(ChainError, match="with 16 input channels cannot follow one with 12 output channels"):
        near_kernel(nn.Conv2d(3, 12, 3), nn.Conv2d(16, 20, 3))
    earlier, later = scaled_pair()
    with torch.no_grad():
        later.weight.zero_()
    with pytest.raises(ValueError, match="all weights of the later layer are 0"):
        near_kernel(earlier, later)
