"""How much memory a solver's vectors take, and whether it is there: known before the first product.

What a product needs for itself (the activations of a network) comes on top and is not known here. ARPACK and LOBPCG
multiply k vectors at once, which needs that k times.
"""

from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from paperlib.svd.errors import NotEnoughMemoryError
from paperlib.svd.exact import Exact
from paperlib.svd.lanczos import Lanczos, lanczos_memory
from paperlib.svd.scipy_solvers import Scipy
from paperlib.svd.slepc import Slepc

Solver = Exact | Lanczos | Slepc | Scipy

_DOUBLE = 8


def vector_memory(shape: tuple[int, int], k: int, solver: Solver, dtype: torch.dtype) -> int:
    """Bytes of all vectors that a solver holds at its largest, the result included."""
    if isinstance(solver, Lanczos):
        return lanczos_memory(shape, k, solver, dtype)
    rows, columns = shape
    small, large = min(shape), max(shape)
    if isinstance(solver, Exact):
        # The matrix as it comes and in double precision, the factors Q and R, and the vectors.
        return rows * columns * (dtype.itemsize + 3 * _DOUBLE) + 4 * small * small * _DOUBLE
    size = solver.size(k)
    result = k * (rows + columns)
    if isinstance(solver, Slepc):
        # Work vectors of a restart, and SLEPc's own copy of the triplets beside ours.
        basis = {
            "cross": (size + 5) * columns,
            "trlanczos": (size + 5) * (rows + columns),
            # Each singular value is an eigenvalue of either sign there.
            "cyclic": (solver.basis_size or max(4 * k, 2 * k + 15) + 5) * (rows + columns),
            "randomized": (size + 5) * (rows + columns),
        }[solver.kind]
        return _DOUBLE * (basis + 2 * result)
    basis = {
        # Both bases, and work space of 32 vectors of the larger side.
        "propack": size * (rows + columns) + 32 * large,
        "arpack": (size + 5) * small,
        # Iterates, residuals and directions, each with its image.
        "lobpcg": 9 * k * small + k * large,
    }[solver.kind]
    return _DOUBLE * (basis + 2 * result)


def free_memory(device: torch.device) -> int:
    """Bytes that can be taken on a device now: of a GPU's memory, or of the machine's within the container's limit."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return min([psutil.virtual_memory().available, *_container_limit()])


def check_memory(
    shape: tuple[int, int],
    k: int,
    solver: Solver,
    dtype: torch.dtype,
    device: torch.device,
    free: Callable[[torch.device], int] = free_memory,
) -> None:
    """Raise ``NotEnoughMemoryError`` where the vectors of a solver would not fit where it keeps them."""
    place = solver_device(solver, device)
    needed, available = vector_memory(shape, k, solver, dtype), free(place)
    if needed > available:
        raise NotEnoughMemoryError(
            f"{solver.name} needs {_gib(needed)} for its vectors ({k} triplets of a {shape[0]:,} x {shape[1]:,} "
            f"matrix), and {_gib(available)} are free on {place}; ask for fewer triplets, give it a smaller basis_size"
            + (", or keep the basis on the processor by Lanczos(basis_device='cpu')" if place.type == "cuda" else "")
        )


def solver_device(solver: Solver, device: torch.device) -> torch.device:
    """Where a solver keeps its vectors, for an operator on ``device``."""
    if isinstance(solver, Lanczos):
        return torch.device(solver.basis_device or device)
    return device if isinstance(solver, Exact) else torch.device("cpu")


def _container_limit() -> list[int]:
    """What the control group of this process (version 2) still allows, where there is one with a limit."""
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        return [max(0, int(limit.read_text()) - int(used.read_text()))]
    except (OSError, ValueError):
        return []


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"
