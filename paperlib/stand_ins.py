"""VGGs, the paper's own trained on ImageNet or stand-ins trained on CIFAR-10, for the papers that look into them."""

from collections.abc import Sequence

from torch import nn

from paperlib.pretrained import pretrained
from paperlib.training import initial_network, trained_network
from paperlib.training.recipe import Recipe


def vgg_recipe(depth: int, *, width: float, data: str, epochs: int, seed: int = 0) -> Recipe:
    """A VGG without batch norm for ten classes of small images, the stand-in for the paper's ImageNet networks.

    The structure is the paper's with ``width`` times its channels; the map that the fully connected layers read is
    one pixel, as 32 x 32 pixels halved five times leave it.
    """
    return Recipe(
        architecture="vgg",
        options=vgg_options(depth, width, batch_norm=False),
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
    if is_imagenet(weights):
        return {f"vgg{depth}": pretrained(f"vgg{depth}") for depth in depths}
    recipes = {depth: vgg_recipe(depth, width=width, data=data, epochs=epochs, seed=seed) for depth in depths}
    return {f"vgg{depth}": trained_network(recipe, progress=progress).model for depth, recipe in recipes.items()}


def untrained_vggs(
    depths: Sequence[int], *, weights: str, width: float, data: str, epochs: int, seed: int = 0
) -> dict[str, nn.Module]:
    """The networks of `vggs` with the weights that a training begins with."""
    recipes = {depth: vgg_recipe(depth, width=width, data=data, epochs=epochs, seed=seed) for depth in depths}
    if is_imagenet(weights):
        recipes = {depth: recipe.model_copy(update={"options": {"depth": depth}}) for depth, recipe in recipes.items()}
    return {f"vgg{depth}": initial_network(recipe).eval() for depth, recipe in recipes.items()}


def is_imagenet(weights: str) -> bool:
    """Whether the paper's own weights are meant; raises ``ValueError`` unless ``"cifar10"`` or ``"imagenet"``."""
    if weights not in ("cifar10", "imagenet"):
        raise ValueError(f"weights are {weights!r}; expected cifar10 or imagenet")
    return weights == "imagenet"


def vgg_options(depth: int, width: float, batch_norm: bool) -> dict:
    """Options of `paperlib.models.vgg` for ten classes of images of 32 x 32 pixels."""
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
