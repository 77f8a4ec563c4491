"""Means and variances of coefficients between random directions on a part of the channels, by simulation."""

import pytest
import torch
from scipy import stats

from paperlib.svr import null_law
from paperlib.svr.chance import Span, chance

ONE = torch.tensor([1])

# Inputs and kernel that an earlier neuron writes, the same that a later one reads, and the inputs that they share.
CASES = {
    "kernels on both sides": (6, 9, 6, 4, 6),
    "group of a later layer": (64, 1, 16, 9, 16),
    "small group of a later layer": (128, 1, 4, 9, 4),
    "group of an earlier layer": (16, 1, 64, 9, 16),
    "depthwise": (64, 1, 1, 9, 1),
    "part of the inputs": (10, 1, 30, 9, 10),
    "part of the inputs, kernel of the writer": (10, 9, 30, 1, 10),
    "the same group": (8, 1, 8, 9, 8),
}


def simulated(case, count=200_000):
    width_u, q, width_v, z, shared = CASES[case]
    generator = torch.Generator().manual_seed(len(case))
    found = []
    for _ in range(count // 20_000):
        U = torch.randn(20_000, width_u, q, generator=generator)
        V = torch.randn(20_000, width_v, z, generator=generator)
        products = torch.einsum("ncq,ncz->nqz", U[:, :shared], V[:, :shared]).square().sum((1, 2))
        found.append(products / (U.square().sum((1, 2)) * V.square().sum((1, 2))))
    return torch.cat(found).double()


def law(case):
    width_u, q, width_v, z, _ = CASES[case]
    found = chance(Span(0, width_u, q, ONE), Span(0, width_v, z, ONE), 1)
    return found, null_law(found.channels, found.degrees, "beta")


@pytest.mark.parametrize("case", CASES)
def test_mean_and_variance_are_those_of_random_directions(case):
    draws, (_, expected) = simulated(case), law(case)
    # Four standard errors; the fourth moment of the law stands for that of the draws.
    assert abs(draws.mean() - expected.mean()) < 4 * expected.std() / len(draws) ** 0.5
    fourth = ((draws - draws.mean()) ** 4).mean().item()
    slack = 4 * ((fourth - expected.var() ** 2) / len(draws)) ** 0.5
    assert abs(draws.var().item() - expected.var()) < slack


@pytest.mark.parametrize("case", ["group of an earlier layer", "depthwise", "part of the inputs", "the same group"])
def test_the_law_is_exact_where_one_side_is_a_fixed_direction(case):
    assert stats.kstest(simulated(case, 40_000).numpy(), law(case)[1].cdf).pvalue > 0.001


@pytest.mark.parametrize("case", CASES)
def test_thresholds_are_near_elsewhere(case):
    draws, (_, expected) = simulated(case), law(case)
    # What `null_law` states, with four standard errors of the share of 200,000 draws.
    for p, low, high in ((0.15, 0.14, 0.152), (0.001, 0.0009, 0.002)):
        share = (draws > expected.isf(p)).double().mean().item()
        slack = 4 * (p / len(draws)) ** 0.5
        assert low - slack < share < high + slack


def test_numbers_of_the_known_cases_are_whole():
    found = [law(case)[0] for case in ("group of an earlier layer", "depthwise", "part of the inputs")]
    assert [(one.channels, one.degrees, one.share) for one in found] == [(64, 9, 1), (64, 1, 1), (30, 9, 1)]
    several = chance(Span(0, 12, 9, ONE), Span(-12, 36, 1, ONE), 6)
    assert (several.channels, several.share) == (6, 1)


def test_groups_that_meet_in_part_of_the_pairs():
    """Four groups of two channels write what two groups of four read: half of the pairs have channels in common."""
    found = chance(Span(0, 2, 1, torch.tensor([2] * 4)), Span(0, 4, 9, torch.tensor([3] * 2)), 1)
    assert (found.channels, found.degrees, found.share) == (8, 9, 0.5)


def test_groups_count_by_their_neurons():
    """The first group has all the neurons that write: the second reader's are alone with theirs."""
    found = chance(Span(0, 4, 1, torch.tensor([4, 0])), Span(0, 4, 1, torch.tensor([1, 3])), 1)
    assert (found.channels, found.share) == (16, 0.25)


def test_a_single_channel_has_nothing_to_vary():
    found = chance(Span(0, 1, 1, ONE), Span(0, 1, 9, ONE), 1)
    assert (found.channels, found.degrees) == (1, 9)


def test_layers_without_neurons_have_the_law_of_their_groups():
    found = chance(Span(0, 4, 1, torch.tensor([0, 0])), Span(0, 8, 9, torch.tensor([0])), 1)
    assert (found.channels, found.degrees, found.share) == (8, 9, 1)
