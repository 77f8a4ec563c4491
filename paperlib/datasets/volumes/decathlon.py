"""Tasks of the Medical Segmentation Decathlon, as folders with ``dataset.json``."""

import json
from dataclasses import dataclass
from pathlib import Path

from paperlib.datasets.types import DataError
from paperlib.datasets.volumes.digests import ContentDigest
from paperlib.datasets.volumes.reading import read_volume
from paperlib.datasets.volumes.types import Volume, VolumeSet


def decathlon_folder(folder: Path, name: str, title: str, source: str) -> VolumeSet:
    """The labelled volumes of a task's folder, all labels but the background combined to one foreground.

    ``folder`` holds ``dataset.json``, of which ``modality``, ``labels`` and ``training`` are used, and the files that
    it names. They are looked at when a volume is read: see `read_volume` for what is an error then.

    Raises ``DataError``, which names the file, where ``dataset.json`` is missing, is no JSON or lacks something.
    """
    file = Path(folder) / "dataset.json"
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
        pairs = [(_stem(pair["image"]), pair["image"], pair["label"]) for pair in description["training"]]
        modalities = len(description["modality"])
        labels = tuple(int(label) for label in description["labels"] if int(label) != 0)
    except KeyError as error:
        raise DataError(f"{file} is no description of a Decathlon task: it lacks {error}; get a whole copy") from error
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{file} is no description of a Decathlon task ({error}); get a whole copy") from error
    files = {key: (Path(folder) / image, Path(folder) / label) for key, image, label in pairs}
    if not files or len(files) < len(pairs):
        what = "lists an image twice" if files else "lists no image to train on"
        raise DataError(f"{file} {what}; get a whole copy")
    read = _Read(files, modalities, labels)
    return VolumeSet(name, title, source, tuple(sorted(files)), modalities, read, ContentDigest(read))


@dataclass(frozen=True)
class _Read:
    files: dict[str, tuple[Path, Path]]
    modalities: int
    labels: tuple[int, ...]

    def __call__(self, name: str) -> Volume:
        image, label = self.files[name]
        return read_volume(name, [image], label, modalities=self.modalities, labels=self.labels)


def _stem(file: str) -> str:
    return Path(file).name.removesuffix(".gz").removesuffix(".nii")
