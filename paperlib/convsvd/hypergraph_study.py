"""The hypergraph of a layer for the notebooks of Figures 6 and 7: over networks, samples and conventions for signs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import torch
from torch import Tensor, nn

from paperlib.convsvd.networks import four_layer_recipe
from paperlib.datasets import ImageData, balanced_subset
from paperlib.hypergraphs import (
    Hypergraph,
    LayerSignals,
    SemanticHierarchy,
    StructureSample,
    compare,
    hypergraph,
    semantic_hierarchy,
    signal_vectors,
    significance,
    structure_of,
)
from paperlib.training import trained_network


@dataclass(frozen=True)
class LayerStudy:
    """A layer's signals for a sample, its hypergraph and hierarchy at one (q, p), and the sample."""

    signals: LayerSignals
    hypergraph: Hypergraph
    hierarchy: SemanticHierarchy
    data: ImageData

    def values(self) -> dict:
        """What a result records: sizes, the threshold, and by equivalence class members, hyperedges and values.

        ``top_all`` tells whether an equivalence class has every class of images, ``first_on_top`` whether the first
        direction is in it; ``spectrum`` are all singular values
        of the layer. ``mean_size`` is the mean number of nodes of a class of images, ``size_bound`` the most that it
        can be at this q and p with classes of one size.
        """
        classes, values = self.hierarchy.classes, self.signals.singular_values
        graph, directions, top = self.hypergraph, self.signals.signals.shape[1], self.hierarchy.top
        return {
            "nodes": len(graph.nodes),
            "classes": len(classes),
            "hyperedges": len(graph.hyperedges),
            "top_all": top is not None,
            "first_on_top": top is not None and 0 in classes[top].members,
            "threshold": float(graph.threshold),
            "members": [list(one.members) for one in classes],
            "labels": [list(self.hierarchy.names_of(place)) for place in range(len(classes))],
            "edges": [list(edge) for edge in self.hierarchy.edges],
            "spectrum": values.tolist(),
            "singular_values": [[float(values[member]) for member in one.members] for one in classes],
            "mean_size": float(graph.incidence.sum()) / len(graph.classes),
            "size_bound": mean_size_bound(graph.q, graph.p, directions),
        }


def class_names(data: ImageData) -> list[str]:
    """The labels as text: digits are their own names."""
    return [str(label) for label in range(data.classes)]


def mean_size_bound(q: float, p: float, directions: int) -> float:
    """The mean number of nodes of a class is at most ``(1 - q) directions / (p / 100)``, where classes have one size.

    At most a share ``1 - q`` of all signals lies above the threshold, and every node of a class uses up ``p`` per cent
    of its images, one signal each.
    """
    return (1 - q) * directions * 100 / p


def study_layer(model: nn.Module, data: ImageData, path: str, q: float, p: float) -> LayerStudy:
    """Signals, hypergraph and hierarchy of one layer (`convsvd`, Section 6.1); raises what the three raise."""
    return study_signals(signal_vectors(model, data.images, [path])[path], data, q, p)


def study_signals(signals: LayerSignals, data: ImageData, q: float, p: float) -> LayerStudy:
    """The same from signals of this very sample."""
    graph = hypergraph(significance(signals, data.labels, class_names(data), q, p))
    return LayerStudy(signals, graph, semantic_hierarchy(graph), data)


