"""What determines a trained network, and what its training left behind."""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn

from paperlib.training.keyed import KeyedRecipe


class Recipe(KeyedRecipe):
    """Everything that a training run depends on; two equal recipes give the same network on the same machine.

    ``architecture`` and ``options`` go to `paperlib.models.build`; ``data`` is a name of the data registry, whose
    part ``train`` is used less ``validation_count`` random images, kept for validation, and of the rest less
    ``removed_fraction`` of the classes in ``removed_labels`` (both drawn by ``subset_seed``).
    ``seed`` draws the initial weights and the order of the images. The cross-entropy is minimised by
    ``torch.optim.SGD`` with ``momentum`` or by ``torch.optim.Adam`` with its usual constants. ``weight_decay`` times
    the parameters, biases and batch norm's included, is added to the gradient that either of them takes.
    ``schedule`` keeps the learning rate or lowers it along half a cosine to 0 over all steps. ``augmentation``
    mirrors images at random and shifts them by up to four pixels. ``precision`` is that of the network's products in
    the forward and backward passes; weights and their updates are always float32.

    Raises ``pydantic.ValidationError`` for a field that is unknown or out of range, and for Adam with a momentum.
    """

    architecture: str
    options: dict[str, str | bool | int | float | tuple[int, ...]] = Field({})
    data: str
    validation_count: int = Field(0, ge=0)
    removed_labels: tuple[int, ...] = ()
    removed_fraction: float = Field(0.0, ge=0, le=1)
    subset_seed: int = 0
    seed: int = 0
    epochs: int = Field(ge=1)
    batch_size: int = Field(32, ge=1)
    learning_rate: float = Field(gt=0)
    momentum: float = Field(0.0, ge=0, lt=1)
    optimiser: Literal["sgd", "adam"] = "sgd"
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "cosine"] = "constant"
    augmentation: Literal["none", "flips_and_shifts"] = "none"
    precision: Literal["float32", "bfloat16"] = "float32"

    @model_validator(mode="after")
    def _momentum_is_for_sgd(self) -> Self:
        if self.optimiser == "adam" and self.momentum:
            raise ValueError(
                f"momentum is {self.momentum}, but the optimiser 'adam' averages gradients in its own way; "
                "leave momentum at 0, or set optimiser to 'sgd'"
            )
        return self

    @property
    def name(self) -> str:
        """File name of this recipe's checkpoint, without ending."""
        return f"{self.architecture}-{self.key}"


class Moment(BaseModel):
    """One look at the network during training; ``step`` counts mini-batches, ``loss`` is the mean since the last."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int
    step: int
    loss: float
    test_accuracy: float
    seconds: float


class Summary(BaseModel):
    """What stands beside the weights in a checkpoint: the recipe and how its training went.

    ``dtype`` is that of the stored weights, ``files`` the number of files that hold them. ``history`` holds a moment
    at steps 0, 1, 2, 4, ... of the first epoch and at the end of each epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Recipe
    train_count: int
    test_count: int
    test_accuracy: float
    seconds: float
    threads: int
    device: str
    torch: str
    dtype: str = "float32"
    files: int = Field(1, ge=1)
    history: tuple[Moment, ...]


@dataclass(frozen=True)
class TrainedNetwork:
    """A network in evaluation mode with its weights frozen, and the summary of its training."""

    model: nn.Module
    summary: Summary
