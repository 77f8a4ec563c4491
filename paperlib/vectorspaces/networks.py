"""The three digit classifiers of `vectorspaces`, Section 3."""

from paperlib.training.recipe import Recipe

WIDTHS = {"one_layer": (784, 10), "five_layer": (784, 256, 256, 128, 32, 10)}
FULLY_CONNECTED = tuple(WIDTHS)
TITLES = {"one_layer": "1 layer", "five_layer": "5 layers", "resnet18": "ResNet18"}


def recipes(
    *,
    data: str,
    validation_count: int,
    epochs: int,
    resnet_epochs: int,
    batch_size: int,
    learning_rate: float,
    momentum: float,
    bias: bool,
    activation: str,
    seed: int,
) -> dict[str, Recipe]:
    """Recipes of the networks ``"one_layer"``, ``"five_layer"`` and ``"resnet18"``.

    The activation follows the one-layer network's only layer and stands between the layers of the five-layer
    network, whose outputs are linear, as in the authors' code; ``bias`` is that of these two. The paper trains all
    three for the same number of epochs.
    """
    common = {
        "data": data,
        "validation_count": validation_count,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "momentum": momentum,
        "seed": seed,
    }
    found = {"resnet18": Recipe(architecture="resnet18", epochs=resnet_epochs, **common)}
    for name, widths in WIDTHS.items():
        options = {
            "widths": widths,
            "activation": activation,
            "last_activation": name == "one_layer",
            "bias": bias,
        }
        found[name] = Recipe(architecture="fully_connected", options=options, epochs=epochs, **common)
    return {name: found[name] for name in TITLES}
