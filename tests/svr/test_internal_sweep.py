"""The sweep over widths and optimisers: recipes, adjacencies, and the statements from planted samples."""

import json

import pytest
import torch

from paperlib.datasets import ImageData
from paperlib.models import fully_connected
from paperlib.svr import adjacency, internal_dimensions, spectral_neurons
from paperlib.svr.experiments import internal_sweep as sweep
from paperlib.svr.experiments import sweep_statements as measured
from paperlib.svr.samples import DimensionSample
from paperlib.training import initial_network
from paperlib.training.ensembles import with_seed


def images(count: int) -> ImageData:
    labels = torch.arange(count) % 10
    found = 0.3 * torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(count))
    for image, label in zip(found, labels.tolist(), strict=True):
        image[:, 2 * label + 3 : 2 * label + 5] = 1.0
    return ImageData(found, labels, "synthetic", "train", "Synthetic", "made here", "0" * 64)


def test_recipes_are_the_papers_network_under_each_optimiser():
    recipes = {name: sweep.sweep_recipe("mnist", 12, name, 5) for name in sweep.OPTIMISERS}
    assert all(recipe.options == {"widths": (784, 12, 12, 10), "activation": "relu", "bias": False}
               for recipe in recipes.values())  # fmt: skip
    settings = {name: (r.optimiser, r.learning_rate, r.momentum, r.batch_size) for name, r in recipes.items()}
    assert settings == {
        "sgd": ("sgd", 0.1, 0.0, 64), "momentum": ("sgd", 0.01, 0.9, 32), "adam": ("adam", 0.001, 0.0, 32)
    }  # fmt: skip
    assert sweep.TITLES.keys() == sweep.OPTIMISERS.keys()


def test_another_optimiser_is_refused():
    with pytest.raises(ValueError, match="optimiser is 'lion'; expected one of sgd, momentum, adam"):
        sweep.sweep_recipe("mnist", 12, "lion", 5)


def test_the_first_adjacency_lies_between_the_first_two_layers():
    torch.manual_seed(0)
    model = fully_connected((784, 14, 14, 10), "relu")
    found = sweep.adjacencies(model)
    layers = [spectral_neurons(getattr(model, name)) for name in ("linear1", "linear2", "linear3")]
    assert torch.equal(found["first"].coefficients, adjacency(layers[1], layers[0]).coefficients)
    assert found["second"].coefficients.shape == (10, 14) and found["second"].channels == 14


def test_a_point_measures_each_network_of_the_ensemble(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))
    train, test = images(60), images(20)
    recipe = sweep.sweep_recipe("synthetic", 11, "adam", 2)
    point = sweep.sweep_point(recipe, (4, 9), train, test)
    again = sweep.sweep_point(recipe, (4, 9), train, test)
    assert point.accuracy.shape == (2,) and torch.equal(point.accuracy, again.accuracy)
    assert all(torch.equal(point.dimensions[pair].excess, again.dimensions[pair].excess) for pair in sweep.PAIRS)
    before = sweep.untrained_dimensions(recipe, (4, 9))
    for index, seed in enumerate((4, 9)):
        model = initial_network(with_seed(recipe, seed))
        for pair, one in sweep.adjacencies(model).items():
            expected = internal_dimensions(one)
            found = (before[pair].d_out[index].item(), before[pair].d_in[index].item())
            assert found == (expected.d_out, expected.d_in)
        assert point.dimensions["first"].excess[index] != before["first"].excess[index]


@pytest.mark.parametrize(("optimiser", "low", "high"), [("sgd", 0, 1e-6), ("momentum", 0, 1e-6), ("adam", 1e-3, 1)])
def test_steps_along_gradients_leave_what_outputs_have_in_common(optimiser, low, high, tmp_path, monkeypatch):
    """The gradient of the cross-entropy adds up to zero over the outputs; Adam scales its entries one by one."""
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))
    common = sweep.sweep_point(
        sweep.sweep_recipe("synthetic", 11, optimiser, 2), (0, 1), images(200), images(20)
    ).common
    # In float32 the sums are zero up to 1e-7 of the weights, which steps change by a hundredth.
    assert common.shape == (2,) and low <= common.min() and common.max() <= high


def test_chance_has_the_shapes_of_the_adjacencies():
    narrow, wide = sweep.chance_at_width(5, 300, 0), sweep.chance_at_width(30, 300, 0)
    assert narrow["first"].d_out.max() <= 5 and narrow["second"].d_out.max() <= 5
    assert wide["first"].d_out.max() > 10 and wide["second"].d_out.max() <= 10 < wide["second"].d_in.max()


