"""Seconds and memory of a power-law fit, against the powerlaw package.

    python benchmarks/power_law.py              500 to 4,000 values on both sides, and 3 million on ours alone
    python benchmarks/power_law.py --values 0   without the 3 million

Both sides choose x_min among all distinct values but the two largest, by the least Kolmogorov-Smirnov distance. The
values are those of three laws: a power law throughout; that of a random matrix, whose candidates are nearly all worse
than the best; and circular singular values of a random 3x3 convolution, where each comes twice. Every side runs in a
process of its own.
"""

import json
import resource
import subprocess
import sys
import time
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn

from paperlib.spectra.circular import circular_singular_values
from paperlib.spectra.marchenko_pastur import MarchenkoPastur
from paperlib.spectra.planted import planted_power_law, planted_random
from paperlib.spectra.power_law import PowerLaw, fit_power_law
from paperlib.spectra.power_law_package import fit_by_package
from paperlib.spectra.power_law_search import best_start, tails
from paperlib.tables import markdown_table

SIDES = {"ours": fit_power_law, "package": fit_by_package}
LAWS = ("power law", "random matrix", "convolution")
SIZES = (500, 1000, 2000, 4000)


def spectrum(law: str, count: int) -> Tensor:
    """About ``count`` values of a law, the same ones each time."""
    generator = torch.Generator().manual_seed(0)
    if law == "power law":
        return planted_power_law(count, 2.5, generator)
    if law == "random matrix":
        return planted_random(count, MarchenkoPastur(64, 576, 1.0), generator)
    channels = 8
    layer = nn.Conv2d(channels, channels, 3, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
    side = round((count / channels) ** 0.5)
    return circular_singular_values(layer, (side, side)).square()


def measured(side: str, law: str, count: int) -> dict[str, float]:
    """The fit and its cost: processor seconds, seconds on the clock, peak MiB beyond the values."""
    torch.set_num_threads(1)
    values = spectrum(law, count)
    # A first fit of a few values, so that neither side pays for its imports and first calls.
    SIDES[side](values[:50])
    before, clock, processor = peak(), time.perf_counter(), time.process_time()
    fit: PowerLaw = SIDES[side](values)
    cost = {"processor": time.process_time() - processor, "clock": time.perf_counter() - clock}
    cost |= {"mib": peak() - before, "count": fit.count, "alpha": fit.alpha, "x_min": fit.x_min, "tail": fit.tail}
    if side == "ours":
        found = tails(np.sort(values.numpy()))
        cost |= {"measured": best_start(found, 3).measured, "candidates": len(found.logs) - 2}
    return cost


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(side: str, law: str, count: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--side", side, "--law", law, "--values", str(count)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def compared() -> list[list[str]]:
    rows = []
    for law in LAWS:
        for count in SIZES:
            ours, theirs = run("ours", law, count), run("package", law, count)
            same = (ours["x_min"], ours["tail"]) == (theirs["x_min"], theirs["tail"])
            ratio = theirs["processor"] / ours["processor"]
            rows.append([
                law, f"{ours['count']:,}", f"{ours['processor']:.4f}", f"{theirs['processor']:.2f}", f"{ratio:,.0f}",
                "same" if same else "differs", f"{abs(ours['alpha'] - theirs['alpha']):.0e}",
            ])  # fmt: skip
    return rows


def large(count: int) -> list[list[str]]:
    rows = []
    for law in LAWS:
        cost = run("ours", law, count)
        rows.append([
            law, f"{cost['count']:,}", f"{cost['clock']:.1f}", f"{cost['processor']:.1f}", f"{cost['mib']:.0f}",
            f"{cost['measured']:,} of {cost['candidates']:,}", f"{cost['alpha']:.4f}",
        ])  # fmt: skip
    return rows


def main(
    values: Annotated[int, typer.Option(help="values that ours fits alone; 0 for none")] = 3_000_000,
    side: Annotated[str, typer.Option(hidden=True)] = "",
    law: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Compare this library's fit with the powerlaw package's."""
    if side:
        print(json.dumps(measured(side, law, values)))
        return
    header = ["law", "values", "ours, s", "package, s", "ratio", "x_min and tail", "difference of alpha"]
    print(markdown_table(header, compared()), end="\n\n")
    if values:
        header = ["law", "values", "clock s", "processor s", "MiB", "candidates measured in full", "alpha"]
        print(markdown_table(header, large(values)))


if __name__ == "__main__":
    typer.run(main)
