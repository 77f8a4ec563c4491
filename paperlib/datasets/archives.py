"""Colour images in archives: CIFAR-10's binary batches, and JPEG files in a zip."""

import io
import tarfile
import zipfile
from collections.abc import Callable

import numpy as np
from PIL import Image, UnidentifiedImageError

from paperlib.datasets.types import DataError

_BATCHES = {"train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)), "test": ("test_batch.bin",)}
_RECORD = 1 + 3 * 32 * 32
# The usual view of a photograph: its shorter side brought to 256 pixels, of which the middle 224 are seen.
_SHORTER_SIDE, _CROP = 256, 224


def cifar_binary(content: bytes, part: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(count, 32, 32, 3)`` and labels from the content of ``cifar-10-binary.tar.gz``.

    A record is the label's byte and three planes of 1,024 bytes. Raises ``DataError``.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            batches = [archive.extractfile(f"cifar-10-batches-bin/{batch}").read() for batch in _BATCHES[part]]
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise DataError(f"{name} is not CIFAR-10's binary archive ({error})") from error
    joined = np.frombuffer(b"".join(batches), dtype=np.uint8)
    if len(joined) % _RECORD:
        raise DataError(f"{name}: {len(joined)} bytes in the batches of {part}, which are no records of {_RECORD}")
    records = joined.reshape(-1, _RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0]


def jpeg_classes(content: bytes, part: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(count, height, width, 3)`` and labels of the members ``PART/CLASS/NAME.jpg`` of a zip.

    In the order of the members' names; labels count the classes in alphabetical order. Raises ``DataError``.
    """
    with _zip(content, name) as archive:
        members = [member for member in sorted(archive.namelist()) if member.startswith(f"{part}/")]
        members = [member for member in members if member.endswith(".jpg")]
        classes = sorted({member.split("/")[1] for member in members})
        images = _stacked([_pixels(archive, member, name) for member in members], name)
    return images, np.array([classes.index(member.split("/")[1]) for member in members], dtype=np.uint8)


def photographs(content: bytes, part: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(count, 224, 224, 3)`` of a zip with one photograph for each class, in the order of names.

    The shorter side is brought to 256 pixels where it is not, and the middle is cut out, as is usual for networks
    trained on ImageNet. The label is the place in the order. Raises ``DataError``.
    """
    with _zip(content, name) as archive:
        members = sorted(member for member in archive.namelist() if member.lower().endswith((".jpg", ".jpeg")))
        images = _stacked([_pixels(archive, member, name, _centre) for member in members], name)
    return images, np.arange(len(images))


def _zip(content: bytes, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise DataError(f"{name} is not a zip archive ({error})") from error


def _pixels(
    archive: zipfile.ZipFile, member: str, name: str, view: Callable[[Image.Image], Image.Image] = lambda image: image
) -> np.ndarray:
    try:
        return np.asarray(view(Image.open(io.BytesIO(archive.read(member))).convert("RGB")))
    except (zipfile.BadZipFile, UnidentifiedImageError, OSError) as error:
        raise DataError(f"{member} in {name} cannot be read as an image ({error})") from error


def _centre(image: Image.Image) -> Image.Image:
    scale = _SHORTER_SIDE / min(image.size)
    if scale != 1:
        image = image.resize([round(side * scale) for side in image.size], Image.Resampling.BILINEAR)
    left, top = ((side - _CROP) // 2 for side in image.size)
    return image.crop((left, top, left + _CROP, top + _CROP))


def _stacked(images: list[np.ndarray], name: str) -> np.ndarray:
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        raise DataError(f"{name} holds images of {len(shapes)} sizes ({sorted(shapes)[:3]}); expected one")
    return np.stack(images)
