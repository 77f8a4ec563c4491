"""What the spectral neurons of a network's layers see in images: spectral images (`svr`, Sections 4.1 and 5.1)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from paperlib.subspaces.layers import LayerError, linear_layer
from paperlib.svr.images.filters import Padding, spectral_filters, with_filters
from paperlib.svr.images.layer_inputs import input_shapes, visit_inputs
from paperlib.unfolding import Convolution


def spectral_images(
    model: nn.Module,
    images: Tensor,
    layers: Sequence[str],
    count: int | None = None,
    *,
    padding: Padding = "layer",
    batch_size: int = 50,
) -> dict[str, Tensor]:
    """The images ``y_m = V_m * x`` of the first ``count`` spectral neurons at each layer's own input ``x``.

    ``images`` is ``(count, *shape)`` and ``layers`` names fully connected layers and convolutions by path. Each gives
    ``(images, M, *map)`` in the dtype of its weights, on the CPU: for a fully connected layer the spectral activations
    ``V^T x`` ``(images, M)``. They are not scaled by the singular values and their signs are those of
    `spectral_neurons`. The model runs once on each image, with one more convolution for each layer.

    Raises ``LayerError`` for a layer that the model does not run exactly once or that has no spectral neurons, and
    ``ValueError`` where images are too small or settings out of range.
    """
    check_maps(model, images, layers, padding)
    seen = {path: with_filters(layer, spectral_filters(layer, count), padding) for path, layer in _named(model, layers)}
    found: dict[str, list[Tensor]] = {path: [] for path in layers}
    visit_inputs(
        model, images, layers, lambda path, _part, x: found[path].append(seen[path](x).cpu()), batch_size=batch_size
    )
    return {path: torch.cat(parts) for path, parts in found.items()}


def check_maps(model: nn.Module, images: Tensor, layers: Sequence[str], padding: Padding) -> dict[str, tuple[int, ...]]:
    """Shapes of the layers' inputs, as `input_shapes` has them, where every kernel fits into its map.

    Raises ``ValueError`` where, without padding, it does not, and for no images or no layers.
    """
    if not len(images) or not len(layers):
        raise ValueError(f"{len(images)} images and {len(layers)} layers; expected at least one of each")
    shapes = input_shapes(model, images, layers)
    for path, layer in _named(model, layers):
        if padding == "layer" or not isinstance(layer, Convolution):
            continue
        reach = [d * (k - 1) + 1 for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
        if any(side < least for side, least in zip(shapes[path][1:], reach, strict=True)):
            raise ValueError(
                f"layer {path} gets maps of {' x '.join(map(str, shapes[path][1:]))} from images "
                f"{tuple(images.shape[1:])}; without padding its kernel needs {' x '.join(map(str, reach))} at least: "
                "give larger images, an earlier layer, or padding 'layer'"
            )
    return shapes


def _named(model: nn.Module, layers: Sequence[str]) -> list[tuple[str, nn.Module]]:
    found = [(path, linear_layer(model, path)) for path in layers]
    for path, layer in found:
        if not isinstance(layer, nn.Linear | Convolution):
            raise LayerError(f"layer {path} is a {type(layer).__name__}, which has no spectral images")
    return found
