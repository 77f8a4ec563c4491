"""Every test volume of trained networks measured: Dice, the right projection ratio, and what to compare it with."""

import hashlib
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from tqdm import tqdm

from paperlib import paths
from paperlib.datasets.types import DataError
from paperlib.datasets.volumes import Volume, VolumeSet
from paperlib.operators import Compiled, OperatorError, UnsupportedLayerError, sliding_window
from paperlib.projection import ZeroVectorError, right_projection_ratio
from paperlib.segmentation.baselines import label_controls, output_baselines
from paperlib.segmentation.inference import window_settings
from paperlib.segmentation.patches import prepared
from paperlib.segmentation.readings import foreground_ratio, is_one_window, patch_ratios
from paperlib.segmentation.recipe import SegmentationNetwork, SegmentationRecipe
from paperlib.segmentation.rows import VolumeRow, VolumeTable
from paperlib.segmentation.volume_journal import VolumeJournal
from paperlib.segmentation.volume_workers import shared
from paperlib.svd import SvdError, truncated_svd
from paperlib.training.dice import dice

# What one volume can do wrong; anything else is an error of the network or of the call and ends the run.
_OF_ONE_VOLUME = (
    DataError, OperatorError, SvdError, ZeroVectorError, OSError, MemoryError, torch.OutOfMemoryError,
)  # fmt: skip

# To be raised where a quantity of a row gets another meaning, so that rows on disk are measured again.
_MEANING = 1

_Task = tuple[int, str]


@dataclass(frozen=True)
class MeasureSettings:
    """How a volume is measured: ``k`` triplets to the relative residual ``tol``.

    ``solver`` (a name) and ``seed`` are those of `paperlib.svd.truncated_svd`. ``patches`` adds ``rpr_patches``, at the
    price of a second SVD, of each window.
    """

    k: int = 10
    tol: float = 1e-4
    solver: str = "auto"
    seed: int = 0
    patches: bool = False

    def __post_init__(self):
        if self.k < 1 or not self.tol > 0:
            raise ValueError(f"k is {self.k} and tol {self.tol}; expected 1 triplet or more, and a positive tolerance")


def measure_volumes(
    networks: Sequence[SegmentationNetwork],
    volumes: VolumeSet,
    settings: MeasureSettings | None = None,
    *,
    names: Sequence[Sequence[str]] | None = None,
    folder: Path | None = None,
    workers: int = 1,
    progress: bool = False,
) -> VolumeTable:
    """A row for each network and each of its test volumes, or each of those in ``names``, a sequence for each network.

    For each volume, ``A[x]`` of sliding-window inference is frozen at the normalised image and its k largest singular
    triplets are computed; Dice and the baselines are of the output that freezing gives. It runs where the network is.

    A row is on disk, below ``folder`` (in the cache by default), as soon as it is known, and a later call with the same
    networks, settings and data does not measure it again: an interrupted run goes on where it was, with any number of
    ``workers``, processes that share the volumes. What the numbers depend on (weights, recipe, settings, the volumes'
    digests, ``volumes.selection``) tells the rows of one question from those of another. ``progress`` shows a bar.

    A volume that fails (unreadable, NaN, without spread, not converged) is a row with its reason in ``note``, does not
    stop the others, and is tried again by a later call. Raises ``ValueError`` where the volumes have another number of
    modalities than a network, or ``names`` another length than ``networks``, ``KeyError`` for a name that is not there,
    ``UnsupportedLayerError`` and ``NotFiniteError`` for a network that cannot be frozen, `WorkerError` where a process
    was killed and `JournalError` for a damaged folder; finished rows are kept in each case.
    """
    settings = settings or MeasureSettings()
    if names is not None and len(names) != len(networks):
        raise ValueError(f"names of {len(names)} networks are given for {len(networks)}; expected a sequence for each")
    measurer = Measurer(networks, volumes, settings, folder or paths.cache_directory() / "volumes")
    tasks = [
        (index, name)
        for index, chosen in enumerate(names or [network.summary.test for network in networks])
        for name in volumes.select(chosen, "test").names
    ]
    rows = measurer.finished(tasks)
    missing = [task for task in tasks if task not in rows]
    bar = tqdm(total=len(tasks), initial=len(rows), desc="volumes", unit="volume", disable=not progress)
    with closing(measurer), bar:
        for task, row in shared(measurer, missing, workers):
            rows[task] = row
            bar.update()
    return VolumeTable(tuple(rows[task] for task in tasks), settings.k)


