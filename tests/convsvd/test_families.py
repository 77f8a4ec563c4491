"""Families of networks from recipe to trend, on tiny untrained networks, and what is recorded of them."""

import json

import pytest
import torch

from paperlib.convsvd import families, family_values
from paperlib.convsvd.families import Candidate, accuracies, alpha_hats, measure, trends
from paperlib.convsvd.networks import family_recipes
from paperlib.models import small_cnn
from paperlib.spectra.capacity import CONVENTIONS, alpha_hat
from paperlib.spectra.matrizations import MATRIZATIONS
from paperlib.spectra.shuffled import shuffled
from paperlib.training import initial_network, load_checkpoint, save_checkpoint
from paperlib.training.recipe import Summary, TrainedNetwork

NAME = "mean_natural_scaled"


def network(width, seed):
    torch.manual_seed(seed)
    return small_cnn("batch_norm", 1, width).eval()


def candidate(width):
    """Trained weights and initial ones are two draws."""
    return Candidate(
        f"{width} channels",
        0.5 + width / 100,
        lambda: network(width, 1),
        lambda: network(width, 2),
        torch.zeros(1, 3, 16, 16),
    )


@pytest.fixture(scope="module")
def small():
    return {"width": [candidate(width) for width in (8, 12, 16, 20)]}


@pytest.fixture(scope="module")
def measured(small):
    return measure(small, MATRIZATIONS)


@pytest.mark.parametrize("matrization", MATRIZATIONS)
def test_the_metric_is_that_of_each_network(measured, matrization):
    expected = [alpha_hat(network(n, 1), NAME, matrization, example=torch.zeros(1, 3, 16, 16)) for n in (8, 12, 16, 20)]
    assert alpha_hats(measured["width"], matrization, NAME) == pytest.approx(expected, rel=1e-12)
    assert accuracies(measured["width"]) == [0.58, 0.62, 0.66, 0.7]


def test_controls(small):
    """Before training, and the trained weights in random order; the accuracy is that of the trained network."""
    untrained = measure(small, ["W1"], state="untrained")["width"]
    mixed = measure(small, ["W1"], state="shuffled", seed=3)["width"]
    assert alpha_hats(untrained, "W1", NAME)[1] == pytest.approx(alpha_hat(network(12, 2), NAME), rel=1e-12)
    assert alpha_hats(mixed, "W1", NAME)[1] == pytest.approx(alpha_hat(shuffled(network(12, 1), 3), NAME), rel=1e-12)
    assert accuracies(untrained) == accuracies(mixed) == [0.58, 0.62, 0.66, 0.7]


def test_layers_are_chosen_by_kind_and_number(small):
    (first, *_), (whole, *_) = (measure(small, ["W1"], dense=d, fewest=9)["width"] for d in (False, True))
    paths = [layer.path for layer in first.capacities["W1"].layers]
    assert paths == ["block2_1.conv", "block3_1.conv"]
    assert [layer.path for layer in whole.capacities["W1"].layers] == [*paths, "linear"]


def test_trends_are_of_accuracy_with_the_metric(measured):
    found = trends(measured, ["W1", "W2"], NAME, draws=200)
    x, y = torch.tensor(alpha_hats(measured["width"], "W2", NAME)), torch.tensor(accuracies(measured["width"]))
    expected = torch.corrcoef(torch.stack([x, y]))[0, 1].item()
    assert set(found["width"]) == {"W1", "W2"}
    assert found["width"]["W2"].correlation == pytest.approx(expected, rel=1e-4)


def test_what_is_recorded_is_plain(measured):
    found = trends(measured, MATRIZATIONS, NAME, draws=200)
    values = {
        "families": family_values.family_values(measured, MATRIZATIONS, NAME),
        "fits": family_values.fit_values(found),
        "conventions": family_values.correlations_by_convention(measured, MATRIZATIONS),
        "statements": family_values.statements(found),
    }
    assert json.loads(json.dumps(values)) == values
    width = values["families"]["width"]
    assert width["names"] == ["8 channels", "12 channels", "16 channels", "20 channels"]
    assert width["alpha_hat"]["W1"] == alpha_hats(measured["width"], "W1", NAME)
    assert width["layers"]["W1"][0] == {"fitted": 5, "short": 5, "left_out": 0}
    wanted = {"r_squared", "slope", "slope_low", "slope_high", "spearman", "spearman_low", "spearman_high"}
    assert wanted <= set(values["fits"]["width"]["W1"])
    assert set(values["conventions"]["width"]) == set(CONVENTIONS)


def test_the_base_of_the_logarithm_changes_no_correlation(measured):
    found = family_values.correlations_by_convention(measured, MATRIZATIONS)["width"]
    for matrization in MATRIZATIONS:
        natural, decimal = (found[f"sum_{base}_scaled"][matrization] for base in ("natural", "decimal"))
        assert natural == pytest.approx(decimal, rel=1e-9)


def test_statements_count_families(measured):
    found = trends(measured, MATRIZATIONS, NAME, draws=200)
    (one,) = found.values()
    twice = family_values.statements({"a": one, "b": one})
    once = family_values.statements({"a": one})
    assert twice == {name: 2 * count for name, count in once.items()}
    assert once["families"] == 1
    assert once["better_than_W2"] == (one["W1"].r_squared > one["W2"].r_squared)
    assert once["negative"] == (one["W1"].slope < 0)
    assert family_values.statements({"a": {"W2": one["W2"]}}) == {}


def test_small_families_are_the_networks_of_their_recipes(tmp_path, monkeypatch):
    """Checkpoints that are here are loaded: accuracy from the summary, initial weights from the recipe's seed."""
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))
    arguments = {"data": "cifar10_jpeg", "epochs": 1, "seed": 7}
    recipes = [one for members in family_recipes([1], [8], **arguments).values() for one in members.values()]
    about = {"train_count": 1, "test_count": 1, "seconds": 0.0, "threads": 1, "device": "", "torch": "", "history": ()}
    for place, recipe in enumerate(recipes):
        summary = Summary(recipe=recipe, test_accuracy=0.1 * place, **about)
        torch.manual_seed(place)
        trained = small_cnn(**recipe.options)
        path = save_checkpoint(TrainedNetwork(trained, summary), tmp_path / "checkpoints")
        assert load_checkpoint(path).summary.test_accuracy == 0.1 * place
    found = families.small_families([1], [8], **arguments)
    assert list(found) == ["plain", "batch_norm", "residual", "width"]
    members = [one for members in found.values() for one in members]
    assert [one.accuracy for one in members] == [0.1 * place for place in range(4)]
    initial, expected = members[2].initial(), initial_network(recipes[2])
    assert torch.equal(initial.linear.weight, expected.linear.weight)
    assert not torch.equal(members[2].load().linear.weight, expected.linear.weight)


def test_an_unknown_state_is_refused(small):
    with pytest.raises(ValueError, match="state is 'random'; expected one of trained, shuffled, untrained"):
        measure(small, ["W1"], state="random")
