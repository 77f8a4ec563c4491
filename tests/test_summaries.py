"""Statistics of a projection table, on tables whose answers are known."""

import numpy as np
import pytest
import torch

from paperlib.analysis import ProjectionTable
from paperlib.generalizability.statements import figure_statements
from paperlib.summaries import (
    bootstrap_medians,
    boxes_by_class,
    mean_confidence,
    medians_by_class,
    position_from_below,
    rank_accuracy,
    ranks_needed,
    ratio_statistics,
    same_failures,
    separation,
    separation_with_interval,
)


def table(**changes) -> ProjectionTable:
    """Six images of two classes, three ranks."""
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    ramp = torch.linspace(0.1, 0.6, 6, dtype=torch.float64)
    ratios = torch.stack([ramp, ramp + 0.1, ramp + 0.2], dim=1)
    values = {
        "rpr": ratios,
        "lpr": torch.ones(6, 3, dtype=torch.float64),
        "lpr_centred": ratios,
        "rank_k_classes": torch.tensor([[1, 0, 0], [0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0], [0, 1, 1]]),
        "full_classes": torch.tensor([0, 0, 0, 1, 0, 1]),
        "rank_k_confidence": torch.full((6, 3), 0.5, dtype=torch.float64),
        "full_confidence": torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0, 0.5], dtype=torch.float64),
        "margins": torch.full((6,), 0.1),
        "singular_values": torch.ones(6, 3),
        "labels": labels,
        "largest_residual": 0.0,
        "shape": (3, 9),
    }
    return ProjectionTable(**{**values, **changes})


def test_accuracy_by_class_and_rank():
    accuracy = rank_accuracy(table())
    assert accuracy.by_class == [pytest.approx([1 / 3, 2 / 3, 1]), pytest.approx([1 / 3, 2 / 3, 2 / 3])]
    assert accuracy.full_by_class == pytest.approx([1, 2 / 3])
    assert accuracy.overall == pytest.approx([1 / 3, 2 / 3, 5 / 6])
    assert accuracy.full == pytest.approx(5 / 6)


