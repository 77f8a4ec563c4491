"""Thresholds and significance on signals whose answer is known."""

import numpy as np
import pytest
import torch

from paperlib.hypergraphs import hypergraph, significance, significant_directions, threshold, thresholds

NAMES = ["a", "b"]
LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])


def columns(*values):
    return torch.tensor(values, dtype=torch.float32).T.contiguous()


# Direction 0 is strong in class a, 1 in three images of b, 2 in both, 3 nowhere.
SIGNALS = columns(
    [9, 9, 9, 9, 0, 0, 0, 0], [0, 0, 0, 0, 9, 9, 9, 0], [8, 8, 8, 8, 8, 8, 8, 8], [1, 0, 1, 0, 1, 0, 1, 0]
)


def test_known_table():
    # Of 32 signals the smallest 17 are 0 or 1 at q = 0.5; rank floor(0.5 * 31) = 15.
    found = significance(SIGNALS, LABELS, NAMES, 0.5, 75)
    assert found.threshold == 1
    assert found.counts.tolist() == [[4, 0], [0, 3], [4, 4], [0, 0]]
    assert found.sizes.tolist() == [4, 4]
    assert found.shares.tolist() == [[1, 0], [0, 0.75], [1, 1], [0, 0]]
    assert found.table.tolist() == [[True, False], [False, True], [True, True], [False, False]]


def test_a_majority_just_above_the_share_excludes_it():
    assert significance(SIGNALS, LABELS, NAMES, 0.5, 75).table[1, 1]
    assert not significance(SIGNALS, LABELS, NAMES, 0.5, 75.001).table[1, 1]


def test_at_least_p_per_cent_is_exact_for_every_whole_percentage():
    for count in range(1, 101):
        signals = torch.zeros(100, 1)
        signals[:count] = 1
        labels = torch.zeros(100, dtype=torch.int64)
        for p in (51, 55, 70, 99, 100):
            found = significance(torch.cat([signals, torch.zeros(100, 1)], 1), labels, ["a"], 0.4, p)
            assert bool(found.table[0, 0]) == (count >= p)


def test_a_signal_equal_to_the_threshold_is_not_significant():
    signals = torch.tensor([[1.0], [2.0], [2.0], [2.0], [3.0]])
    cut = threshold(signals, 0.5)
    assert cut == 2
    assert significant_directions(signals, cut).flatten().tolist() == [False, False, False, False, True]


def test_all_equal_signals_have_no_significant_direction():
    found = significance(torch.full((8, 3), 0.7), LABELS, NAMES, 0.0, 75)
    assert not found.table.any()
    graph = hypergraph(found)
    assert graph.nodes == () and graph.hyperedges == {} and graph.empty_classes == ("a", "b")


def test_the_highest_quantile_leaves_nothing():
    assert not significance(SIGNALS, LABELS, NAMES, 1.0, 51).table.any()


def test_one_class():
    found = significance(SIGNALS[:4], torch.zeros(4, dtype=torch.int64), ["a"], 0.5, 100)
    assert found.table.flatten().tolist() == [True, False, True, False]


def test_classes_of_different_sizes_are_judged_by_their_own():
    signals = columns([5, 5, 5, 1, 5, 1], [0] * 6)
    found = significance(signals, torch.tensor([0, 0, 0, 0, 1, 1]), NAMES, 0.6, 75)
    assert found.table.tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize("q", [0, 0.1, 0.5, 0.85, 0.95, 1])
@pytest.mark.parametrize("count", [1, 2, 7, 101, 1000])
def test_the_threshold_leaves_the_signals_above_that_every_quantile_leaves(q, count):
    values = torch.randn(count, 1, generator=torch.Generator().manual_seed(count), dtype=torch.float64)
    cut = threshold(values, q)
    assert cut in values
    for method in ("linear", "lower"):
        other = np.quantile(values.numpy(), q, method=method)
        assert torch.equal(values > cut, values > other)


def test_a_quantile_is_taken_as_it_is_written():
    # In binary 0.29 * 100 is a little below 29.
    values = torch.arange(101.0).unsqueeze(1)
    assert threshold(values, 0.29) == 29


