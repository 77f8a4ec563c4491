"""Networks trained at once against networks trained alone, and ensembles kept in the cache."""

import pytest
import torch
from training_support import TEST, TRAIN

from paperlib.models import ACTIVATIONS
from paperlib.training import CheckpointError, Recipe, TrainingError, accuracy, initial_network, train
from paperlib.training.ensemble_cache import ensemble_file, trained_ensemble
from paperlib.training.ensembles import train_ensemble, with_seed

OPTIMISERS = {
    "sgd": {"learning_rate": 0.1},
    "momentum": {"learning_rate": 0.02, "momentum": 0.9},
    "adam": {"learning_rate": 0.003, "optimiser": "adam"},
    "decay": {"learning_rate": 0.1, "weight_decay": 0.05},
}
SEEDS = (3, 0, 11)


def settings(activation="relu", bias=False, **words) -> Recipe:
    """Two epochs of three steps, the last with fewer images."""
    options = {"widths": (784, 12, 9, 10), "activation": activation, "bias": bias}
    defaults = {"data": "synthetic", "epochs": 2, "batch_size": 15, "learning_rate": 0.1}
    return Recipe(architecture="fully_connected", options=options, **(defaults | words))


def check_against_each_alone(recipe: Recipe) -> None:
    ensemble = train_ensemble(recipe, SEEDS, TRAIN, TEST)
    assert len(ensemble) == 3 and ensemble.losses.shape == (2, 3) and ensemble.test_accuracies.shape == (3, 3)
    for index, seed in enumerate(SEEDS):
        alone = train(with_seed(recipe, seed), TRAIN, TEST)
        start = initial_network(with_seed(recipe, seed)).state_dict()
        for name, value in alone.model.state_dict().items():
            # Weights below 1 in float32, rounded at other places: 1e-7 a step; training moves them by 2e-4 or more.
            torch.testing.assert_close(ensemble.weights[name][index], value, rtol=1e-4, atol=1e-6)
            assert (value - start[name]).abs().max() > 2e-4
        history = {moment.epoch: moment.test_accuracy for moment in alone.summary.history}
        history[0] = alone.summary.history[0].test_accuracy
        assert ensemble.test_accuracies[:, index].tolist() == [history[epoch] for epoch in range(3)]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_each_network_is_the_one_that_is_trained_alone(name):
    check_against_each_alone(settings(**OPTIMISERS[name]))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_biases_and_activations(activation):
    check_against_each_alone(settings(activation, bias=True))


def test_a_network_of_the_ensemble_can_be_taken_out():
    ensemble = train_ensemble(settings(bias=True), SEEDS, TRAIN, TEST)
    model = ensemble.network(1)
    assert not model.training and not any(parameter.requires_grad for parameter in model.parameters())
    assert accuracy(model, TEST) == ensemble.test_accuracies[-1, 1].item()
    assert all(torch.equal(value, ensemble.weights[name][1]) for name, value in model.state_dict().items())


def test_losses_are_means_over_the_mini_batches():
    recipe = settings(epochs=1, batch_size=40)
    losses = train_ensemble(recipe, SEEDS, TRAIN, TEST).losses[0]
    for loss, seed in zip(losses.tolist(), SEEDS, strict=True):
        moment = train(with_seed(recipe, seed), TRAIN, TEST).summary.history[-1]
        assert loss == pytest.approx(moment.loss, rel=1e-5)


def test_the_seed_of_the_recipe_plays_no_part():
    first, second = (train_ensemble(settings(seed=seed), (5,), TRAIN, TEST) for seed in (0, 1))
    assert torch.equal(first.weights["linear1.weight"], second.weights["linear1.weight"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"architecture": "mnist_cnn", "options": {}}, "architecture is 'mnist_cnn'.*one by one"),
        ({"schedule": "cosine"}, "schedule is 'cosine'; networks are trained at once with 'constant'"),
        ({"augmentation": "flips_and_shifts"}, "augmentation is 'flips_and_shifts'"),
        ({"precision": "bfloat16"}, "precision is 'bfloat16'"),
    ],
)
def test_recipes_that_cannot_be_trained_at_once_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        train_ensemble(settings().model_copy(update=words), SEEDS, TRAIN, TEST)


