"""What the page on the inverse measures and draws."""

import pytest
import torch
from inverse_support import linear
from torch import nn

from paperlib.inverse import invert, stability
from paperlib.plotting import draw_amplifications, draw_inversion_rounds
from paperlib.vectorspaces import inversion


@pytest.fixture(scope="module")
def clipped():
    """Two activations, of which the last has nothing to clip and the first clips one of three samples."""
    eye = torch.eye(2, dtype=torch.float64)
    model = nn.Sequential(linear(eye), nn.Tanh(), linear(2 * eye), nn.LeakyReLU(0.5))
    wanted = torch.tensor([[1.0, 0.5], [8.0, 1.0], [-0.5, 0.25]], dtype=torch.float64)
    return invert(model, wanted, (2,), clip=1e-9), wanted


def test_round_trips_are_as_small_as_rounding_allows():
    found = inversion.activation_round_trips()
    assert list(found) == ["selu", "leaky_relu", "tanh", "sigmoid", "softplus"]
    assert (found["selu"]["low"], found["selu"]["high"]) == (pytest.approx(-1.7580993408473766), None)
    # Rounding through the steepest inverse slope on [-4, 4], 1 / (1 - tanh(4)^2) = 750.
    assert max(row["float32"] for row in found.values()) < 750 * 1.2e-7
    assert max(row["float64"] for row in found.values()) < 750 * 2.3e-16
    square = inversion.square_round_trips("selu", seed=3, side=12, depth=3, count=5)
    assert square["float32"] < 1e-4
    assert square["float64"] < 1e-10


def test_exits_and_summary(clipped):
    found, wanted = clipped
    exits = inversion.range_exits(found)
    assert exits["leaves_range"] == pytest.approx([0, 1 / 3])
    assert exits["leaves_range_so_far"] == pytest.approx([0, 1 / 3])
    assert exits["leaves_range_in_all"] == pytest.approx(1 / 3)
    summary = inversion.inversion_summary(found, wanted)
    assert summary["median_relative_distance"] < 1e-12
    assert summary["largest_relative_distance"] == pytest.approx(6 / 65**0.5)
    assert summary["kept_classes"] == 1
    assert summary["input_norm"] == pytest.approx(found.inputs.norm(dim=1).median().item())


def test_exits_add_up_over_the_layers():
    step = invert(nn.Sequential(nn.Tanh(), nn.Tanh()), torch.tensor([[0.9], [2.0], [0.1]]), (1,), clip=1e-6)
    # 0.9 comes from 1.47, which the first tanh cannot give; neither can it what 2 is clipped to.
    assert inversion.range_exits(step)["leaves_range"] == pytest.approx([1 / 3, 2 / 3])
    assert inversion.range_exits(step)["leaves_range_so_far"] == pytest.approx([1 / 3, 2 / 3])


def test_rounds_by_kind_and_drawn():
    rounds = {"kinds": ["sweep", "sweep", "step"], "medians": [0.5, 0.1, 1e-8], "largest": [0.9, 0.4, 1e-6]}
    assert inversion.by_sweep(rounds) == [0.5, 0.1]
    figure = draw_inversion_rounds({"constrained": rounds}, ("clipped", 84.0))
    (axis,) = figure.axes
    assert axis.get_yscale() == "log"
    lines = [line.get_ydata().tolist() for line in axis.lines if len(line.get_ydata()) == 3]
    assert lines == [rounds["medians"], rounds["largest"]]
    rings = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axis.lines if len(line.get_xdata()) == 1]
    assert rings == [(2, 0.1), (2, 0.4)]
    assert axis.lines[-1].get_ydata()[0] == 84.0


def test_rounds_of_an_inversion(clipped):
    found, wanted = clipped
    assert inversion.inversion_rounds(found) == {"kinds": [], "medians": [], "largest": []}
    model = nn.Sequential(linear(torch.eye(2).double()), nn.Tanh(), linear(torch.eye(2).double()))
    rounds = inversion.inversion_rounds(invert(model, wanted / 10, (2,), method="constrained", sweeps=2))
    assert rounds["kinds"][:2] == ["sweep", "sweep"]
    assert len(rounds["medians"]) == len(rounds["largest"]) == len(rounds["kinds"])


def test_amplifications_are_drawn_with_their_bound():
    matrix = torch.diag(torch.tensor([4.0, 1.0], dtype=torch.float64))
    found = stability(matrix, torch.Generator().manual_seed(0), count=5)
    (axis,) = draw_amplifications({"first": found, "second": found}).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["first", "second"]
    dots, bar, diamond = axis.lines[:3]
    assert dots.get_xdata().tolist() == found.amplifications.tolist()
    assert list(bar.get_xdata()) == pytest.approx([4, 4])
    assert list(diamond.get_xdata()) == pytest.approx([4])


@pytest.mark.parametrize(("distance", "text"), [(84.3, "84"), (1.0, "1"), (3.2e-7, "3e-07")])
def test_short_distances(distance, text):
    assert inversion.short(distance) == text
