"""What `convsvd` states of matrices, spectra and hypergraphs, each with its largest error on random examples."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.hypergraphs import hypergraph, semantic_hierarchy, significance
from paperlib.hypergraphs.signals import signal_vectors
from paperlib.spectra.circular import circular_singular_values
from paperlib.unfolding import convolution_matrices, embedded_fields, receptive_fields, tensor_svd

# Shapes d, c, k, m: fewer filters than entries of a receptive field, and more.
_SHAPES = ((5, 3, 3, 7), (30, 2, 2, 5))


@dataclass(frozen=True)
class Property:
    """A statement, where the paper has it, and the largest error found, relative where that makes sense."""

    statement: str
    place: str
    error: float


def _examples(seed: int) -> Iterator[tuple[nn.Conv2d, Tensor]]:
    """Convolutions without padding and bias in double precision, each with an image."""
    generator = torch.Generator().manual_seed(seed)
    for d, c, k, m in _SHAPES:
        layer = nn.Conv2d(c, d, k, bias=False, dtype=torch.float64).requires_grad_(False)
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator, dtype=torch.float64))
        yield layer, torch.randn(1, c, m, m, generator=generator, dtype=torch.float64)


def _relative(found: Tensor, expected: Tensor) -> float:
    return ((found - expected).abs().max() / expected.abs().max()).item()


def flattening(seed: int) -> float:
    """Equations 2 and 3: indices by sums of products of sizes, in one order with the flattening of the library."""
    sizes = (2, 3, 4)
    places = torch.arange(24).reshape(sizes)
    found = {index: (index[0] * 3 + index[1]) * 4 + index[2] for index in product(*map(range, sizes))}
    return float(max(abs(places[index].item() - place) for index, place in found.items()))


def output_matrix(seed: int) -> float:
    """``W1 Psi(X) = Y1`` (8)."""
    return max(
        _relative(convolution_matrices(layer).W1 @ receptive_fields(layer, x)[0].T, layer(x)[0].flatten(1))
        for layer, x in _examples(seed)
    )


def operator_matrix(seed: int) -> float:
    """``W2 vec(X) = vec(Y)`` (11)."""
    return max(
        _relative(convolution_matrices(layer).operator_matrix(x.shape[2:], "valid") @ x.flatten(), layer(x).flatten())
        for layer, x in _examples(seed)
    )


def embedding(seed: int) -> float:
    """``<psi X, T> = <X, psi^T T>`` for all receptive fields at once."""
    generator = torch.Generator().manual_seed(seed)
    worst = 0.0
    for layer, x in _examples(seed):
        fields = receptive_fields(layer, x)
        T = torch.randn(fields.shape, generator=generator, dtype=torch.float64)
        products = (fields * T).sum(), (x * embedded_fields(layer, T, x.shape[2:])).sum()
        worst = max(worst, ((products[0] - products[1]) / (fields.norm() * T.norm())).abs().item())
    return worst


def gram_blocks(seed: int) -> float:
    """``W2 W2^T``, ordered by position, has ``n^2`` copies of ``W1 W1^T`` on its diagonal."""
    worst = 0.0
    for layer, x in _examples(seed):
        matrices, size = convolution_matrices(layer), x.shape[2:]
        positions = torch.Size(matrices.output_size(size, "valid")).numel()
        W2 = matrices.operator_matrix(size, "valid").unflatten(0, (-1, positions)).transpose(0, 1)
        blocks = W2 @ W2.mT
        worst = max(worst, _relative(blocks, (matrices.W1 @ matrices.W1.T).expand_as(blocks)))
    return worst


def three_convolutions(seed: int) -> float:
    """Equation 14, as the paper prints it: the full SVD."""
    return max(_relative(tensor_svd(layer, full=True)(x), layer(x)) for layer, x in _examples(seed))


def expansion(seed: int) -> float:
    """``W v = sum_i s_i <v, v_i> u_i`` (16), for more and for fewer rows than columns."""
    worst = 0.0
    for layer, x in _examples(seed):
        W = convolution_matrices(layer).W1
        U, S, Vh = torch.linalg.svd(W, full_matrices=False)
        v = receptive_fields(layer, x)[0, 0]
        worst = max(worst, _relative(U @ (S * (Vh @ v)), W @ v))
    return worst


def two_forms(seed: int) -> float:
    """``s_i v_i^T Psi(X) = u_i^T Y`` (19), and rows of ``Y1`` as combinations of these with coefficients from U."""
    worst = 0.0
    for layer, x in _examples(seed):
        U, S, Vh = torch.linalg.svd(convolution_matrices(layer).W1, full_matrices=False)
        signals, Y = (S.unsqueeze(1) * Vh) @ receptive_fields(layer, x)[0].T, layer(x)[0].flatten(1)
        worst = max(worst, _relative(signals, U.T @ Y), _relative(U @ signals, Y))
    return worst


def mean_signals(seed: int) -> float:
    """The signal vector is ``S V^T`` times the mean receptive field."""
    worst = 0.0
    for layer, x in _examples(seed):
        found = signal_vectors(nn.Sequential(layer), x)["0"]
        mean = receptive_fields(layer, x)[0].mean(0)
        worst = max(worst, _relative(found.signals[0], found.singular_values * (found.V.T @ mean)))
    return worst


def partial_order(seed: int) -> float:
    """Wrong triples of 'more general than' in random tables, where it must be irreflexive and transitive."""
    wrong = 0
    for graph in _tables(seed, (0.7,)):
        sets = [set(one) for one in graph.class_sets]
        wrong += sum(a > a for a in sets)
        wrong += sum(a > b and b > c and not a > c for a, b, c in product(sets, repeat=3))
        found = semantic_hierarchy(graph)
        wrong += sum(not set(found.classes[a].hyperedges) > set(found.classes[b].hyperedges) for a, b in found.edges)
    return float(wrong)


def monotony(seed: int) -> float:
    """Incidences that a higher quantile has and a lower one has not."""
    graphs = list(_tables(seed, (0.5, 0.6, 0.7, 0.8, 0.9)))
    incidences = [{(node, c) for node, own in zip(g.nodes, g.class_sets, strict=True) for c in own} for g in graphs]
    return float(sum(len(higher - lower) for lower, higher in pairwise(incidences)))


def _tables(seed: int, quantiles: tuple[float, ...]):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(60) % 6
    means = torch.randn(6, 12, generator=generator)
    signals = means[labels] + 0.3 * torch.randn(60, 12, generator=generator)
    for q in quantiles:
        yield hypergraph(significance(signals, labels, [str(c) for c in range(6)], q, 75))


def norms(seed: int) -> float:
    """``|W2|_F^2 = n^2 |W1|_F^2`` without padding."""
    worst = 0.0
    for layer, x in _examples(seed):
        matrices, size = convolution_matrices(layer), x.shape[2:]
        positions = torch.Size(matrices.output_size(size, "valid")).numel()
        ratio = matrices.operator_matrix(size, "valid").square().sum() / (positions * matrices.W1.square().sum())
        worst = max(worst, (ratio - 1).abs().item())
    return worst


def largest_values(seed: int) -> float:
    """``sigma_1(W2) <= k sigma_1(W1)``: by how much it is exceeded, at most."""
    worst = 0.0
    for layer, x in _examples(seed):
        matrices = convolution_matrices(layer)
        largest = torch.linalg.matrix_norm(matrices.operator_matrix(x.shape[2:], "valid"), 2)
        bound = layer.kernel_size[0] * torch.linalg.matrix_norm(matrices.W1, 2)
        worst = max(worst, (largest / bound - 1).item())
    return worst


def circular_spectrum(seed: int) -> float:
    """Singular values of the circular operator matrix by frequencies, and those of the dense matrix."""
    return max(
        _relative(
            circular_singular_values(layer, tuple(x.shape[2:])),
            torch.linalg.svdvals(convolution_matrices(layer).operator_matrix(x.shape[2:], "circular")),
        )
        for layer, x in _examples(seed)
    )


def ellipse(seed: int) -> float:
    """A circle goes to an ellipse with half-axes ``s_0`` and ``s_1`` along ``u_0`` and ``u_1``."""
    W = torch.randn(2, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    U, S, _ = torch.linalg.svd(W)
    angles = torch.linspace(0, 2 * torch.pi, 1001, dtype=torch.float64)
    image = U.T @ W @ torch.stack([angles.cos(), angles.sin()])
    return ((image / S.unsqueeze(1)).square().sum(0) - 1).abs().max().item()


def gram_eigenvalues(seed: int) -> float:
    """Eigenvalues of ``W1 W1^T`` are squared singular values."""
    worst = 0.0
    for layer, _ in _examples(seed):
        W = convolution_matrices(layer).W1
        values = torch.linalg.svdvals(W).square()
        found = torch.linalg.eigvalsh(W @ W.T).flip(0)
        worst = max(worst, _relative(found, F.pad(values, (0, len(found) - len(values)))))
    return worst


PROPERTIES: dict[str, tuple[str, str, Callable[[int], float]]] = {
    "flattening": ("indices of (2) and (3) are those of row-major order", "3.1", flattening),
    "output_matrix": (r"$W_1\Psi(X) = Y_1$", "3, (8)", output_matrix),
    "operator_matrix": (r"$W_2\,\mathrm{vec}(X) = \mathrm{vec}(Y)$", "3, (11)", operator_matrix),
    "embedding": (r"$\langle\psi X, T\rangle = \langle X, \psi^T T\rangle$", "3", embedding),
    "gram_blocks": (r"diagonal blocks of $W_2W_2^T$ are $W_1W_1^T$", "3", gram_blocks),
    "norms": (r"$\lVert W_2\rVert_F^2 = n^2\lVert W_1\rVert_F^2$", "here", norms),
    "largest_values": (r"$\sigma_1(W_2) \le k\,\sigma_1(W_1)$", "here", largest_values),
    "gram_eigenvalues": (r"eigenvalues of $W_1W_1^T$ are squared singular values", "4.1", gram_eigenvalues),
    "circular_spectrum": ("circular spectrum, by frequencies and dense", "here", circular_spectrum),
    "three_convolutions": ("tensor SVD equals the layer", "4.2, (14)", three_convolutions),
    "expansion": (r"$Wv = \sum_i s_i\langle v, v_i\rangle u_i$", "4.2, (16)", expansion),
    "two_forms": (r"$s_iv_i^T\Psi(X) = u_i^TY_1$", "6, (19)", two_forms),
    "mean_signals": ("signal vectors by the mean receptive field", "5", mean_signals),
    "partial_order": ("(18) is a strict partial order, violations", "5, (18)", partial_order),
    "monotony": ("a higher q adds no incidence, violations", "here", monotony),
    "ellipse": ("a circle becomes an ellipse with these half-axes", "Figure 8", ellipse),
}


def properties(seed: int) -> dict[str, Property]:
    """All statements by name."""
    return {name: Property(words, place, check(seed)) for name, (words, place, check) in PROPERTIES.items()}
