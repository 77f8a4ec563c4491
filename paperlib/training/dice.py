"""How well two masks agree, and the loss of the papers' segmentation network."""

import torch.nn.functional as F
from torch import Tensor

_EPSILON = 1e-6


def relaxed_dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The 'L2 relaxed' Dice loss of `generalizability`: a number between 0 (the labels themselves) and 1.

    ``logits`` ``(batch, classes, *spatial)`` become probabilities p by softmax, ``labels`` ``(batch, *spatial)``,
    integers from 0 to classes - 1, become indicators y. For each image and class the loss is
    ``sum (y - p)^2 / (sum y^2 + sum p^2 + 1e-6)``, sums over the voxels; without the small constant that is one less
    ``2 sum y p / (sum y^2 + sum p^2)``. It is averaged over images and classes.

    Raises ``ValueError`` where the shapes do not fit or a label is out of range.
    """
    if labels.shape != (len(logits), *logits.shape[2:]):
        raise ValueError(f"labels {tuple(labels.shape)} do not fit logits {tuple(logits.shape)} (batch, classes, ...)")
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(
            f"labels from {labels.min()} to {labels.max()}; the logits are of classes 0 to {logits.shape[1] - 1}"
        )
    p = logits.softmax(1).flatten(2)
    y = F.one_hot(labels.long().flatten(1), logits.shape[1]).movedim(-1, 1).to(p.dtype)
    return ((y - p).square().sum(-1) / (y.square().sum(-1) + p.square().sum(-1) + _EPSILON)).mean()


def dice(mask: Tensor, label: Tensor) -> float:
    """Dice's coefficient ``2 |A and B| / (|A| + |B|)`` of two masks of one shape, in [0, 1]; 1 where both are empty."""
    mask, label = mask.bool(), label.bool()
    total = int(mask.sum() + label.sum())
    return 2 * int((mask & label).sum()) / total if total else 1.0
