"""Spectra of a network's layers in each of the matrices that the literature makes of a convolution."""

from collections.abc import Mapping
from math import prod
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from paperlib.hooks import watching_inputs
from paperlib.models import evaluating
from paperlib.spectra.circular import circular_singular_values
from paperlib.spectra.esd import SpectralDistribution, empirical_spectral_distribution
from paperlib.unfolding import Convolution

Matrization = Literal["W1", "W2", "slices", "kernels"]
MATRIZATIONS: tuple[Matrization, ...] = get_args(Matrization)


def weight_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Convolutions (of one to three axes) and fully connected layers by path, in the order of the modules."""
    return {path: layer for path, layer in model.named_modules() if isinstance(layer, nn.Linear | Convolution)}


def spatial_sizes(model: nn.Module, example: Tensor) -> dict[str, tuple[int, ...]]:
    """Height and width (or one, or three axes) of what enters each convolution when the model runs on ``example``.

    Found by running it in evaluation mode, so that poolings and strides count; for a layer that runs more than once,
    of its first run. Layers that do not run are left out.
    """
    sizes: dict[str, tuple[int, ...]] = {}
    layers = {path: layer for path, layer in weight_layers(model).items() if isinstance(layer, Convolution)}
    with (
        evaluating(model),
        torch.no_grad(),
        watching_inputs(layers, lambda p, x: sizes.setdefault(p, tuple(x.shape[2:]))),
    ):
        model(example)
    return sizes


def layer_spectrum(
    layer: nn.Module, matrization: Matrization, *, input_size: tuple[int, ...] = (), device: str = "cpu"
) -> SpectralDistribution:
    """Eigenvalues of the Gram matrix of one layer's weights, unscaled (`convsvd`, Section 4.1).

    - ``"W1"``: the output unfolding ``(c_out, c_in k)``, a filter in each row;
    - ``"slices"``: the ``k`` matrices ``(c_out, c_in)`` of one place of the kernel each, their eigenvalues pooled;
    - ``"kernels"``: the ``c_out c_in`` kernels as matrices, their first axis by the others, eigenvalues pooled;
    - ``"W2"``: the matrix of the whole map with circular boundary at ``input_size``.

    With groups the first two are block diagonal, ``(c_out, c_in k)`` and ``(c_out, c_in)`` with all input channels. A
    fully connected layer has one matrix, its weights, whatever the matrization.

    Raises ``ValueError`` for another matrization, another layer, ``"W2"`` without a size, and weights that are zero or
    not finite.
    """
    if matrization not in MATRIZATIONS:
        raise ValueError(f"matrization is {matrization!r}; expected one of {', '.join(MATRIZATIONS)}")
    if isinstance(layer, nn.Linear):
        return _pooled(layer.weight, tuple(layer.weight.shape), 1)
    if not isinstance(layer, Convolution):
        raise ValueError(f"{type(layer).__name__} has no matrization here; supported are Linear and Conv1d to Conv3d")
    if matrization == "W2":
        return _operator_spectrum(layer, input_size, device)
    weight, groups = layer.weight, layer.groups
    outputs, inputs, places = layer.out_channels, layer.in_channels, prod(layer.kernel_size)
    blocks = weight.reshape(groups, outputs // groups, inputs // groups, places)
    if matrization == "W1":
        return _pooled(blocks.flatten(2), (outputs, inputs * places), 1)
    if matrization == "slices":
        return _pooled(blocks.movedim(3, 0), (outputs, inputs), places)
    height = layer.kernel_size[0]
    kernels = weight.reshape(-1, height, places // height)
    return _pooled(kernels, (height, places // height), len(kernels))


def layer_spectra(
    model: nn.Module,
    matrization: Matrization,
    *,
    input_sizes: Mapping[str, tuple[int, ...]] | None = None,
    dense: bool = True,
    device: str = "cpu",
) -> dict[str, SpectralDistribution]:
    """`layer_spectrum` of each convolution and, where ``dense``, each fully connected layer, by path.

    ``"W2"`` needs ``input_sizes``, of `spatial_sizes` for example; a convolution that is not among them is left out.
    Raises ``ValueError`` as `layer_spectrum` does, with the path of the layer.
    """
    if matrization == "W2" and input_sizes is None:
        raise ValueError("W2 depends on the size of the images; give input_sizes, from spatial_sizes(model, example)")
    spectra = {}
    for path, layer in weight_layers(model).items():
        size = (input_sizes or {}).get(path, ())
        convolution = isinstance(layer, Convolution)
        if not (convolution or dense) or (matrization == "W2" and convolution and not size):
            continue
        try:
            spectra[path] = layer_spectrum(layer, matrization, input_size=size, device=device)
        except ValueError as error:
            raise ValueError(f"layer {path!r}: {error}") from error
    return spectra


def _pooled(matrices: Tensor, shape: tuple[int, int], count: int) -> SpectralDistribution:
    weights = matrices.detach().double()
    if not weights.isfinite().all():
        raise ValueError(f"{int((~weights.isfinite()).sum())} of {weights.numel()} weights are not finite")
    return empirical_spectral_distribution(torch.linalg.svdvals(weights).flatten(), shape, matrices=count)


def _operator_spectrum(layer: Convolution, size: tuple[int, ...], device: str) -> SpectralDistribution:
    if len(size) != len(layer.kernel_size):
        raise ValueError(f"input size is {size}; W2 of {layer} needs {len(layer.kernel_size)} axes")
    values = circular_singular_values(layer, size, device=device)
    outputs = layer.out_channels * prod(-(-side // step) for side, step in zip(size, layer.stride, strict=True))
    return empirical_spectral_distribution(values, (outputs, layer.in_channels * prod(size)))
