"""Pictures of the equivalence classes of a hierarchy: optimised, found in a data set, as heat maps (Section 6.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.featurevis import (
    Exemplars,
    Objective,
    VisualisationSettings,
    exemplary_images,
    objective,
    objective_values,
    optimise,
    projection_heat_maps,
)
from paperlib.hypergraphs import SemanticHierarchy


@dataclass(frozen=True)
class ClassPictures:
    """Pictures of each equivalence class, in the order of the hierarchy.

    The objective of a class is the sum of its members' signals over all positions: equation 20 with equal weights.
    ``optimised`` ``(classes, channels, height, width)`` in [0, 1] has one image for each class, ``objectives``
    ``(classes,)`` its objective, and ``attempts`` the number of settings that were tried for it. ``exemplars`` are the
    images of the sample with the largest objectives. ``heat_maps`` ``(classes, count, h, w)`` are those of the
    exemplars, summed over members; None where the layer is fully connected.
    """

    optimised: Tensor
    objectives: Tensor
    attempts: tuple[int, ...]
    exemplars: Exemplars
    heat_maps: Tensor | None

    def values(self) -> dict:
        """What a result records by class: the objectives of the optimised and of the best other image, their ratio."""
        best = self.exemplars.values[:, 0]
        return {
            "optimised": self.objectives.tolist(),
            "best_training": best.tolist(),
            "gain": (self.objectives / best).tolist(),
            "attempts": list(self.attempts),
        }


def class_weights(hierarchy: SemanticHierarchy, directions: int) -> Tensor:
    """Weight 1 for the members of each equivalence class, 0 for other directions: float64 ``(classes, directions)``."""
    weights = torch.zeros(len(hierarchy.classes), directions, dtype=torch.float64)
    for row, one in zip(weights, hierarchy.classes, strict=True):
        row[list(one.members)] = 1
    return weights


def class_pictures(
    model: nn.Module,
    hierarchy: SemanticHierarchy,
    directions: int,
    images: Tensor,
    *,
    count: int,
    settings: Sequence[VisualisationSettings],
    seed: int,
) -> ClassPictures:
    """Optimise an image for each equivalence class of a layer and find the ``count`` best among ``images``.

    ``directions`` is the number of the layer's non-zero singular values. An ascent may end at a local maximum below
    what some of the ``images`` reach; then the next of the ``settings`` is tried, and the best attempt is kept. Raises
    what `optimise` and `exemplary_images` raise.
    """
    path = hierarchy.path
    goal = objective(model, path, class_weights(hierarchy, directions))
    exemplars = exemplary_images(objective_values(model, goal, images), images, count)
    optimised, objectives, attempts = _optimised(model, goal, exemplars.values[:, 0], settings, seed)
    maps = [
        projection_heat_maps(model, path, found, one.members).sum(1)
        for found, one in zip(exemplars.images, hierarchy.classes, strict=True)
    ]
    heat_maps = torch.stack(maps) if maps[0].dim() == 3 else None
    return ClassPictures(optimised, objectives, attempts, exemplars, heat_maps)


def _optimised(
    model: nn.Module, goal: Objective, floor: Tensor, settings: Sequence[VisualisationSettings], seed: int
) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Images, their objectives, and the attempts that each took to rise above ``floor``."""
    first = optimise(model, goal.path, goal, settings=settings[0], seed=seed)
    images, values = first.images.clone(), first.final.clone()
    attempts = torch.ones(len(goal), dtype=torch.int64)
    for other in settings[1:]:
        low = (values <= floor).nonzero().flatten()
        if not len(low):
            break
        attempts[low] += 1
        found = optimise(model, goal.path, Objective(goal.path, goal.vectors[low]), settings=other, seed=seed)
        better = found.final > values[low]
        images[low[better]], values[low[better]] = found.images[better], found.final[better]
    return images, values, tuple(attempts.tolist())
