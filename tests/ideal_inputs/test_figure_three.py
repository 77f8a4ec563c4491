"""What the caption of Figure 3 says, the comparison with it, and the figures."""

import math
from itertools import permutations

import pytest
import torch

from paperlib.ideal_inputs import ALGORITHMS, TrainedInputs, distance_table
from paperlib.plotting import draw_distance_curves, draw_drop_by_rate, draw_ideal_inputs
from paperlib.vectorspaces import figure_three
from paperlib.vectorspaces.figure_three import InputRow, agreement, best_row, caption_row, mean_curve, paper_winners
from paperlib.vectorspaces.networks import TITLES


def test_the_caption_names_an_algorithm_for_each_digit_and_two_for_one():
    for network in TITLES:
        counts = [len(names) for names in paper_winners(network)]
        assert counts == ([1, 1, 1, 1, 2, 1, 1, 1, 1, 1] if network == "resnet18" else [1] * 10)
        assert {name for names in paper_winners(network) for name in names} <= set(ALGORITHMS)
    assert paper_winners("one_layer")[7] == ("min-img+training",)
    assert paper_winners("five_layer")[7] == ("avg-img+training",)
    assert paper_winners("resnet18")[4] == ("avg-img", "avg-min-img")


def test_agreement_with_itself_is_whole_and_either_name_counts():
    for network in TITLES:
        for which in (0, -1):
            assert agreement(network, [names[which] for names in paper_winners(network)])[0] == 10


def test_agreement_by_chance_is_the_mean_over_all_orders(monkeypatch):
    printed = [("a",), ("a",), ("b",), ("b", "c")]
    monkeypatch.setattr(figure_three, "paper_winners", lambda network: printed)
    winners = ["a", "b", "c", "b"]
    counts = [sum(w in names for w, names in zip(order, printed, strict=True)) for order in permutations(winners)]
    assert agreement("any", winners) == (2, pytest.approx(sum(counts) / len(counts)))


def trained(images, before, after):
    return TrainedInputs(images, torch.tensor(before), torch.tensor(after), torch.tensor([[4.0, 9.0], [1.0, 0.0]]))


def test_the_best_row_has_the_images_of_the_winners():
    starts = {name: torch.full((2, 1, 3, 3), float(i)) for i, name in enumerate(("avg", "min", "avg_min"))}
    ways = {
        "avg": trained(starts["avg"] + 10, [3.0, 3.0], [2.0, 3.5]),
        "min": trained(starts["min"] + 10, [2.5, 1.0], [2.4, 1.5]),
        "avg_min": trained(starts["avg_min"] + 10, [9.0, 9.0], [9.0, 9.0]),
    }
    table = distance_table({s: t.before for s, t in ways.items()}, {s: t.after for s, t in ways.items()})
    row = best_row(starts, ways, table)
    images, names, distances = row.images, row.names, row.distances
    assert names == ["avg-img+training", "min-img"] and distances == [2.0, 1.0]
    assert [image.shape for image in images] == [(3, 3)] * 2 and [image[0, 0].item() for image in images] == [10, 1]


def test_the_caption_row_has_the_images_that_the_caption_names():
    starts = {name: torch.full((10, 1, 2, 2), i / 10) for i, name in enumerate(("avg", "min", "avg_min"))}
    ways = {name: trained(images + 0.5, [float(d) for d in range(10)], [0.5] * 10) for name, images in starts.items()}
    table = distance_table({s: t.before for s, t in ways.items()}, {s: t.after for s, t in ways.items()})
    row = caption_row("resnet18", starts, ways, table)
    assert row.names == [names[0] for names in paper_winners("resnet18")]
    assert row.names[4] == "avg-img" and row.distances == [float(d) for d in range(10)]
    values = [round(image[0, 0].item(), 1) for image in row.images]
    assert values == [0.1 if digit in (0, 2, 3, 8) else 0.0 for digit in range(10)]
    assert caption_row("one_layer", starts, ways, table).distances == [0.5] * 10


def test_a_row_comes_back_from_lists_in_grey_levels():
    image = torch.tensor([[0.0, 0.2], [1.0, 1.4]])
    again = InputRow.from_lists(InputRow([image], ["avg-img"], [2.5]).as_lists())
    assert (again.names, again.distances) == (["avg-img"], [2.5])
    torch.testing.assert_close(again.images[0], image.clamp(0, 1), rtol=0, atol=0.5 / 255)


def test_mean_curve_is_of_the_distance_not_its_square():
    assert mean_curve(trained(torch.zeros(2, 1), [1.0, 1.0], [1.0, 1.0])) == [1.0, 0.25]


def test_images_carry_algorithm_and_distance_and_one_scale():
    inside, outside = torch.rand(4, 4, generator=torch.Generator().manual_seed(0)), torch.full((4, 4), 1.2)
    row = InputRow([inside, outside], ["avg-img", "min-img+training"], [5.0, 12.345])
    figure = draw_ideal_inputs({"1 layer": row, "5 layers": row})
    assert [axis.get_xlabel() for axis in figure.axes[:2]] == ["avg-img\n\n5.00", "min-img\n+training\n12.3*"]
    assert all(axis.images[0].get_clim() == (0, 1) for axis in figure.axes)
    assert [axis.get_title() for axis in figure.axes] == ["0", "1", "", ""]
    own = draw_ideal_inputs({"1 layer": InputRow([inside], ["avg-img"], [5.0])}, limits=None)
    assert own.axes[0].images[0].get_clim() == (inside.min(), inside.max())
    assert "*" not in own.axes[0].get_xlabel()


def test_curves_have_a_panel_for_each_network_and_one_scale():
    figure = draw_distance_curves({"a": {"avg-img": [1.0, 0.5], "noise": [1, 0.9]}, "b": {"avg-img": [1.0, 0.2]}})
    left, right = figure.axes
    assert [line.get_ydata().tolist() for line in left.lines] == [[1, 0.5], [1, 0.9]]
    assert left.get_ylim() == right.get_ylim()


def test_drops_leave_out_what_diverged_and_mark_it():
    figure = draw_drop_by_rate({"a": {0.1: 0.2, 1.0: None}}, used=0.1)
    curve, cross = figure.axes[0].lines[:2]
    assert curve.get_xdata().tolist() == [0.1] and curve.get_ydata().tolist() == [0.2]
    assert cross.get_xdata().tolist() == [1.0] and not math.isnan(cross.get_ydata()[0])
    thrown = draw_drop_by_rate({"a": {0.1: 0.2, 1.0: -1e9}}, used=0.1).axes[0]
    assert thrown.lines[1].get_xdata().tolist() == [1.0]
    assert -1 < thrown.get_ylim()[0] < 0 < 0.2 < thrown.get_ylim()[1]
