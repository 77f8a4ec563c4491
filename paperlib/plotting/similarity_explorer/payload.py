"""Photographs and similarities as compact JSON that `static/data.js` reads: cosines as bytes, pictures as JPEG."""

import base64
import io
from collections.abc import Mapping
from typing import Any

import torch
from PIL import Image
from torch import Tensor

# Cosines of all layers: in base64 a third more, and a page should stay below a megabyte.
MOST_COSINES = 600_000
# A step of a byte is 1/127: the largest error of a cosine is half of it.
STEPS = 127
_QUALITY = 90


def payload(photographs: Mapping[str, Tensor], layers: Mapping[str, Tensor]) -> dict[str, Any]:
    """All that the explorer shows, as a JSON value.

    ``photographs`` has two by name, ``(channels, height, width)`` in [0, 1]; ``layers`` the maps ``(h, w, h', w')`` of
    `similarity_maps` by the name of the layer. A photograph becomes a picture of its own size; the cosines of a layer,
    in row-major order of the four axes, become bytes, 127 for 0 and 254 for 1.

    Raises ``ValueError`` for another number of photographs or another shape, for no layers, for cosines outside
    [-1, 1], and for more of them than ``MOST_COSINES``.
    """
    if len(photographs) != 2 or not layers:
        raise ValueError(f"{len(photographs)} photographs and {len(layers)} layers; expected two, and one or more")
    total = sum(maps.numel() for maps in layers.values())
    if total > MOST_COSINES:
        raise ValueError(
            f"{total} cosines make a page of more than a megabyte; take fewer layers, or average maps over places "
            f"until there are at most {MOST_COSINES}"
        )
    return {
        "photographs": [{"name": name, "picture": _picture(name, image)} for name, image in photographs.items()],
        "layers": [_layer(name, maps) for name, maps in layers.items()],
    }


def _layer(name: str, maps: Tensor) -> dict[str, Any]:
    if maps.dim() != 4 or not (maps.abs() <= 1 + 1e-6).all():
        raise ValueError(f"layer {name}: maps are {tuple(maps.shape)}; expected cosines (h, w, h', w') in [-1, 1]")
    levels = ((maps.clamp(-1, 1) + 1) * STEPS).round().to(torch.uint8)
    return {
        "name": name,
        "grids": [list(maps.shape[:2]), list(maps.shape[2:])],
        "cosines": base64.b64encode(levels.contiguous().numpy().tobytes()).decode(),
    }


def _picture(name: str, image: Tensor) -> str:
    if image.dim() != 3 or len(image) not in (1, 3):
        raise ValueError(f"photograph {name} is {tuple(image.shape)}; expected (1 or 3, height, width)")
    pixels = (image.clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, 2).numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(buffer, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
