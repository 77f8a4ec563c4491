"""Inputs trained towards wanted outputs while the weights stay as they are (`vectorspaces`, Section 2.4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from paperlib.ideal_inputs.frozen import rewritten

OPTIMISERS = ("sgd", "adam")
# Images on which the cheaper function is compared with the model.
FEW = 4


class InputTrainingError(Exception):
    """A loss is no longer finite; the message names the image, the step and the learning rate."""


@dataclass(frozen=True)
class TrainedInputs:
    """Images ``(N, *shape)`` after training, in the dtype of the starts.

    ``before`` and ``after`` ``(N,)`` float64 are the Euclidean distances of the model's outputs to their targets for
    the starts and for ``images``. ``losses`` ``(steps + 1, N)`` are the mean squared errors over the outputs of each
    image: row 0 before the first step, the last row after the last.
    """

    images: Tensor
    before: Tensor
    after: Tensor
    losses: Tensor


def train_inputs(
    model: nn.Module,
    starts: Tensor,
    targets: Tensor,
    *,
    steps: int,
    learning_rate: float,
    optimiser: Literal["sgd", "adam"] = "sgd",
    momentum: float = 0.0,
    bounds: tuple[float, float] | None = None,
) -> TrainedInputs:
    """Move the images ``starts`` ``(N, *shape)`` so that the model's outputs come near ``targets`` ``(N, C)``.

    All images go through one optimisation. The loss is the sum over images of each one's mean squared error, so every
    image sees the gradient that it would see alone, and its steps are those of ``torch.optim.SGD`` or ``Adam`` on
    that image by itself, up to rounding. ``bounds`` clips all pixels after each step. The model must be in evaluation
    mode and give outputs ``(N, C)``; its weights are frozen meanwhile and left as they were. The steps go through a
    cheaper function with the same outputs (`rewritten`), the distances through the model itself.

    Raises ``ValueError`` for a model in training mode, shapes that do not fit, numbers that are not finite or settings
    out of range, and ``InputTrainingError`` for a loss that stops being finite.

    In the book: thm-nearest-image.
    """
    _check_settings(steps, learning_rate, optimiser, momentum, bounds)
    _check_model(model)
    with _frozen(model):
        before = _distances(model, starts, targets)
        forward = rewritten(model, starts[:FEW])
        # An own copy in the plain memory format, whatever that of the starts.
        images = torch.empty(starts.shape, dtype=starts.dtype, device=starts.device).copy_(starts).requires_grad_(True)
        if optimiser == "sgd":
            stepper = torch.optim.SGD([images], lr=learning_rate, momentum=momentum)
        else:
            stepper = torch.optim.Adam([images], lr=learning_rate)
        losses = torch.empty(steps + 1, len(images), dtype=targets.dtype, device=images.device)
        for step in range(steps):
            loss = (forward(images) - targets).square().mean(dim=1)
            losses[step] = _finite(loss.detach(), step, learning_rate)
            (images.grad,) = torch.autograd.grad(loss.sum(), images)
            stepper.step()
            if bounds is not None:
                images.data.clamp_(*bounds)
        images = images.detach()
        with torch.no_grad():
            losses[steps] = _finite((forward(images) - targets).square().mean(dim=1), steps, learning_rate)
        return TrainedInputs(images, before, _distances(model, images, targets), losses)


@contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    """Without gradients of the weights, so that going back computes those of the input alone."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)


@torch.no_grad()
def _distances(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Euclidean distances ``(N,)`` in float64, after a look at what goes in and comes out."""
    for name, values in (("starts", images), ("targets", targets)):
        wrong = (~torch.isfinite(values)).flatten(1).any(dim=1).nonzero().flatten().tolist()
        if wrong:
            raise ValueError(f"{name} of {len(wrong)} images are NaN or infinite, the first of image {wrong[0]}")
    outputs = model(images)
    if outputs.shape != targets.shape:
        raise ValueError(
            f"the model gives outputs of shape {tuple(outputs.shape)} for {len(images)} images, the targets have "
            f"shape {tuple(targets.shape)}; expected both to be (images, outputs)"
        )
    return (outputs.double() - targets.double()).norm(dim=1)


def _finite(losses: Tensor, step: int, learning_rate: float) -> Tensor:
    wrong = (~torch.isfinite(losses)).nonzero().flatten().tolist()
    if wrong:
        raise InputTrainingError(
            f"the loss of image {wrong[0]} is {losses[wrong[0]].item()} after step {step} at learning rate "
            f"{learning_rate}; lower the learning rate"
        )
    return losses


def _check_model(model: nn.Module) -> None:
    for path, module in model.named_modules():
        name = f"module {path!r} ({type(module).__name__})" if path else f"the model ({type(module).__name__})"
        if module.training:
            raise ValueError(
                f"{name} is in training mode, where batch norm would mix the images and dropout would change them; "
                "call model.eval() first"
            )
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None:
            raise ValueError(
                f"{name} keeps no running statistics, so it mixes the images in evaluation mode too; "
                "expected a batch norm with track_running_stats=True"
            )


def _check_settings(
    steps: int, learning_rate: float, optimiser: str, momentum: float, bounds: tuple[float, float] | None
) -> None:
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected at least 1")
    if not 0 < learning_rate < float("inf"):
        raise ValueError(f"learning_rate is {learning_rate}; expected a positive number")
    if optimiser not in OPTIMISERS:
        raise ValueError(f"optimiser is {optimiser!r}; expected one of {', '.join(OPTIMISERS)}")
    if not 0 <= momentum < 1 or (momentum and optimiser != "sgd"):
        raise ValueError(f"momentum is {momentum} for {optimiser}; expected a number in [0, 1), and 0 unless sgd")
    if bounds is not None and not bounds[0] < bounds[1]:
        raise ValueError(f"bounds are {bounds}; expected (low, high) with low < high")
