"""One labelled volume from NIfTI files, checked before anything is computed with it."""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import torch
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from torch import Tensor

from paperlib.datasets.volumes.types import Volume, VolumeError

# Affine matrices are stored in single precision and, in some headers, rebuilt from quaternions.
_AFFINE_TOLERANCE = 1e-3
_UNREADABLE = (
    OSError, EOFError, ValueError, OverflowError, zlib.error, ImageFileError, HeaderDataError, WrapStructError
)  # fmt: skip


def read_volume(name: str, images: Sequence[Path], label: Path, *, modalities: int, labels: Sequence[int]) -> Volume:
    """The volume of image files and a label file, NIfTI-1, plain or compressed by gzip.

    ``images`` is one 3-D file for each of the ``modalities``, or a single 4-D file with the modalities in its last axis
    (3-D too, if there is one). The classes in ``labels`` become the foreground; no other may occur but 0, and a mask
    may be empty.

    Raises ``VolumeError``, which names the file, for a file that is missing or damaged, another number of axes or
    modalities, NaN or infinity, labels that are no whole numbers or unknown, and files that differ in shape or affine.
    """
    values, affine = _loaded(label)
    if values.ndim != 3:
        raise VolumeError(f"{label} has shape {values.shape}; expected a mask of three axes")
    mask = _mask(values, label, labels)
    parts = []
    for path in images:
        image, own_affine = _loaded(path)
        _fits(path, image, own_affine, label, values, affine)
        parts += _modalities(path, image, modalities // len(images))
    return Volume(name, torch.stack(parts), mask)


def _mask(values: np.ndarray, path: Path, labels: Sequence[int]) -> Tensor:
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise VolumeError(
            f"{path} holds values that are no whole numbers; expected the number of a class in each voxel"
        )
    known = {0, *labels}
    unknown = sorted({int(value) for value in np.unique(values)} - known)
    if unknown:
        raise VolumeError(f"{path} holds the label {unknown[0]}; expected {', '.join(map(str, sorted(known)))} only")
    return torch.from_numpy((values != 0).astype(np.uint8))


def _fits(
    path: Path, image: np.ndarray, own_affine: np.ndarray, label: Path, mask: np.ndarray, affine: np.ndarray
) -> None:
    if image.ndim not in (3, 4):
        raise VolumeError(f"{path} has shape {image.shape}; expected three axes, or four with the modalities last")
    if image.shape[:3] != mask.shape:
        raise VolumeError(
            f"{path} has shape {image.shape[:3]} and its mask {label} {mask.shape}; expected the same grid"
        )
    if not np.allclose(own_affine, affine, atol=_AFFINE_TOLERANCE):
        raise VolumeError(f"{path} and its mask {label} lie differently in space (their affines differ); resample one")


def _modalities(path: Path, values: np.ndarray, expected: int) -> list[Tensor]:
    found = values.shape[3] if values.ndim == 4 else 1
    if found != expected:
        raise VolumeError(f"{path} has shape {values.shape}, which is {found} modalities; expected {expected}")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    wrong = int((~np.isfinite(values)).sum())
    if wrong:
        raise VolumeError(f"{path} holds {wrong} voxels of NaN or infinity; mend it or leave its volume out")
    parts = [values] if values.ndim == 3 else list(np.moveaxis(values, 3, 0))
    return [torch.from_numpy(np.ascontiguousarray(part)) for part in parts]


def _loaded(path: Path) -> tuple[np.ndarray, np.ndarray]:
    if not path.is_file():
        raise VolumeError(f"{path} is missing; put it there, or leave its volume out")
    try:
        content = path.read_bytes()
        # Decompressed whole, because gzip's checksum comes last, behind the voxels, where nibabel does not read.
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        image = nibabel.Nifti1Image.from_bytes(content)
        values = np.asarray(image.dataobj)
    except _UNREADABLE as error:
        raise VolumeError(f"{path} cannot be read as NIfTI-1 ({error}); replace it by a whole copy") from error
    if values.dtype.kind not in "biuf":
        raise VolumeError(f"{path} holds values of type {values.dtype}; expected real numbers")
    return values, image.affine
