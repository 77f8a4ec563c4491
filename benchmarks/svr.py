"""Seconds and memory for the singular value representation of a VGG-19, against NumPy and SciPy.

    python benchmarks/svr.py               all 16 convolutions and 3 fully connected layers, random He weights
    python benchmarks/svr.py --count 128   the 128 largest spectral neurons of each layer, and SciPy's svds beside
    python benchmarks/svr.py --decay 0.5   singular values that fall off, unlike the dense spectrum of random weights
    python benchmarks/svr.py --small       an eighth of the channels, to try it out

The peers are what one writes from the paper's formulas: `numpy.linalg.svd` of each flattened layer (or
`scipy.sparse.linalg.svds`, as the authors have it), `numpy.tensordot` of the two representations, squares and their
sum. Every side runs in a process of its own and on the same weights; singular values and coefficients are compared.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from scipy import stats
from scipy.sparse.linalg import svds
from torch import Tensor

from paperlib.svr import Adjacency, Connection, Layer, Representation, representation_of_weights, significant_edges
from paperlib.tables import markdown_table

CONVOLUTIONS = [64, 64, 128, 128, *[256] * 4, *[512] * 8]
FULLY_CONNECTED = [4096, 4096, 1000]
PLACES = 49
SIDES = {"ours": "this library", "numpy": "numpy.linalg.svd, tensordot", "svds": "scipy svds, tensordot"}
TESTS = {
    "p = 0.00135": (0.00135, "none"),
    "p = 0.15": (0.15, "none"),
    "false discovery rate 0.05": (0.05, "false_discovery_rate"),
}

# Singular values and coefficients of each layer and each pair.
Found = tuple[list[np.ndarray], list[np.ndarray]]


@dataclass(frozen=True)
class Cost:
    """Processor seconds, seconds on the clock, and peak memory of one side's process beyond the weights."""

    processor: float
    wall: float
    mib: float


