"""The chain of leading spectral neurons that `svr` calls the super-feature (Section 5.1), and the number of edges."""

from dataclasses import dataclass
from math import log10, prod

import torch
from torch import Tensor, nn

from paperlib.svr.edges import Edges
from paperlib.svr.null import Law, null_law, threshold
from paperlib.svr.representation import Representation, representation


@dataclass(frozen=True)
class LeadingChain:
    """How the first spectral neurons of consecutive convolutions fit, one entry for each connection of two of them.

    ``later`` are the later layers' paths, ``coefficients`` the adjacency between the two first neurons, ``thresholds``
    what chance exceeds with probability p and ``p_values`` how probable the coefficient is under chance. ``longest``
    is the largest number of connections in a row that are above their threshold, and ``largest_in_matrix`` says
    where the coefficient is the largest of its whole matrix.
    """

    later: tuple[str, ...]
    coefficients: tuple[float, ...]
    thresholds: tuple[float, ...]
    p_values: tuple[float, ...]
    longest: int
    largest_in_matrix: tuple[bool, ...]

    @property
    def significant(self) -> tuple[bool, ...]:
        return tuple(found > cut for found, cut in zip(self.coefficients, self.thresholds, strict=True))


def leading_chain(found: Representation, p: float, law: Law = "chi2") -> LeadingChain:
    """Compare the coefficient of the first two neurons with chance, from each convolution of a chain to the next.

    Raises ``ValueError`` for p outside (0, 1).
    """
    links = [
        link
        for link in found.connections
        if {found.layers[link.earlier].kind, found.layers[link.later].kind} == {"convolution"}
    ]
    matrices = [link.adjacency for link in links]
    first = [matrix.coefficients[0, 0].item() for matrix in matrices]
    cuts = [threshold(matrix.channels, matrix.degrees, p, law) for matrix in matrices]
    laws = [null_law(matrix.channels, matrix.degrees, law) for matrix in matrices]
    longest = run = 0
    for value, cut in zip(first, cuts, strict=True):
        run = run + 1 if value > cut else 0
        longest = max(longest, run)
    return LeadingChain(
        tuple(found.layers[link.later].path for link in links),
        tuple(first),
        tuple(cuts),
        tuple(float(null.sf(value)) for null, value in zip(laws, first, strict=True)),
        longest,
        tuple(value == matrix.coefficients.max().item() for value, matrix in zip(first, matrices, strict=True)),
    )


@dataclass(frozen=True)
class Sizes:
    """How large the graph of a network is beside the network (`svr`, Section 6).

    ``orders`` is the decimal logarithm of weights over edges, and ``chance_orders`` that over the edges that a
    network of random directions would show; ``pairs`` counts the coefficients tested.
    """

    weights: int
    pairs: int
    edges: int
    expected_false: float

    @property
    def orders(self) -> float:
        return log10(self.weights / max(self.edges, 1))

    @property
    def chance_orders(self) -> float:
        return log10(self.weights / self.expected_false)


def sizes(found: Representation, edges: Edges) -> Sizes:
    """Weights of the decomposed layers, pairs of spectral neurons that were compared, and edges that are left."""
    weights = {layer.path: prod(layer.weight_shape) for layer in found.layers}
    pairs = sum(link.adjacency.coefficients.numel() for link in found.connections)
    return Sizes(sum(weights.values()), pairs, len(edges.coefficient), edges.expected_false)


def same_without_pooling(model: nn.Module, images: Tensor, count: int) -> bool:
    """Whether the coefficients stay the same when the model's max pooling is taken away (`svr`, Section 4.4).

    Shown on the chain of its convolutions; a fully connected layer behind would read maps of another size.
    """
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    pooled = representation(model, images, count=count).connections
    plain = representation(nn.Sequential(*convolutions), images, count=count).connections
    pairs = zip(pooled, plain, strict=False)
    return all(torch.equal(one.adjacency.coefficients, other.adjacency.coefficients) for one, other in pairs)
