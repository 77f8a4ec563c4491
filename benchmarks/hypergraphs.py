"""Seconds and memory for signals and class hypergraphs, against the ways one writes first.

    python benchmarks/hypergraphs.py                  10,000 images of 28 x 28, the four-layer network, random weights
    python benchmarks/hypergraphs.py --images 1000    fewer, to try it out

Signals of all layers: in one pass by reduced outputs, against a pass for each layer that keeps its input, forms the
receptive fields (torch's unfold) and averages their products with ``s_i v_i``. Every side runs in a process of its
own, on the same images and weights; the signals are compared.

Hypergraphs from signals at hand, 128 directions with ten classes planted: this library against pandas for the table
of significance, HyperNetX for the hypergraph and its collapsed nodes, and networkx for the transitive reduction, one
(q, p) after the other. The equivalence classes and the edges of the Hasse diagrams are compared.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import hypernetx
import networkx
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
import typer
from torch import Tensor, nn

from paperlib.hypergraphs import families, hypergraph, semantic_hierarchy, signal_layers, signal_vectors, significance
from paperlib.models import build
from paperlib.svr import spectral_neurons
from paperlib.tables import markdown_table

SIDES = {"ours": "one pass, reduced outputs", "fields": "a pass for each layer, receptive fields"}
QUANTILES = [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98]
MAJORITIES = [51.0, 60.0, 75.0, 90.0, 100.0]
BATCH = 250

# The equivalence classes by members, and the covers by pairs of members.
Diagram = tuple[set[tuple[int, ...]], set[tuple[tuple[int, ...], tuple[int, ...]]]]


@dataclass(frozen=True)
class Cost:
    """Processor seconds, seconds on the clock, and peak memory of one side's process beyond images and weights."""

    processor: float
    wall: float
    mib: float


