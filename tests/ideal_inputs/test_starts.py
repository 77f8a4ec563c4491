"""Output ranges, ideal outputs, starting images and the table of algorithms, against brute force."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.ideal_inputs import ALGORITHMS, distance_table, ideal_outputs, output_ranges, start_images
from paperlib.ideal_inputs.starts import share

LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 2])
OUTPUTS = torch.tensor(
    [[5.0, -1, 0], [1, 7, -2], [0, 0, 4], [9, 2, -5], [-3, 6, 1], [2, -4, 8], [-6, 3, 3]], dtype=torch.float64
)


def test_ranges_by_hand():
    ranges = output_ranges(OUTPUTS, LABELS)
    assert ranges.low.tolist() == [-6, -4, -5] and ranges.high.tolist() == [9, 7, 8]
    assert ranges.class_low.tolist() == [[5, -1, -5], [-3, 6, -2], [-6, -4, 3]]
    assert ranges.class_high.tolist() == [[9, 2, 0], [1, 7, 1], [2, 3, 8]]


def test_ideal_outputs_by_both_rules():
    ranges = output_ranges(OUTPUTS, LABELS)
    assert ideal_outputs(ranges).tolist() == [[9, -4, -5], [-6, 7, -5], [-6, -4, 8]]
    assert ideal_outputs(ranges, "copied").tolist() == [[9, -6, -6], [-4, 7, -4], [-5, -5, 8]]
    with pytest.raises(ValueError, match="rule is 'mean'; expected one of per_unit, copied"):
        ideal_outputs(ranges, "mean")


@pytest.mark.parametrize(
    ("outputs", "labels", "message"),
    [
        (OUTPUTS[0], LABELS, r"outputs have shape \(3,\) and labels \(7,\)"),
        (OUTPUTS, LABELS[:3], r"outputs have shape \(7, 3\) and labels \(3,\)"),
        (
            OUTPUTS.where(OUTPUTS != 7, math.nan),
            LABELS,
            "outputs of 1 images are NaN or infinite, the first of image 1",
        ),
        (OUTPUTS, LABELS + 1, r"image 2 has label 3; expected 0..2"),
        (OUTPUTS, LABELS.clamp_max(1), "no image is of class 2; expected images of all 3 classes"),
    ],
)
def test_wrong_outputs_and_labels_are_refused(outputs, labels, message):
    with pytest.raises(ValueError, match=message):
        output_ranges(outputs, labels)
    with pytest.raises(ValueError, match=message):
        start_images(torch.zeros(len(outputs), 4), outputs, labels, torch.zeros(3, 3))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(9, 40),
    percentile=st.sampled_from([0.5, 10, 25, 33.3, 50, 100]),
    candidates=st.sampled_from(["class", "all"]),
)
def test_starts_against_brute_force(seed, count, percentile, candidates):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.arange(3), torch.randint(0, 3, (count - 3,), generator=generator)])
    # Whole numbers, so that there are ties.
    outputs = torch.randint(-2, 3, (count, 3), generator=generator).double()
    images = torch.rand(count, 1, 2, 2, generator=generator, dtype=torch.float64)
    ideal = ideal_outputs(output_ranges(outputs, labels))
    found = start_images(images, outputs, labels, ideal, candidates=candidates, percentile=percentile)
    for label in range(3):
        pool = [i for i in range(count) if candidates == "all" or labels[i] == label]
        distance = {i: math.dist(outputs[i].tolist(), ideal[label].tolist()) for i in pool}
        order = sorted(pool, key=lambda i: (distance[i], i))
        nearest = order[: math.ceil(len(pool) * percentile / 100)]
        assert torch.equal(found["min"][label], images[nearest[0]])
        assert distance[nearest[0]] == min(distance.values())
        torch.testing.assert_close(found["avg_min"][label], images[nearest].mean(0))
        torch.testing.assert_close(found["avg"][label], images[labels == label].mean(0))


def test_exactly_a_quarter_is_averaged():
    outputs = torch.zeros(800, 2, dtype=torch.float64)
    outputs[:400, 0] = torch.arange(400)
    outputs[400:, 1] = torch.arange(400)
    labels = torch.arange(800) // 400
    images = torch.eye(800)
    ideal = ideal_outputs(output_ranges(outputs, labels))
    found = start_images(images, outputs, labels, ideal)["avg_min"]
    assert found[0].nonzero().flatten().tolist() == list(range(300, 400))
    assert found[1].nonzero().flatten().tolist() == list(range(700, 800))
    assert found[0].max().item() == found[0][found[0] > 0].min().item() == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("count", "percentile", "wanted"),
    [(400, 25.0, 100), (401, 25, 101), (3, 25, 1), (1, 0.001, 1), (1000, 0.7, 7), (100, 7.0, 7), (7, 100, 7)],
)
def test_share_is_rounded_up_and_exact(count, percentile, wanted):
    assert share(count, percentile) == wanted


def test_of_equally_near_images_the_first_are_taken():
    outputs = torch.tensor([[1.0, 0], [0, 1], [1, 0], [1, 0], [1, 0], [0, 1]])
    labels = torch.tensor([0, 1, 0, 0, 0, 1])
    images = torch.arange(6.0).unsqueeze(1)
    found = start_images(images, outputs, labels, torch.eye(2), percentile=50)
    assert found["min"].flatten().tolist() == [0, 1]
    assert found["avg_min"].flatten().tolist() == [1, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"percentile": 0}, r"percentile is 0; expected a number in \(0, 100\]"),
        ({"percentile": 100.1}, "percentile is 100.1"),
        ({"percentile": math.nan}, "percentile is nan"),
        ({"candidates": "none"}, "candidates are 'none'; expected one of class, all"),
        ({"images": torch.zeros(6, 4)}, r"6 images and ideal outputs of shape \(3, 3\) do not fit"),
        ({"ideal": torch.zeros(2, 3)}, r"7 images and ideal outputs of shape \(2, 3\) do not fit"),
    ],
)
def test_wrong_choices_are_refused(changes, message):
    arguments = {"images": torch.zeros(7, 4), "outputs": OUTPUTS, "labels": LABELS, "ideal": torch.zeros(3, 3)}
    with pytest.raises(ValueError, match=message):
        start_images(**(arguments | changes))


def test_the_smallest_distance_wins_and_of_equals_the_first():
    before = {"avg": [4.0, 1, 9], "min": [3, 1, 9], "avg_min": [5, 2, 8], "noise": [0, 0, 0]}
    after = {"avg": [2.0, 1, 9], "min": [3, 2, 9], "avg_min": [5, 2, 7], "noise": [0, 0, 0]}
    tables = [{name: torch.tensor(row) for name, row in rows.items()} for rows in (before, after)]
    found = distance_table(*tables)
    assert ALGORITHMS[:3] == ("avg-img", "min-img", "avg-min-img")
    assert found.winners == ["avg-img+training", "avg-img", "avg-min-img+training"]
    assert found.distances.shape == (6, 3) and found.distances[3].tolist() == [2, 1, 9]


def test_incomplete_tables_are_refused():
    whole = {name: torch.ones(3) for name in ("avg", "min", "avg_min")}
    with pytest.raises(ValueError, match="no distances of the start 'min'"):
        distance_table(whole, {name: row for name, row in whole.items() if name != "min"})
    with pytest.raises(ValueError, match=r"expected all to be \(classes,\)"):
        distance_table(whole, whole | {"avg": torch.ones(2)})
    with pytest.raises(ValueError, match=r"the distances of min-img\+training hold NaN"):
        distance_table(whole, whole | {"min": torch.full((3,), math.nan)})