def four_layer_networks(
    seeds: Sequence[int], *, data: str, epochs: int, batch_size: int, learning_rate: float, progress: bool = False
) -> dict[int, nn.Module]:
    """The MNIST classifier of Section 4.2 by seed, trained where it is not kept."""
    settings = {"data": data, "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    recipes = {seed: four_layer_recipe(**settings, seed=seed) for seed in seeds}
    return {seed: trained_network(recipe, progress=progress).model for seed, recipe in recipes.items()}


@dataclass(frozen=True)
class NetworkBand:
    """Hypergraphs of the same layer of networks that differ by their seed alone.

    ``structures`` are their sizes, ``top_all`` whether each has an equivalence class with every class of images.
    ``overall`` and ``structure`` are the Jaccard indices of `Comparison`, of each pair of networks with nodes matched
    by class sets: float64 ``(pairs,)``.
    """

    structures: StructureSample
    top_all: tuple[bool, ...]
    overall: Tensor
    structure: Tensor

    def values(self) -> dict:
        """What a result records: the sizes by name, and how alike pairs of networks are."""
        return self.structures.to_lists() | {
            "top_all": list(self.top_all),
            "top_all_count": sum(self.top_all),
            "count": len(self.top_all),
            "overlap": self.overall.tolist(),
            "structure": self.structure.tolist(),
        }


def network_band(models: Mapping[int, nn.Module], data: ImageData, path: str, q: float, p: float) -> NetworkBand:
    """The hypergraphs of several networks for the same images."""
    studies = [study_layer(model, data, path, q, p) for model in models.values()]
    pairs = [compare(one.hypergraph, other.hypergraph, "class_sets") for one, other in combinations(studies, 2)]
    return NetworkBand(
        structure_of([study.hypergraph.incidence for study in studies]),
        tuple(study.hierarchy.top is not None for study in studies),
        torch.tensor([one.overall for one in pairs], dtype=torch.float64),
        torch.tensor([one.structure for one in pairs], dtype=torch.float64),
    )


def sample_structures(
    model: nn.Module, data: ImageData, path: str, q: float, p: float, *, per_class: int, draws: int, seed: int
) -> StructureSample:
    """The sizes of the hypergraphs for ``draws`` random samples of ``per_class`` images of each class of ``data``.

    Signals are computed once; each sample has its own threshold.
    """
    signals = signal_vectors(model, data.images, [path])[path].signals
    generator = torch.Generator().manual_seed(seed)
    seeds = torch.randint(2**31, (draws,), generator=generator).tolist()
    # Signal vectors in place of the images, so that the same seeds choose the same images as everywhere.
    samples = (balanced_subset(replace(data, images=signals), per_class, one) for one in seeds)
    return structure_of(
        [significance(sample.images, sample.labels, class_names(data), q, p).table for sample in samples]
    )


def sign_structures(study: LayerStudy, *, draws: int, seed: int) -> StructureSample:
    """The sizes of the hypergraphs under ``draws`` random conventions for the signs of the singular vectors.

    ``(u_i, v_i)`` and ``(-u_i, -v_i)`` are both singular vectors, and signals change their sign with them. The
    framework looks at positive signals alone, so its hypergraph depends on a choice that the decomposition leaves open.
    """
    table, graph = study.signals.signals, study.hypergraph
    signs = random_signs(draws, table.shape[1], seed).to(table)
    return structure_of(
        [significance(table * row, study.data.labels, graph.classes, graph.q, graph.p).table for row in signs]
    )


_RECORDED = {
    "other samples": "samples",
    "networks by seed": "seeds",
    "other signs": "signs",
    "permuted labels": "chance",
}


def size_groups(study: LayerStudy, others: Mapping[str, StructureSample]) -> dict[str, StructureSample]:
    """The sizes of this hypergraph, and those of ``others`` behind."""
    return {"this hypergraph": structure_of([study.hypergraph.incidence]), **others}


def recorded_groups(values: Mapping) -> dict[str, StructureSample]:
    """The same from the values that the notebooks of Figures 6 and 7 record."""
    return {title: StructureSample.from_lists(values[name]) for title, name in _RECORDED.items()}


def random_signs(draws: int, directions: int, seed: int) -> Tensor:
    """Independent signs, +1 or -1 with equal chances: float64 ``(draws, directions)``."""
    generator = torch.Generator().manual_seed(seed)
    return 2.0 * torch.randint(2, (draws, directions), generator=generator).double() - 1
