"""Seconds for the ideal inputs of three digit classifiers: one batched optimisation against image by image.

    python benchmarks/ideal_inputs.py               all ten classes and three starts, 100 steps, two threads
    python benchmarks/ideal_inputs.py --innermost   a faster loop: channels innermost, as checkpoints are loaded here

Both sides take the same 30 images through the same steps of the same networks, and their losses are compared. The loop
is what the authors' description implies: weights frozen, ``torch.optim.SGD`` on one image at a time.
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
from paperlib.ideal_inputs import ideal_outputs, output_ranges, start_images, train_inputs
from paperlib.models import build
from paperlib.tables import markdown_table
from paperlib.training import predict
from paperlib.vectorspaces.networks import TITLES, recipes

LEARNING_RATE = 1e-4


@dataclass(frozen=True)
class Row:
    """A network: seconds of both sides in each round, and the largest relative difference of a loss."""

    network: str
    loop: list[float]
    batched: list[float]
    difference: float

    @property
    def ratio(self) -> float:
        return median(self.loop) / median(self.batched)


def networks(memory_format: torch.memory_format) -> dict[str, nn.Module]:
    """The paper's three networks with random weights: the cost does not depend on them."""
    settings = {"epochs": 1, "resnet_epochs": 1, "batch_size": 32, "learning_rate": 0.001, "momentum": 0.9}
    found = recipes(data="mnist_5000", validation_count=0, bias=False, activation="selu", seed=0, **settings)
    torch.manual_seed(0)
    models = {name: build(recipe.architecture, **recipe.options) for name, recipe in found.items()}
    return {name: model.eval().requires_grad_(False).to(memory_format=memory_format) for name, model in models.items()}


def problem(model: nn.Module) -> tuple[Tensor, Tensor]:
    """Thirty starting images and their ideal outputs."""
    data = datasets.load("mnist_5000", "train")
    outputs = predict(model, data.images)
    ideal = ideal_outputs(output_ranges(outputs, data.labels))
    starts = start_images(data.images, outputs, data.labels, ideal)
    return torch.cat(list(starts.values())), ideal.repeat(len(starts), 1)


def loop(model: nn.Module, starts: Tensor, targets: Tensor, steps: int) -> Tensor:
    """Losses ``(steps + 1, images)`` of one image after the other."""
    losses = torch.empty(steps + 1, len(starts))
    for index, (start, target) in enumerate(zip(starts, targets, strict=True)):
        image = start.unsqueeze(0).clone().requires_grad_(True)
        optimiser = torch.optim.SGD([image], lr=LEARNING_RATE)
        for step in range(steps):
            optimiser.zero_grad()
            loss = nn.functional.mse_loss(model(image), target.unsqueeze(0))
            losses[step, index] = loss.item()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            losses[steps, index] = nn.functional.mse_loss(model(image), target.unsqueeze(0))
    return losses


def batched(model: nn.Module, starts: Tensor, targets: Tensor, steps: int) -> Tensor:
    """The same losses from one run of all images."""
    return train_inputs(model, starts, targets, steps=steps, learning_rate=LEARNING_RATE).losses


def compare(steps: int, rounds: int, memory_format: torch.memory_format) -> list[Row]:
    """Both sides in turn for each network, after a few steps to warm up."""
    rows = []
    for name, model in networks(memory_format).items():
        starts, targets = problem(model)
        for work in (loop, batched):
            work(model, starts, targets, 2)
        times, differences = {loop: [], batched: []}, []
        for _ in range(rounds):
            losses = [timed(work, times[work], model, starts, targets, steps) for work in (loop, batched)]
            differences.append(float(((losses[1] - losses[0]).abs() / losses[0].amax(dim=0)).max()))
        rows.append(Row(TITLES[name], times[loop], times[batched], max(differences)))
    return rows


def timed(work: Callable[..., Tensor], times: list[float], *arguments) -> Tensor:
    start = time.perf_counter()
    losses = work(*arguments)
    times.append(time.perf_counter() - start)
    return losses


def main(
    steps: Annotated[int, typer.Option(help="steps of gradient descent")] = 100,
    rounds: Annotated[int, typer.Option(help="rounds in turn, after a warm-up")] = 3,
    threads: Annotated[int, typer.Option(help="threads of torch")] = 2,
    innermost: Annotated[
        bool, typer.Option("--innermost", help="weights as checkpoints are loaded, not as built")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
) -> None:
    """Compare one batched optimisation with the loop over images."""
    torch.set_num_threads(threads)
    rows = compare(steps, rounds, torch.channels_last if innermost else torch.contiguous_format)
    if as_json:
        print(json.dumps([asdict(row) | {"ratio": row.ratio} for row in rows]))
        return
    totals = [
        [sum(times) for times in zip(*sides, strict=True)]
        for sides in ([r.loop for r in rows], [r.batched for r in rows])
    ]
    rows.append(Row("all three", *totals, max(row.difference for row in rows)))
    table = [
        [row.network, spread(row.loop), spread(row.batched), f"{row.ratio:.1f}", f"{row.difference:.0e}"]
        for row in rows
    ]
    header = ["network", "image by image, s: median (range)", "one batch, s: median (range)", "ratio"]
    print(markdown_table([*header, "largest relative difference of a loss"], table))


def spread(times: list[float]) -> str:
    return f"{median(times):.3f} ({min(times):.3f} to {max(times):.3f})"


if __name__ == "__main__":
    typer.run(main)
