"""The three digit classifiers of `vectorspaces`: sizes, activations, and recipes that differ by the network alone."""

import pytest
from torch import nn

from paperlib import models
from paperlib.training import Recipe, initial_network
from paperlib.vectorspaces.networks import TITLES, WIDTHS, recipes

SETTINGS = {
    "data": "mnist_5000",
    "validation_count": 500,
    "epochs": 20,
    "resnet_epochs": 1,
    "batch_size": 32,
    "learning_rate": 0.001,
    "momentum": 0.9,
    "bias": False,
    "activation": "selu",
    "seed": 0,
}
# torchvision's ResNet18 has 11,689,512 parameters for 3 channels and 1,000 classes. One channel takes two thirds of
# the 7x7 filters away, 2 * 64 * 49; ten classes 990 rows of 512 weights and a bias.
RESNET_PARAMETERS = 11_689_512 - 2 * 64 * 49 - 990 * (512 + 1)


def network(name: str, **words) -> nn.Module:
    return initial_network(recipes(**SETTINGS | words)[name])


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def kinds(model: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in model]


def test_names_and_titles():
    assert list(recipes(**SETTINGS)) == list(TITLES) == ["one_layer", "five_layer", "resnet18"]
    assert set(WIDTHS) < set(TITLES)


def test_one_layer_network_has_selu_on_its_output():
    model = network("one_layer")
    assert kinds(model) == ["Flatten", "Linear", "SELU"]
    assert [tuple(weight.shape) for weight in model.parameters()] == [(10, 784)]


def test_five_layer_network_has_selu_between_the_layers_and_a_linear_output():
    """vectorspaces.claim.08: 256, 256, 128, 32, 10."""
    model = network("five_layer")
    assert kinds(model) == ["Flatten", *["Linear", "SELU"] * 4, "Linear"]
    shapes = [tuple(weight.shape) for weight in model.parameters()]
    assert shapes == [(256, 784), (256, 256), (128, 256), (32, 128), (10, 32)]


@pytest.mark.parametrize(("name", "weights"), [("one_layer", 7840), ("five_layer", 303_424)])
def test_biases_are_a_choice(name, weights):
    plain, biased = network(name), network(name, bias=True)
    assert parameters(plain) == weights
    outputs = sum(layer.out_features for layer in biased if isinstance(layer, nn.Linear))
    assert parameters(biased) == weights + outputs
    assert {key for key, _ in plain.named_parameters() if key.endswith("bias")} == set()


def test_activation_is_a_choice():
    assert kinds(network("one_layer", activation="tanh")) == ["Flatten", "Linear", "Tanh"]
    assert kinds(network("five_layer", activation="softplus")).count("Softplus") == 4


def test_resnet18_is_that_of_the_paper():
    model = network("resnet18")
    assert tuple(model.get_submodule("layer1.0.conv1").weight.shape) == (64, 64, 3, 3)
    assert RESNET_PARAMETERS == 11_175_370 and parameters(model) == RESNET_PARAMETERS


def test_recipes_are_equal_but_for_the_network():
    """vectorspaces.claim.07: one set of hyper-parameters for all three."""
    found = [recipe.model_dump() for recipe in recipes(**SETTINGS | {"resnet_epochs": 20}).values()]
    for other in found[1:]:
        assert {name for name in other if other[name] != found[0][name]} <= {"architecture", "options"}
    expected = {"learning_rate": 0.001, "momentum": 0.9, "epochs": 20, "batch_size": 32, "validation_count": 500}
    assert expected.items() <= found[0].items()
    assert found[0]["data"] == "mnist_5000" and found[0]["seed"] == 0


def test_resnet_has_epochs_of_its_own():
    found = recipes(**SETTINGS | {"epochs": 7, "resnet_epochs": 2})
    assert {name: recipe.epochs for name, recipe in found.items()} == {"one_layer": 7, "five_layer": 7, "resnet18": 2}


@pytest.mark.parametrize(
    "words",
    [
        {"data": "mnist"},
        {"validation_count": 3},
        {"batch_size": 8},
        {"momentum": 0.1},
        {"learning_rate": 1},
        {"seed": 2},
    ],
    ids=str,
)
def test_every_common_setting_reaches_every_recipe(words):
    base, other = recipes(**SETTINGS), recipes(**SETTINGS | words)
    (name, value), *_ = words.items()
    for network_name in TITLES:
        assert getattr(other[network_name], name) == value
        assert other[network_name].key != base[network_name].key


def test_bias_and_activation_leave_resnet_alone():
    base, other = recipes(**SETTINGS), recipes(**SETTINGS | {"bias": True, "activation": "tanh"})
    assert other["resnet18"] == base["resnet18"]
    assert other["one_layer"] != base["one_layer"] and other["five_layer"] != base["five_layer"]


def test_recipes_survive_their_checkpoint():
    for recipe in recipes(**SETTINGS).values():
        stored = Recipe.model_validate_json(recipe.model_dump_json())
        assert stored == recipe and stored.name == recipe.name
        assert recipe.architecture in models.ARCHITECTURES
