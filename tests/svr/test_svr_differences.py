"""What the authors' formulas give, and what ours give instead, on cases with known answers."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from paperlib.models import resnet18
from paperlib.svr import (
    Adjacency,
    adjacency,
    entropy,
    intensities,
    layer_graph,
    spectral_neurons,
)
from paperlib.svr.experiments import differences
from paperlib.svr.samples import haar_frames


@pytest.mark.parametrize("p", [10, 30, 70])
def test_a_planted_dimension_is_a_number_of_neurons(p):
    assert differences.planted_dimension(p, 100, seed=0) == {"theirs": p - 1, "ours": p}


def test_a_wide_layer_keeps_all_its_neurons():
    found = differences.neurons_of_a_wide_layer(200, seed=0)
    assert (found["theirs"], found["ours"]) == (128, 200)
    # Squared singular values of a square random matrix fall almost linearly at first: 128 of 200 hold most, not all.
    assert 0.8 < found["energy"] < 0.99


def test_depthwise_filters_read_their_own_channel():
    channels = 8
    found = differences.depthwise_coefficients(channels, seed=0)
    # Their filters are repeated over all channels: with a square U the mean of the squared column sums is 1.
    assert found["theirs"]["mean"] == pytest.approx(1, abs=1e-9)
    assert found["theirs"]["largest"] > 1
    assert found["ours"]["mean"] == pytest.approx(1 / channels, abs=1e-9)
    assert found["ours"]["largest"] <= 1


def test_degrees_of_the_co_svr_behind_a_map():
    found = differences.co_svr_behind_a_map(16, 49, p=0.15)
    assert found["theirs"]["degrees"] == 9
    # 9 x 49 squares that depend on each other weakly.
    assert 350 < found["ours"]["degrees"] < 441
    # The chi-square cut at so many degrees is exceeded by the exact law almost as often as it says.
    assert found["ours"]["shown"] == pytest.approx(0.15, abs=0.01)
    assert found["theirs"]["shown"] < 1e-4


def test_degrees_of_the_co_svr_behind_a_map_are_those_of_random_layers():
    generator = torch.Generator().manual_seed(0)
    values, found = [], None
    for _ in range(60):
        earlier, later = nn.Conv2d(6, 8, 3), nn.Linear(8 * 4, 10)
        earlier.weight.data.normal_(generator=generator)
        later.weight.data.normal_(generator=generator)
        found = adjacency(spectral_neurons(later, "co_svr"), spectral_neurons(earlier, "co_svr"))
        values.append(found.coefficients)
    values = torch.stack(values)
    # A mean of d squares has the variance 2 / (c^2 d) (1 - 1/c) / (1 + 2 / (c d)); 3600 coefficients, weakly dependent.
    c, d = found.channels, found.degrees
    assert values.var().item() == pytest.approx(2 / (c * c * d) * (1 - 1 / c) / (1 + 2 / (c * d)), rel=0.15)


def test_kernels_need_not_be_square():
    earlier, later = nn.Conv2d(4, 8, (3, 1)), nn.Conv2d(8, 6, (1, 5))
    for side, degrees in (("svr", 5), ("co_svr", 3)):
        assert adjacency(spectral_neurons(later, side), spectral_neurons(earlier, side)).degrees == degrees


def test_residual_networks_have_all_their_links():
    found = differences.links_of(resnet18(), torch.zeros(1, 1, 28, 28))
    assert found == {"theirs": 20, "ours": 38}
    links = {(link.earlier, link.later) for link in layer_graph(resnet18(), torch.zeros(1, 1, 28, 28)).links}
    # Neighbours in the list of weights whose channels do not even fit.
    assert ("layer2.0.conv2", "layer2.0.downsample.0") not in links


def test_entropy_counts_zeros_as_nothing():
    found = differences.entropy_with_zeros(seed=0)
    assert found["theirs"] is None
    a = torch.block_diag(*(haar_frames(1, n, n, torch.Generator().manual_seed(n))[0] for n in (3, 5))).square()
    parts = a[a > 0].numpy()
    assert entropy(Adjacency(a, 8, 1)) == pytest.approx(-np.sum(parts * np.log(parts)), abs=1e-12)
    assert 0 < found["ours"] < 8 * math.log(5)


def test_neurons_that_nobody_reads_have_no_intensity():
    assert differences.intensities_without_excess() == {"theirs": None, "ours": 0.0}
    assert intensities(Adjacency(torch.zeros(2, 2), 3, 1)).tolist() == [0, 0]


def test_an_untrained_network_shows_no_edges_that_are_corrected_for_their_number():
    found = differences.edges_of_random_layers((784, 40, 40, 40, 10), 0.15, 0.05, seed=0)
    assert found["expected"] == pytest.approx(540)
    # 3,600 coefficients that depend on each other weakly: five deviations of independent ones.
    assert abs(found["theirs"] - 540) < 5 * (3600 * 0.15 * 0.85) ** 0.5
    assert found["ours"] == 0


def test_all_differences_make_one_table():
    found = differences.code_differences(0.15, 0)
    rows = differences.difference_rows(found)
    assert len(rows) == len(found) == 8
    table = {name: row[1:] for name, row in zip(found, rows, strict=True)}
    assert table["internal_dimensions"] == ["29", "30"]
    assert table["wide_layer"] == ["128", "256"]
    assert table["entropy"][0] == "not a number" and float(table["entropy"][1]) > 0
    assert table["links"] == [str(found["links"]["theirs"]), str(found["links"]["ours"])]
