"""Memory is foreseen, and what would not fit is refused before the first product."""

import pytest
import torch

from paperlib.operators import LinearOperator
from paperlib.svd import SOLVERS, Exact, Lanczos, NotEnoughMemoryError, Scipy, Slepc, truncated_svd, vector_memory
from paperlib.svd.memory import check_memory, free_memory, solver_device

CPU = torch.device("cpu")
VOLUME = (2 * 128**3, 4 * 128**3)
SETTINGS = [Lanczos(), Lanczos(block_size=4), *map(Slepc, ("cross", "trlanczos", "cyclic", "randomized"))]
SETTINGS += map(Scipy, ("propack", "arpack", "lobpcg"))


@pytest.mark.parametrize("solver", SETTINGS, ids=lambda solver: solver.name)
def test_memory_is_at_least_that_of_the_result_and_grows_with_it(solver):
    """Ten triplets of the paper's volumes take 0.94 GiB in double precision, and no solver less than its result."""
    itemsize = 4 if isinstance(solver, Lanczos) else 8
    needed = vector_memory(VOLUME, 10, solver, torch.float32)
    assert needed >= 10 * sum(VOLUME) * itemsize
    assert vector_memory(VOLUME, 20, solver, torch.float32) > needed
    twice = (2 * VOLUME[0], 2 * VOLUME[1])
    assert vector_memory(twice, 10, solver, torch.float32) == pytest.approx(2 * needed, rel=1e-3)


def test_the_exact_path_holds_the_matrix():
    assert vector_memory((10, 10**6), 3, Exact(), torch.float32) >= 10**7 * (4 + 8)


@pytest.mark.parametrize("solver", SETTINGS, ids=lambda solver: solver.name)
def test_too_little_is_refused_with_both_numbers(solver):
    needed = vector_memory(VOLUME, 10, solver, torch.float32)
    check_memory(VOLUME, 10, solver, torch.float32, CPU, free=lambda device: needed)
    message = rf"{solver.name} needs {needed / 2**30:.2f} GiB.*4,194,304 x 8,388,608.*0\.50 GiB are free on cpu"
    with pytest.raises(NotEnoughMemoryError, match=message) as caught:
        check_memory(VOLUME, 10, solver, torch.float32, CPU, free=lambda device: 2**29)
    assert isinstance(caught.value, MemoryError)
    assert "basis_device" not in str(caught.value)


def test_on_a_gpu_the_basis_may_lie_elsewhere():
    cuda = torch.device("cuda")
    asked = []

    def free(device):
        asked.append(device)
        return 2**20

    with pytest.raises(NotEnoughMemoryError, match=r"free on cuda.*basis_device='cpu'"):
        check_memory(VOLUME, 10, Lanczos(), torch.float32, cuda, free=free)
    with pytest.raises(NotEnoughMemoryError, match="free on cpu"):
        check_memory(VOLUME, 10, Lanczos(basis_device="cpu"), torch.float32, cuda, free=free)
    assert solver_device(Slepc(), cuda) == CPU
    assert asked == [cuda, CPU]


@pytest.mark.parametrize("solver", SOLVERS)
def test_nothing_is_computed_before_the_check(solver):
    class Untouched(LinearOperator):
        def _matmat(self, vectors):
            raise AssertionError("a product before the memory was checked")

        _rmatmat = _matmat

    vast = Untouched((10**13,), (600,) if solver == "exact" else (10**13,), torch.float32, CPU)
    with pytest.raises(NotEnoughMemoryError):
        truncated_svd(vast, 10, solver=solver)


def test_free_memory_of_this_machine():
    assert 2**20 < free_memory(CPU) < 2**50
