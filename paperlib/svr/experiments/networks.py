"""The networks that `svr` looks at, and how they are trained here (Sections 3.1, 5 and B.3)."""

from torch import nn

from paperlib.pretrained import pretrained
from paperlib.stand_ins import is_imagenet, vgg_options, vgg_recipe, vggs
from paperlib.training import trained_network
from paperlib.training.recipe import Recipe

MNIST_WIDTHS = (784, 40, 40, 40, 10)
VGG_DEPTHS = (11, 13, 16, 19)


def mnist_recipe(
    *,
    data: str,
    widths: tuple[int, ...] = MNIST_WIDTHS,
    epochs: int,
    optimiser: str,
    learning_rate: float,
    momentum: float,
    batch_size: int,
    seed: int,
) -> Recipe:
    """The fully connected network of Section 3.1, without biases; the paper names neither optimiser nor batch."""
    return Recipe(
        architecture="fully_connected",
        options={"widths": tuple(widths), "activation": "relu"},
        data=data,
        epochs=epochs,
        optimiser=optimiser,
        learning_rate=learning_rate,
        momentum=momentum if optimiser == "sgd" else 0.0,
        batch_size=batch_size,
        seed=seed,
    )


def normed_vggs(
    *, weights: str, width: float, normed_width: float, data: str, epochs: int, seed: int = 0, progress: bool = False
) -> dict[str, nn.Module]:
    """VGG-19 without batch norm, ``"plain"``, and with it: by the names of `normed_recipes`, or ``"imagenet"``."""
    plain = vggs([19], weights=weights, width=width, data=data, epochs=epochs, seed=seed, progress=progress)
    if is_imagenet(weights):
        return {"plain": plain["vgg19"], "imagenet": pretrained("vgg19_bn")}
    recipes = normed_recipes(width=normed_width, data=data, epochs=epochs, seed=seed)
    normed = {name: trained_network(recipe, progress=progress).model for name, recipe in recipes.items()}
    return {"plain": plain["vgg19"]} | normed


def normed_recipes(*, width: float, data: str, epochs: int, seed: int = 0) -> dict[str, Recipe]:
    """VGG-19 with batch norm under four trainings, for what batch norm and weight decay do to the small neurons.

    ``"sgd"`` has the weight decay of the networks without batch norm, ``"sgd_strong"`` ten times as much; ``"adam"``
    adds the weight decay to the gradient that Adam scales, ``"adam_none"`` has none.
    """
    plain = vgg_recipe(19, width=width, data=data, epochs=epochs, seed=seed)
    changes = {
        "sgd": {"learning_rate": 0.1},
        "sgd_strong": {"learning_rate": 0.1, "weight_decay": 5e-3},
        "adam": {"optimiser": "adam", "momentum": 0.0, "learning_rate": 1e-3},
        "adam_none": {"optimiser": "adam", "momentum": 0.0, "learning_rate": 1e-3, "weight_decay": 0.0},
    }
    options = vgg_options(19, width, batch_norm=True)
    return {name: Recipe(**plain.model_dump() | {"options": options} | change) for name, change in changes.items()}
