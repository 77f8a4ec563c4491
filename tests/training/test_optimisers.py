"""SGD and Adam with weight decay: their steps by hand, and what a recipe says of them."""

import json

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from training_support import TEST, TRAIN, recipe, same, weights

from paperlib import paths
from paperlib.training import Recipe, initial_network, load_checkpoint, save_checkpoint, train

ADAM = {"optimiser": "adam", "weight_decay": 0.01}
TRACKED = [
    "fully_connected-343049c5014e",
    "fully_connected-b379896eaa05",
    "mnist_cnn-48502af575bd",
    "mnist_cnn-a5326b358f8b",
    "resnet18-13d5547b50fa",
]


def small(**words) -> Recipe:
    """Two epochs of two steps; no convolution, whose sums depend on the memory format."""
    options = {"widths": (784, 12, 10), "activation": "tanh", "bias": True}
    return recipe(architecture="fully_connected", options=options, epochs=2, batch_size=20, **words)


def trained_by_hand(settings: Recipe, step) -> dict[str, Tensor]:
    """The weights after training, in float64; ``step(parameter, gradient, state, number)`` changes one parameter."""
    model = initial_network(settings).double()
    states: list[dict[str, Tensor]] = [{} for _ in model.parameters()]
    number = 0
    for epoch in range(settings.epochs):
        seeded = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
        for batch in torch.randperm(len(TRAIN), generator=seeded).split(settings.batch_size):
            number += 1
            loss = nn.functional.cross_entropy(model(TRAIN.images[batch].double()), TRAIN.labels[batch])
            gradients = torch.autograd.grad(loss, list(model.parameters()))
            with torch.no_grad():
                for parameter, gradient, state in zip(model.parameters(), gradients, states, strict=True):
                    step(parameter, gradient + settings.weight_decay * parameter, state, number)
    return model.state_dict()


def sgd(momentum: float):
    def step(parameter, gradient, state, _number):
        state["velocity"] = momentum * state.get("velocity", 0) + gradient
        parameter -= 0.003 * state["velocity"]

    return step


def adam(parameter, gradient, state, number):
    """Kingma and Ba's Algorithm 1 with the constants that they recommend."""
    state["mean"] = 0.9 * state.get("mean", 0) + 0.1 * gradient
    state["square"] = 0.999 * state.get("square", 0) + 0.001 * gradient**2
    mean, square = state["mean"] / (1 - 0.9**number), state["square"] / (1 - 0.999**number)
    parameter -= 0.003 * mean / (square.sqrt() + 1e-8)


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
@pytest.mark.parametrize(
    ("words", "step"),
    [({}, sgd(0.0)), ({"momentum": 0.9}, sgd(0.9)), ({"optimiser": "adam"}, adam)],
    ids=["sgd", "momentum", "adam"],
)
def test_steps_are_those_of_the_optimiser(words, step, weight_decay):
    settings = small(weight_decay=weight_decay, **words)
    found, start = weights(train(settings, TRAIN, TEST)), initial_network(settings).state_dict()
    for name, value in trained_by_hand(settings, step).items():
        # float32 against float64, of weights below 1: rounding is 1e-7, and a step moves a weight by 1e-4 or more.
        torch.testing.assert_close(found[name].double(), value, rtol=1e-5, atol=2e-6)
        assert (found[name] - start[name]).abs().max() > 1e-4


def test_optimisers_and_weight_decays_have_names_of_their_own():
    others = [{"weight_decay": 0.01}, {"weight_decay": 0.02}, {"optimiser": "adam"}, ADAM, {"momentum": 0.5}]
    assert len({recipe(**words).key for words in [{}, *others]}) == len(others) + 1
    assert recipe(optimiser="sgd", weight_decay=0.0).key == recipe().key


@pytest.mark.parametrize("name", TRACKED)
def test_checkpoints_older_than_the_choice_of_an_optimiser_keep_their_names(name):
    stored = json.loads((paths.TRACKED_CHECKPOINTS / f"{name}.json").read_text())["recipe"]
    assert "optimiser" not in stored and "weight_decay" not in stored
    settings = Recipe(**stored)
    assert settings.name == name
    assert (settings.optimiser, settings.weight_decay) == ("sgd", 0.0)


def test_a_checkpoint_says_how_its_network_was_trained(tmp_path):
    network = train(recipe(epochs=1, **ADAM), TRAIN, TEST)
    path = save_checkpoint(network, tmp_path)
    stored = json.loads(path.with_suffix(".json").read_text())["recipe"]
    assert (stored["optimiser"], stored["weight_decay"], stored["momentum"]) == ("adam", 0.01, 0.0)
    assert load_checkpoint(path).summary == network.summary and same(load_checkpoint(path), network)


def test_momentum_with_adam_is_refused():
    with pytest.raises(ValidationError, match=r"momentum is 0\.9, but the optimiser 'adam' .*leave momentum at 0"):
        recipe(optimiser="adam", momentum=0.9)
    assert recipe(optimiser="adam", momentum=0.0).optimiser == "adam"


@pytest.mark.parametrize("words", [{"optimiser": "rmsprop"}, {"optimiser": "Adam"}, {"weight_decay": -0.1}], ids=str)
def test_an_unknown_optimiser_or_a_negative_decay_is_refused(words):
    with pytest.raises(ValidationError, match=next(iter(words))):
        recipe(**words)
