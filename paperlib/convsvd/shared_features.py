"""What two photographs share at a layer: significant directions, and places that are alike (`convsvd`, Figure 10)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.featurevis import image_similarities
from paperlib.hypergraphs import Hypergraph, hypergraph, signal_vectors, significance


@dataclass(frozen=True)
class SharedDirections:
    """The hypergraph of two images, each a class of its own, and what of it is shared.

    ``shared`` are the directions significant for both, ``first`` and ``second`` those for one alone. ``expected`` is
    how many would be shared if the two images had nothing to do with each other: the product of their shares times the
    number of directions. ``signals`` ``(2, r)``.
    """

    hypergraph: Hypergraph
    signals: Tensor
    shared: tuple[int, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]
    expected: float


@dataclass(frozen=True)
class SimilarityMeans:
    """Cosines between the places of two images at a layer: the mean over all pairs, and over best matches alone."""

    mean: float
    best: float


def shared_directions(model: nn.Module, path: str, images: Tensor, names: Sequence[str], q: float) -> SharedDirections:
    """The directions of the layer at ``path`` with a signal above the quantile ``q`` of all signals of two images.

    ``images`` is ``(2, channels, height, width)``. Raises ``ValueError`` for another number of images, and what
    `signal_vectors` and `significance` raise.
    """
    if len(images) != 2 or len(names) != 2:
        raise ValueError(f"{len(images)} images and {len(names)} names; expected two of each")
    signals = signal_vectors(model, images, [path])[path]
    # One image in each class: any majority asks for it.
    graph = hypergraph(significance(signals, torch.arange(2), names, q, 100))
    sets = dict(zip(graph.nodes, graph.class_sets, strict=True))
    of = {kind: tuple(node for node, found in sets.items() if found == kind) for kind in ((0, 1), (0,), (1,))}
    shared, first, second = of.values()
    expected = (len(shared) + len(first)) * (len(shared) + len(second)) / signals.signals.shape[1]
    return SharedDirections(graph, signals.signals, shared, first, second, expected)


def similarity_means(
    model: nn.Module, paths: Sequence[str], first: Tensor, second: Tensor, *, centred: bool = False
) -> dict[str, SimilarityMeans]:
    """How alike two images are at some layers, by path; raises what `image_similarities` raises."""
    found = image_similarities(model, paths, first, second, centred=centred)
    return {
        path: SimilarityMeans(float(maps.mean()), float(maps.flatten(2).amax(2).mean())) for path, maps in found.items()
    }
