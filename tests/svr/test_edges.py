"""Significant edges of representations: thresholds, false discoveries, and how many chance gives."""

import pytest
import torch
from torch import nn

from paperlib.svr import (
    Adjacency,
    Connection,
    Layer,
    Representation,
    null_law,
    p_values,
    representation_of_weights,
    significant_edges,
)


def chain(*found: Adjacency) -> Representation:
    """A representation with these matrices, the first layer's columns first."""
    sizes = [found[0].coefficients.shape[1], *(len(one.coefficients) for one in found)]
    layers = [
        Layer(str(index), "fully_connected", "svr", (size, size), torch.ones(size, dtype=torch.float64))
        for index, size in enumerate(sizes)
    ]
    return Representation(tuple(layers), tuple(Connection(index, index + 1, one) for index, one in enumerate(found)))


def planted():
    """Three strong coefficients among a hundred weak ones, and one strong of twenty of another law."""
    first = torch.full((10, 10), 0.01, dtype=torch.float64)
    first[0, 0], first[1, 1], first[2, 2] = 0.8, 0.9, 0.11
    second = torch.full((2, 10), 0.01, dtype=torch.float64)
    second[1, 4] = 0.5
    return chain(Adjacency(first, 40, 1), Adjacency(second, 20, 9))


def ends(edges):
    return list(zip(edges.connection.tolist(), edges.later.tolist(), edges.earlier.tolist(), strict=True))


def test_each_edge_by_itself():
    found = significant_edges(planted(), 0.05)
    assert ends(found) == [(0, 1, 1), (0, 0, 0), (0, 2, 2), (1, 1, 4)]
    assert found.coefficient.tolist() == [0.9, 0.8, 0.11, 0.5]
    # From tables of the chi-square law: 3.841459 with 1 degree of freedom, 16.918978 with 9.
    assert found.thresholds == pytest.approx((3.841459 / 40, 16.918978 / 180), rel=1e-6)
    assert (found.candidates, found.significant, found.cut) == ((100, 20), (3, 1), 0.05)
    assert found.expected_false == pytest.approx(6.0) and len(found) == 4


@pytest.mark.parametrize("law", ["chi2", "beta"])
def test_p_values_are_those_of_the_law(law):
    whole = planted()
    found = significant_edges(whole, 0.05, law)
    for index, connection in enumerate(whole.connections):
        here = found[found.connection == index]
        expected = p_values(connection.adjacency, law)[here.later, here.earlier]
        torch.testing.assert_close(here.p_value, expected, rtol=1e-12, atol=0)


def test_the_strongest_of_each_connection():
    found = significant_edges(planted(), 0.05, most=1)
    assert ends(found) == [(0, 1, 1), (1, 1, 4)]
    # What passed and what chance lets pass is as without.
    assert found.significant == (3, 1) and found.expected_false == pytest.approx(6.0)


def test_false_discoveries_are_counted_over_all_connections():
    whole = planted()
    found = significant_edges(whole, 0.05, correction="false_discovery_rate")
    # p = 0.036 of the third is above 0.05 * 4 / 120, and would be 0.05 * 3 / 100 of its own matrix as well.
    assert ends(found) == [(0, 1, 1), (0, 0, 0), (1, 1, 4)]
    all_values = torch.cat([p_values(one.adjacency).flatten() for one in whole.connections]).sort().values
    ranks = torch.arange(1, 121, dtype=torch.float64)
    last = int((all_values <= 0.05 * ranks / 120).nonzero().max())
    assert last == 2 and found.cut == pytest.approx(all_values[last].item(), rel=1e-12)
    assert found.expected_false == pytest.approx(120 * found.cut)
    weakest = found.coefficient[found.p_value.argmax()].item()
    assert weakest in (pytest.approx(cut, rel=1e-9) for cut in found.thresholds)


def test_where_nothing_is_found_nothing_can_be():
    nothing = Adjacency(torch.full((10, 10), 0.01, dtype=torch.float64), 40, 1)
    found = significant_edges(chain(nothing), 0.05, correction="false_discovery_rate")
    assert len(found) == 0 and (found.cut, found.expected_false) == (0, 0)
    assert found.thresholds == (float("inf"),)


def test_a_pool_can_find_what_a_matrix_alone_does_not():
    """One connection full of strong edges raises the cut for all, as it does for one large matrix."""
    strong = torch.full((5, 5), 0.9, dtype=torch.float64)
    weak = torch.full((5, 5), 0.01, dtype=torch.float64)
    weak[0, 0] = 0.11
    alone = significant_edges(chain(Adjacency(weak, 40, 1)), 0.1, correction="false_discovery_rate")
    both = chain(Adjacency(strong, 40, 1), Adjacency(weak, 40, 1))
    together = significant_edges(both, 0.1, correction="false_discovery_rate")
    assert len(alone) == 0 and together.significant == (25, 1)


