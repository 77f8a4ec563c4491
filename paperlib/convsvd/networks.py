"""The networks that `convsvd` looks at, and how they are trained here (Sections 4 and 6)."""

from collections.abc import Sequence

from paperlib.models.small import Kind
from paperlib.training.recipe import Recipe


def four_layer_recipe(*, data: str, epochs: int, batch_size: int, learning_rate: float, seed: int) -> Recipe:
    """The MNIST classifier of Section 4.2 by Adam; the paper names neither optimiser nor epochs nor accuracy."""
    return Recipe(
        architecture="four_layer_cnn",
        data=data,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        optimiser="adam",
        schedule="cosine",
        precision="bfloat16",
        seed=seed,
    )


# Plain networks without batch norm do not bear the learning rate of the others.
_LEARNING_RATES: dict[Kind, float] = {"plain": 0.02, "batch_norm": 0.1, "residual": 0.1}


def small_recipe(kind: Kind, blocks: int, width: int, *, data: str, epochs: int, seed: int) -> Recipe:
    """A member of a family, stand-in for a network of the paper's three families trained on ImageNet (Section 4.1)."""
    return Recipe(
        architecture="small_cnn",
        options={"kind": kind, "blocks": blocks, "width": width},
        data=data,
        epochs=epochs,
        batch_size=128,
        learning_rate=_LEARNING_RATES[kind],
        momentum=0.9,
        weight_decay=5e-4,
        schedule="cosine",
        augmentation="flips_and_shifts",
        precision="bfloat16",
        seed=seed,
    )


def family_recipes(
    blocks: Sequence[int], widths: Sequence[int], *, data: str, epochs: int, seed: int = 0
) -> dict[str, dict[str, Recipe]]:
    """Four families by name, and in each the recipes of its members by name, from the smallest to the largest.

    ``"plain"``, ``"batch_norm"`` and ``"residual"`` differ by depth alone: ``blocks`` blocks a stage at 16 channels.
    ``"width"`` differs by width alone: two blocks a stage with batch norm at ``widths`` channels.
    """
    common = {"data": data, "epochs": epochs, "seed": seed}
    kinds: tuple[Kind, ...] = ("plain", "batch_norm", "residual")
    families = {
        kind: {f"{kind}, {count} a stage": small_recipe(kind, count, 16, **common) for count in sorted(blocks)}
        for kind in kinds
    }
    families["width"] = {
        f"{width} channels": small_recipe("batch_norm", 2, width, **common) for width in sorted(widths)
    }
    return families
