"""Images optimised for singular directions of a layer (`convsvd`, eq. 19 and 20), many in one optimisation."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.featurevis.objectives import Objective, Targets, objective, paired_values
from paperlib.featurevis.parametrisation import pixels, random_coefficients
from paperlib.featurevis.running import device_of
from paperlib.featurevis.settings import VisualisationSettings
from paperlib.featurevis.transformations import moved, movement_draws


@dataclass(frozen=True)
class FeatureImages:
    """Optimised images ``(n, channels, height, width)`` float32 in [0, 1], on the CPU.

    ``objectives`` ``(steps, n)`` holds each objective before each step, of the image as it was moved there; ``start``
    and ``final`` ``(n,)`` those of the first and the last image, not moved. ``seeds`` has one for each image.
    """

    images: Tensor
    objectives: Tensor
    start: Tensor
    final: Tensor
    path: str
    settings: VisualisationSettings
    seeds: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.images)


def optimise(
    model: nn.Module,
    path: str,
    targets: Targets | Objective,
    *,
    settings: VisualisationSettings,
    seed: int | Sequence[int] = 0,
) -> FeatureImages:
    """Images that maximise the signals of directions, or of weighted sets of them, at the layer at ``path``.

    ``targets`` are those of `objective`, or an `Objective` of this layer. The model takes images in [0, 1]; its weights
    are not changed. ``seed`` draws the start and the movements of an image: one number for all images, so that an image
    does not depend on what it is optimised beside, or one for each. Where all units before the layer are dead at the
    start there is no gradient, and the image stays as it is.

    Raises what `objective` and `layer_output` raise, and ``ValueError`` for another number of seeds, an objective of
    another layer, and an objective that becomes NaN or infinite.
    """
    goal = targets if isinstance(targets, Objective) else objective(model, path, targets)
    if goal.path != path:
        raise ValueError(f"the objective is of layer {goal.path}, images are asked for at {path}")
    seeds = (seed,) * len(goal) if isinstance(seed, int) else tuple(seed)
    if len(seeds) != len(goal):
        raise ValueError(f"{len(seeds)} seeds for {len(goal)} images; expected one for each, or one number for all")
    chunks = [slice(first, first + settings.batch_size) for first in range(0, len(goal), settings.batch_size)]
    parts = [_optimised(model, Objective(path, goal.vectors[at]), settings, seeds[at]) for at in chunks]
    images, objectives, start, final = zip(*parts, strict=True)
    return FeatureImages(
        torch.cat(images), torch.cat(objectives, 1), torch.cat(start), torch.cat(final), path, settings, seeds
    )


def rendered(coefficients: Tensor, settings: VisualisationSettings) -> Tensor:
    """Images in [0, 1] from coefficients, both ``(batch, channels, height, width)``: transform, colours, sigmoid."""
    values = pixels(coefficients) if settings.fourier else coefficients
    return torch.sigmoid(values if settings.colours is None else settings.colours.mixed(values))


def _optimised(
    model: nn.Module, goal: Objective, settings: VisualisationSettings, seeds: tuple[int, ...]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    coefficients, draws = _start(settings, seeds)
    coefficients = coefficients.to(device_of(model)).requires_grad_()
    adam = torch.optim.Adam([coefficients], lr=settings.rate)
    start, objectives = _values(model, goal, coefficients, settings), []
    for step in draws:
        images = rendered(coefficients, settings)
        if settings.transformations is not None:
            images = moved(images, settings.transformations, step)
        values = paired_values(model, goal, images)
        objectives.append(values.detach())
        # Not by backward(): the weights' gradients are no business of ours.
        (coefficients.grad,) = torch.autograd.grad(-values.sum(), coefficients)
        adam.step()
    final = _values(model, goal, coefficients, settings)
    seen = torch.stack(objectives).cpu()
    _check_finite(torch.cat([seen, final.unsqueeze(0)]), goal.path)
    return rendered(coefficients, settings).detach().cpu(), seen, start, final


def _start(settings: VisualisationSettings, seeds: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Coefficients ``(n, channels, height, width)`` and movements ``(steps, n, 6)``, each image's by its own seed."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    shape = (settings.channels, *settings.size)
    coefficients = [random_coefficients(shape, settings.deviation, generator) for generator in generators]
    return torch.stack(coefficients), torch.stack([movement_draws(settings.steps, one) for one in generators], 1)


def _values(model: nn.Module, goal: Objective, coefficients: Tensor, settings: VisualisationSettings) -> Tensor:
    with torch.no_grad():
        return paired_values(model, goal, rendered(coefficients, settings)).cpu()


def _check_finite(objectives: Tensor, path: str) -> None:
    wrong = (~torch.isfinite(objectives)).nonzero()
    if len(wrong):
        step, image = wrong[0].tolist()
        raise ValueError(
            f"the objective of image {image} at layer {path} is {objectives[step, image]} at step {step}; "
            "look for weights that are not finite, or take a smaller rate"
        )
