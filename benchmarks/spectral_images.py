"""Seconds for the spectral images of five layers of VGG-19: one pass over the images against one for each neuron.

    python benchmarks/spectral_images.py              1,000 images of 64 x 64, 100 neurons, layers 6 to 10, one thread
    python benchmarks/spectral_images.py --side 224   images of the paper's size; many times as long

The pass per neuron is what one would write first: for each neuron of each layer the network up to that layer, and one
convolution with the neuron's filter. It takes hours for all images. So both are measured on the same few images, all
neurons and layers, and compared number by number; the 1,000 images go through the one pass alone. Nothing is scaled.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from torch import Tensor

from paperlib.models import VGG, vgg
from paperlib.subspaces import linear_layers
from paperlib.svr import spectral_neurons
from paperlib.svr.images.similarities import sobel_similarities
from paperlib.svr.images.spectral_images import spectral_images
from paperlib.tables import markdown_table


@dataclass(frozen=True)
class Comparison:
    """Seconds of both sides on the same images in each round, and the largest relative difference of a value."""

    images: int
    neurons: int
    layers: int
    one_pass: list[float]
    pass_per_neuron: list[float]
    difference: float

    @property
    def ratio(self) -> float:
        return median(self.pass_per_neuron) / median(self.one_pass)


@dataclass(frozen=True)
class Whole:
    """Seconds of the one pass over all images, with the comparison with Sobel's edges and its two baselines."""

    images: int
    seconds: float


def pass_per_neuron(model: VGG, images: Tensor, paths: list[str], count: int) -> dict[str, Tensor]:
    """Spectral images ``(images, count, *map)`` by a pass for each neuron."""
    found = {}
    for path in paths:
        place = int(path.removeprefix("features."))
        layer = model.features[place]
        filters = spectral_neurons(layer, count=count).V.permute(2, 0, 1).unflatten(2, layer.kernel_size).float()
        maps = []
        for one in filters:
            with torch.no_grad():
                before = model.features[:place](model.standardise(images))
                maps.append(F.conv2d(before, one.unsqueeze(0), padding=layer.padding))
        found[path] = torch.cat(maps, dim=1)
    return found


def compare(model: VGG, images: Tensor, paths: list[str], count: int, rounds: int) -> Comparison:
    """Both sides in turn, after a pass to warm up."""
    spectral_images(model, images, paths, count)
    times: dict[Callable, list[float]] = {spectral_images: [], pass_per_neuron: []}
    differences = []
    for _ in range(rounds):
        found = {}
        for work, seconds in times.items():
            start = time.perf_counter()
            found[work] = work(model, images, paths, count)
            seconds.append(time.perf_counter() - start)
        ours, theirs = found.values()
        differences += [float((ours[path] - theirs[path]).abs().max() / theirs[path].abs().max()) for path in theirs]
    return Comparison(len(images), count, len(paths), *times.values(), max(differences))


def whole(model: VGG, images: Tensor, paths: list[str], count: int) -> Whole:
    start = time.perf_counter()
    sobel_similarities(model, images, paths, count)
    return Whole(len(images), time.perf_counter() - start)


def main(
    images: Annotated[int, typer.Option(help="images of the one pass")] = 1000,
    sample: Annotated[int, typer.Option(help="images that both sides take")] = 8,
    neurons: Annotated[int, typer.Option(help="spectral neurons of each layer")] = 100,
    side: Annotated[int, typer.Option(help="side of the images in pixels")] = 64,
    first: Annotated[int, typer.Option(help="first layer, counted from 0")] = 6,
    last: Annotated[int, typer.Option(help="last layer")] = 10,
    rounds: Annotated[int, typer.Option(help="rounds in turn, after a warm-up")] = 1,
    threads: Annotated[int, typer.Option(help="threads of torch")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables")] = False,
) -> None:
    """Compare one pass over the images with one for each neuron."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    # Weights and pixels are random: the cost does not depend on them.
    model = vgg(19).eval().requires_grad_(False)
    paths = list(linear_layers(model))[first : last + 1]
    pictures = torch.rand(images, 3, side, side)
    found = compare(model, pictures[:sample], paths, neurons, rounds)
    total = whole(model, pictures, paths, neurons)
    if as_json:
        print(json.dumps({"comparison": asdict(found) | {"ratio": found.ratio}, "whole": asdict(total)}))
        return
    header = ["images", "one pass, s: median (range)", "pass per neuron, s: median (range)", "ratio"]
    row = [str(found.images), spread(found.one_pass), spread(found.pass_per_neuron), f"{found.ratio:.0f}"]
    print(f"VGG-19 on images of {side} x {side}, layers {first} to {last}, {neurons} neurons each; both sides measured")
    print(markdown_table([*header, "largest relative difference"], [[*row, f"{found.difference:.0e}"]]))
    print(f"\nOne pass over {images} images with Sobel's edges and both baselines: {total.seconds:.1f} s")


def spread(times: list[float]) -> str:
    return f"{median(times):.2f} ({min(times):.2f} to {max(times):.2f})"


if __name__ == "__main__":
    typer.run(main)
