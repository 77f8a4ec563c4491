"""Seconds per image for the ten singular triplets of the MNIST classifier's ``A[x]``, solvers side by side.

    python benchmarks/mnist_svd.py                  all solvers, one thread
    python benchmarks/mnist_svd.py --scaling        time and memory for 1,000 and for 10,000 images

All solvers see the same network and the same images in one run, in turn, and the medians over the rounds are compared.
The floor is the cost of the ten bare adjoint products: torch's own matrix products and transposed convolutions for
ten rows an image, with no mask, no up-sampling and no decomposition between them.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from scipy.sparse.linalg import svds
from torch import Tensor, nn

from paperlib import datasets
from paperlib.analysis import projection_table
from paperlib.models import mnist_cnn
from paperlib.operators import Compiled, to_scipy
from paperlib.svd import batched_svd, slepc_svd
from paperlib.tables import markdown_table

RANK = 10


@dataclass(frozen=True)
class Row:
    """A solver: median milliseconds per image, the range over the rounds, and the largest relative error of a value."""

    solver: str
    milliseconds: float
    fastest: float
    slowest: float
    error: float | None


def floor(model: nn.Sequential, count: int) -> Callable[[], None]:
    """Ten bare adjoint products for each of ``count`` images: torch's kernels alone."""
    rows = count * RANK
    maps = torch.randn(rows, 64, 14, 14).contiguous(memory_format=torch.channels_last)
    first = torch.randn(rows, 32, 28, 28).contiguous(memory_format=torch.channels_last)
    logits, hidden2, hidden1 = torch.randn(rows, 10), torch.randn(rows, 256), torch.randn(rows, 512)

    def products() -> None:
        logits @ model.linear3.weight
        hidden2 @ model.linear2.weight
        hidden1 @ model.linear1.weight
        F.conv_transpose2d(maps, model.conv2.weight, padding=2)
        F.conv_transpose2d(first, model.conv1.weight, padding=2)

    return products


def solvers(model: nn.Sequential, images: Tensor) -> dict[str, Callable[[], Tensor]]:
    """Each solver as a function that returns the singular values ``(count, 10)`` of all images."""
    compiled = Compiled(model)

    def exact() -> Tensor:
        return batched_svd(compiled.freeze(images)).S

    def slepc() -> Tensor:
        frozen = compiled.freeze(images)
        return torch.stack([slepc_svd(frozen[i], RANK).S for i in range(len(images))])

    def scipy() -> Tensor:
        frozen = compiled.freeze(images)
        # ARPACK finds fewer triplets than the small side; nine is what a user of svds gets from ten rows.
        found = [svds(to_scipy(frozen[i]), k=RANK - 1, tol=1e-5)[1][::-1].copy() for i in range(len(images))]
        return torch.stack([torch.from_numpy(values) for values in found]).double()

    def autograd() -> Tensor:
        jacobian = torch.func.vmap(torch.func.jacrev(lambda x: model(x.unsqueeze(0)).squeeze(0)))
        return torch.linalg.svd(jacobian(images).flatten(2), full_matrices=False).S.double()

    return {
        "exact path": exact,
        "autograd Jacobian + torch.linalg.svd": autograd,
        "SciPy svds (ARPACK, 9 triplets)": scipy,
        "SLEPc cross": slepc,
    }


def reference_values(model: nn.Sequential, images: Tensor) -> Tensor:
    """Singular values ``(count, 10)`` of the float64 Jacobian from autograd."""
    double = mnist_cnn().double()
    double.load_state_dict(model.state_dict())
    jacobian = torch.func.vmap(torch.func.jacrev(lambda x: double(x.unsqueeze(0)).squeeze(0)))
    return torch.linalg.svdvals(jacobian(images.double()).flatten(2))


def compare(count: int, rounds: int) -> list[Row]:
    """Run every solver ``rounds`` times in turn after one warm-up; the first row is the floor."""
    model, images = network(), datasets.load("mnist_5000", "test").images
    images = images[:: len(images) // count][:count]
    truth = reference_values(model, images)
    works = {"ten bare adjoint products (floor)": floor(model, count), **solvers(model, images)}
    errors = {}
    for name, work in works.items():
        values = work()
        errors[name] = None if values is None else float((values / truth[:, : values.shape[1]] - 1).abs().max())
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append(1000 * (time.perf_counter() - start) / count)
    return [Row(name, median(t), min(t), max(t), errors[name]) for name, t in times.items()]


def network() -> nn.Sequential:
    """The paper's classifier with random weights: the cost does not depend on them."""
    torch.manual_seed(0)
    return mnist_cnn().eval().requires_grad_(False)


def scaling(count: int) -> dict[str, float]:
    """Seconds and peak memory of the whole table for ``count`` images, in a process of its own."""
    command = [sys.executable, __file__, "--measure-one", str(count)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure_one(count: int) -> dict[str, float]:
    data = datasets.load("mnist_5000", "train")
    data = datasets.select(data, torch.arange(count) % len(data), f"{count} images")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    projection_table(network(), data)
    seconds = time.perf_counter() - start
    return {
        "count": count,
        "seconds": seconds,
        "before_mib": before,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main(
    images: Annotated[int, typer.Option(help="images that every solver decomposes")] = 20,
    rounds: Annotated[int, typer.Option(help="rounds in turn, after one warm-up")] = 5,
    threads: Annotated[int, typer.Option(help="threads of torch")] = 1,
    scale: Annotated[bool, typer.Option("--scaling", help="1,000 and 10,000 images instead")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
    one: Annotated[int, typer.Option("--measure-one", hidden=True)] = 0,
) -> None:
    """Compare the solvers of this library with what a user would pick instead."""
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    if one:
        print(json.dumps(measure_one(one)))
        return
    if scale:
        found = [scaling(count) for count in (1000, 10_000)]
        rows = [
            [f"{f['count']:,}", f"{f['seconds']:.1f}", f"{f['peak_mib']:.0f}", f"{f['peak_mib'] - f['before_mib']:.0f}"]
            for f in found
        ]
        print(
            json.dumps(found)
            if as_json
            else markdown_table(["images", "seconds", "peak MiB", "MiB beyond the data"], rows)
        )
        return
    found = compare(images, rounds)
    if as_json:
        print(json.dumps([asdict(row) for row in found]))
        return
    base, exact = found[0].milliseconds, found[1].milliseconds
    table = [
        [
            row.solver,
            f"{row.milliseconds:.2f} ({row.fastest:.2f} to {row.slowest:.2f})",
            f"{row.milliseconds / base:.2f}",
            f"{row.milliseconds / exact:.1f}",
            "" if row.error is None else f"{row.error:.0e}",
        ]
        for row in found
    ]
    print(
        markdown_table(
            [
                "solver",
                "ms per image: median (range)",
                "times the floor",
                "times the exact path",
                "largest relative error",
            ],
            table,
        )
    )


if __name__ == "__main__":
    typer.run(main)
