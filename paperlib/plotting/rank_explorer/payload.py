"""Images at every rank as JSON that `static/data.js` reads: pictures as base64 of bytes."""

import base64
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from paperlib.rank_frames import RankFrames

# Pixels of all projections of all networks; in base64 a third more, and a page should stay below a megabyte.
MOST_PIXELS = 600_000
# Projections have both signs: a byte is a step of 1/127 of the largest magnitude of an image's projections.
STEPS = 127


def payload(networks: Mapping[str, RankFrames]) -> dict[str, Any]:
    """All that the explorer shows, as a JSON value.

    ``images`` have their ``index`` in the data set, ``label`` and ``pixels`` (uint8, 255 for 1); ``networks`` a
    ``name`` and, for each image, a view: ``projections`` (int8, ``STEPS`` for ``bound``; rank by rank), ``scores`` (a
    list for each rank), ``full``, ``rpr``, ``lpr``, ``values`` (singular values).

    Raises ``ValueError`` for no network or image, for networks with other images or ranks than the first, and for more
    than ``MOST_PIXELS``.
    """
    if not networks or not all(frames.indices for frames in networks.values()):
        raise ValueError(f"networks {list(networks)} are shown at no images; expected one or more of both")
    first = next(iter(networks.values()))
    for name, frames in networks.items():
        if frames.indices != first.indices or frames.scores.shape != first.scores.shape:
            raise ValueError(
                f"network {name} is shown at images {list(frames.indices)} with scores {tuple(frames.scores.shape)}; "
                f"expected those of the first, {list(first.indices)} and {tuple(first.scores.shape)}"
            )
    pixels = sum(frames.projections.numel() for frames in networks.values())
    if pixels > MOST_PIXELS:
        raise ValueError(f"{pixels} pixels of projections make too large a page; take fewer images, or a smaller k_max")
    height, width = first.images.shape[1:]
    return {
        "height": height,
        "width": width,
        "images": [
            {"index": index, "label": int(label), "pixels": _bytes((image.clamp(0, 1) * 255).round().to(torch.uint8))}
            for index, label, image in zip(first.indices, first.labels, first.images, strict=True)
        ],
        "networks": [
            {"name": name, "views": [_view(frames, place) for place in range(len(first.indices))]}
            for name, frames in networks.items()
        ],
    }


def _view(frames: RankFrames, place: int) -> dict[str, Any]:
    projections = frames.projections[place]
    # Of an image that no vector holds anything of, the scale does not matter.
    bound = float(projections.abs().max()) or 1.0
    return {
        "bound": _rounded(bound),
        "projections": _bytes((projections / bound * STEPS).round().to(torch.int8)),
        "scores": [[_rounded(score) for score in row] for row in frames.scores[place].tolist()],
        "full": [_rounded(score) for score in frames.full_scores[place].tolist()],
        "rpr": [_rounded(value) for value in frames.rpr[place].tolist()],
        "lpr": [_rounded(value) for value in frames.lpr[place].tolist()],
        "values": [_rounded(value) for value in frames.singular_values[place].tolist()],
    }


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _bytes(values: Tensor) -> str:
    return base64.b64encode(values.contiguous().numpy().tobytes()).decode()