def sample(d_out, d_in, excess) -> DimensionSample:
    return DimensionSample(*(torch.tensor(values, dtype=torch.float64) for values in (d_out, d_in, excess)))


def point(accuracy, first, second) -> sweep.SweepPoint:
    dimensions = {"first": first, "second": second}
    return sweep.SweepPoint(torch.tensor(accuracy, dtype=torch.float64), dimensions, torch.tensor([0.125, 0.25]))


POINTS = {
    10: point([0.80, 0.82], sample([4, 6], [5, 5], [0.5, 3.0]), sample([2, 3], [4, 4], [2.0, 2.0])),
    50: point([0.87, 0.89], sample([10, 11], [11, 13], [5.0, 5.0]), sample([8, 8], [9, 9], [4.0, 4.0])),
    100: point([0.86, 0.88], sample([20, 22], [20, 28], [6.0, 6.0]), sample([8, 8], [9, 9], [5.0, 5.0])),
}
UNSTRUCTURED = sample([5, 6, 7, 8], [7, 7, 7, 7], [0.5, 0.6, 0.7, 1.0])
CHANCE = {n: {"first": UNSTRUCTURED, "second": UNSTRUCTURED} for n in POINTS}


def test_statements_are_the_ratios_and_shares_of_the_samples():
    found = measured.statements(POINTS, CHANCE, 10, seed=0)
    assert found["smallest_accuracy"] == pytest.approx(0.81) and found["largest_accuracy"] == pytest.approx(0.87)
    assert found["gain"]["value"] == pytest.approx(0.06) and found["gain"]["low"] < 0.06 < found["gain"]["high"]
    assert found["widening"] == 10
    assert found["growth"]["first"]["d_in"]["value"] == pytest.approx(24 / 5)
    assert found["growth"]["second"]["d_out"]["value"] == pytest.approx(8 / 2.5)
    # Six matrices of each adjacency: one of the first has d_out above d_in, and one an excess within chance.
    assert found["at_most"] == pytest.approx({"first": 5 / 6, "second": 1, "both": 11 / 12})
    assert found["at_most_chance"] == pytest.approx({"first": 0.75, "second": 0.75, "both": 0.75})
    assert found["above_chance"] == pytest.approx({"first": 5 / 6, "second": 1, "both": 11 / 12})
    assert found["best_width"] == 50 and found["used"] == 12


@pytest.mark.parametrize("reference", [20, 100])
def test_a_reference_that_nothing_can_be_measured_from_is_refused(reference):
    with pytest.raises(ValueError, match=f"the reference width {reference} is not among"):
        measured.statements(POINTS, CHANCE, reference, seed=0)


def test_values_can_be_recorded_and_drawn_again():
    values = {
        "by_optimiser": {"adam": {n: measured.point_values(one) for n, one in POINTS.items()}},
        "chance": measured.by_width(CHANCE, measured.chance_values),
        "untrained": measured.by_width({10: POINTS[10].dimensions}, measured.sample_values),
        "statements": {"adam": measured.statements(POINTS, CHANCE, 10, seed=0)},
    }
    recorded = json.loads(json.dumps(values))
    assert recorded["by_optimiser"]["adam"]["50"]["first"]["d_in"]["mean"] == 12
    assert recorded["by_optimiser"]["adam"]["50"]["accuracy"]["values"] == [0.87, 0.89]
    assert recorded["chance"]["10"]["first"]["d_out"]["low"] == pytest.approx(5.075)
    accuracy, excess, chance, untrained = measured.curves(recorded)
    title = sweep.TITLES["adam"]
    assert accuracy[title]["100"]["mean"] == pytest.approx(0.87)
    assert excess["second adjacency"][title]["50"]["mean"] == 4
    assert chance["first adjacency"]["10"]["mean"] == pytest.approx(0.7)
    assert untrained["first adjacency"]["10"]["mean"] == pytest.approx(1.75)
    assert recorded["by_optimiser"]["adam"]["50"]["common"] == 0.25
    assert measured.nine_rows(recorded["by_optimiser"]) == [[title, "100", "0.2", "0 of 2", "0 of 2"]]
    (row,) = measured.table_rows(recorded["statements"])
    assert len(row) == len(measured.HEADER)
    assert row[0] == title and row[1] == "81.0% to 87.0%" and row[-1] == "50 (12)" and row[5] == "92% (75% by chance)"
    assert row[3].startswith("× 4.8 (× ")
