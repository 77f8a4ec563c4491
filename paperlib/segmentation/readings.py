"""What the right projection ratio of a volume can mean where a network sees it window by window.

A volume x is larger or smaller than the windows that a network is applied to, and the paper does not say how its ratio
is made from theirs. Three readings, each for k = 1, 2, ...:

``rpr``: that of the stitched operator A[x] of sliding-window inference, ``|V_k^T x|^2 / |x|^2`` with its right singular
vectors V_k (`paperlib.operators.sliding_window`, `paperlib.projection.right_projection_ratio`).

``rpr_patches``: the mean of the windows' own ratios (`patch_ratios`).

``rpr_foreground``: the same projection as for ``rpr``, looked at where the network sees foreground
(`foreground_ratio`).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from paperlib.operators import Compiled, LinearOperator
from paperlib.operators.window_grid import WindowGrid, window_grid
from paperlib.projection import right_projection_ratio
from paperlib.svd import SingularTriplets
from paperlib.svd.inner import inner_products


def foreground_ratio(Vh: Tensor, image: Tensor, foreground: Tensor) -> Tensor:
    """``|M V_k V_k^T x|^2 / |M x|^2`` for k = 1, 2, ...: ``(k,)`` float64 on the CPU.

    ``Vh`` ``(k, modalities * voxels)`` are right singular vectors of the whole volume, ``image``
    ``(modalities, *spatial)`` is x, and M keeps the voxels of ``foreground`` ``(*spatial)``, in all modalities. Since M
    does not commute with the projection, this need not grow with k and can exceed 1. NaN where the foreground is empty
    or x is zero in it.
    """
    keep = foreground.bool().expand(image.shape).flatten()
    keep, x = keep.to(Vh.device), image.flatten().to(Vh)
    # One row for each triplet: what it adds to the projection in the foreground.
    parts = inner_products(Vh, x.unsqueeze(0)) * Vh[:, keep].double()
    energy = x[keep].double().square().sum()
    # 0/0 is NaN, and without energy in the foreground a projection into it is as undefined.
    return torch.where(energy > 0, parts.cumsum(0).square().sum(1) / energy, torch.nan).cpu()


def patch_ratios(
    compiled: Compiled, image: Tensor, windows: dict, svd: Callable[[LinearOperator], SingularTriplets]
) -> Tensor:
    """``mean_w |V_wk^T x_w|^2 / |x_w|^2`` for k = 1, 2, ...: ``(k,)`` float64 on the CPU.

    ``x_w`` is window w of ``image`` ``(modalities, *spatial)`` with ``windows``, the settings of
    `paperlib.operators.sliding_window`; ``V_wk`` are the right singular vectors of the network frozen there alone, by
    ``svd``. The blending of windows plays no part, and each counts the same. Windows that are zero throughout, where
    the ratio is 0/0, are left out.

    Where one window is the whole volume this is ``rpr``. Not so for a volume that is smaller than the window: it is
    padded with zeros as for inference, and ``V_wk`` belongs to the padded window, whose output behind the volume's
    border ``rpr`` does not hold.
    """
    grid = _grid(image, windows)
    padded = grid.pad(image)
    ratios = []
    for place in grid.places:
        window = grid.cut(padded, [place])
        if window.any():
            triplets = svd(compiled.freeze(window, masks="bits")[0])
            ratios.append(right_projection_ratio(triplets.Vh, window.flatten().to(triplets.Vh.device)).cpu())
    return torch.stack(ratios).mean(0)


def is_one_window(image: Tensor, windows: dict) -> bool:
    """Whether a single window is the volume, neither more nor less, so that ``rpr_patches`` is ``rpr``."""
    return tuple(image.shape[1:]) == tuple(windows["roi_size"])


def _grid(image: Tensor, windows: dict) -> WindowGrid:
    # Its default for the width of the Gaussian weights; the weights themselves are not used here.
    return window_grid(image.shape[1:], windows["roi_size"], windows["overlap"], windows["mode"], 0.125, image)
