"""What `svr` proves or states of adjacency matrices, each with its largest error on random layers."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from paperlib.svr.adjacency import Adjacency, adjacency, effective_filters
from paperlib.svr.dimensions import overlap_excess
from paperlib.svr.experiments.table_one import random_pairs
from paperlib.svr.neurons import SpectralNeurons, neurons_of_weights, spectral_neurons
from paperlib.svr.samples import haar_frames


def overlap_of_projections(seed: int) -> float:
    """Proposition 3.1: ``B_ij`` is ``|p_F p_G|_F^2`` in either order, for spans of independent random directions."""
    generator = torch.Generator().manual_seed(seed)
    U, V = haar_frames(1, 12, 8, generator)[0], haar_frames(1, 12, 7, generator)[0]
    excess = overlap_excess(Adjacency((V.T @ U).square(), 12, 1))
    errors = []
    for i in range(1, 8):
        for j in range(1, 9):
            p_F, p_G = U[:, :j] @ U[:, :j].T, V[:, :i] @ V[:, :i].T
            overlap = excess[i - 1, j - 1] + i * j / 12
            errors += [overlap - product.square().sum() for product in (p_F @ p_G, p_G @ p_F)]
    return torch.stack(errors).abs().max().item()


def bounds_of_coefficients(seed: int) -> float:
    """Coefficients lie in [0, 1], and those of a row add up to at most 1; to 1 where the earlier U is square."""
    worst = 0.0
    for pair in random_pairs(seed):
        found = adjacency(*pair.neurons[::-1]).coefficients
        beyond = found.sum(1) - 1
        square = found.shape[1] == len(pair.earlier.weight)
        worst = max(worst, (-found).max().item(), (beyond.abs() if square else beyond).max().item())
    return worst


def effective_composition(seed: int) -> float:
    """``z_n = sum_m A_nm * y_m``: effective filters compose scaled spectral images of two linear convolutions."""
    pair = random_pairs(seed)[1]
    earlier, later = pair.neurons
    y = F.conv2d(pair.x, _filters(earlier)) * earlier.S[:, None, None]
    composed = F.conv2d(y, effective_filters(later, earlier).unflatten(2, (3, 3)))
    return _relative(composed, F.conv2d(pair.earlier(pair.x), _filters(later)))


def product_of_layers(seed: int) -> float:
    """``A_2 A_1 = U_2 S_2 (V_2^T U_1) S_1 V_1^T`` for fully connected layers."""
    pair = random_pairs(seed)[0]
    earlier, later = pair.neurons
    inner = later.V[:, 0].T @ earlier.U[:, 0]
    found = (later.U[:, 0] * later.S) @ inner @ (earlier.S.unsqueeze(1) * earlier.V[:, 0].T)
    return _relative(found, pair.later.weight @ pair.earlier.weight)


def sign_freedom(seed: int) -> float:
    """Flipping the signs of triplets changes no coefficient."""
    generator = torch.Generator().manual_seed(seed)
    worst = 0.0
    for pair in random_pairs(seed):
        earlier, later = pair.neurons
        flipped = [_turned(neurons, torch.randn(len(neurons), generator=generator).sign().diag().double())
                   for neurons in (earlier, later)]  # fmt: skip
        change = adjacency(flipped[1], flipped[0]).coefficients - adjacency(later, earlier).coefficients
        worst = max(worst, change.abs().max().item())
    return worst


def degenerate_freedom(seed: int) -> tuple[float, float]:
    """Where singular values are equal only sums over their block are determined.

    The earlier layer's first four values are made equal and its triplets turned among themselves: the largest change
    of a coefficient, and of a sum over the four.
    """
    generator = torch.Generator().manual_seed(seed)
    earlier, later = random_pairs(seed)[0].neurons
    turn = torch.eye(len(earlier), dtype=torch.float64)
    turn[:4, :4] = haar_frames(1, 4, 4, generator)[0]
    change = adjacency(later, _turned(earlier, turn)).coefficients - adjacency(later, earlier).coefficients
    return change.abs().max().item(), change[:, :4].sum(1).abs().max().item()


def scale_freedom(seed: int) -> float:
    """Positive factors of the layers change no coefficient."""
    worst = 0.0
    for pair in random_pairs(seed):
        scaled = [neurons_of_weights(factor * layer.weight)
                  for factor, layer in ((1e-3, pair.earlier), (70.0, pair.later))]  # fmt: skip
        change = adjacency(scaled[1], scaled[0]).coefficients - adjacency(*pair.neurons[::-1]).coefficients
        worst = max(worst, change.abs().max().item())
    return worst


def tucker_factors(seed: int) -> float:
    """Factors of the higher-order SVD: of the outputs U of the SVR, of the inputs V of the co-SVR, up to signs."""
    layer = random_pairs(seed)[1].earlier
    weight = layer.weight
    outputs, inputs = (weight.movedim(mode, 0).flatten(1) for mode in (0, 1))
    factors = [torch.linalg.eigh(matrix @ matrix.T).eigenvectors.flip(1) for matrix in (outputs, inputs)]
    found = spectral_neurons(layer).U[:, 0], spectral_neurons(layer, "co_svr").V[:, 0]
    return max(_cosine_error(a, b) for a, b in zip(factors, found, strict=True))


def gradient_view(seed: int) -> float:
    """The co-SVR is the SVR of the weights as the gradient sees them, outputs and inputs exchanged."""
    layer = random_pairs(seed)[1].earlier
    seen, co = neurons_of_weights(layer.weight.transpose(0, 1)), spectral_neurons(layer, "co_svr")
    values = _relative(seen.S, co.S)
    return max(values, _cosine_error(seen.U[:, 0], co.V[:, 0]), _cosine_error(seen.V.flatten(0, 1), co.U.flatten(0, 1)))


def _cosine_error(a: Tensor, b: Tensor) -> float:
    """How far columns of unit length are from being equal up to their signs."""
    return (1 - (a * b).sum(0).abs()).abs().max().item()


def _turned(neurons: SpectralNeurons, turn: Tensor) -> SpectralNeurons:
    return SpectralNeurons(neurons.U @ turn, neurons.S, neurons.V @ turn, neurons.side)


def _filters(neurons: SpectralNeurons) -> Tensor:
    return neurons.V.permute(2, 0, 1).unflatten(2, (3, 3))


def _relative(found: Tensor, expected: Tensor) -> float:
    return ((found - expected).abs().max() / expected.abs().max()).item()


@dataclass(frozen=True)
class Property:
    """A statement of the paper, the section that makes it, and the largest error found."""

    statement: str
    place: str
    error: float


def checks(seed: int) -> dict[str, Property]:
    """All properties by name."""
    found = {
        "projections": ("$B_{ij} = \\Vert p_F p_G \\Vert_F^2$ in either order", "3.2", overlap_of_projections(seed)),
        "bounds": ("coefficients in [0, 1]; rows add up to at most 1", "2.3, 4.2", bounds_of_coefficients(seed)),
        "composition": ("effective filters compose spectral images", "4.2", effective_composition(seed)),
        "product": ("$A_2 A_1 = U_2 S_2 (V_2^T U_1) S_1 V_1^T$", "2.2", product_of_layers(seed)),
        "signs": ("signs of singular vectors do not matter", "2.2", sign_freedom(seed)),
        "equal_values": ("sums over equal singular values are determined", "2.2", degenerate_freedom(seed)[1]),
        "scaling": ("positive factors of layers do not matter", "2.3, 4.2", scale_freedom(seed)),
        "tucker": ("U and co-SVR V are factors of the higher-order SVD", "4.4", tucker_factors(seed)),
        "gradient": ("the co-SVR is the SVR that the gradient sees", "4.4", gradient_view(seed)),
    }
    return {name: Property(*words) for name, words in found.items()}
