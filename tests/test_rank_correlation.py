"""Rank correlations against SciPy, against a second formula, and by how often intervals and p-values are right."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from paperlib.rank_correlation import (
    RankCorrelation,
    chance_range,
    difference_of_dependent_correlations,
    partial_rank_correlation,
    pearson_correlation,
    rank_correlation,
    rank_interval,
    within_groups,
)

FEW = {"draws": 20, "permutations": 19}


def normal_pairs(count, r, seed=0):
    """Pairs of two normal variables with Pearson correlation ``r``."""
    x, rest = np.random.default_rng(seed).normal(size=(2, count))
    return x, r * x + math.sqrt(1 - r * r) * rest


def spearman_of_normal(r):
    return 6 / math.pi * math.asin(r / 2)


def test_values_are_scipys_with_and_without_ties():
    x, y = normal_pairs(80, 0.4)
    assert rank_correlation(x, y, **FEW).value == pytest.approx(stats.spearmanr(x, y).statistic, rel=1e-12)
    assert pearson_correlation(x, y, **FEW).value == pytest.approx(stats.pearsonr(x, y).statistic, rel=1e-12)
    rough, tied = np.round(x), np.round(2 * y)
    assert rank_correlation(rough, tied, **FEW).value == pytest.approx(
        stats.spearmanr(rough, tied).statistic, rel=1e-12
    )


@pytest.mark.parametrize("r", [-0.8, 0.0, 0.5])
def test_many_pairs_show_the_planted_correlation(r):
    x, y = normal_pairs(4000, r)
    # Four standard errors of a rank correlation of 4,000 independent pairs; of dependent ones it is smaller.
    assert rank_correlation(x, y, **FEW).value == pytest.approx(spearman_of_normal(r), abs=4 / math.sqrt(4000))


@pytest.mark.parametrize("function", [rank_correlation, pearson_correlation])
def test_few_pairs_have_the_p_value_of_all_their_orders(function):
    x, y = np.array([1.0, 2.5, 3.0, 4.2, 9.0, 11.0]), np.array([2.0, 1.0, 4.0, 3.0, 8.0, 5.5])
    found = function(x, y, draws=20, permutations=20000)
    of = stats.spearmanr if function is rank_correlation else stats.pearsonr
    null = np.array([abs(of(np.array(order), y).statistic) for order in itertools.permutations(x)])
    exact = (null >= abs(found.value) - 1e-12).mean()
    # Four binomial deviations of 20,000 permutations.
    assert found.p_value == pytest.approx(exact, abs=4 * math.sqrt(exact / 20000))


def test_a_permutation_test_is_scipys():
    x, y = normal_pairs(30, 0.3, seed=5)
    ranks = stats.rankdata(y) - 15.5
    expected = stats.permutation_test(
        (stats.rankdata(x),), lambda x, axis: (x * ranks).sum(axis), permutation_type="pairings", n_resamples=1999,
        vectorized=True, rng=0,
    )  # fmt: skip
    # Two independent samples of 1,999 permutations each scatter by less than 0.016 about their common p-value.
    assert rank_correlation(x, y, draws=20, permutations=1999).p_value == pytest.approx(expected.pvalue, abs=0.05)


def covered(found, truth):
    return found.low <= truth <= found.high


def test_intervals_hold_the_planted_correlation_as_often_as_they_say():
    """Of 200 sets 95 %, give or take the binomial scatter and what a percentile interval of 50 rows falls short."""
    truth = spearman_of_normal(0.5)
    sets = [rank_correlation(*normal_pairs(50, 0.5, seed), draws=200, permutations=1) for seed in range(200)]
    assert 0.88 <= np.mean([covered(found, truth) for found in sets]) <= 0.99


def test_p_values_of_independent_quantities_are_uniform():
    found = [rank_correlation(*normal_pairs(40, 0.0, seed), draws=2, permutations=99).p_value for seed in range(200)]
    assert stats.kstest(found, "uniform").pvalue > 0.01


def confounded(count, seed=0):
    """Two quantities that have nothing in common but a third, and that third."""
    cause, first, second = np.random.default_rng(seed).normal(size=(3, count))
    return cause + 0.6 * first, np.exp(cause + 0.6 * second), cause


def columns(*quantities):
    return np.stack(quantities, axis=1)


def partial_by_inversion(*quantities):
    """The partial correlation of the first two quantities, read off the inverse of the rank correlation matrix."""
    inverse = np.linalg.inv(stats.spearmanr(columns(*quantities)).statistic)
    return -inverse[0, 1] / math.sqrt(inverse[0, 0] * inverse[1, 1])


def test_partial_correlations_are_those_of_the_inverted_matrix():
    x, y, cause = confounded(50)
    other = np.round(np.random.default_rng(1).normal(size=50) + x)
    found = partial_rank_correlation(x, y, columns(cause, other), **FEW).value
    assert found == pytest.approx(partial_by_inversion(x, y, cause, other), rel=1e-10)


def test_a_confounder_is_taken_out():
    x, y, cause = confounded(400)
    assert rank_correlation(x, y, **FEW).value > 0.6
    found = partial_rank_correlation(x, y, columns(cause), draws=400, permutations=999)
    # Ranks of a normal cause explain ranks almost, not wholly: 0.03 of it stays, besides the scatter of 0.05.
    assert abs(found.value) < 0.2 and found.low < found.value < found.high
    independent = np.random.default_rng(9).normal(size=400)
    kept = partial_rank_correlation(x, y, columns(independent), draws=100, permutations=999)
    assert kept.value == pytest.approx(rank_correlation(x, y, **FEW).value, abs=0.02) and kept.p_value == 0.001


def test_partial_p_values_are_uniform_where_nothing_is_left():
    def p_value(seed):
        # Both depend on the ranks of the cause, so that taking these out leaves independent quantities.
        cause, first, second = np.random.default_rng(seed).uniform(size=(3, 40))
        return partial_rank_correlation(cause + first, cause + second, columns(cause), draws=2, permutations=99).p_value

    assert stats.kstest([p_value(seed) for seed in range(200)], "uniform").pvalue > 0.01


def test_controls_may_depend_on_one_another_or_be_constant():
    x, y, cause = confounded(60)
    once = partial_rank_correlation(x, y, columns(cause), **FEW).value
    again = partial_rank_correlation(x, y, columns(cause, 3 * cause, np.ones(60)), **FEW).value
    assert again == pytest.approx(once, rel=1e-9)


def test_partial_correlations_inside_groups_are_those_of_standardised_ranks():
    """Against a regression of ranks that were taken, centred and scaled in each group by hand."""
    x, y, cause = confounded(60)
    groups = np.random.default_rng(3).permutation(np.repeat([0, 1, 2], [12, 18, 30]))
    x, y = x + 10 * groups, y - 10 * groups
    scored = np.empty((3, 60))
    for group in range(3):
        place = groups == group
        scored[:, place] = stats.zscore(stats.rankdata(columns(x, y, cause)[place].T, axis=1), axis=1)
    left = [row - row @ scored[2] / (scored[2] @ scored[2]) * scored[2] for row in scored[:2]]
    found = partial_rank_correlation(x, y, columns(cause), groups=groups, **FEW)
    assert found.value == pytest.approx(np.corrcoef(left)[0, 1], rel=1e-10)
    assert partial_rank_correlation(x, y, columns(cause), **FEW).value < -0.5 < found.low


def test_groups_that_differ_as_wholes_have_no_correlation_inside():
    generator = np.random.default_rng(2)
    groups = np.repeat(["a", "b", "c"], [30, 40, 50])
    level = np.repeat([0.0, 5.0, 10.0], [30, 40, 50])
    x, y = level + generator.normal(size=120), level + generator.normal(size=120)
    assert rank_correlation(x, y, **FEW).value > 0.8
    found = within_groups(x, y, groups, draws=200, permutations=499)
    assert found.low < 0 < found.high and found.p_value > 0.05
    means = [stats.spearmanr(x[groups == name], y[groups == name]).statistic for name in "abc"]
    assert found.value == pytest.approx(np.average(means, weights=[30, 40, 50]), rel=1e-12)


def test_rows_of_groups_may_stand_in_any_order():
    x, y = normal_pairs(40, 0.6)
    groups, order = np.arange(40) % 4, np.random.default_rng(3).permutation(40)
    sorted_found = within_groups(x, y, groups, **FEW).value
    assert within_groups(x[order], y[order], groups[order], **FEW).value == pytest.approx(sorted_found, rel=1e-12)
    whole, plain = within_groups(x, y, np.zeros(40), **FEW), rank_correlation(x, y, **FEW)
    # Scores of another scale are rounded otherwise.
    assert list(whole.as_dict().values()) == pytest.approx(list(plain.as_dict().values()), rel=1e-12)


def test_permutations_stay_inside_their_groups():
    """Two groups of two rows have four orders; a correlation of 1 inside both is one of two as far from 0."""
    found = within_groups([1, 2, 7, 8], [3, 4, 1, 2], [0, 0, 1, 1], draws=20, permutations=4000)
    assert found.value == pytest.approx(1) and found.p_value == pytest.approx(0.5, abs=0.04)


def test_a_difference_is_between_what_two_quantities_say_of_the_same_third():
    generator = np.random.default_rng(4)
    y = generator.normal(size=300)
    good, poor = y + generator.normal(size=300), y + 4 * generator.normal(size=300)
    found = difference_of_dependent_correlations(good, poor, y, draws=400)
    expected = stats.spearmanr(good, y).statistic - stats.spearmanr(poor, y).statistic
    assert found.value == pytest.approx(expected, rel=1e-12) and 0 < found.low < found.value < found.high
    same = difference_of_dependent_correlations(good, 2 * good, y, draws=50)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_resampling_follows_its_seed():
    x, y = normal_pairs(30, 0.4)
    first, again, other = (rank_correlation(x, y, draws=200, permutations=99, seed=seed) for seed in (0, 0, 1))
    assert first == again and (first.low, first.high) != (other.low, other.high)
    assert rank_interval(x, y, draws=200) == (first.low, first.high)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "found",
    [
        lambda x, flat: rank_correlation(x, flat, **FEW),
        lambda x, flat: pearson_correlation(flat, x, **FEW),
        lambda x, flat: within_groups(x, flat, [0, 0, 0, 1, 1, 1], **FEW),
        lambda x, flat: within_groups(x, x, range(6), **FEW),
        lambda x, flat: partial_rank_correlation(x, flat, columns(x * x), **FEW),
        lambda x, flat: partial_rank_correlation(x, -x, columns(x), **FEW),
    ],
)
def test_without_variation_there_is_no_correlation(found):
    one = found(np.array([1.0, 3.0, 2.0, 5.0, 4.0, 7.0]), np.full(6, 0.1))
    assert math.isnan(one.value) and math.isnan(one.low) and math.isnan(one.high)
    assert (one.p_value, one.count) == (1.0, 6)
    assert one.as_dict() == {"value": None, "low": None, "high": None, "p_value": 1.0, "count": 6}
    assert math.isnan(RankCorrelation.from_dict(one.as_dict()).value)


def test_a_result_file_gives_the_correlation_back():
    found = rank_correlation(*normal_pairs(10, 0.5), **FEW)
    assert RankCorrelation.from_dict(found.as_dict()) == found
    assert [type(number) for number in found.as_dict().values()] == [float, float, float, float, int]


@pytest.mark.parametrize("count", [12, 60])
def test_chance_holds_95_of_100_independent_correlations(count):
    low, high = chance_range(count)
    generator = np.random.default_rng(6)
    found = [stats.spearmanr(*generator.normal(size=(2, count))).statistic for _ in range(600)]
    # Four binomial deviations of 600 draws, 0.9 % each.
    assert low == -high and np.mean([low <= one <= high for one in found]) == pytest.approx(0.95, abs=0.036)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rank_correlation([1, 2], [1, 2]), "expected three or more pairs"),
        (lambda: rank_correlation([1, 2, 3], [1, 2]), r"\(3,\) and \(2,\)"),
        (lambda: rank_correlation([[1, 2, 3]], [[1, 2, 3]]), "expected three or more pairs"),
        (lambda: rank_correlation([1, 2, 3], [1, np.nan, np.inf]), "second quantity is not finite in 2 of 3 .* row 1"),
        (lambda: within_groups([1, 2, 3], [1, 2, 3], [0, 1]), "expected one for each row"),
        (lambda: partial_rank_correlation([1, 2, 3], [1, 2, 3], columns([1, 3, 2])), "expected at least 4"),
        (lambda: partial_rank_correlation(range(5), range(5), columns(range(5)), groups=[0, 1]), "groups of shape"),
        (lambda: partial_rank_correlation(range(5), range(5), [[1, 3, 2, 4, 5]]), r"expected \(5, c\), a column"),
        (lambda: partial_rank_correlation(range(5), range(5), [1, 3, 2, 4, 5]), r"expected \(5, c\), a column"),
        (lambda: chance_range(2), "2 pairs"),
    ],
)  # fmt: skip
def test_what_cannot_be_correlated_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
