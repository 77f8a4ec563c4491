"""Coefficients between layers that share a part of their channels: concatenations and groups."""

import dataclasses

import pytest
import torch
from torch import nn

from paperlib.svr import ChainError, adjacency, spectral_neurons


@pytest.mark.parametrize("side", ["svr", "co_svr"])
def test_layers_side_by_side_share_what_the_next_one_reads(side):
    """Behind a concatenation the coefficients are those of one layer that writes both parts."""
    torch.manual_seed(5)
    first, second = nn.Conv2d(3, 4, 3, bias=False).double(), nn.Conv2d(2, 6, 3, bias=False).double()
    neurons = spectral_neurons(nn.Conv2d(10, 7, 3).double(), side)
    parts = []
    for layer, start in ((first, 0), (second, 4)):
        written = spectral_neurons(layer, side)
        whole = torch.zeros(10, *written.U.shape[1:], dtype=torch.float64)
        whole[start : start + len(written.U)] = written.U
        parts.append(adjacency(neurons, written, start=start, places=1).coefficients)
        expected = adjacency(neurons, dataclasses.replace(written, U=whole)).coefficients
        torch.testing.assert_close(parts[-1], expected, rtol=0, atol=1e-14)
    if side == "svr":
        # Both write all of their channels: nothing that is read is missed.
        total = torch.cat(parts, 1).sum(1)
        torch.testing.assert_close(total, torch.ones(7, dtype=torch.float64), rtol=0, atol=1e-12)


def test_a_flattened_part_is_read_at_places():
    torch.manual_seed(6)
    conv, dense = nn.Conv2d(2, 3, 3).double(), nn.Linear(5 + 3 * 4, 6).double()
    found = adjacency(spectral_neurons(dense), spectral_neurons(conv), start=5, places=4)
    V, U = spectral_neurons(dense).V[5:, 0].unflatten(0, (3, 4)), spectral_neurons(conv).U[:, 0]
    expected = torch.einsum("czn,cm->nmz", V, U).square().sum(2)
    torch.testing.assert_close(found.coefficients, expected, rtol=0, atol=1e-14)
    # A mean of 1 / (17 inputs / 4 places).
    assert (found.channels, found.share) == (17 / 4, 1)


def test_coefficients_across_groups_are_zero():
    torch.manual_seed(7)
    earlier, later = nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(8, 6, 3, groups=2)
    found = adjacency(spectral_neurons(later), spectral_neurons(earlier))
    assert found.share == 0.5 and found.channels == 8
    zeros = found.coefficients == 0
    assert zeros.double().mean() == 0.5
    torch.testing.assert_close(found.coefficients.sum(1), torch.ones(6, dtype=torch.float64), rtol=0, atol=1e-12)


def test_a_depthwise_layer_reads_single_channels():
    """svr's authors broadcast such weights to coefficients above 1; each is the square of one entry of U."""
    torch.manual_seed(8)
    earlier, later = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=8)
    neurons, written = spectral_neurons(later), spectral_neurons(earlier)
    channels = neurons.V.square().sum(1).argmax(0)
    found = adjacency(neurons, written)
    torch.testing.assert_close(found.coefficients, written.U[channels, 0].square(), rtol=0, atol=1e-14)
    assert (found.channels, found.degrees) == (8, 1) and found.coefficients.max() <= 1


@pytest.mark.parametrize(("start", "places"), [(3, 1), (-1, 1), (0, 2), (0, 0)])
def test_parts_that_do_not_lie_within_the_inputs_are_refused(start, places):
    with pytest.raises(ChainError, match=r"were to be 8 channels at -?\d places of 10"):
        adjacency(spectral_neurons(nn.Linear(10, 3)), spectral_neurons(nn.Linear(4, 8)), start=start, places=places)
