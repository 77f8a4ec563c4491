"""Numbers that decide where a sentence of `convsvd` needs a correction; `errata` has the sentences."""

from itertools import accumulate, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.models import VGG, four_layer_cnn, vgg
from paperlib.unfolding import output_unfolding, receptive_fields

# The exponents of the table in Figure 3, convolutions 2 to 13 of VGG-16.
PRINTED_ALPHA_W1 = (1.66, 1.80, 1.87, 3.90, 2.07, 4.42, 5.58, 4.14, 3.03, 4.81, 4.09, 4.02)
PRINTED_ALPHA_W2 = (4.63, 3.77, 4.48, 5.05, 3.42, 2.92, 3.27, 2.57, 2.28, 2.58, 2.48, 1.75)


def vgg_counts(side: int = 224) -> dict[str, list[int]]:
    """Numbers of singular values of VGG-16's convolutions 2 to 13, for images of ``side`` pixels a side.

    ``W1`` of the output unfolding; ``W2`` of the operator matrix with circular padding, ``min(c_in, c_out) m^2``, with
    the sizes ``sizes`` of the maps that enter each convolution. ``W2_by_module`` takes in their place the sizes
    ``module_sizes`` behind the first l modules of ``features``, where l is the number of the convolution.
    """
    # Without memory: shapes alone are asked for.
    with torch.device("meta"):
        network: VGG = vgg(16)
    modules = list(network.features)
    halved = list(accumulate((isinstance(module, nn.MaxPool2d) for module in modules), initial=0))
    convolutions = [(position, module) for position, module in enumerate(modules) if isinstance(module, nn.Conv2d)]
    sizes = [side // 2 ** halved[position] for position, _ in convolutions]
    module_sizes = [side // 2 ** halved[number] for number in range(1, len(convolutions) + 1)]
    channels = [min(layer.in_channels, layer.out_channels) for _, layer in convolutions]
    return {
        "sizes": sizes[1:],
        "module_sizes": module_sizes[1:],
        "W1": [min(len(layer.weight), layer.weight[0].numel()) for _, layer in convolutions][1:],
        "W2": [count * size**2 for count, size in zip(channels, sizes, strict=True)][1:],
        "W2_by_module": [count * size**2 for count, size in zip(channels, module_sizes, strict=True)][1:],
    }


def value_counts(d: int, c: int, k: int, m: int) -> dict[str, int]:
    """Numbers of singular values of both matrices of ``(d, c, k, k)`` on ``(c, m, m)`` without padding, and the bounds.

    ``ck2`` and ``cm2`` are the paper's bounds, the numbers of columns.
    """
    n = m - k + 1
    return {"W1": min(d, c * k**2), "W2": min(d * n**2, c * m**2), "ck2": c * k**2, "cm2": c * m**2}


def first_layer_counts(side: int = 224) -> dict[str, int]:
    """Eigenvalues of VGG-16's first convolution by both matrices, for images of ``side`` pixels; W2 is circular."""
    with torch.device("meta"):
        weight = vgg(16).features[0].weight
    return {"W1": min(len(weight), weight[0].numel()), "W2": min(weight.shape[:2]) * side**2}


def printed_exponents() -> dict[str, float]:
    """What the printed exponents say: where W1's is lower, both means, and how many of W1's are below 2."""
    return {
        "layers": len(PRINTED_ALPHA_W1),
        "lower_for_W1": sum(a < b for a, b in zip(PRINTED_ALPHA_W1, PRINTED_ALPHA_W2, strict=True)),
        "mean_W1": sum(PRINTED_ALPHA_W1) / len(PRINTED_ALPHA_W1),
        "mean_W2": sum(PRINTED_ALPHA_W2) / len(PRINTED_ALPHA_W2),
        "below_2": sum(a < 2 for a in PRINTED_ALPHA_W1),
    }


def map_sizes() -> list[int]:
    """Sides of the maps of the four-layer network: its input, behind conv1, behind conv2, behind pooling."""
    network, x, sides = four_layer_cnn(), torch.zeros(1, 1, 28, 28), [28]
    for name, layer in network.named_children():
        if name == "flatten":
            break
        x = layer(x)
        sides.append(x.shape[-1])
    return [side for side, after in pairwise([*sides, 0]) if side != after]


def expansion(rows: int, columns: int, seed: int) -> dict[str, float]:
    """A random vector less its expansion in the right singular vectors of a wide random matrix W.

    ``left_out``: the length of the difference relative to the vector's. ``product``: the same for ``W v`` and the sum
    of ``s_i <v, v_i> u_i`` (equation 16).
    """
    generator = torch.Generator().manual_seed(seed)
    W = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    v = torch.randn(columns, generator=generator, dtype=torch.float64)
    U, S, Vh = torch.linalg.svd(W, full_matrices=False)
    product = W @ v
    return {
        "left_out": ((v - Vh.T @ (Vh @ v)).norm() / v.norm()).item(),
        "product": ((product - U @ (S * (Vh @ v))).norm() / product.norm()).item(),
    }


def embedding(seed: int, size: int = 6, kernel: int = 3) -> dict[str, float]:
    """Taking a receptive field and putting it back: what one order and the other change, and the adjoint's equation.

    ``field_again``: a field, embedded and taken again, less itself; ``image_again``: the part of an image that is lost
    when one of its fields is embedded; ``adjoint``: ``<psi X, T> - <X, psi^-1 T>``.
    """
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(2, size, size, generator=generator, dtype=torch.float64)
    T = torch.randn(2, kernel, kernel, generator=generator, dtype=torch.float64)
    row, column = 1, 2

    def take(image: Tensor) -> Tensor:
        return image[:, row : row + kernel, column : column + kernel]

    def embed(field: Tensor) -> Tensor:
        after = size - kernel
        return F.pad(field, (column, after - column, row, after - row))

    return {
        "field_again": (take(embed(T)) - T).abs().max().item(),
        "image_again": ((embed(take(X)) - X).norm() / X.norm()).item(),
        "adjoint": ((take(X) * T).sum() - (X * embed(T)).sum()).abs().item(),
    }


def sign_conventions(seed: int = 0, q: float = 0.75) -> dict[str, float]:
    """Significant directions of a vector by two singular value decompositions of one matrix, with opposite signs.

    ``significant`` and ``significant_turned`` count signals above the same positive threshold, the quantile ``q`` of
    their magnitudes; ``error`` is that of either product of the three factors.
    """
    generator = torch.Generator().manual_seed(seed)
    W = torch.randn(16, 16, generator=generator, dtype=torch.float64)
    v = torch.randn(16, generator=generator, dtype=torch.float64)
    U, S, Vh = torch.linalg.svd(W)
    signals = S * (Vh @ v)
    threshold = signals.abs().quantile(q)
    error = max(((sign * U) @ (S.unsqueeze(1) * (sign * Vh)) - W).abs().max().item() for sign in (1, -1))
    return {
        "significant": int((signals > threshold).sum()),
        "significant_turned": int((-signals > threshold).sum()),
        "error": error,
    }


def cancellation(layer: nn.Conv2d, x: Tensor) -> list[float]:
    """Of each direction of a convolution ``|mean signal| / mean |signal|`` over receptive fields, averaged over images.

    1 where all signals of an image have one sign, near 0 where those of both signs cancel in the mean. ``x`` is what
    enters the layer, ``(images, c_in, height, width)``; decreasing singular values.
    """
    W = output_unfolding(layer.weight.detach(), layer.groups).double()
    _, S, Vh = torch.linalg.svd(W, full_matrices=False)
    signals = receptive_fields(layer, x.double()) @ (S.unsqueeze(1) * Vh).T
    shares = signals.mean(1).abs() / signals.abs().mean(1).clamp_min(torch.finfo(torch.float64).tiny)
    return shares.mean(0).tolist()
