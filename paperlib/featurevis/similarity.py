"""How alike two images are at places of a layer: cosines of spatial activations (`convsvd`, Section 6.4)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.featurevis.running import layer_output


def spatial_activations(model: nn.Module, path: str, images: Tensor) -> Tensor:
    """The vectors ``Y[:, i, j]`` at the places of a layer's output: ``(images, channels, h, w)`` (`convsvd`, 3.1).

    As in `layer_output` they are those of the linear map where the layer has one; behind an activation they are what
    it gives. Raises what `layer_output` raises, and ``ValueError`` for a layer whose output has no places.
    """
    with torch.no_grad():
        y = layer_output(model, path, images)
    if y.dim() != 4:
        raise ValueError(
            f"layer {path} gives {tuple(y.shape)}, which has no places; expected (images, channels, height, width)"
        )
    return y.cpu()


def similarity_maps(first: Tensor, second: Tensor) -> Tensor:
    """Cosine between the vector at each place of one image and that at each place of the other.

    ``first`` ``(channels, h, w)`` and ``second`` ``(channels, h', w')`` give ``(h, w, h', w')`` float64 in [-1, 1]: the
    map over the second image for each place of the first. A vector of zeros is like no other: its cosines are 0.

    Raises ``ValueError`` for other shapes, another number of channels, and values that are not finite.
    """
    if first.dim() != 3 or second.dim() != 3 or len(first) != len(second):
        raise ValueError(
            f"activations are {tuple(first.shape)} and {tuple(second.shape)}; expected (channels, height, width) "
            "twice, with as many channels in both"
        )
    if not (torch.isfinite(first).all() and torch.isfinite(second).all()):
        raise ValueError("the activations hold NaN or infinite values")
    one, other = (F.normalize(part.double(), dim=0) for part in (first, second))
    return torch.einsum("cij,ckl->ijkl", one, other).clamp(-1, 1)


def image_similarities(
    model: nn.Module, paths: Sequence[str], first: Tensor, second: Tensor, *, most: int = 16, centred: bool = False
) -> dict[str, Tensor]:
    """`similarity_maps` of two images ``(channels, height, width)`` of one size at some layers, by path.

    Where a layer's map has more than ``most`` places along an axis, the activations of neighbouring places are averaged
    first, so that there are no more. With ``centred`` the mean over all places of both images is subtracted: vectors of
    one layer share much of it, and without that the cosines of any two places are large.

    Raises what `spatial_activations` raises, and ``ValueError`` for ``most`` below 1.
    """
    if most < 1:
        raise ValueError(f"most is {most}; expected at least one place along each axis")
    found = {}
    for path in paths:
        activations = spatial_activations(model, path, torch.stack([first, second]))
        size = [min(most, side) for side in activations.shape[2:]]
        pooled = F.adaptive_avg_pool2d(activations, size)
        found[path] = similarity_maps(*(pooled - pooled.mean((0, 2, 3), keepdim=True) if centred else pooled))
    return found
