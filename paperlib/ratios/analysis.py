"""RPR of every image of a set under a network, one truncated SVD an image."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from tqdm import tqdm

from paperlib.operators import Compiled, LinearOperator, OperatorError, UnsupportedLayerError
from paperlib.operators.sliding_window import sliding_window
from paperlib.projection import right_projection_ratio
from paperlib.ratios.errors import ImageError
from paperlib.ratios.images import Item, tensor_items
from paperlib.ratios.loading import available_device, moved
from paperlib.ratios.table import RatioRow, RatioTable
from paperlib.svd import SvdError, truncated_svd

# What one image can do wrong; anything else is an error of the model or of the call and ends the run.
_OF_ONE_IMAGE = (ImageError, OperatorError, SvdError, OSError, MemoryError, torch.OutOfMemoryError)


def analyze(
    model: nn.Module | ExportedProgram,
    images: Tensor | Iterable[Item] | Iterable[tuple[str, Tensor]],
    k: int = 10,
    *,
    on_row: Callable[[RatioRow], None] | None = None,
    progress: bool = False,
    **options,
) -> RatioTable:
    """Right projection ratios of images under a network, lowest first (`generalizability`, equation 10).

    ``model`` is any piecewise linear ``nn.Module`` of supported layers in evaluation mode
    (`paperlib.operators.supported_layers`), or such a program of `torch.export`. ``images`` is a batch
    ``(count, channels, *spatial)``, an iterable of names and tensors ``(channels, *spatial)``, or what
    `paperlib.ratios.image_source` gives; one image at a time is in memory in the last two cases. For each, ``A[x]`` is
    frozen and its k largest singular triplets are computed. ``options`` are those of `analyze_items`; ``on_row`` is
    called with each row as soon as it is there, ``progress`` shows a bar.

    An image that fails (NaN, all zero, wrong channels, unreadable, not converged) is a row with its reason in
    ``note`` and does not stop the others. Raises ``UnsupportedLayerError`` for a layer without an adjoint,
    ``NotFiniteError`` for NaN in the weights, ``ValueError`` for a k below 1, an unknown solver or a device that is
    not there.
    """
    items = tensor_items(images)
    total = len(items) if hasattr(items, "__len__") else None
    rows = []
    for row in tqdm(analyze_items(model, items, k, **options), "RPR", total, unit="image", disable=not progress):
        rows.append(row)
        if on_row is not None:
            on_row(row)
    return RatioTable.of(rows, k)


def analyze_items(
    model: nn.Module | ExportedProgram,
    items: Iterable[Item],
    k: int = 10,
    *,
    solver="auto",
    tol: float = 1e-4,
    seed: int = 0,
    roi_size: tuple[int, ...] | None = None,
    overlap: float = 0.25,
    mode: str = "constant",
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    frozen_statistics: bool = False,
) -> Iterable[RatioRow]:
    """The rows of `analyze` one by one, in the order of the images.

    ``solver``, ``tol`` and ``seed`` go to `paperlib.svd.truncated_svd`. With ``roi_size`` the operator is that of
    sliding-window inference (``overlap``, ``mode``: `paperlib.operators.sliding_window`). ``device`` and ``dtype``
    are where and in what precision products run, by default the model's; the caller's model is not moved.
    ``frozen_statistics`` treats instance and group normalisation with the statistics of each image as constants.
    """
    if k < 1:
        raise ValueError(f"k is the number of singular triplets and must be at least 1; got {k}")
    if isinstance(model, ExportedProgram):
        model = model.module(check_guards=False)
    model = moved(model, None if device is None else available_device(device), dtype)
    weight = next((value for value in model.parameters() if value.is_floating_point()), torch.empty(0))
    compiled = Compiled(model, frozen_statistics=frozen_statistics)
    windows = {"roi_size": roi_size, "overlap": overlap, "mode": mode} if roi_size else None
    settings = {"solver": solver, "tol": tol, "seed": seed}
    for item in items:
        start = time.perf_counter()
        digest = ""
        try:
            digest = item.digest()
            image = item.read().to(device=weight.device, dtype=weight.dtype)
            row = _row(item.name, _operator(compiled, image, windows), image, k, settings)
        except UnsupportedLayerError:
            raise
        except _OF_ONE_IMAGE as error:
            row = RatioRow(item.name, note=_one_line(error))
        yield replace(row, digest=digest, seconds=time.perf_counter() - start)


def _operator(compiled: Compiled, image: Tensor, windows: dict | None) -> LinearOperator:
    if not torch.isfinite(image).all():
        raise ImageError("the image holds NaN or infinity")
    if not image.any():
        raise ImageError("the image is zero everywhere, where RPR is 0/0")
    if windows is None:
        return compiled.freeze(image.unsqueeze(0))[0]
    try:
        return sliding_window(compiled, image, **windows)
    except ValueError as error:
        raise ImageError(f"no sliding window over {tuple(image.shape)}: {error}") from error


def _row(name: str, operator: LinearOperator, image: Tensor, k: int, settings: dict) -> RatioRow:
    triplets = truncated_svd(operator, k, **settings)
    ratios = right_projection_ratio(triplets.Vh, image.flatten().to(triplets.Vh.device))
    return RatioRow(
        name,
        rpr=tuple(ratios.double().tolist()),
        singular_values=tuple(triplets.S.tolist()),
        residuals=tuple(triplets.relative_residuals.double().tolist()),
        products=triplets.products,
        solver=triplets.solver,
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