def network_and_images(count: int) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    return build("four_layer_cnn").eval(), torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def by_fields(model: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Signals by their definition, layer by layer."""
    found = {}
    for path, layer in signal_layers(model).items():
        neurons = spectral_neurons(layer)
        V, s = neurons.V.flatten(0, 1).float(), neurons.S.float()
        entered: list[Tensor] = []
        handle = layer.register_forward_pre_hook(lambda _, x, entered=entered: entered.append(x[0].clone()))
        parts = []
        for batch in images.split(BATCH):
            model(batch)
            x = entered.pop()
            fields = F.unfold(x, layer.kernel_size).mT if isinstance(layer, nn.Conv2d) else x.unsqueeze(1)
            parts.append((fields @ V * s).mean(1))
        handle.remove()
        found[path] = torch.cat(parts)
    return found


def measured(side: str, count: int, path: str) -> None:
    """Run one side, save its signals at ``path`` and print its cost."""
    torch.set_grad_enabled(False)
    model, images = network_and_images(count)
    model(images[:1])
    before, clock, processor = peak(), time.perf_counter(), time.process_time()
    if side == "ours":
        found = {name: layer.signals for name, layer in signal_vectors(model, images, batch_size=BATCH).items()}
    else:
        found = by_fields(model, images)
    cost = [time.process_time() - processor, time.perf_counter() - clock, peak() - before]
    np.savez(path, **{name: signals.numpy() for name, signals in found.items()})
    print(json.dumps(cost))


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(side: str, count: int, threads: int, path: Path) -> Cost:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    command = [sys.executable, __file__, "--images", str(count), "--side", side, "--save", str(path)]
    environment = os.environ | dict.fromkeys(names, str(threads))
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return Cost(*json.loads(found.stdout))


def difference(first: Path, second: Path) -> float:
    """Largest difference of a signal, relative to the largest of its layer."""
    with np.load(first) as one, np.load(second) as other:
        return max(float(abs(one[name] - other[name]).max() / abs(one[name]).max()) for name in one)


def planted_signals(count: int) -> tuple[Tensor, Tensor]:
    """Signals ``(count, 128)`` around a mean for each direction and class, and labels of ten classes."""
    generator = torch.Generator().manual_seed(2)
    labels = torch.arange(count) % 10
    means = torch.randn(128, 1, generator=generator) + torch.randn(128, 10, generator=generator)
    return means.T[labels] + 0.5 * torch.randn(count, 128, generator=generator), labels


def our_diagram(signals: Tensor, labels: Tensor, names: list[str], q: float, p: float) -> Diagram:
    found = semantic_hierarchy(hypergraph(significance(signals, labels, names, q, p)))
    members = [one.members for one in found.classes]
    return set(members), {(members[i], members[j]) for i, j in found.edges}


def written_diagram(signals: Tensor, labels: Tensor, names: list[str], q: float, p: float) -> Diagram:
    """The same by pandas, HyperNetX and networkx."""
    table = pd.DataFrame(signals.numpy())
    above = table > np.quantile(signals.numpy(), q)
    shares = above.groupby(labels.numpy()).mean()
    edges = {name: list(shares.columns[shares.loc[label] >= p / 100]) for label, name in enumerate(names)}
    graph = hypernetx.Hypergraph({name: nodes for name, nodes in edges.items() if nodes})
    if not len(graph.nodes):
        return set(), set()
    collapsed, classes = graph.collapse_nodes(return_equivalence_classes=True)
    members = {node: tuple(sorted(classes[node])) for node in collapsed.nodes}
    sets = {node: set(collapsed.nodes.memberships[node]) for node in collapsed.nodes}
    order = networkx.DiGraph()
    order.add_nodes_from(sets)
    order.add_edges_from((one, other) for one in sets for other in sets if sets[one] > sets[other])
    covers = networkx.transitive_reduction(order).edges
    return set(members.values()), {(members[one], members[other]) for one, other in covers}


@contextmanager
def timed(into: dict[str, float], name: str) -> Iterator[None]:
    start = time.process_time()
    yield
    into[name] = time.process_time() - start


def hypergraph_rows(count: int) -> list[list[str]]:
    signals, labels = planted_signals(count)
    names = [str(label) for label in range(10)]
    pairs = [(q, p) for q in QUANTILES for p in MAJORITIES]
    seconds: dict[str, float] = {}
    with timed(seconds, "one by one"):
        ours = [our_diagram(signals, labels, names, q, p) for q, p in pairs]
    with timed(seconds, "family"):
        family = families(signals, labels, names, QUANTILES, MAJORITIES)
        hierarchies = [semantic_hierarchy(family.hypergraph(q, p)) for q, p in pairs]
    with timed(seconds, "pandas, HyperNetX, networkx"), warnings.catch_warnings():
        # HyperNetX warns of pandas at every hypergraph.
        warnings.simplefilter("ignore", FutureWarning)
        theirs = [written_diagram(signals, labels, names, q, p) for q, p in pairs]
    same = {
        "one by one": len(pairs),
        "family": sum(
            {one.members for one in found.classes} == own[0] for found, own in zip(hierarchies, ours, strict=True)
        ),
        "pandas, HyperNetX, networkx": sum(one == other for one, other in zip(ours, theirs, strict=True)),
    }
    return [
        [
            name,
            f"{value:.2f}",
            f"{1000 * value / len(pairs):.1f}",
            f"{value / seconds['family']:.1f}",
            f"{same[name]} of {len(pairs)}",
        ]
        for name, value in seconds.items()
    ]


def main(
    images: Annotated[int, typer.Option(help="number of images")] = 10_000,
    threads: Annotated[int, typer.Option(help="threads of each side")] = 1,
    side: Annotated[str, typer.Option(hidden=True)] = "",
    save: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Compare this library with receptive fields, pandas, HyperNetX and networkx."""
    if side:
        measured(side, images, save)
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.npz" for name in SIDES}
        costs = {name: run(name, images, threads, path) for name, path in paths.items()}
        rows = [
            [
                SIDES[name], f"{cost.processor:.1f}", f"{cost.wall:.1f}",
                f"{cost.processor / costs['ours'].processor:.1f}", f"{cost.mib:.0f}",
                f"{difference(paths['ours'], paths[name]):.0e}",
            ]
            for name, cost in costs.items()
        ]  # fmt: skip
    print(markdown_table(["signals", "processor s", "clock s", "ratio", "MiB", "difference"], rows), end="\n\n")
    header = [f"{len(QUANTILES) * len(MAJORITIES)} hypergraphs", "s", "ms for each", "ratio", "same"]
    print(markdown_table(header, hypergraph_rows(images)))


if __name__ == "__main__":
    typer.run(main)