def unit(generator, *shape):
    draws = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return draws / draws.norm(dim=1, keepdim=True)


def test_false_discoveries_among_pure_chance_are_as_rare_as_asked():
    generator = torch.Generator().manual_seed(0)
    hits = 0
    for _ in range(300):
        values = [(unit(generator, 200, c) * unit(generator, 200, c)).sum(1).square() for c in (40, 12)]
        whole = chain(
            *(Adjacency(a.reshape(20, 10), c, 1) for a, c in zip(values, (40, 12), strict=True)),
        )
        hits += len(significant_edges(whole, 0.1, "beta", correction="false_discovery_rate")) > 0
    # 10 % of 300, four standard deviations of 5.2.
    assert hits < 30 + 21


def test_false_discoveries_among_true_ones_are_as_rare_as_asked():
    """A fifth of the edges is planted far above chance: of those shown at most 0.8 * 20 % are false on average."""
    generator = torch.Generator().manual_seed(1)
    shares = []
    for _ in range(100):
        values = (unit(generator, 400, 40) * unit(generator, 400, 40)).sum(1).square()
        values[:80] = 0.6
        found = significant_edges(
            chain(Adjacency(values.reshape(20, 20), 40, 1)), 0.2, "beta", correction="false_discovery_rate"
        )
        false = (found.later * 20 + found.earlier >= 80).double()
        shares.append(false.mean())
    shares = torch.stack(shares)
    # Benjamini and Hochberg: exactly p times the share of true nulls; four standard errors.
    assert abs(shares.mean() - 0.16) < 4 * shares.std() / 10


@pytest.mark.parametrize("p", [0.15, 0.00135])
def test_random_networks_show_a_share_p_of_their_edges(p):
    """svr.claim.08: 15 % of the edges of a random network, whatever its layers."""
    shares = []
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        shapes = [(32, 3, 3, 3), (48, 32, 3, 3), (40, 48 * 4), (40, 40), (10, 40)]
        weights = [torch.randn(shape, generator=generator) for shape in shapes]
        found = significant_edges(representation_of_weights(weights), p, "beta")
        assert found.expected_false == pytest.approx(p * (48 * 27 + 40 * 48 + 40 * 40 + 10 * 40))
        shares.append(len(found) / sum(found.candidates))
    shares = torch.tensor(shares, dtype=torch.float64)
    assert abs(shares.mean() - p) < 4 * shares.std() / len(shares) ** 0.5


def test_coefficients_that_say_nothing_are_not_tested():
    single = Adjacency(torch.ones(4, 3, dtype=torch.float64), 1, 9)
    grouped = Adjacency(torch.eye(4, dtype=torch.float64), 8, 1, share=0.25)
    for law in ("chi2", "beta"):
        found = significant_edges(chain(single, grouped), 0.5, law)
        assert found.candidates == (0, 4) and found.thresholds[0] == float("inf")
        assert ends(found) == [(1, index, index) for index in range(4)]
        # The law of pairs in the same group has 8 / 4 channels.
        assert found.thresholds[1] == pytest.approx(null_law(2, 1, law).isf(0.5))


def test_an_underflow_is_no_certainty():
    strong = Adjacency(torch.ones(2, 2, dtype=torch.float64), 4096, 9)
    found = significant_edges(chain(strong), 0.05, correction="false_discovery_rate")
    assert len(found) == 4 and 0 < found.p_value.max() < 1e-300
    assert 0 < found.thresholds[0] < 1


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 2, float("nan")])
def test_probabilities_out_of_range_are_refused(p):
    with pytest.raises(ValueError, match=r"expected a probability in \(0, 1\)"):
        significant_edges(planted(), p)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="law is 'normal'; expected one of chi2, beta"):
        significant_edges(planted(), 0.1, "normal")
    with pytest.raises(ValueError, match="correction is 'bonferroni'; expected one of none, false_discovery_rate"):
        significant_edges(planted(), 0.1, correction="bonferroni")
    with pytest.raises(ValueError, match="most is 0; expected at least one edge"):
        significant_edges(planted(), 0.1, most=0)


def test_a_trained_path_is_found_in_a_network():
    """Weights of rank one that write in the direction that the next ones read."""
    torch.manual_seed(0)
    first, second = nn.Linear(20, 30).weight.detach(), nn.Linear(30, 25).weight.detach()
    direction = torch.randn(30)
    direction /= direction.norm()
    first += 3 * torch.outer(direction, torch.randn(20))
    second += 3 * torch.outer(torch.randn(25), direction)
    found = significant_edges(representation_of_weights([first, second]), 0.05, correction="false_discovery_rate")
    assert ends(found)[0] == (0, 0, 0) and found.coefficient[0] > 0.9
