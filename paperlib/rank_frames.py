"""A few images seen through every rank: what the rank-k CNN keeps of them and says of them (`generalizability`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.analysis import ProjectionTable
from paperlib.datasets import ImageData
from paperlib.operators import Compiled
from paperlib.projection import label_vectors, left_projection_ratio, rank_k_outputs, right_projection_ratio
from paperlib.svd import batched_svd


@dataclass(frozen=True)
class RankFrames:
    """Single-channel images of one classifier at the ranks k = 1..k_max, on the CPU.

    ``indices`` are places in the data set, ``labels`` ``(count,)`` int64, ``images`` ``(count, height, width)``;
    ``projections`` ``(count, k_max, height, width)`` are ``V_k V_k^T x``, ``scores`` ``(count, k_max, classes)`` the
    outputs ``A_k[x] x`` (plus ``b[x]``) without softmax, ``full_scores`` ``(count, classes)`` those of the network;
    ``rpr``, ``lpr`` and ``singular_values`` ``(count, k_max)``. All but the images are float64.
    """

    indices: tuple[int, ...]
    labels: Tensor
    images: Tensor
    projections: Tensor
    scores: Tensor
    full_scores: Tensor
    rpr: Tensor
    lpr: Tensor
    singular_values: Tensor

    @property
    def k_max(self) -> int:
        return self.scores.shape[1]

    @property
    def rank_k_classes(self) -> Tensor:
        """``(count, k_max)`` int64: what the rank-k CNN says."""
        return self.scores.argmax(-1)

    @property
    def full_classes(self) -> Tensor:
        """``(count,)`` int64: what the network says."""
        return self.full_scores.argmax(-1)


def rank_frames(
    model: nn.Module,
    data: ImageData,
    indices: Sequence[int],
    *,
    k_max: int | None = None,
    label_map: tuple[float, float] = (2.0, -2.0),
) -> RankFrames:
    """Freeze a classifier at the images with these places, and truncate ``A[x]`` at every rank up to ``k_max``.

    ``k_max`` is by default the number of classes; ``label_map`` has the two entries of the label vectors behind LPR.

    Raises ``IndexError`` for a place outside the data set, ``ValueError`` for images of several channels, and what
    `paperlib.analysis.projection_table` raises.
    """
    wrong = [index for index in indices if not 0 <= index < len(data)]
    if wrong:
        raise IndexError(f"image {wrong[0]} is not in {data.name} ({data.part}); its places are 0..{len(data) - 1}")
    images, labels = data.images[list(indices)], data.labels[list(indices)]
    if images.shape[1] != 1:
        raise ValueError(f"images of {data.name} have {images.shape[1]} channels; expected 1")
    frozen = Compiled(model).freeze(images.to(next(model.parameters()).device))
    triplets = batched_svd(frozen, k_max)
    flat, outputs = frozen.images.flatten(1).double(), frozen.outputs.double()
    coefficients = triplets.Vh @ flat.unsqueeze(-1)
    projections = (coefficients * triplets.Vh).cumsum(1)
    high, low = label_map
    y = label_vectors(labels, outputs.shape[1], high=high, low=low).to(outputs.device)
    offset = frozen.offset() if frozen.has_offset else None
    return RankFrames(
        indices=tuple(indices),
        labels=labels,
        images=images[:, 0],
        projections=projections.unflatten(2, images.shape[2:]).cpu(),
        scores=rank_k_outputs(triplets, flat, offset).cpu(),
        full_scores=outputs.cpu(),
        rpr=right_projection_ratio(triplets.Vh, flat).cpu(),
        lpr=left_projection_ratio(triplets.U, y).cpu(),
        singular_values=triplets.S.cpu(),
    )


def settling_ranks(table: ProjectionTable) -> Tensor:
    """``(count,)``: the smallest k from which on the rank-k CNN says what the network says; ``k_max + 1`` for never."""
    agrees = table.rank_k_classes == table.full_classes.unsqueeze(1)
    # Ranks from the end on that agree without a gap.
    return agrees.shape[1] + 1 - agrees.flip(1).int().cumprod(1).sum(1)


def telling_images(tables: Sequence[ProjectionTable], each: int = 2) -> list[int]:
    """Places of images worth a look: for each table ``each`` that its network gets right, and ``each`` it gets wrong.

    They are spread evenly from those that settle at the lowest rank (see `settling_ranks`) to those that settle at the
    highest, the first in the data set among equals. An image is given once; there are fewer where a network gets fewer
    wrong.
    """
    found: list[int] = []
    for table in tables:
        order = settling_ranks(table).argsort(stable=True)
        for group in (order[table.full_correct[order]], order[~table.full_correct[order]]):
            places = torch.linspace(0, len(group) - 1, min(each, len(group))).round().long()
            found += group[places].tolist()
    return list(dict.fromkeys(found))