def test_same_failures_sees_one_other_failure_unless_it_is_a_tie():
    assert same_failures(table())
    other = table().rank_k_classes.clone()
    other[0, 2] = 1
    assert not same_failures(table(rank_k_classes=other))
    margins = torch.tensor([1e-7, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert same_failures(table(rank_k_classes=other, margins=margins))


def test_confidence_counts_correct_images_only():
    assert mean_confidence(table()) == pytest.approx(4.5 / 5)
    assert mean_confidence(table(), rank=1) == pytest.approx(0.5)


def test_boxes_are_quartiles_with_whiskers_at_the_percentiles():
    values, labels = torch.arange(101, dtype=torch.float64), torch.zeros(101, dtype=torch.int64)
    (box,) = boxes_by_class(values, labels)
    assert (box.low, box.lower_quartile, box.median, box.upper_quartile, box.high) == (5, 25, 50, 75, 95)
    assert box.count == 101


def test_bootstrap_interval_holds_the_median_and_shrinks_with_more_images():
    generator = torch.Generator().manual_seed(0)
    widths = []
    for count in (50, 5000):
        values = torch.randn(count, 1, generator=generator, dtype=torch.float64)
        labels = torch.zeros(count, dtype=torch.int64)
        low, high = bootstrap_medians(values, labels, draws=200, seed=1)
        assert low <= medians_by_class(values, labels) <= high
        widths.append((high - low).item())
    # The standard error of a median goes with one over the square root of the count: a tenth here.
    assert widths[1] < widths[0] / 5


def test_ranks_needed_is_one_more_than_all_where_the_level_is_never_passed():
    assert ranks_needed(table().rpr, table().labels, level=0.35) == [3, 1]
    assert ranks_needed(table().rpr, table().labels, level=0.9) == [4, 4]


def test_separation_is_one_for_lower_values_and_half_by_chance():
    values = torch.tensor([0.1, 0.2, 0.8, 0.9])
    assert separation(values, torch.tensor([True, True, False, False])) == 1
    assert separation(values, torch.tensor([False, False, True, True])) == 0
    assert separation(torch.ones(4), torch.tensor([True, False, True, False])) == 0.5


def test_position_counts_from_below():
    assert [position_from_below([0.3, 0.1, 0.2], label) for label in range(3)] == [3, 1, 2]


def test_ratio_statistics_report_range_and_monotonicity():
    found = ratio_statistics(table(), ranks=[1, 3], positive=[0], level=0.35, draws=20)
    assert found["monotone"]
    assert found["range"] == pytest.approx([0.1, 1.0])
    assert found["deviation_lpr_rank10"] == 0
    assert found["auroc"]["rpr"][1] == 1
    falling = table(rpr=table().rpr.flip(1))
    assert not ratio_statistics(falling, ranks=[1], positive=[0], level=0.35, draws=20)["monotone"]


def test_statements_read_the_medians():
    ranks, digits = [2, 3], np.arange(10)

    def statistics(rpr, lpr, needed):
        positions = [[position_from_below(row, digit) for digit in digits] for row in rpr]
        return {
            "rpr_median": dict(zip(ranks, rpr, strict=True)),
            "lpr_median": dict(zip(ranks, lpr, strict=True)),
            "positions": {"rpr": positions},
            "vectors_needed": {"rpr": needed},
            "auroc": {"rpr": {2: 0.6, 3: 0.7}, "lpr": {2: 0.9, 3: 0.9}},
            "auroc_failure": {"rpr": {2: 0.75, 3: 0.8}},
        }

    balanced = np.array([0.5 - 0.1 * (digits == 8), 0.6 - 0.1 * (digits == 8)])
    unbalanced = balanced - 0.3 * (digits == 1) - 0.2 * (digits == 9)
    lpr = np.array([0.8 - 0.3 * np.isin(digits, [1, 9])] * 2)
    found = figure_statements(
        statistics(balanced, lpr, [3] * 10), statistics(unbalanced, lpr, [3, 7, 3, 3, 3, 3, 3, 3, 3, 5]), ranks, [1, 9]
    )
    assert found["position_of_8_balanced"] == [1, 1]
    assert found["digit_that_changes_most"] == 1
    assert found["slowest_unbalanced"] == [1, 8, 9]
    assert found["nine_minus_eight_balanced"] == pytest.approx([0.1, 0.1])
    assert found["nine_minus_eight_unbalanced"] == pytest.approx([-0.1, -0.1])
    assert found["lpr_margin_unbalanced"] == pytest.approx([0.3, 0.3])
    assert found["auroc_lpr_minus_rpr"] == pytest.approx([0.3, 0.2])
    assert found["auroc_failure_above_chance"] == pytest.approx([0.25, 0.3])
    assert found["more_vectors_needed"] == [4, 2]
    assert found["more_vectors_than_kept"] == [4, 2]


@pytest.mark.parametrize("count", [40, 400])
def test_separation_with_interval_has_the_area_and_the_spread_of_resampling(count):
    generator = torch.Generator().manual_seed(count)
    positive = torch.arange(count) % 4 == 0
    values = torch.randn(count, generator=generator, dtype=torch.float64).round(decimals=1) + positive
    found = separation_with_interval(values, positive)
    assert found.area == pytest.approx(separation(-values, positive), abs=1e-12)
    high, low = values[positive], values[~positive]
    areas = []
    for _ in range(600):
        one = high[torch.randint(len(high), (len(high),), generator=generator)]
        other = low[torch.randint(len(low), (len(low),), generator=generator)]
        pairs = one.unsqueeze(1) - other
        areas.append(((pairs > 0).double() + 0.5 * (pairs == 0)).mean())
    # 600 resamplings tell a standard deviation to 3 %; the smaller sample adds the bootstrap's own bias.
    assert (found.high - found.area) / 1.96 == pytest.approx(torch.stack(areas).std().item(), rel=0.2)
    assert found.p_value < 0.05


def test_separation_with_interval_of_nothing_and_of_everything():
    positive = torch.tensor([True, True, False, False])
    assert separation_with_interval(torch.ones(4), positive).area == 0.5
    assert separation_with_interval(torch.ones(4), positive).p_value == 1
    assert vars(separation_with_interval(positive.double(), positive)) == {
        "area": 1.0, "low": 1.0, "high": 1.0, "p_value": 0.0
    }  # fmt: skip
    with pytest.raises(ValueError, match="1 positive and 3 other images; at least two of each"):
        separation_with_interval(torch.ones(4), torch.tensor([True, False, False, False]))
