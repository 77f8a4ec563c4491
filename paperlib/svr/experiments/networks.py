"""The networks that `svr` looks at, and how they are trained here (Sections 3.1, 5 and B.3)."""

from collections.abc import Sequence

from torch import nn

from paperlib.pretrained import pretrained
from paperlib.training import initial_network, trained_network
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


def vgg_recipe(depth: int, *, width: float, data: str, epochs: int, seed: int = 0) -> Recipe:
    """A VGG without batch norm for ten classes of small images, the stand-in for the paper's ImageNet networks.

    The structure is the paper's with ``width`` times its channels; the map that the fully connected layers read is
    one pixel, as 32 x 32 pixels halved five times leave it.
    """
    return Recipe(
        architecture="vgg",
        options=_options(depth, width, batch_norm=False),
        data=data,
        epochs=epochs,
        seed=seed,
        batch_size=128,
        learning_rate=0.02,
        momentum=0.9,
        weight_decay=5e-4,
        schedule="cosine",
        augmentation="flips_and_shifts",
        precision="bfloat16",
    )


def vggs(
    depths: Sequence[int], *, weights: str, width: float, data: str, epochs: int, seed: int = 0, progress: bool = False
) -> dict[str, nn.Module]:
    """Trained VGGs without batch norm by name, ``"vgg11"`` and so on.

    ``weights`` is ``"imagenet"`` for the paper's own networks or ``"cifar10"`` for those of `vgg_recipe`, to which
    all other settings belong. Raises ``ValueError`` for other weights, and what `paperlib.pretrained.pretrained` and
    `paperlib.training.trained_network` raise.
    """
    if _imagenet(weights):
        return {f"vgg{depth}": pretrained(f"vgg{depth}") for depth in depths}
    recipes = {depth: vgg_recipe(depth, width=width, data=data, epochs=epochs, seed=seed) for depth in depths}
    return {f"vgg{depth}": trained_network(recipe, progress=progress).model for depth, recipe in recipes.items()}


def untrained_vggs(
    depths: Sequence[int], *, weights: str, width: float, data: str, epochs: int, seed: int = 0
) -> dict[str, nn.Module]:
    """The networks of `vggs` with the weights that a training begins with."""
    recipes = {depth: vgg_recipe(depth, width=width, data=data, epochs=epochs, seed=seed) for depth in depths}
    if _imagenet(weights):
        recipes = {depth: recipe.model_copy(update={"options": {"depth": depth}}) for depth, recipe in recipes.items()}
    return {f"vgg{depth}": initial_network(recipe).eval() for depth, recipe in recipes.items()}


def normed_vggs(
    *, weights: str, width: float, normed_width: float, data: str, epochs: int, seed: int = 0, progress: bool = False
) -> dict[str, nn.Module]:
    """VGG-19 without batch norm, ``"plain"``, and with it: by the names of `normed_recipes`, or ``"imagenet"``."""
    plain = vggs([19], weights=weights, width=width, data=data, epochs=epochs, seed=seed, progress=progress)
    if _imagenet(weights):
        return {"plain": plain["vgg19"], "imagenet": pretrained("vgg19_bn")}
    recipes = normed_recipes(width=normed_width, data=data, epochs=epochs, seed=seed)
    normed = {name: trained_network(recipe, progress=progress).model for name, recipe in recipes.items()}
    return {"plain": plain["vgg19"]} | normed


def _imagenet(weights: str) -> bool:
    if weights not in ("cifar10", "imagenet"):
        raise ValueError(f"weights are {weights!r}; expected cifar10 or imagenet")
    return weights == "imagenet"


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
    options = _options(19, width, batch_norm=True)
    return {name: Recipe(**plain.model_dump() | {"options": options} | change) for name, change in changes.items()}


def _options(depth: int, width: float, batch_norm: bool) -> dict:
    # The paper's fully connected layers are eight times as wide as its last convolution.
    return {
        "depth": depth,
        "width": width,
        "batch_norm": batch_norm,
        "classes": 10,
        "hidden": round(512 * width),
        "pooled": 1,
        "dropout": 0.0,
    }
