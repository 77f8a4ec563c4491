"""Processor seconds to train twenty networks of one architecture: all at once against one after another.

    python benchmarks/ensembles.py           an epoch of 4,000 images, three widths, three optimisers, one thread
    python benchmarks/ensembles.py --fused   against a faster loop: optimisers that read the weights once

The loop is what one would write first: a network, an optimiser of torch, mini-batch after mini-batch, for one seed
after the other. Both sides start from the same weights, see the same images and measure the same test accuracies; the
weights that they end with are compared.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated

import torch
import typer
from torch import Tensor, nn

from paperlib import datasets
from paperlib.datasets import ImageData
from paperlib.svr.experiments.internal_sweep import OPTIMISERS, TITLES, sweep_recipe
from paperlib.tables import markdown_table
from paperlib.training import Recipe, accuracy, initial_network
from paperlib.training.ensembles import train_ensemble, with_seed

Weights = list[dict[str, Tensor]]


@dataclass(frozen=True)
class Row:
    """A width and an optimiser: seconds of both sides in each round, and how far the weights are apart.

    ``differences`` has for each network the largest difference of a weight, relative to the largest of its layer.
    """

    width: int
    optimiser: str
    loop: list[float]
    together: list[float]
    differences: list[float]

    @property
    def ratio(self) -> float:
        return median(self.loop) / median(self.together)


def one_by_one(recipe: Recipe, seeds: range, train: ImageData, test: ImageData, fused: bool) -> Weights:
    """The trained weights of each seed, by a plain loop."""
    found = []
    settings = {"lr": recipe.learning_rate} | ({"fused": True} if fused else {})
    for seed in seeds:
        model = initial_network(with_seed(recipe, seed))
        if recipe.optimiser == "adam":
            optimiser = torch.optim.Adam(model.parameters(), **settings)
        else:
            optimiser = torch.optim.SGD(model.parameters(), momentum=recipe.momentum, **settings)
        accuracy(model, test)
        for epoch in range(recipe.epochs):
            order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
            for batch in order.split(recipe.batch_size):
                optimiser.zero_grad()
                nn.functional.cross_entropy(model(train.images[batch]), train.labels[batch]).backward()
                optimiser.step()
            accuracy(model, test)
        found.append({name: value.detach() for name, value in model.state_dict().items()})
    return found


def at_once(recipe: Recipe, seeds: range, train: ImageData, test: ImageData) -> Weights:
    """The same weights from one batched training."""
    weights = train_ensemble(recipe, seeds, train, test).weights
    return [{name: value[index] for name, value in weights.items()} for index in range(len(seeds))]


def compare(widths: list[int], networks: int, rounds: int, fused: bool) -> list[Row]:
    """Both sides in turn for each width and optimiser, after a round of two networks to warm up."""
    train, test = datasets.load("mnist_5000", "train"), datasets.load("mnist_5000", "test")
    rows = []
    for width in widths:
        for optimiser in OPTIMISERS:
            recipe, seeds = sweep_recipe("mnist_5000", width, optimiser, epochs=1), range(networks)
            one_by_one(recipe, range(2), train, test, fused)
            at_once(recipe, range(2), train, test)
            loop, together = [], []
            for _ in range(rounds):
                first = timed(loop, one_by_one, recipe, seeds, train, test, fused)
                second = timed(together, at_once, recipe, seeds, train, test)
            rows.append(Row(width, optimiser, loop, together, differences(first, second)))
    return rows


def timed(times: list[float], work: Callable[..., Weights], *arguments) -> Weights:
    """Processor time, which other programs on the machine change little."""
    start = time.process_time()
    found = work(*arguments)
    times.append(time.process_time() - start)
    return found


def differences(first: Weights, second: Weights) -> list[float]:
    """For each network the largest difference of a weight, relative to the largest weight of its layer."""
    return [
        max(((a[name] - b[name]).abs().max() / a[name].abs().max()).item() for name in a)
        for a, b in zip(first, second, strict=True)
    ]


def main(
    widths: Annotated[str, typer.Option(help="n of the networks [784, n, n, 10]")] = "10,40,200",
    networks: Annotated[int, typer.Option(help="networks of each kind")] = 20,
    rounds: Annotated[int, typer.Option(help="rounds in turn, after a warm-up")] = 3,
    fused: Annotated[bool, typer.Option("--fused", help="fused optimisers in the loop too")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
) -> None:
    """Compare one batched training with a loop over networks."""
    torch.set_num_threads(1)
    rows = compare([int(width) for width in widths.split(",")], networks, rounds, fused)
    if as_json:
        print(json.dumps([asdict(row) | {"ratio": row.ratio} for row in rows]))
        return
    table = [
        [
            row.width,
            TITLES[row.optimiser],
            spread(row.loop),
            spread(row.together),
            f"{row.ratio:.1f}",
            f"{median(row.differences):.0e}",
            f"{max(row.differences):.0e}",
        ]
        for row in rows
    ]
    header = ["n", "optimiser", "one after another, s", "at once, s", "ratio", "relative difference", "largest"]
    print(markdown_table(header, table))


def spread(times: list[float]) -> str:
    return f"{median(times):.2f} ({min(times):.2f} to {max(times):.2f})"


if __name__ == "__main__":
    typer.run(main)
