"""Training the U-Net of `generalizability` on generated volumes: what stands in where no scans are at hand."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from paperlib import paths
from paperlib.datasets.phantoms import VolumeData, phantom_volumes
from paperlib.files import write_atomically
from paperlib.models import UNet, unet
from paperlib.training.checkpoints import CheckpointError, rounded
from paperlib.training.dice import dice, relaxed_dice_loss
from paperlib.training.errors import TrainingError
from paperlib.training.state_files import read_state, write_state
from paperlib.training.steps import flushed_denormals

# Volumes that no training sees, for its Dice.
_HELD_OUT = 6

# Steps between two states on disk.
_STEPS_AT_ONCE = 100

# Share of the patches that are drawn around a voxel of a lesion.
_AROUND_LESIONS = 2 / 3


@dataclass(frozen=True)
class PhantomTraining:
    """Everything that a training depends on: two equal ones give the same network on the same machine.

    ``volumes`` phantoms of ``side`` voxels a side and ``modalities`` channels are generated; each of ``steps`` steps
    of Adam takes ``batch_size`` random patches of ``patch`` voxels a side, two thirds of them around a lesion, each
    mirrored at random, and lowers `relaxed_dice_loss`. Loss, optimiser, batch size and learning rate are those of
    `generalizability`; its patches have 128 voxels a side and it takes 1,000 epochs.
    """

    modalities: int = 4
    depth: int = 5
    filters: int = 32
    volumes: int = 48
    side: int = 64
    patch: int = 32
    steps: int = 1500
    batch_size: int = 2
    learning_rate: float = 3e-4
    seed: int = 0

    @property
    def name(self) -> str:
        """File name of this training's checkpoint, without ending."""
        return f"phantom_unet-{hashlib.sha256(_written(self).encode()).hexdigest()[:12]}"

    def network(self) -> UNet:
        """The untrained network, its weights drawn by the seed alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return unet(self.modalities, 2, depth=self.depth, filters=self.filters)


@dataclass(frozen=True)
class PhantomNetwork:
    """A trained U-Net in evaluation mode, its weights frozen; ``dice`` of each held-out volume, ``seconds`` it took."""

    model: UNet
    training: PhantomTraining
    dice: tuple[float, ...]
    seconds: float


def phantom_unet(training: PhantomTraining, *, progress: bool = False) -> PhantomNetwork:
    """The network of a training: the tracked or the local one where it is there, else trained (or resumed) and kept.

    Raises ``TrainingError`` where the loss is not finite, and ``CheckpointError`` for a damaged file.
    """
    for folder in (paths.TRACKED_CHECKPOINTS, paths.cache_directory() / "checkpoints"):
        path = folder / f"{training.name}.safetensors"
        if path.is_file():
            return _load(path, training)
    state = paths.cache_directory() / "training" / f"{training.name}.safetensors"
    network = train_on_phantoms(training, state_file=state, progress=progress)
    save_phantom_unet(network, paths.cache_directory() / "checkpoints")
    state.unlink(missing_ok=True)
    return network


def train_on_phantoms(
    training: PhantomTraining, *, state_file: Path | None = None, progress: bool = False
) -> PhantomNetwork:
    """Train a network; with a ``state_file`` an interrupted training goes on from it and ends with the same weights."""
    shape = (training.side,) * 3
    data = phantom_volumes(training.volumes, shape, modalities=training.modalities, seed=100 + training.seed)
    model = training.network().to(memory_format=torch.channels_last_3d)
    optimiser = torch.optim.Adam(model.parameters(), lr=training.learning_rate)
    done, seconds = _resume(training, state_file, model, optimiser)
    bar = tqdm(total=training.steps, initial=done, unit="step", mininterval=2, disable=not progress)
    bar.set_description(training.name)
    with bar, flushed_denormals():
        for step in range(done, training.steps):
            start = time.perf_counter()
            loss = _step(model, optimiser, *patches(data, training, step))
            if not loss < float("inf"):
                raise TrainingError(f"the loss is {loss} at step {step}; a smaller learning rate may mend it")
            seconds += time.perf_counter() - start
            bar.update()
            if state_file is not None and (step + 1) % _STEPS_AT_ONCE == 0:
                header = {"training": _written(training), "step": str(step + 1), "seconds": repr(seconds)}
                write_state(state_file, model, optimiser, header)
    model = model.eval().requires_grad_(False)
    return PhantomNetwork(model, training, held_out_dice(model, training), seconds)


def patches(data: VolumeData, training: PhantomTraining, step: int) -> tuple[Tensor, Tensor]:
    """The patches of a step ``(batch, modalities, *patch)`` and their labels ``(batch, *patch)``.

    They follow from the step's number and the seed alone, so that an interrupted training goes on as another would.
    """
    generator = torch.Generator().manual_seed(training.seed * 1_000_003 + step)
    drawn = [_patch(data, training.patch, generator) for _ in range(training.batch_size)]
    images, labels = zip(*drawn, strict=True)
    return torch.stack(images), torch.stack(labels)


def held_out_dice(model: nn.Module, training: PhantomTraining) -> tuple[float, ...]:
    """Dice of whole volumes that the training has not seen."""
    shape = (training.side,) * 3
    data = phantom_volumes(_HELD_OUT, shape, modalities=training.modalities, seed=200 + training.seed)
    with torch.no_grad():
        masks = [model(data.images[i : i + 1]).argmax(1)[0] for i in range(len(data))]
    return tuple(dice(mask, label) for mask, label in zip(masks, data.labels, strict=True))


def save_phantom_unet(network: PhantomNetwork, folder: Path, dtype: torch.dtype = torch.float32) -> Path:
    """Write the network's weights as ``dtype``, with its training in the header; returns the path."""
    path = folder / f"{network.training.name}.safetensors"
    weights = {name: value.contiguous() for name, value in rounded(network.model.state_dict(), dtype).items()}
    header = {
        "training": json.dumps(asdict(network.training)),
        "dice": json.dumps(network.dice),
        "seconds": repr(network.seconds),
        "torch": torch.__version__,
    }
    return write_atomically(path, lambda temporary: save_file(weights, temporary, metadata=header))