def measured_volume(
    compiled: Compiled, recipe: SegmentationRecipe, volume: Volume, settings: MeasureSettings
) -> VolumeRow:
    """The row of one volume under the network of ``recipe``; raises what reading, freezing and the SVD raise."""
    weight = next(compiled.model.parameters())
    image = prepared(volume, recipe.scale).to(device=weight.device, dtype=weight.dtype)
    windows = window_settings(recipe)
    svd = partial(truncated_svd, k=settings.k, tol=settings.tol, solver=settings.solver, seed=settings.seed)
    start = time.perf_counter()
    operator = sliding_window(compiled, image, **windows)
    triplets = svd(operator)
    seconds = time.perf_counter() - start
    ratios = right_projection_ratio(triplets.Vh, image.flatten().to(triplets.Vh.device)).cpu()
    mask = operator.output.argmax(0)
    patches = ()
    if settings.patches:
        patches = ratios if is_one_window(image, windows) else patch_ratios(compiled, image, windows, svd)
    return VolumeRow(
        volume.name,
        recipe.fold,
        dice(mask.cpu(), volume.label),
        rpr=_numbers(ratios),
        rpr_patches=_numbers(patches),
        rpr_foreground=_numbers(foreground_ratio(triplets.Vh, image, mask)),
        singular_values=_numbers(triplets.S),
        residuals=_numbers(triplets.relative_residuals.double()),
        products=triplets.products,
        seconds=seconds,
        norm=image.double().norm().item(),
        **output_baselines(operator.output),
        **label_controls(image, volume.label),
    )


class Measurer:
    """Measures (number of a network, name of a volume) and writes the row down; can be pickled for other processes.

    See `measure_volumes`. Close it, to close its files.
    """

    def __init__(
        self, networks: Sequence[SegmentationNetwork], volumes: VolumeSet, settings: MeasureSettings, folder: Path
    ):
        for network in networks:
            if network.summary.recipe.modalities != volumes.modalities:
                raise ValueError(
                    f"{volumes.name} has {volumes.modalities} modalities, but {network.summary.recipe.name} was made "
                    f"for {network.summary.recipe.modalities}"
                )
        self._arguments = tuple(networks), volumes, settings, folder
        self._networks, self._volumes, self._settings = tuple(networks), volumes, settings
        self._journals = [VolumeJournal(folder, _question(network, volumes, settings)) for network in networks]
        self._compiled: dict[int, Compiled] = {}

    def __reduce__(self):
        # Open files and graphs stay behind: every process has its own.
        return Measurer, self._arguments

    def __call__(self, task: _Task) -> VolumeRow:
        """Measure a volume, and write its row down."""
        index, name = task
        recipe, digest = self._networks[index].summary.recipe, ""
        if index not in self._compiled:
            self._compiled[index] = Compiled(self._networks[index].model)
        try:
            digest = self._volumes.digest((name,))
            row = measured_volume(self._compiled[index], recipe, self._volumes.read(name), self._settings)
        except UnsupportedLayerError:
            raise
        except _OF_ONE_VOLUME as error:
            row = VolumeRow(name, recipe.fold, note=" ".join(str(error).split()) or type(error).__name__)
        self._journals[index].add(row, digest)
        return row

    def finished(self, tasks: Sequence[_Task]) -> dict[_Task, VolumeRow]:
        """The rows that earlier calls measured on the volumes that these names have now."""
        rows = [journal.rows() for journal in self._journals]
        seen = {name for found in rows for name, _ in found}
        digests = {name: _digest(self._volumes, name) for name in {name for _, name in tasks} & seen}
        keys = {(index, name): (name, digests.get(name)) for index, name in tasks}
        return {task: rows[task[0]][key] for task, key in keys.items() if key in rows[task[0]]}

    def close(self) -> None:
        """Close the files."""
        for journal in self._journals:
            journal.close()


def _question(network: SegmentationNetwork, volumes: VolumeSet, settings: MeasureSettings) -> dict:
    """All that a network's rows depend on, but for the volumes' content and the machine."""
    weights = hashlib.sha256()
    for name, value in sorted(network.model.state_dict().items()):
        weights.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return {
        "recipe": network.summary.recipe.model_dump(mode="json"),
        "weights": weights.hexdigest(),
        "settings": asdict(settings),
        "data": [volumes.name, volumes.selection],
        "meaning": _MEANING,
    }


def _digest(volumes: VolumeSet, name: str) -> str | None:
    try:
        return volumes.digest((name,))
    except (DataError, OSError):
        return None


def _numbers(values) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
