"""All singular values of VGG-16's convolutions with a circular boundary, against NumPy's FFT and batched SVD.

    python benchmarks/spectra.py              all 13 convolutions at 224 x 224, random He weights, one thread
    python benchmarks/spectra.py --threads 2  two threads for each side
    python benchmarks/spectra.py --small      a quarter of the channels at 64 x 64, to try it out

The peer is what Sedghi et al. (2019) publish and `convsvd` uses: `numpy.fft.fft2` of the kernel, padded with zeros to
the size of the input, and `numpy.linalg.svd` without vectors of the stack of matrices. Every side runs in a process of
its own on the same float32 weights, layer by layer; all singular values are compared, relative to the layer's largest.
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
from math import sqrt
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from paperlib.spectra import circular_singular_values
from paperlib.tables import markdown_table

CHANNELS = [3, 64, 64, 128, 128, 256, 256, 256, *[512] * 6]
HALVED = [0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
SIDES = {
    "ours": "this library, tolerance 1e-6",
    "coarse": "this library, tolerance 2e-3",
    "numpy": "numpy.fft.fft2, numpy.linalg.svd",
}


@dataclass(frozen=True)
class Cost:
    """Processor seconds and seconds on the clock, and peak MiB of the process so far beyond what it started with."""

    processor: float
    wall: float
    mib: float


def weights(small: bool) -> list[tuple[Tensor, int]]:
    """He-initialised weights in single precision, and the side of the map that each convolution reads."""
    generator = torch.Generator().manual_seed(0)
    part, side = (4, 64) if small else (1, 224)
    channels = [3, *(count // part for count in CHANNELS[1:])]
    drawn = []
    for (before, after), halved in zip(pairwise(channels), HALVED, strict=True):
        weight = torch.randn((after, before, 3, 3), generator=generator).mul_(sqrt(2 / (9 * before)))
        drawn.append((weight, side // 2**halved))
    return drawn


def peer(weight: Tensor, side: int) -> np.ndarray:
    """Singular values as published."""
    kernel = weight.permute(2, 3, 0, 1).numpy()
    transforms = np.fft.fft2(kernel, (side, side), axes=[0, 1])
    return np.linalg.svd(transforms, compute_uv=False).ravel()


def measured(side: str, small: bool, path: str) -> None:
    """Run one side layer by layer, save its values at ``path`` and print its costs."""
    works: dict[str, Callable[[Tensor, int], np.ndarray]] = {
        "ours": lambda weight, size: circular_singular_values(weight, (size, size), tolerance=1e-6).numpy(),
        "coarse": lambda weight, size: circular_singular_values(weight, (size, size), tolerance=2e-3).numpy(),
        "numpy": peer,
    }
    drawn = weights(small)
    started, costs, values = peak(), [], {}
    for index, (weight, size) in enumerate(drawn):
        clock, processor = time.perf_counter(), time.process_time()
        found = works[side](weight, size)
        costs.append([time.process_time() - processor, time.perf_counter() - clock, peak() - started])
        values[f"{index:02d}"] = np.sort(found)[::-1].astype(np.float64)
        print(f"{side}, convolution {index}: {costs[-1][1]:.1f} s", file=sys.stderr, flush=True)
    np.savez(path, **values)
    print(json.dumps(costs))


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(side: str, options: list[str], threads: int, path: Path) -> list[Cost]:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    command = [sys.executable, __file__, *options, "--side", side, "--save", str(path)]
    environment = os.environ | dict.fromkeys(names, str(threads))
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return [Cost(*cost) for cost in json.loads(found.stdout)]


def differences(first: Path, second: Path) -> list[float]:
    """Largest difference of a singular value of each layer, relative to its largest; NaN where counts differ."""
    found = []
    with np.load(first) as one, np.load(second) as other:
        for name in sorted(one):
            same = len(one[name]) == len(other[name])
            found.append(float(abs(one[name] - other[name]).max() / one[name].max()) if same else float("nan"))
    return found


def main(
    threads: Annotated[int, typer.Option(help="threads of each side")] = 1,
    small: Annotated[bool, typer.Option("--small", help="a quarter of the channels at 64 x 64")] = False,
    side: Annotated[str, typer.Option(hidden=True)] = "",
    save: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Compare this library with NumPy's FFT and batched SVD."""
    if side:
        measured(side, small, save)
        return
    options = ["--small"] if small else []
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.npz" for name in SIDES}
        costs = {name: run(name, options, threads, path) for name, path in paths.items()}
        apart = {name: differences(paths["numpy"], paths[name]) for name in ("ours", "coarse")}
    rows = []
    for index, (weight, size) in enumerate(weights(small)):
        ours, coarse, other = (costs[name][index] for name in SIDES)
        rows.append(
            [
                index, f"{weight.shape[1]} to {weight.shape[0]}, {size} x {size}",
                *(f"{cost.processor:.2f}" for cost in (ours, coarse, other)),
                f"{other.processor / ours.processor:.1f}", *(f"{apart[name][index]:.0e}" for name in apart),
            ]
        )  # fmt: skip
    header = ["", "convolution", "s, 1e-6", "s, 2e-3", "s, NumPy", "ratio", "difference, 1e-6", "2e-3"]
    print(markdown_table(header, rows), end="\n\n")
    print(markdown_table(["all", "processor s", "clock s", "ratio", "clock ratio", "peak MiB"], totals(costs)))


def totals(costs: dict[str, list[Cost]]) -> list[list[str]]:
    sums = {
        name: Cost(sum(c.processor for c in found), sum(c.wall for c in found), max(c.mib for c in found))
        for name, found in costs.items()
    }
    peers = sums["numpy"]
    return [
        [
            SIDES[name], f"{cost.processor:.1f}", f"{cost.wall:.1f}", f"{peers.processor / cost.processor:.1f}",
            f"{peers.wall / cost.wall:.1f}", f"{cost.mib:.0f}",
        ]
        for name, cost in sums.items()
    ]  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
