"""Readers of single image files: pictures, arrays and volumes, as ``(channels, *spatial)`` in float32."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from paperlib.ratios.errors import ImageError

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_VOLUMES = (".nii", ".nii.gz")
SUFFIXES = (*_PICTURES, ".npy", *_VOLUMES)


def suffix_of(path: Path) -> str:
    """The ending that tells the kind of file, in lower case: ``.nii.gz`` is one ending."""
    name = path.name.lower()
    return next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if name.endswith(suffix)), path.suffix)


def read_image(path: Path, channels: int | None = None) -> Tensor:
    """One file as a float32 tensor ``(channels, *spatial)``.

    Pictures are grey or RGB (``channels`` 1 or 3, by default as in the file), scaled to [0, 1] by the largest value
    of their integer type. Arrays (``.npy``) are used as they are: two axes are one channel, with more the first axis is
    that of the channels. NIfTI volumes have their header's scale; a fourth axis is that of the channels.

    Raises ``ImageError`` with the reason where the file is missing, damaged, of another kind or not of numbers.
    """
    suffix = suffix_of(path)
    try:
        if suffix in _PICTURES:
            return _picture(path, channels)
        if suffix == ".npy":
            return _array(path)
        if suffix in _VOLUMES:
            return _volume(path)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(f"the file cannot be read ({type(error).__name__}: {error})") from error
    raise ImageError(f"unknown kind of image; known are {', '.join(SUFFIXES)}")


def _picture(path: Path, channels: int | None) -> Tensor:
    with Image.open(path) as picture:
        if getattr(picture, "n_frames", 1) != 1:
            raise ImageError(f"the file holds {picture.n_frames} pages; store each as a file, or all as one .npy")
        if picture.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
            # Pillow's conversion to grey or RGB would cut these at 255.
            values = np.asarray(picture)
            scale = 1.0 if picture.mode == "F" else 65535.0
            image = torch.from_numpy(values.astype(np.float32) / scale).unsqueeze(0)
            return image.repeat(3, 1, 1) if channels == 3 else image
        grey = channels == 1 or (channels != 3 and picture.mode in ("1", "L", "LA"))
        values = np.asarray(picture.convert("L" if grey else "RGB"), dtype=np.float32) / 255
    return torch.from_numpy(values[None] if grey else values.transpose(2, 0, 1).copy())


def _array(path: Path) -> Tensor:
    values = np.load(path, allow_pickle=False)
    if values.dtype.kind not in "biuf" or values.ndim < 2:
        raise ImageError(f"the array holds {values.dtype} of shape {values.shape}; expected real numbers, 2 axes up")
    image = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
    return image.unsqueeze(0) if image.dim() == 2 else image


def _volume(path: Path) -> Tensor:
    import nibabel  # takes a moment, which readers of pictures need not wait for

    values = np.ascontiguousarray(nibabel.load(path).get_fdata(dtype=np.float32))
    if values.ndim not in (3, 4):
        raise ImageError(f"the volume has {values.ndim} axes; expected 3, or 4 with the channels last")
    image = torch.from_numpy(values)
    return image.unsqueeze(0) if image.dim() == 3 else image.movedim(-1, 0).contiguous()
