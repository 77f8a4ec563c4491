"""What determines a trained segmentation network, and what its training left behind."""

from dataclasses import dataclass
from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from paperlib.models import UNet, unet
from paperlib.segmentation.normalisation import FIELDS, MODES, Normalisation
from paperlib.training.keyed import KeyedRecipe

Shape = tuple[int, int, int]


class SegmentationRecipe(KeyedRecipe):
    """Everything that the training of a U-Net depends on; two equal recipes give the same network on one machine.

    ``data`` and ``data_options`` go to `paperlib.datasets.volumes.load_volumes`. The volumes are shuffled by
    ``fold_seed`` and dealt into ``folds`` test parts; ``fold`` is the number of the one that this network never sees.
    Of the others a share ``validation_share`` chooses the best model, and ``train_count`` of the rest (0: all) train,
    or those in ``train_names``.
    ``normalisation`` and ``field`` are `paperlib.segmentation.Normalisation`'s. The network is `paperlib.models.unet`
    with ``depth`` and ``filters``; each of ``epochs`` epochs takes one random ``patch`` of every training volume, in
    mini-batches of ``batch_size``, ``foreground_share`` of them around a voxel of the foreground, mirrored at random
    where ``mirrored``. `paperlib.training.dice.relaxed_dice_loss` is lowered by Adam, whose learning rate rises over
    the first ``warm_up`` steps: sums over windows let this network's outputs grow fast, and one that says 'background'
    everywhere with great certainty has no gradient to leave by. Every ``validate_every`` epochs, and after the last,
    Dice is taken over the validation volumes by sliding windows of the patch's size with ``overlap`` and Gaussian
    weights, and the best network so far is kept. ``precision`` is that of the products in training.

    Optimiser, learning rate, batch size and loss are those of `generalizability`, whose other settings are a depth of
    5, 32 filters, patches of 128^3 and 1,000 epochs. Raises ``pydantic.ValidationError`` for a field that is unknown
    or out of range, and for a patch that the poolings do not divide.
    """

    data: str
    data_options: dict[str, int | float | str | tuple[int | float, ...]] = Field({})
    modalities: int = Field(1, ge=1)
    folds: int = Field(5, ge=2)
    fold: int = Field(0, ge=0)
    fold_seed: int = 0
    validation_share: float = Field(0.1, gt=0, lt=1)
    train_count: int = Field(0, ge=0)
    train_names: tuple[str, ...] = ()
    normalisation: Literal[MODES] = "nonzero"
    field: Literal[FIELDS] = "box"
    depth: int = Field(5, ge=1)
    filters: int = Field(32, ge=1)
    patch: Shape = (128, 128, 128)
    epochs: int = Field(1000, ge=1)
    batch_size: int = Field(2, ge=1)
    learning_rate: float = Field(3e-4, gt=0)
    warm_up: int = Field(0, ge=0)
    foreground_share: float = Field(2 / 3, ge=0, le=1)
    mirrored: bool = True
    validate_every: int = Field(1, ge=1)
    overlap: float = Field(0.25, ge=0, lt=1)
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.fold >= self.folds:
            raise ValueError(f"fold is {self.fold}, but there are {self.folds}, counted from 0")
        divisor = 2 ** (self.depth - 1)
        if any(side < divisor or side % divisor for side in self.patch):
            raise ValueError(f"patch is {self.patch}; at depth {self.depth} its sides must be multiples of {divisor}")
        return self

    @property
    def name(self) -> str:
        """File name of this recipe's checkpoint, without ending."""
        return f"segmentation_unet-{self.key}"

    @property
    def scale(self) -> Normalisation:
        """The normalisation as an object."""
        return Normalisation(self.normalisation, field=self.field)

    def network(self) -> UNet:
        """The untrained network, its weights drawn by the seed alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return unet(self.modalities, 2, depth=self.depth, filters=self.filters)


class SegmentationMoment(BaseModel):
    """One look at the network: mean training ``loss`` since the last look, mean ``validation_dice``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int
    loss: float
    validation_dice: float
    seconds: float


class SegmentationSummary(BaseModel):
    """What stands beside the weights: the recipe, how its training went, and which volumes it saw.

    ``best_epoch`` is that of the weights, the earliest with the highest mean validation Dice. ``test`` names the
    volumes of the fold. ``dtype`` is that of the stored weights.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: SegmentationRecipe
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    best_epoch: int
    validation_dice: float
    seconds: float
    threads: int
    device: str
    torch: str
    dtype: str = "float32"
    history: tuple[SegmentationMoment, ...]


@dataclass(frozen=True)
class SegmentationNetwork:
    """A U-Net in evaluation mode with its weights frozen, and the summary of its training."""

    model: UNet
    summary: SegmentationSummary
