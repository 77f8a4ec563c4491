"""Where the images come from: tensors in memory, or files that are read one at a time."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from paperlib.ratios.errors import ImageError
from paperlib.ratios.preparation import Preparation
from paperlib.ratios.reading import SUFFIXES, read_image, suffix_of


@dataclass(frozen=True)
class Item:
    """One image that is read when it is its turn.

    ``read`` gives the tensor ``(channels, *spatial)`` and raises ``ImageError``; ``digest`` gives the SHA-256 of what
    it reads, or an empty text for a tensor.
    """

    name: str
    read: Callable[[], Tensor]
    digest: Callable[[], str] = str


def tensor_items(images: Tensor | Iterable) -> Iterable[Item]:
    """A batch, or an iterable of items or of names and tensors, as items; a batch is named by its places."""
    if isinstance(images, Tensor):
        width = len(str(len(images) - 1))
        return [Item(f"{place:0{width}d}", partial(images.__getitem__, place)) for place in range(len(images))]
    if hasattr(images, "__len__"):
        return [_item(image) for image in images]
    return map(_item, images)


def _item(image: Item | tuple[str, Tensor]) -> Item:
    return image if isinstance(image, Item) else Item(str(image[0]), lambda: image[1])


def image_source(
    place: Path | str,
    preparation: Preparation | None = None,
    modalities: Sequence[str] = (),
    without: Collection[Path] = (),
) -> list[Item]:
    """The images of a file or of a folder, sorted by name; nothing is read yet.

    A folder is searched without its sub-folders; hidden files are skipped, and a file of an unknown kind is an item
    whose reading fails, so that nothing is left out in silence. With ``modalities`` such as ``("t1", "t2")`` the files
    ``CASE_t1.nii.gz`` and ``CASE_t2.nii.gz`` are the channels of one image ``CASE``, in this order; files that end
    otherwise (labels, say) are left out. ``without`` are files that are no images, such as the results of an earlier
    run in the same folder.

    Raises ``ImageError`` for a place that does not exist or holds no image.
    """
    place, preparation = Path(place), preparation or Preparation()
    if place.is_file():
        files = [place]
    elif place.is_dir():
        skipped = {path.resolve() for path in without}
        files = sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
        files = [path for path in files if path.resolve() not in skipped]
    else:
        raise ImageError(f"{place} does not exist; expected an image file or a folder of them")
    if not files:
        raise ImageError(f"{place} holds no files; expected images ({', '.join(SUFFIXES)})")
    if modalities:
        return _cases(files, tuple(modalities), preparation)
    return [Item(path.name, partial(_read, (path,), preparation), partial(_digest, (path,))) for path in files]


def _cases(files: Sequence[Path], modalities: tuple[str, ...], preparation: Preparation) -> list[Item]:
    cases: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in files:
        stem = path.name[: len(path.name) - len(suffix_of(path))]
        modality = next((name for name in modalities if stem.endswith((f"_{name}", f"-{name}"))), None)
        if modality is not None:
            cases[stem[: -len(modality) - 1]][modality] = path
    if not cases:
        raise ImageError(f"no file in {files[0].parent} ends in _{modalities[0]} or another of the modalities")
    items = []
    for case, found in sorted(cases.items()):
        missing = [name for name in modalities if name not in found]
        paths = tuple(found[name] for name in modalities if name in found)
        reason = f"modality {', '.join(missing)} is missing"
        read = partial(_fail, reason) if missing else partial(_read, paths, preparation)
        items.append(Item(case, read, partial(_digest, paths)))
    return items


def _read(paths: tuple[Path, ...], preparation: Preparation) -> Tensor:
    if len(paths) == 1:
        return preparation(read_image(paths[0], preparation.channels))
    parts = [_part(path, preparation.channels) for path in paths]
    if len({part.shape[1:] for part in parts}) > 1:
        raise ImageError(f"the modalities have different shapes: {', '.join(str(tuple(p.shape)) for p in parts)}")
    return preparation(torch.cat(parts))


def _part(path: Path, channels: int | None) -> Tensor:
    try:
        return read_image(path, channels)
    except ImageError as error:
        raise ImageError(f"{path.name}: {error}") from error


def _fail(reason: str) -> Tensor:
    raise ImageError(reason)


def _digest(paths: tuple[Path, ...]) -> str:
    summary = hashlib.sha256()
    try:
        for path in paths:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    summary.update(block)
    except OSError as error:
        raise ImageError(f"{path.name} cannot be read ({error.strerror or error})") from error
    return summary.hexdigest()
