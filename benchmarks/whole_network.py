"""Ten singular triplets of a whole trained U-Net: every solver side by side, and how the cost grows.

    python benchmarks/whole_network.py                      64^3 x 4 channels, all solvers, one thread
    python benchmarks/whole_network.py --peers              PRIMME and CoLA as well, where they are installed
    python benchmarks/whole_network.py --grow side 32,48,64 --solvers "lanczos,slepc cross"
    python benchmarks/whole_network.py --grow k 1,5,10,20 --solvers "lanczos,slepc cross"

With --autograd SLEPc's cross also runs over products by automatic differentiation. Each solver runs in a process of its
own, on the same network (trained on generated volumes, by this script where it is not here yet), the same volume, and
to the same residual. Compare ratios: times are one machine's.
"""

import json
from dataclasses import asdict
from importlib.util import find_spec
from typing import Annotated

import typer

from paperlib.costs.solvers import Problem, SolverCost, growth, solver_costs
from paperlib.svd import SOLVERS
from paperlib.tables import markdown_table

_NEEDS = {"PRIMME": "primme", "CoLA Lanczos": "cola"}


def main(
    grow: Annotated[tuple[str, str], typer.Option(help="grow 'side' or 'k', over values with commas")] = ("", ""),
    side: Annotated[int, typer.Option(help="voxels a side")] = 64,
    k: Annotated[int, typer.Option(help="singular triplets")] = 10,
    tol: Annotated[float, typer.Option(help="relative two-sided residual")] = 1e-4,
    solvers: Annotated[str, typer.Option(help="names with commas")] = ",".join(SOLVERS[1:]),
    autograd: Annotated[bool, typer.Option("--autograd", help="SLEPc cross over torch.func too")] = False,
    peers: Annotated[bool, typer.Option("--peers", help="other libraries too")] = False,
    threads: Annotated[int, typer.Option(help="threads of torch")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
) -> None:
    """Compare what the leading singular triplets of a whole network cost."""
    problem = Problem(side=side, k=k, tol=tol)
    names = solvers.split(",") + (["slepc cross, autograd"] if autograd else [])
    if grow[0]:
        found = growth(problem, names, grow[0], [int(value) for value in grow[1].split(",")], threads=threads)
        rows = [(value, cost) for value, costs in found.items() for cost in costs]
    else:
        rows = [(side, cost) for cost in solver_costs(problem, names, threads=threads)]
        if peers:
            rows += [(side, cost) for cost in _peers(problem, threads)]
    if as_json:
        print(json.dumps([{"value": value, **asdict(cost)} for value, cost in rows]))
        return
    print(_table(grow[0] or "side", rows))


def _peers(problem: Problem, threads: int) -> list[SolverCost]:
    from whole_network_peers import PEERS

    here = [name for name in PEERS if name not in _NEEDS or find_spec(_NEEDS[name])]
    return solver_costs(problem, here, threads=threads, work="whole_network_peers:decompose")


def _table(name: str, rows: list[tuple[int, SolverCost]]) -> str:
    lanczos = {value: cost.seconds for value, cost in rows if cost.solver == "lanczos"}
    header = [name, "solver", "seconds (of which check)", "times lanczos, without check", "products", "residual", "MiB"]
    cells = []
    for value, cost in rows:
        ratio = f"{cost.solver_seconds / lanczos[value]:.2f}" if value in lanczos else ""
        residual = f"{cost.residual:.0e}" + ("" if cost.converged else ", not converged")
        seconds = f"{cost.seconds:.1f} ({cost.check_seconds:.1f})"
        cells.append([value, cost.solver, seconds, ratio, cost.products, residual, f"{cost.peak_mib:.0f}"])
    return markdown_table(header, cells)


if __name__ == "__main__":
    typer.run(main)
