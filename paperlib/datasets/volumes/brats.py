"""BraTS 2020 as the challenge ships it: a folder for each case, with a file for each modality."""

from dataclasses import dataclass
from pathlib import Path

from paperlib.datasets.types import DataError
from paperlib.datasets.volumes.digests import ContentDigest
from paperlib.datasets.volumes.reading import read_volume
from paperlib.datasets.volumes.types import Volume, VolumeSet

MODALITIES = ("flair", "t1", "t1ce", "t2")
# Necrotic and non-enhancing core, oedema, enhancing tumour; there is no 3.
LABELS = (1, 2, 4)

_CASES = "BraTS20_Training_[0-9][0-9][0-9]"


def brats_folder(folder: Path, name: str, title: str, source: str) -> VolumeSet:
    """The cases of a folder, their modalities in the order of `MODALITIES`, the `LABELS` combined to one foreground.

    ``folder`` holds ``BraTS20_Training_001`` and so on, each with ``BraTS20_Training_001_flair.nii`` and likewise
    ``t1``, ``t1ce``, ``t2`` and ``seg``, or the same with ``.nii.gz``. A file that is missing is an error of its case,
    when that is read; in a public copy of the set the mask of case 355 has another name and has to be renamed.

    Raises ``DataError`` for a folder without such cases.
    """
    cases = tuple(sorted(path.name for path in Path(folder).glob(_CASES) if path.is_dir()))
    if not cases:
        raise DataError(
            f"{folder} holds no case of BraTS 2020; expected folders BraTS20_Training_001, BraTS20_Training_002 ..."
        )
    read = _Read(Path(folder))
    return VolumeSet(name, title, source, cases, len(MODALITIES), read, ContentDigest(read))


@dataclass(frozen=True)
class _Read:
    folder: Path

    def __call__(self, name: str) -> Volume:
        *images, label = (self._file(name, what) for what in (*MODALITIES, "seg"))
        return read_volume(name, images, label, modalities=len(MODALITIES), labels=LABELS)

    def _file(self, name: str, what: str) -> Path:
        plain = self.folder / name / f"{name}_{what}.nii"
        packed = plain.with_name(f"{plain.name}.gz")
        return packed if packed.is_file() else plain
