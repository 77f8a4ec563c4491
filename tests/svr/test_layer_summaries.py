"""Energies, intensities and entropy of representations against products of weights and planted cases."""

import pytest
import torch
from torch import nn

from paperlib.layers import ResidualSkip
from paperlib.svr import (
    Adjacency,
    Connection,
    Representation,
    edge_energies,
    energy,
    entropy,
    intensities,
    internal_dimensions,
    layer_intensities,
    representation,
    representation_of_weights,
    significant_edges,
    summaries,
)


def normal(seed, *shapes):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes]


def test_the_energy_of_a_connection_is_that_of_the_product():
    first, second = normal(0, (8, 6), (5, 8))
    found = representation_of_weights([first, second])
    expected = (second @ first).square().sum() / (second.square().sum() * first.square().sum())
    assert energy(found, found.connections[0]) == pytest.approx(expected.item(), rel=1e-12)
    scaled = representation_of_weights([30 * first, 0.1 * second])
    assert energy(scaled, scaled.connections[0]) == pytest.approx(expected.item(), rel=1e-10)


def test_chance_gives_one_over_the_channels():
    found = []
    for seed in range(50):
        whole = representation_of_weights(normal(seed, (16, 6), (9, 16)))
        found.append(energy(whole, whole.connections[0]))
    found = torch.tensor(found, dtype=torch.float64)
    assert abs(found.mean() - 1 / 16) < 4 * found.std() / 50**0.5


def test_a_layer_that_reads_what_is_written_most_takes_all_the_energy():
    first = torch.diag(torch.tensor([1.0, 0, 0]))
    same, other = torch.tensor([[2.0, 0, 0]]), torch.tensor([[0, 1.0, 0]])
    for reads, expected in ((same, 1.0), (other, 0.0)):
        whole = representation_of_weights([first, reads])
        assert energy(whole, whole.connections[0]) == expected


def test_summaries_hold_the_numbers_of_each_connection():
    whole = representation_of_weights(normal(1, (8, 6), (5, 8), (4, 5)))
    found = summaries(whole)
    for summary, connection in zip(found, whole.connections, strict=True):
        assert summary.dimensions == internal_dimensions(connection.adjacency)
        assert summary.energy == energy(whole, connection)
    assert [summary.energy_by_chance for summary in found] == [1 / 8, 1 / 5]


def test_energies_of_all_edges_add_up():
    whole = representation_of_weights(normal(2, (8, 6), (5, 8), (4, 5)))
    edges = significant_edges(whole, 0.999999)
    assert len(edges) == 6 * 5 + 5 * 4
    found, equal = edge_energies(whole, edges)
    for values in (found, equal):
        totals = torch.zeros(2, dtype=torch.float64).index_add(0, edges.connection, values)
        torch.testing.assert_close(totals, torch.ones(2, dtype=torch.float64), rtol=1e-12, atol=0)
    a, s = whole.connections[1].adjacency.coefficients, [layer.singular_values for layer in whole.layers]
    energies = s[2].unsqueeze(1) ** 2 * a * s[1] ** 2
    last = edges.connection == 1
    expected = (energies / energies.sum())[edges.later[last], edges.earlier[last]]
    torch.testing.assert_close(found[last], expected, rtol=1e-12, atol=0)


def test_intensities_of_all_layers():
    whole = representation_of_weights(normal(3, (8, 6), (5, 8), (4, 5)))
    found = layer_intensities(whole)
    for values, connection in zip(found, whole.connections, strict=False):
        torch.testing.assert_close(values, intensities(connection.adjacency), rtol=0, atol=0)
    assert found[-1].tolist() == [1] * 4


def test_a_layer_that_feeds_several_has_the_largest_excess():
    whole = representation_of_weights(normal(4, (4, 4), (4, 4), (4, 4)))
    weak, strong = torch.full((2, 4, 4), 0.25, dtype=torch.float64)
    weak[0, 1], strong[0, 2] = 0.5, 0.75
    connections = [Connection(0, index + 1, Adjacency(a, 4, 1)) for index, a in enumerate((weak, strong))]
    found = layer_intensities(Representation(whole.layers, tuple(connections)))
    assert found[0].tolist() == [0, 0.5, 1, 0]
    assert [values.tolist() for values in found[1:]] == [[1] * 4] * 2


def test_intensities_of_a_network_with_a_residual_sum():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 1), ResidualSkip(nn.Conv2d(4, 4, 3, padding=1)), nn.Conv2d(4, 2, 1))
    found = layer_intensities(representation(model, torch.zeros(1, 3, 5, 5)))
    assert [(len(one), one.max().item()) for one in found] == [(3, 1), (4, 1), (2, 1)]


def test_entropy_counts_zeros_as_nothing():
    """The authors' sum is NaN there; an even spread has the largest, one pair for each neuron has none."""
    assert entropy(Adjacency(torch.eye(5), 5, 1)) == 0
    assert entropy(Adjacency(torch.full((5, 5), 0.2), 5, 1)) == pytest.approx(5 * 1.6094379, rel=1e-6)


def test_layers_without_neurons_have_no_dimensions():
    whole = representation_of_weights([torch.zeros(4, 3), torch.ones(2, 4)])
    with pytest.raises(ValueError, match="layers with 0 and 1 spectral neurons have no internal dimensions"):
        internal_dimensions(whole.connections[0].adjacency)
    assert [len(values) for values in layer_intensities(whole)] == [0, 1]