@pytest.mark.parametrize("seeds", [(), (1, 2, 1)])
def test_no_seeds_and_repeated_ones_are_refused(seeds):
    with pytest.raises(ValueError, match="expected one or more, each once"):
        train_ensemble(settings(), seeds, TRAIN, TEST)


def test_a_loss_that_is_not_finite_names_the_network():
    with pytest.raises(TrainingError, match=r"the network with seed 3 is (nan|inf) in epoch 1; a smaller learning"):
        train_ensemble(settings(learning_rate=1e20), SEEDS, TRAIN, TEST)


def test_a_last_step_that_destroys_the_weights_is_seen():
    # One step: its loss is still finite, its weights are not.
    with pytest.raises(TrainingError, match="the last step made weights that are not finite"):
        train_ensemble(settings(learning_rate=1e39, epochs=1, batch_size=40), SEEDS, TRAIN, TEST)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))
    return tmp_path


def test_an_ensemble_is_trained_once_and_found_again(cache):
    first = trained_ensemble(settings(), SEEDS, TRAIN, TEST)
    path = ensemble_file(settings(), SEEDS)
    stamp = path.stat().st_mtime_ns
    second = trained_ensemble(settings(seed=7), SEEDS, TRAIN, TEST)
    assert path.stat().st_mtime_ns == stamp and second.seconds == first.seconds
    assert second.recipe == first.recipe and second.seeds == SEEDS
    assert torch.equal(second.losses, first.losses) and torch.equal(second.test_accuracies, first.test_accuracies)
    assert second.weights.keys() == first.weights.keys()
    assert all(torch.equal(second.weights[name], value) for name, value in first.weights.items())


def test_other_recipes_seeds_and_orders_have_files_of_their_own(cache):
    others = [
        (settings(), SEEDS), (settings(), (0, 3, 11)), (settings(), (3, 0)),
        (settings(epochs=3), SEEDS), (settings(**OPTIMISERS["adam"]), SEEDS),
    ]  # fmt: skip
    assert len({ensemble_file(*other) for other in others}) == len(others)


def test_an_interrupted_training_leaves_no_file(cache, monkeypatch):
    def interrupted(*_words, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("paperlib.training.ensemble_cache.save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained_ensemble(settings(), SEEDS, TRAIN, TEST)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_damaged_file_is_refused(cache, content):
    trained_ensemble(settings(), SEEDS, TRAIN, TEST)
    path = ensemble_file(settings(), SEEDS)
    path.write_bytes(path.read_bytes()[:-8] if content is None else content)
    with pytest.raises(CheckpointError, match=r"holds no trained networks .*remove it to train them again"):
        trained_ensemble(settings(), SEEDS, TRAIN, TEST)


def test_a_file_of_other_networks_is_refused(cache):
    trained_ensemble(settings(), (1, 2), TRAIN, TEST)
    ensemble_file(settings(), (1, 2)).rename(ensemble_file(settings(), SEEDS))
    with pytest.raises(CheckpointError, match="another recipe or seeds"):
        trained_ensemble(settings(), SEEDS, TRAIN, TEST)


def test_chance_accuracy_before_the_training_and_more_after_it():
    accuracies = train_ensemble(settings(epochs=20, batch_size=5), SEEDS, TRAIN, TEST).test_accuracies
    assert accuracies[0].max() <= 0.4 and accuracies[-1].min() >= 0.8


@pytest.mark.parametrize("flushed", [False, True])
def test_numbers_below_the_normal_range_are_handled_as_before(flushed):
    def flushes() -> bool:
        return bool(torch.tensor([1e-38]) / 10 == 0)

    torch.set_flush_denormal(flushed)
    try:
        assert flushes() is flushed
        train_ensemble(settings(), SEEDS, TRAIN, TEST)
        assert flushes() is flushed
    finally:
        torch.set_flush_denormal(False)