def test_the_threshold_is_over_the_whole_layer_or_by_direction():
    signals = torch.stack([torch.arange(5.0), 10 + torch.arange(5.0)], 1)
    assert threshold(signals, 0.5).item() == 4
    assert threshold(signals, 0.5, per_direction=True).tolist() == [2, 12]
    whole = significance(signals, torch.zeros(5, dtype=torch.int64), ["a"], 0.2, 70)
    by_direction = significance(signals, torch.zeros(5, dtype=torch.int64), ["a"], 0.2, 70, per_direction=True)
    assert whole.counts.flatten().tolist() == [3, 5] and by_direction.counts.flatten().tolist() == [4, 4]
    assert thresholds(signals, [0.0, 1.0]).tolist() == [0, 14]


def test_the_mean_size_of_a_class_is_bounded():
    signals = torch.randn(200, 40, generator=torch.Generator().manual_seed(0)) + torch.randn(40)
    labels = torch.arange(200) % 4
    for q, p in ((0.5, 51), (0.85, 75), (0.95, 60)):
        table = significance(signals, labels, list("abcd"), q, p).table
        # One signal more than (1 - q) of them may lie above, as a rank is rounded down.
        assert table.sum() / 4 <= ((1 - q) * signals.numel() + 1) / 200 * 100 / p


REFUSALS = {
    "q above 1": ({"q": 1.01}, r"q is 1.01; expected a quantile between 0 and 1"),
    "q below 0": ({"q": -0.1}, r"q is -0.1"),
    "q is NaN": ({"q": float("nan")}, "q is nan"),
    "p is 50": ({"p": 50}, r"p is 50; expected a percentage above 50 and at most 100"),
    "p is a share": ({"p": 0.75}, r"p is 0.75; expected a percentage"),
    "p above 100": ({"p": 100.5}, "p is 100.5"),
    "empty sample": ({"signals": torch.zeros(0, 3), "labels": LABELS[:0]}, "there are 0 images and 3 directions"),
    "no directions": ({"signals": torch.zeros(8, 0)}, "8 images and 0 directions"),
    "another shape": ({"signals": torch.zeros(8)}, r"signals are \(8,\)"),
    "whole numbers": ({"signals": torch.zeros(8, 2, dtype=torch.int64)}, "expected floating-point numbers"),
    "NaN": ({"signals": SIGNALS.clone().index_fill_(1, torch.tensor(2), float("nan"))}, "8 of the 32 signals are NaN"),
    "labels of other length": ({"labels": LABELS[:5]}, r"labels are \(5,\) for 8 images"),
    "labels that are no whole numbers": ({"labels": LABELS.double()}, "labels are torch.float64"),
    "a label without name": ({"classes": ["a"]}, r"labels reach from 0 to 1, but there are names for 0..0"),
    "a negative label": ({"labels": LABELS - 1}, "labels reach from -1 to 0"),
    "class without image": ({"classes": ["a", "b", "c"]}, "the sample has no image of class c"),
    "repeated names": ({"classes": ["a", "a"]}, "each once"),
    "no classes": ({"classes": []}, "expected at least one"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_is_refused_with_the_reason(case):
    given = {"signals": SIGNALS, "labels": LABELS, "classes": NAMES, "q": 0.5, "p": 75} | REFUSALS[case][0]
    with pytest.raises(ValueError, match=REFUSALS[case][1]):
        significance(**given)


def test_half_precision_is_compared_in_single():
    half = significance(SIGNALS.to(torch.bfloat16), LABELS, NAMES, 0.5, 75)
    assert half.threshold.dtype == torch.float32 and half.counts.tolist() == [[4, 0], [0, 3], [4, 4], [0, 0]]


def test_thresholds_do_not_change_the_signals():
    signals = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    before = signals.clone()
    thresholds(signals, [0.2, 0.9])
    thresholds(signals, [0.2, 0.9], per_direction=True)
    assert torch.equal(signals, before)
