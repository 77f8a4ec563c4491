"""Projection ratios and rank-k predictions of a classifier over a whole data set, batch by batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm import tqdm

from paperlib.datasets import ImageData
from paperlib.operators import Compiled, FrozenNetwork
from paperlib.projection import label_vectors, left_projection_ratio, rank_k_outputs, right_projection_ratio
from paperlib.svd import SingularTriplets, batched_svd


@dataclass(frozen=True)
class ProjectionTable:
    """One row for each image, one column for each rank k = 1..k_max (`generalizability`, Figures 1 to 3).

    ``rpr``, ``lpr``, ``lpr_centred`` ``(count, k_max)`` in [0, 1] float64; ``rank_k_classes`` ``(count, k_max)`` and
    ``full_classes`` ``(count,)`` int64 predictions; ``rank_k_confidence`` ``(count, k_max)`` and ``full_confidence``
    ``(count,)`` the softmax score of the predicted class; ``margins`` ``(count,)`` the full network's largest logit
    less its second, relative to the norm of the logits (small: a tie that rounding may decide either way);
    ``singular_values`` ``(count, k_max)``; ``labels`` ``(count,)`` int64; ``largest_residual`` the largest relative
    two-sided residual; ``shape`` is that of each ``A[x]``.
    """

    rpr: Tensor
    lpr: Tensor
    lpr_centred: Tensor
    rank_k_classes: Tensor
    full_classes: Tensor
    rank_k_confidence: Tensor
    full_confidence: Tensor
    margins: Tensor
    singular_values: Tensor
    labels: Tensor
    largest_residual: float
    shape: tuple[int, int]

    @property
    def rank_k_correct(self) -> Tensor:
        """``(count, k_max)`` bool: whether the rank-k CNN is right."""
        return self.rank_k_classes == self.labels.unsqueeze(1)

    @property
    def full_correct(self) -> Tensor:
        """``(count,)`` bool: whether the network itself is right."""
        return self.full_classes == self.labels


def projection_table(
    model: nn.Module,
    data: ImageData,
    *,
    k_max: int = 10,
    label_map: tuple[float, float] = (2.0, -2.0),
    batch_size: int = 50,
    progress: bool = False,
) -> ProjectionTable:
    """Freeze the classifier at every image, decompose ``A[x]`` exactly, and project images and labels.

    Memory is that of one batch. Raises ``RankError`` for a ``k_max`` above the rank bound, ``ZeroVectorError`` for an
    all-zero image, and what `paperlib.operators.freeze` raises.
    """
    compiled = Compiled(model)
    device = next(model.parameters()).device
    starts = range(0, len(data), batch_size)
    columns: dict[str, Tensor] = {}
    shape, residual = (0, 0), 0.0
    bar = tqdm(starts, desc=f"SVD of {len(data)} images", unit="batch", mininterval=2, disable=not progress)
    for start in bar:
        batch = slice(start, start + batch_size)
        frozen = compiled.freeze(data.images[batch].to(device))
        triplets = batched_svd(frozen, k_max)
        shape, residual = frozen.shape, max(residual, float(triplets.relative_residuals.max()))
        for name, values in _rows(frozen, triplets, data.labels[batch], label_map).items():
            # One column for all images, not a list of small pieces: those would lie scattered between the freed
            # blocks of each batch and keep the memory from being used again.
            if name not in columns:
                columns[name] = torch.empty(len(data), *values.shape[1:], dtype=values.dtype)
            columns[name][batch] = values
    return ProjectionTable(**columns, labels=data.labels, largest_residual=residual, shape=shape)


def _rows(
    frozen: FrozenNetwork, triplets: SingularTriplets, labels: Tensor, label_map: tuple[float, float]
) -> dict[str, Tensor]:
    flat, logits = frozen.images.flatten(1), frozen.outputs.double()
    high, low = label_map
    plain = label_vectors(labels, logits.shape[1], high=high, low=low).to(logits.device)
    rank_k = rank_k_outputs(triplets, flat, frozen.offset() if frozen.has_offset else None)
    top = logits.topk(2, dim=1).values
    values = {
        "rpr": right_projection_ratio(triplets.Vh, flat),
        "lpr": left_projection_ratio(triplets.U, plain),
        "lpr_centred": left_projection_ratio(triplets.U, plain - plain.mean(1, keepdim=True)),
        "rank_k_classes": rank_k.argmax(-1),
        "full_classes": logits.argmax(-1),
        "rank_k_confidence": rank_k.softmax(-1).amax(-1),
        "full_confidence": logits.softmax(-1).amax(-1),
        # Logits of zero are a tie: a margin of 0, not 0/0.
        "margins": (top[:, 0] - top[:, 1]) / logits.norm(dim=1).clamp_min(torch.finfo(logits.dtype).tiny),
        "singular_values": triplets.S,
    }
    return {name: value.cpu() for name, value in values.items()}


@dataclass(frozen=True)
class ProjectionPicture:
    """One image and what its right singular vectors hold of it (`generalizability`, Figures 5 to 12).

    ``projection`` is the image ``(height, width)`` and its projection on ``vectors``, k images of that shape;
    ``singular_values`` are theirs, ``titles`` say them, ``rpr`` is the share of the image's energy that is held.
    """

    index: int
    label: int
    projection: tuple[Tensor, Tensor]
    vectors: tuple[Tensor, ...]
    singular_values: list[float]
    rpr: float

    @property
    def projection_titles(self) -> tuple[str, str]:
        return f"digit {self.label}", f"projection, RPR {self.rpr:.2f}"

    @property
    def titles(self) -> list[str]:
        return [f"$s_{{{i}}}$ = {value:.3g}" for i, value in enumerate(self.singular_values)]


def projection_pictures(
    model: nn.Module, data: ImageData, indices: Sequence[int], k: int | None = None
) -> list[ProjectionPicture]:
    """Project single-channel images on their k right singular vectors (all where k is None).

    Raises ``IndexError`` for a place outside the data set, and what `projection_table` raises.
    """
    wrong = [index for index in indices if not 0 <= index < len(data)]
    if wrong:
        raise IndexError(f"image {wrong[0]} is not in {data.name} ({data.part}); its places are 0..{len(data) - 1}")
    images = data.images[list(indices)].to(next(model.parameters()).device)
    triplets = batched_svd(Compiled(model).freeze(images), k)
    flat = images.flatten(1).double()
    coefficients = (triplets.Vh @ flat.unsqueeze(-1)).squeeze(-1)
    projections = (coefficients.unsqueeze(1) @ triplets.Vh).squeeze(1)
    ratios = right_projection_ratio(triplets.Vh, flat)[:, -1]
    side = images.shape[2:]
    return [
        ProjectionPicture(
            index=index,
            label=int(data.labels[index]),
            projection=(images[i, 0].cpu(), projections[i].unflatten(0, side).cpu()),
            vectors=tuple(triplets.Vh[i].unflatten(1, side).cpu()),
            singular_values=triplets.S[i].tolist(),
            rpr=ratios[i].item(),
        )
        for i, index in enumerate(indices)
    ]
