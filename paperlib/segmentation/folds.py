"""Which volumes train, which choose the best model, and which test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold

from paperlib.datasets.volumes import VolumeSet, load_volumes
from paperlib.segmentation.recipe import SegmentationRecipe


@dataclass(frozen=True)
class Parts:
    """Names of the volumes of one fold; no name is in two parts."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def recipe_volumes(recipe: SegmentationRecipe) -> VolumeSet:
    """All volumes of the recipe's data; raises ``ValueError`` where they have other modalities than it says."""
    volumes = load_volumes(recipe.data, **recipe.data_options)
    if volumes.modalities != recipe.modalities:
        raise ValueError(
            f"{recipe.data} has {volumes.modalities} modalities and the recipe says {recipe.modalities}; set modalities"
        )
    return volumes


def parts(recipe: SegmentationRecipe, names: Sequence[str]) -> Parts:
    """The parts of the recipe's fold; over all folds every volume is tested exactly once.

    The training volumes of a smaller ``train_count`` are the first of those of a larger one. Raises ``ValueError``
    where there are too few volumes for the folds, or to train, and for ``train_names`` that are not free to train or
    are repeated.
    """
    if len(names) < recipe.folds:
        raise ValueError(f"{len(names)} volumes cannot be dealt into {recipe.folds} folds; use fewer folds")
    folds = KFold(recipe.folds, shuffle=True, random_state=recipe.fold_seed).split(np.arange(len(names)))
    rest, test = list(folds)[recipe.fold]
    rest = np.random.default_rng([recipe.fold_seed, recipe.fold]).permutation(rest)
    validation = max(1, round(recipe.validation_share * len(rest)))
    free = rest[validation:]
    train = free[: recipe.train_count or None]
    if recipe.train_names:
        train = _chosen(recipe, {names[index]: index for index in free})
    if len(train) < max(1, recipe.train_count):
        raise ValueError(
            f"{len(free)} volumes of fold {recipe.fold} are left to train, expected "
            f"{recipe.train_count or 'one or more'}; lower train_count or validation_share"
        )
    return Parts(*(tuple(names[i] for i in sorted(part)) for part in (train, rest[:validation], test)))


def _chosen(recipe: SegmentationRecipe, free: dict[str, int]) -> list[int]:
    repeated = [name for name in recipe.train_names if recipe.train_names.count(name) > 1]
    if repeated:
        raise ValueError(f"{repeated[0]!r} is twice in train_names; expected each volume once")
    taken = [name for name in recipe.train_names if name not in free]
    if taken:
        raise ValueError(f"{taken[0]!r} in train_names is no volume that is free to train in fold {recipe.fold}")
    return [free[name] for name in recipe.train_names]
