"""Table 1 of `generalizability`: operations beside their adjoints, on its small example and on random input."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.layers import ConcatenatedSkip, ResidualSkip, SumPool
from paperlib.operators.compiled import freeze
from paperlib.operators.dot_test import dot_test

# The 2 x 2 input that the paper uses for every row of its table.
PAPER_INPUT = torch.tensor([[1.0, -5.0], [3.0, 2.0]], dtype=torch.float64)

_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_MAX_POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}


@dataclass(frozen=True)
class WorkedExample:
    """One row of the table on the paper's input: ``output = F(input)``, and the adjoint of ``adjoint_input``."""

    operation: str
    adjoint: str
    input: Tensor
    output: Tensor
    adjoint_input: Tensor
    adjoint_output: Tensor


@dataclass(frozen=True)
class Mismatch:
    """Largest relative dot-product mismatch of an operation on random input of 1, 2 or 3 spatial axes."""

    operation: str
    dimension: int
    dtype: str
    mismatch: float


def worked_examples() -> list[WorkedExample]:
    """The rows of Table 1 that the paper works out: sum pooling, max pooling, ReLU; float64."""
    y = torch.tensor([[1.0]], dtype=torch.float64)
    z = torch.tensor([[7.0, 8.0], [9.0, 10.0]], dtype=torch.float64)
    return [
        _worked("sum pooling", "nearest-neighbour up-sampling", SumPool(2), y),
        _worked("max pooling", "zero stuffing at the maximum", nn.MaxPool2d(2), 3 * y),
        _worked("ReLU", "frozen ReLU", nn.ReLU(), z),
    ]


def operations(dimension: int, channels: int = 2) -> dict[str, Callable[[], nn.Module]]:
    """The operations of Table 1, and residual and linear layers, for 1, 2 or 3 spatial axes of side 8."""
    convolution = _CONVOLUTIONS[dimension]
    return {
        "sum pooling": lambda: SumPool(2),
        "nearest up-sampling": lambda: nn.Upsample(scale_factor=2),
        "max pooling": lambda: _MAX_POOLS[dimension](2),
        "convolution": lambda: convolution(channels, 3, 3, padding=1, bias=False),
        "strided convolution": lambda: convolution(channels, 3, 3, stride=2, dilation=2, bias=False),
        "ReLU": nn.ReLU,
        "skip [Mx; x]": lambda: ConcatenatedSkip(convolution(channels, 3, 3, padding=1, bias=False)),
        "residual Mx + x": lambda: ResidualSkip(convolution(channels, channels, 3, padding=1, bias=False)),
        "flatten and linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(channels * 8**dimension, 5, bias=False)),
    }


def mismatches(seed: int, dtypes: tuple[torch.dtype, ...] = (torch.float32, torch.float64)) -> list[Mismatch]:
    """The dot-product test of every operation in 1-D, 2-D and 3-D, with weights and input drawn by ``seed``."""
    rows = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for dtype in dtypes:
            for dimension in (1, 2, 3):
                x = torch.randn(1, 2, *(8,) * dimension, dtype=dtype)
                for name, build in operations(dimension).items():
                    operator = freeze(build().to(dtype).eval(), x)[0]
                    rows.append(
                        Mismatch(name, dimension, str(dtype).removeprefix("torch."), dot_test(operator, seed=seed))
                    )
    return rows


def skip_mismatches(seed: int, channels: int = 4) -> tuple[float, float]:
    """Dot-product mismatch of a skip connection's adjoint as printed, ``M y_a + y_b``, and as ``M^T y_a + y_b``.

    M is a random square matrix: the printed formula has no meaning for a rectangular one.
    """
    generator = torch.Generator().manual_seed(seed)
    M = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    x, ya, yb = torch.randn(3, channels, generator=generator, dtype=torch.float64)
    forward = torch.cat([M @ x, x]) @ torch.cat([ya, yb])
    scale = torch.cat([M @ x, x]).norm() * torch.cat([ya, yb]).norm()
    printed, transposed = x @ (M @ ya + yb), x @ (M.T @ ya + yb)
    return ((forward - printed).abs() / scale).item(), ((forward - transposed).abs() / scale).item()


def _worked(operation: str, adjoint: str, module: nn.Module, z: Tensor) -> WorkedExample:
    frozen = freeze(module, PAPER_INPUT[None, None])[0]
    output = frozen.matvec(PAPER_INPUT[None])[0]
    return WorkedExample(operation, adjoint, PAPER_INPUT, output, z, frozen.rmatvec(z[None])[0])
