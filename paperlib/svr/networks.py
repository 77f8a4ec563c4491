"""The networks that `svr` looks at, and how they are trained here (Sections 3.1, 5 and B.3)."""

from paperlib.training.recipe import Recipe

VGG_DEPTHS = (11, 13, 16, 19)


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
