"""Time and peak memory of the products with a U-Net's frozen network, beside torch's automatic differentiation.

    python benchmarks/products.py                           volumes of 32^3, one thread
    python benchmarks/products.py --side 64 --depth 5
    python benchmarks/products.py --dimensions 2 --side 256 --depth 5

The times are taken in turn in one process, one product of one vector each. The memory is that of a process of its own,
beyond the model, the image and the vector: the largest during a product, with what is kept from one product to the next
(masks, a retained graph); "in all" also while that is made.
"""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from paperlib.costs.products import ProductCost, product_costs
from paperlib.tables import markdown_table


def row(cost: ProductCost, ours: ProductCost) -> list[str]:
    """One way, with its time and memory as multiples of the frozen network's."""
    milliseconds = [1000 * seconds for seconds in (cost.seconds, cost.fastest, cost.slowest)]
    return [
        {"product": "A v", "adjoint": "A^T z"}[cost.direction],
        cost.way,
        "{:.1f} ({:.1f} to {:.1f})".format(*milliseconds),
        f"{cost.seconds / ours.seconds:.2f}",
        f"{cost.product_mib:.0f}",
        f"{cost.product_mib / ours.product_mib:.2f}",
        f"{cost.peak_mib:.0f}",
        f"{cost.difference:.0e}",
    ]


def main(
    dimensions: Annotated[int, typer.Option(help="spatial axes, 2 or 3")] = 3,
    side: Annotated[int, typer.Option(help="side of the image, a multiple of 2^(depth - 1)")] = 32,
    filters: Annotated[int, typer.Option(help="filters of every convolution")] = 32,
    depth: Annotated[int, typer.Option(help="levels of resolution")] = 4,
    channels: Annotated[int, typer.Option(help="channels of the image")] = 4,
    threads: Annotated[int, typer.Option(help="threads of torch")] = 1,
    rounds: Annotated[int, typer.Option(help="rounds in turn, after one warm-up")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
) -> None:
    """Compare products with the frozen network with those of torch.func."""
    settings = {"filters": filters, "depth": depth, "channels": channels, "threads": threads, "rounds": rounds}
    costs = product_costs(dimensions, side, **settings)
    if as_json:
        print(json.dumps([asdict(cost) for cost in costs]))
        return
    ours = {cost.direction: cost for cost in costs if cost.way == "frozen network"}
    header = [
        "product",
        "way",
        "ms: median (range)",
        "times ours",
        "MiB",
        "times ours",
        "MiB in all",
        "largest difference",
    ]
    print(markdown_table(header, [row(cost, ours[cost.direction]) for cost in costs]))


if __name__ == "__main__":
    typer.run(main)
