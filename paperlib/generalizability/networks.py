"""The two digit classifiers of `generalizability`, Section 3.1."""

from collections.abc import Sequence

from paperlib.training.recipe import Recipe


def classifier_recipes(
    *,
    data: str,
    padding: str,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    removed_digits: Sequence[int],
    removed_fraction: float,
    subset_seed: int,
) -> dict[str, Recipe]:
    """Recipes of the ``"balanced"`` network and of the ``"unbalanced"`` one, which misses most of some digits.

    Both have the same seed, so that they begin with the same weights and differ by their data alone.
    Raises ``ValueError`` unless one to nine different digits are removed.
    """
    if not 1 <= len(removed_digits) <= 9 or len(set(removed_digits)) < len(removed_digits):
        raise ValueError(f"removed_digits is {list(removed_digits)}; expected one to nine different digits")
    common = {
        "architecture": "mnist_cnn",
        "options": {"padding": padding},
        "data": data,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    removed = {
        "removed_labels": tuple(removed_digits),
        "removed_fraction": removed_fraction,
        "subset_seed": subset_seed,
    }
    return {"balanced": Recipe(**common), "unbalanced": Recipe(**common, **removed)}