def _load(path: Path, training: PhantomTraining) -> PhantomNetwork:
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}
        model = training.network()
        model.load_state_dict(rounded(weights, torch.float32))
        seen, seconds = tuple(json.loads(header["dice"])), float(header["seconds"])
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read ({error}); remove it and train again") from error
    return PhantomNetwork(model.eval().requires_grad_(False), training, seen, seconds)


def _step(model: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> float:
    optimiser.zero_grad(set_to_none=True)
    loss = relaxed_dice_loss(model(images.contiguous(memory_format=torch.channels_last_3d)), labels)
    loss.backward()
    optimiser.step()
    return loss.item()


def _patch(data: VolumeData, side: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    index = int(torch.randint(len(data), (1,), generator=generator))
    image, label = data.images[index], data.labels[index]
    last = torch.tensor(label.shape) - side
    inside = label.nonzero()
    if len(inside) and torch.rand(1, generator=generator) < _AROUND_LESIONS:
        centre = inside[int(torch.randint(len(inside), (1,), generator=generator))]
        # Not always in the middle, which a network would learn.
        start = centre - torch.randint(side // 8, side - side // 8, (3,), generator=generator)
        start = torch.minimum(start.clamp_min(0), last)
    else:
        start = torch.stack([torch.randint(int(most) + 1, (), generator=generator) for most in last])
    place = tuple(slice(int(begin), int(begin) + side) for begin in start)
    mirrored = [axis for axis in range(3) if torch.rand(1, generator=generator) < 0.5]
    return image[(slice(None), *place)].flip([1 + axis for axis in mirrored]), label[place].flip(mirrored)


def _written(training: PhantomTraining) -> str:
    return json.dumps(asdict(training), sort_keys=True)


def _resume(
    training: PhantomTraining, path: Path | None, model: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[int, float]:
    """Put model and optimiser into the state on disk, where there is one; steps done and seconds taken."""
    if path is None or not path.is_file():
        return 0, 0.0
    header, _ = read_state(path, model, optimiser, {"training": _written(training)})
    return int(header["step"]), float(header["seconds"])