def vgg19(small: bool, decay: float) -> list[Tensor]:
    """He-initialised weights in single precision; filter i of a layer times ``(i + 1)^-decay``."""
    generator = torch.Generator().manual_seed(0)
    part = 8 if small else 1
    shapes, before = [], 3
    for channels in CONVOLUTIONS:
        shapes.append((channels // part, before, 3, 3))
        before = channels // part
    before *= PLACES
    for outputs in FULLY_CONNECTED:
        shapes.append((outputs // part, before))
        before = outputs // part
    weights = []
    for shape in shapes:
        drawn = torch.randn(shape, generator=generator).mul_((2 / np.prod(shape[1:])) ** 0.5)
        rows = torch.arange(1.0, shape[0] + 1).pow(-decay)
        weights.append(drawn.mul_(rows.reshape(-1, *[1] * (len(shape) - 1))))
    return weights


def ours(weights: list[Tensor], count: int | None) -> Found:
    found = representation_of_weights(weights, count=count)
    values = [layer.singular_values.numpy() for layer in found.layers]
    return values, [connection.adjacency.coefficients.numpy() for connection in found.connections]


def formulas(weights: list[Tensor], count: int | None, krylov: bool) -> Found:
    """The paper's formulas one after the other."""
    values, outputs, inputs = [], [], []
    for weight in weights:
        matrix = weight.numpy().reshape(len(weight), -1).astype(np.float64)
        if krylov and count is not None and min(matrix.shape) > count:
            u, s, vh = svds(matrix, k=count, rng=0)
            u, s, vh = u[:, ::-1], s[::-1], vh[::-1]
        else:
            u, s, vh = np.linalg.svd(matrix, full_matrices=False)
        kept = int((s > max(matrix.shape) * np.finfo(np.float32).eps * s[0]).sum())
        kept = kept if count is None else min(kept, count)
        values.append(s[:kept])
        outputs.append(u[:, :kept])
        inputs.append(vh[:kept].T)
    coefficients = []
    for u, v in zip(outputs[:-1], inputs[1:], strict=True):
        v = v.reshape(len(u), -1, v.shape[1])
        coefficients.append((np.tensordot(v.T, u, 1) ** 2).sum(axis=1))
    return values, coefficients


def measured(side: str, count: int | None, small: bool, decay: float, path: str) -> None:
    """Run one side, save what it found at ``path`` and print its cost."""
    torch.set_grad_enabled(False)
    works: dict[str, Callable[[], Found]] = {
        "ours": lambda: ours(weights, count),
        "numpy": lambda: formulas(weights, count, krylov=False),
        "svds": lambda: formulas(weights, count, krylov=True),
    }
    weights = vgg19(small, decay)
    before, clock, processor = peak(), time.perf_counter(), time.process_time()
    values, coefficients = works[side]()
    cost = [time.process_time() - processor, time.perf_counter() - clock, peak() - before]
    arrays = {f"s{index:02d}": one for index, one in enumerate(values)}
    np.savez(path, **arrays, **{f"a{index:02d}": one for index, one in enumerate(coefficients)})
    print(json.dumps(cost))


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(side: str, options: list[str], threads: int, path: Path) -> Cost:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    command = [sys.executable, __file__, *options, "--side", side, "--save", str(path)]
    environment = os.environ | dict.fromkeys(names, str(threads))
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return Cost(*json.loads(found.stdout))


def difference(first: Path, second: Path, letter: str) -> float:
    """Largest difference of a singular value (``"s"``), relative to its layer's largest, or of a coefficient."""
    with np.load(first) as one, np.load(second) as other:
        names = [name for name in one if name.startswith(letter)]
        return max(
            float(abs(one[name] - other[name]).max() / (one[name].max() if letter == "s" else 1)) for name in names
        )


def loaded(path: Path, weights: list[Tensor]) -> Representation:
    with np.load(path) as found:
        values = [torch.from_numpy(found[name]) for name in sorted(found) if name.startswith("s")]
        coefficients = [torch.from_numpy(found[name]) for name in sorted(found) if name.startswith("a")]
    layers = [
        Layer(str(index), "convolution" if weight.dim() > 2 else "fully_connected", "svr", tuple(weight.shape), s)
        for index, (weight, s) in enumerate(zip(weights, values, strict=True))
    ]
    connections = []
    for index, ((before, after), a) in enumerate(zip(pairwise(weights), coefficients, strict=True)):
        adjacency = Adjacency(a, len(before), after[0].numel() // len(before))
        connections.append(Connection(index, index + 1, adjacency))
    return Representation(tuple(layers), tuple(connections))


def straightforward_edges(found: Representation, p: float, correction: str) -> int:
    """Number of edges by p-values of all coefficients, as one writes it."""
    matrices = [connection.adjacency for connection in found.connections]
    p_values = np.concatenate(
        [stats.chi2.sf(a.coefficients.numpy() * a.channels * a.degrees, a.degrees).ravel() for a in matrices]
    )
    if correction == "none":
        return int((p_values <= p).sum())
    ordered = np.sort(p_values)
    passing = np.flatnonzero(ordered <= p * np.arange(1, len(ordered) + 1) / len(ordered))
    return int(passing[-1]) + 1 if len(passing) else 0


def edges(found: Representation) -> list[list[str]]:
    rows = []
    for title, (p, correction) in TESTS.items():
        start = time.process_time()
        ours = significant_edges(found, p, correction=correction)
        between = time.process_time()
        peer = straightforward_edges(found, p, correction)
        end = time.process_time()
        times = [f"{between - start:.2f}", f"{end - between:.2f}", f"{(end - between) / (between - start):.0f}"]
        rows.append([title, f"{len(ours):,}", f"{peer:,}", f"{ours.expected_false:,.0f}", *times])
    return rows


def main(
    count: Annotated[int, typer.Option(help="largest spectral neurons of each layer; 0 for all")] = 0,
    decay: Annotated[float, typer.Option(help="filter i of each layer times (i + 1)^-decay")] = 0.0,
    threads: Annotated[int, typer.Option(help="threads of each side")] = 1,
    small: Annotated[bool, typer.Option("--small", help="an eighth of the channels")] = False,
    side: Annotated[str, typer.Option(hidden=True)] = "",
    save: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Compare this library with the paper's formulas in NumPy and SciPy."""
    if side:
        measured(side, count or None, small, decay, save)
        return
    options = ["--count", str(count), "--decay", str(decay), *(["--small"] if small else [])]
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.npz" for name in (SIDES if count else ("ours", "numpy"))}
        costs = {name: run(name, options, threads, path) for name, path in paths.items()}
        rows = [
            [
                SIDES[name], f"{cost.processor:.1f}", f"{cost.wall:.1f}",
                f"{cost.processor / costs['ours'].processor:.1f}", f"{cost.mib:.0f}",
                *(f"{difference(paths['ours'], paths[name], letter):.0e}" for letter in "sa"),
            ]
            for name, cost in costs.items()
        ]  # fmt: skip
        found = edges(loaded(paths["ours"], vgg19(small, decay)))
    header = ["", "processor s", "clock s", "ratio", "MiB", "difference of a value", "of a coefficient"]
    print(markdown_table(header, rows), end="\n\n")
    print(markdown_table(["edges", "found", "by all p-values", "by chance", "s", "s by all p-values", "ratio"], found))


if __name__ == "__main__":
    typer.run(main)
