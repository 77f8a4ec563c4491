"""What the public code of `svr`'s authors gives where this library decides otherwise, both as numbers.

Each function returns a mapping with ``theirs`` and ``ours``; the former follow from their formulas, written anew.
"""

from collections.abc import Mapping

import torch
from scipy.sparse.linalg import svds
from torch import Tensor, nn

from paperlib.models import fully_connected, resnet18
from paperlib.svr.adjacency import Adjacency, adjacency
from paperlib.svr.dimensions import entropy, intensities, internal_dimensions, overlap_excess
from paperlib.svr.edges import significant_edges
from paperlib.svr.experiments.networks import MNIST_WIDTHS
from paperlib.svr.layers import layer_graph
from paperlib.svr.neurons import neurons_of_weights
from paperlib.svr.null import null_law, threshold
from paperlib.svr.representation import representation
from paperlib.svr.samples import haar_frames

# Spectral neurons of one layer that their code keeps unless told otherwise.
KEPT = 128


def planted_dimension(p: int, n: int, seed: int) -> dict[str, int]:
    """``d_out`` of p planted dimensions among n: the place of the largest excess, counted from 0, and the number."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.block_diag(*(haar_frames(1, size, size, generator)[0] for size in (p, n - p)))
    found = Adjacency(blocks.square(), n, 1)
    place = divmod(int(overlap_excess(found).argmax()), n)
    return {"theirs": place[0], "ours": internal_dimensions(found).d_out}


def neurons_of_a_wide_layer(size: int, seed: int) -> dict[str, int | float | bool]:
    """Spectral neurons of a random layer ``(size, size)``, and the share of the energy that the first 128 hold.

    ``refused`` says whether SciPy's truncated decomposition, which they use above 128, returns an array that PyTorch
    refuses to copy because one of its strides is negative.
    """
    weight = torch.randn(size, size, generator=torch.Generator().manual_seed(seed))
    values = neurons_of_weights(weight).S.square()
    _, S, Vh = svds(weight.double().numpy(), k=4, random_state=seed)
    return {
        "theirs": min(KEPT, size),
        "ours": len(values),
        "energy": (values[:KEPT].sum() / values.sum()).item(),
        "refused": min(*S.strides, *Vh.strides) < 0,
    }


def depthwise_coefficients(channels: int, seed: int) -> dict[str, dict[str, float]]:
    """Mean and largest coefficient between a convolution and a depthwise one of 3 x 3, random weights.

    Their filters have one input channel each, which the contraction over channels repeats for all of them.
    """
    generator = torch.Generator().manual_seed(seed)
    earlier = neurons_of_weights(torch.randn(channels, channels, 3, 3, generator=generator))
    weight = torch.randn(channels, 1, 3, 3, generator=generator)
    filters = neurons_of_weights(weight).V[0]
    repeated = torch.einsum("zn,cm->nmz", filters, earlier.U[:, 0]).square().sum(2)
    found = adjacency(neurons_of_weights(weight, groups=channels), earlier).coefficients
    return {"theirs": _mean_and_largest(repeated), "ours": _mean_and_largest(found)}


def _mean_and_largest(found: Tensor) -> dict[str, float]:
    return {"mean": found.mean().item(), "largest": found.max().item()}


def co_svr_behind_a_map(channels: int, places: int, p: float) -> dict[str, dict[str, float]]:
    """Degrees of freedom of the co-SVR from a 3 x 3 convolution to a fully connected layer behind ``places`` pixels.

    ``shown`` is the share of the edges of random layers above the threshold for ``p`` with these degrees.
    """
    draw = torch.Generator().manual_seed(0)
    earlier = neurons_of_weights(torch.randn(channels, channels, 3, 3, generator=draw), "co_svr")
    later = neurons_of_weights(torch.randn(8, channels * places, generator=draw), "co_svr")
    degrees = adjacency(later, earlier).degrees
    law = null_law(channels, degrees, "beta")
    return {
        name: {"degrees": used, "shown": float(law.sf(threshold(channels, used, p)))}
        for name, used in (("theirs", 9), ("ours", degrees))
    }


def entropy_with_zeros(seed: int) -> dict[str, float | None]:
    """Entropy of an adjacency with two exact blocks; ``theirs`` is None, since 0 times the logarithm of 0 is NaN."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.block_diag(*(haar_frames(1, size, size, generator)[0] for size in (3, 5)))
    a = blocks.square()
    theirs = -(a * a.log()).sum()
    return {"theirs": None if theirs.isnan() else theirs.item(), "ours": entropy(Adjacency(a, 8, 1))}


def intensities_without_excess() -> dict[str, float | None]:
    """Largest intensity where the later layer reads nothing of what the earlier one writes; None for no number."""
    unread = Adjacency(torch.zeros(4, 3, dtype=torch.float64), channels=7, degrees=1)
    best = (unread.coefficients * 7 - 1).cumsum(0).amax(0).relu()
    theirs = (best / best.max()).max()
    return {"theirs": None if theirs.isnan() else theirs.item(), "ours": intensities(unread).max().item()}


def edges_of_random_layers(widths: tuple[int, ...], p: float, q: float, seed: int) -> dict[str, float]:
    """Edges that an untrained network shows: each tested at ``p``, and with a false discovery rate of ``q``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = fully_connected(widths, "relu")
    found = representation(model, torch.zeros(1, widths[0]))
    single = significant_edges(found, p)
    return {
        "theirs": len(single),
        "expected": single.expected_false,
        "ours": len(significant_edges(found, q, correction="false_discovery_rate")),
    }


def links_of(model: nn.Module, image: Tensor) -> Mapping[str, int]:
    """Pairs of layers that are compared: each with the next in the list of weights, and each with all it feeds."""
    graph = layer_graph(model, image)
    return {"theirs": len(graph.layers) - 1, "ours": len(graph.links)}


def code_differences(p: float, seed: int) -> dict[str, Mapping]:
    """All of them by name: the paper's first example and ResNet18 where a network is needed."""
    return {
        "internal_dimensions": planted_dimension(30, 100, seed),
        "wide_layer": neurons_of_a_wide_layer(256, seed),
        "depthwise": depthwise_coefficients(8, seed),
        "co_svr_behind_a_map": co_svr_behind_a_map(16, 49, p),
        "entropy": entropy_with_zeros(seed),
        "intensity": intensities_without_excess(),
        "many_edges": edges_of_random_layers(MNIST_WIDTHS, p, 0.05, seed),
        "links": links_of(resnet18(), torch.zeros(1, 1, 28, 28)),
    }


def difference_rows(found: Mapping[str, Mapping]) -> list[list[str]]:
    """What, theirs and ours of each, for a table."""
    titles = {
        "internal_dimensions": "30 planted dimensions among 100 come back as",
        "wide_layer": "spectral neurons of a layer of 256 x 256",
        "depthwise": "mean and largest coefficient of a depthwise convolution",
        "co_svr_behind_a_map": "degrees of freedom, co-SVR from a 3 x 3 convolution to a fully connected layer",
        "entropy": "entropy of an adjacency with entries 0",
        "intensity": "largest intensity where nothing is read",
        "many_edges": "edges of an untrained network: each tested, or false discovery rate 5 %",
        "links": "pairs of layers of ResNet18",
    }
    return [[title, _shown(found[name]["theirs"]), _shown(found[name]["ours"])] for name, title in titles.items()]


def _shown(value: Mapping | float | None) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_shown(part) for name, part in value.items() if name != "shown")
    if value is None:
        return "not a number"
    return str(value) if isinstance(value, int) else f"{value:.3g}"
