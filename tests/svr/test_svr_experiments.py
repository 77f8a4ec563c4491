"""What the notebooks of `svr` compute of whole networks: chains of first neurons, low edges, idle channels."""

import math

import pytest
import torch
from torch import nn

from paperlib.svr import representation, representation_of_weights, significant_edges
from paperlib.svr.experiments.edge_detector import edge_rows, similarity_values
from paperlib.svr.experiments.low_neurons import low_edges
from paperlib.svr.experiments.near_kernels import kernel_rows, near_kernels, remove_idle
from paperlib.svr.experiments.super_feature import leading_chain, sizes
from paperlib.svr.images.similarities import SobelSimilarity


def orthogonal(size: int, seed: int) -> torch.Tensor:
    return torch.linalg.qr(
        torch.randn(size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    ).Q


def kernels(U: torch.Tensor, values: torch.Tensor, V: torch.Tensor) -> torch.Tensor:
    """A 3x3 convolution that reads the columns of V at the centre and writes those of U."""
    weight = torch.zeros(len(U), len(V), 3, 3, dtype=torch.float64)
    weight[:, :, 1, 1] = U * values @ V.mT
    return weight


SIZE = 12
VALUES = torch.linspace(3, 1, SIZE, dtype=torch.float64)


def chain_of(aligned: tuple[bool, ...]) -> dict[str, torch.Tensor]:
    """Convolutions of which each reads first what the one before writes first, where ``aligned`` says so, else last."""
    bases = [orthogonal(SIZE, seed) for seed in range(len(aligned) + 2)]
    weights = {"0": kernels(bases[1], VALUES, bases[0])}
    for number, same in enumerate(aligned, start=1):
        weights[str(number)] = kernels(bases[number + 1], VALUES, bases[number] if same else bases[number].flip(1))
    return weights


def test_the_chain_is_as_long_as_it_was_made():
    found = leading_chain(representation_of_weights(chain_of((True, False, True, True, True, False))), 0.00135)
    assert found.longest == 3
    assert found.significant == (True, False, True, True, True, False)
    assert found.later == ("1", "2", "3", "4", "5", "6")
    assert found.coefficients == pytest.approx((1, 0, 1, 1, 1, 0), abs=1e-10)
    assert found.largest_in_matrix[0] and not found.largest_in_matrix[1]
    # Nine degrees of freedom and twelve channels: the upper 0.135 % of chi-squared over 108, from a table.
    assert found.thresholds == pytest.approx([27.2 / 108] * 6, rel=0.01)
    assert found.p_values[0] < 1e-15 and found.p_values[1] == pytest.approx(1)


def test_a_chain_ends_where_the_convolutions_do():
    weights = chain_of((True, True)) | {"3": torch.randn(5, SIZE, dtype=torch.float64)}
    assert leading_chain(representation_of_weights(weights), 0.01).later == ("1", "2")


def test_sizes_count_weights_pairs_and_edges():
    found = representation_of_weights(chain_of((True, True)))
    counted = sizes(found, significant_edges(found, 0.00135))
    # Aligned bases: one edge for each spectral neuron.
    assert (counted.weights, counted.pairs, counted.edges) == (3 * SIZE**2 * 9, 2 * SIZE**2, 2 * SIZE)
    assert counted.orders == pytest.approx(math.log10(3888 / 24))
    assert counted.chance_orders == pytest.approx(math.log10(3888 / (0.00135 * 288)))


def test_edges_between_the_lowest_neurons_are_counted():
    found = representation_of_weights(chain_of((True, True)))
    edges = significant_edges(found, 0.00135)
    low = low_edges(found, edges, 0.25)
    assert (low.share, low.chance, low.shown) == (0.25, 1 / 16, 24)
    assert low.expected == edges.expected_false
    flipped = representation_of_weights(chain_of((False, False)))
    assert low_edges(flipped, significant_edges(flipped, 0.00135)).share == 0


@pytest.mark.parametrize("part", [0, 1, -0.5])
def test_a_part_that_is_no_share_is_refused(part):
    found = representation_of_weights(chain_of((True,)))
    with pytest.raises(ValueError, match="expected a share in"):
        low_edges(found, significant_edges(found, 0.1), part)


def sparse_network(idle: int = 5, size: float = 1e-6) -> nn.Sequential:
    """Two convolutions with batch norm; the last ``idle`` of 16 channels between them have next to no weights."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 12, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.Conv2d(12, 4, 3, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ).eval()
    with torch.no_grad():
        model[0].weight[-idle:] *= size
        model[3].weight[:, -idle:] *= size
    return model


def test_idle_channels_are_found_and_removed():
    model, images = sparse_network(), torch.rand(6, 3, 9, 9, generator=torch.Generator().manual_seed(1))
    found = near_kernels(model, images[:1])
    assert list(found) == ["0", "3"]
    first, second = kernel_rows(found)
    assert (first.channels, first.blocks, first.idle, first.rows) == (16, (11, 5), 5, 1)
    assert first.spread > 1e5 and first.gap > 1e4 and first.off_block < 1e-6 < first.off_block_chance
    assert (second.idle, second.gap) == (0, 1)
    removed = remove_idle(model, images, found)
    assert (removed.removed, removed.channels) == (5, 28)
    # Of a channel go 3 x 9 weights that write it, 12 x 9 that read it, and two numbers of batch norm.
    assert removed.parameters_before - removed.parameters == 5 * (27 + 108 + 2)
    # Channels a million times weaker in both layers leave the outputs as they are, to float32.
    assert removed.change.relative < 1e-5 and removed.change.same_class == 1


def test_of_a_network_without_idle_channels_nothing_is_removed():
    model, images = sparse_network(size=1.0), torch.rand(2, 3, 9, 9)
    removed = remove_idle(model, images, near_kernels(model, images[:1]))
    assert removed.removed == 0 and removed.parameters == removed.parameters_before
    assert removed.change.relative == 0


def similarity(first: float, others: float, noise: float) -> SobelSimilarity:
    """Cosines of 50 images and 8 neurons around planted means, with what all neurons share in an image on top."""
    generator = torch.Generator().manual_seed(0)
    means = torch.tensor([first, *[others] * 7], dtype=torch.float64)
    shared = 0.3 * torch.randn(50, 1, dtype=torch.float64, generator=generator)
    own = noise * torch.randn(50, 8, dtype=torch.float64, generator=generator)
    flat = torch.full((50, 8), 0.1, dtype=torch.float64)
    return SobelSimilarity("layer", (4, 4), means + shared + own, flat, flat / 2)


def test_the_first_neuron_is_compared_image_by_image():
    [row] = edge_rows({"layer": similarity(0.6, 0.5, 0.01)}, 4.0).values()
    assert row.best == 0 and row.gap == pytest.approx(row.first - row.second)
    # The 0.3 that differs from image to image is the same for all neurons and drops out: 4 sqrt(2) 0.01 / sqrt(50).
    assert row.band == pytest.approx(0.008, rel=0.3)
    assert row.gap_over_band > 5 and row.random_best == pytest.approx(0.1) and row.shuffled_first == pytest.approx(0.05)


def test_layers_whose_first_neuron_is_best_are_counted():
    found = {"clear": similarity(0.6, 0.5, 0.01), "not": similarity(0.4, 0.5, 0.01), "alike": similarity(0.5, 0.5, 0.2)}
    values = similarity_values(found, 4.0)
    assert values["first_is_clearly_best"] == pytest.approx(1 / 3)
    assert values["first_is_best"] in (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert [layer["path"] for layer in values["layers"]] == ["clear", "not", "alike"]
    assert values["layers"][1]["best"] > 0 and values["layers"][1]["gap"] < 0


def test_pooling_and_activations_have_no_part_in_the_graph():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 4, 3, padding=1)]
    plain = representation(nn.Sequential(*layers), torch.zeros(1, 3, 16, 16))
    pooled = nn.Sequential(layers[0], nn.ReLU(), nn.MaxPool2d(2), layers[1], nn.Tanh(), nn.AvgPool2d(2), layers[2])
    other = representation(pooled, torch.zeros(1, 3, 16, 16))
    pairs = zip(plain.connections, other.connections, strict=True)
    assert all(torch.equal(one.adjacency.coefficients, two.adjacency.coefficients) for one, two in pairs)
