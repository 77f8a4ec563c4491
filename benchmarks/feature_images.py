"""Seconds for the optimised images of a figure: all in one optimisation against one after the other.

    python benchmarks/feature_images.py                    32 directions of conv2 of the MNIST network, one thread
    python benchmarks/feature_images.py --images 10        as many as one figure of the paper has

Both sides run the same library on the same random weights, and the objectives of their images are compared: batches of
another size are summed in another order, and many steps make small differences of pixels large. Nothing is scaled.
"""

import json
import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated

import torch
import typer
from torch import Tensor, nn

from paperlib.featurevis import VisualisationSettings, optimise
from paperlib.models import four_layer_cnn
from paperlib.tables import markdown_table


@dataclass(frozen=True)
class Comparison:
    """Seconds of both sides in each round, and the largest relative difference of a final objective."""

    images: int
    steps: int
    together: list[float]
    one_by_one: list[float]
    difference: float

    @property
    def ratio(self) -> float:
        return median(self.one_by_one) / median(self.together)


def together(model: nn.Module, path: str, images: int, settings: VisualisationSettings) -> Tensor:
    return optimise(model, path, range(images), settings=settings, seed=0).final


def one_by_one(model: nn.Module, path: str, images: int, settings: VisualisationSettings) -> Tensor:
    return torch.cat([optimise(model, path, [number], settings=settings, seed=0).final for number in range(images)])


def compare(model: nn.Module, path: str, images: int, settings: VisualisationSettings, rounds: int) -> Comparison:
    """Both sides in turn, after a few steps to warm up."""
    optimise(model, path, [0], settings=VisualisationSettings(steps=3))
    times: dict = {together: [], one_by_one: []}
    differences = []
    for _ in range(rounds):
        found = []
        for work, seconds in times.items():
            start = time.perf_counter()
            found.append(work(model, path, images, settings))
            seconds.append(time.perf_counter() - start)
        differences.append(float(((found[0] - found[1]) / found[1]).abs().max()))
    return Comparison(images, settings.steps, *times.values(), max(differences))


def main(
    images: Annotated[int, typer.Option(help="directions, from the largest singular value")] = 32,
    path: Annotated[str, typer.Option(help="layer of the MNIST network")] = "conv2",
    steps: Annotated[int, typer.Option(help="steps of each optimisation")] = 64,
    rounds: Annotated[int, typer.Option(help="rounds in turn, after a warm-up")] = 3,
    threads: Annotated[int, typer.Option(help="threads of torch")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
) -> None:
    """Compare one optimisation of all images with one for each."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    # Weights are random: the cost does not depend on them.
    model = four_layer_cnn().eval().requires_grad_(False)
    found = compare(model, path, images, VisualisationSettings(steps=steps, batch_size=images), rounds)
    if as_json:
        print(json.dumps(asdict(found) | {"ratio": found.ratio}))
        return
    header = ["images", "steps", "together, s: median (range)", "one by one, s: median (range)", "ratio", "difference"]
    row = [found.images, found.steps, spread(found.together), spread(found.one_by_one), f"{found.ratio:.1f}"]
    print(markdown_table(header, [[*row, f"{found.difference:.0e}"]]))


def spread(seconds: list[float]) -> str:
    return f"{median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    typer.run(main)
