"""A convolution and its adjoint on a few numbers, sum by sum (`generalizability`, Table 1)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.operators import LinearOperator, freeze

_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d}


@dataclass(frozen=True)
class ConvolutionSteps:
    """One convolution ``A`` at one pair of vectors, all float64, with one or two spatial axes.

    ``v`` ``(*domain)`` and ``z`` ``(*range)`` are the vectors, ``forward`` ``(*range)`` is ``A v`` and ``backward``
    ``(*domain)`` is ``A^T z``, both by the operator and not by the matrix. ``matrix`` ``(m, n)`` is ``A`` on row-major
    flattened vectors; ``taps`` ``(m, n)`` int64 says which place of the flattened ``kernel`` stands there, -1 for none.
    """

    name: str
    kernel: Tensor
    stride: int
    padding: int
    v: Tensor
    z: Tensor
    forward: Tensor
    backward: Tensor
    matrix: Tensor
    taps: Tensor

    @property
    def products(self) -> tuple[float, float]:
        """``<A v, z>`` and ``<v, A^T z>``, which have to agree."""
        return float((self.forward * self.z).sum()), float((self.v * self.backward).sum())


def convolution_steps(
    name: str, v: Tensor, kernel: Tensor, z: Tensor, *, stride: int = 1, padding: int = 0
) -> ConvolutionSteps:
    """Apply the convolution with ``kernel`` to ``v`` and its adjoint to ``z``; one channel, zeros as padding.

    ``v``, ``kernel`` and ``z`` have one or two axes; integers are turned into float64. Raises ``ValueError`` for
    another number of axes and for a ``z`` of another shape than the output's.
    """
    v, kernel, z = v.double(), kernel.double(), z.double()
    if v.dim() not in _CONVOLUTIONS or kernel.dim() != v.dim():
        raise ValueError(
            f"{name}: v has {v.dim()} axes and the kernel {kernel.dim()}; expected one or two, as many for both"
        )
    operator = _operator(v, kernel, stride, padding)
    range_shape = operator.range_shape[1:]
    if tuple(z.shape) != range_shape:
        raise ValueError(f"{name}: z is {tuple(z.shape)}; the convolution gives {range_shape}")
    return ConvolutionSteps(
        name=name,
        kernel=kernel,
        stride=stride,
        padding=padding,
        v=v,
        z=z,
        forward=operator.matvec(v.unsqueeze(0))[0],
        backward=operator.rmatvec(z.unsqueeze(0))[0],
        matrix=operator.dense(),
        taps=_taps(v, kernel, stride, padding),
    )


def convolution_examples() -> list[ConvolutionSteps]:
    """The convolutions that the book steps through: a signal of six and an image of 5 x 5, in several readings."""
    signal, kernel = torch.tensor([2, 1, -1, 3, 5, -2]), torch.tensor([1, 2, -1])
    image = torch.tensor([[1, 0, 2, -1, 3], [2, 1, -2, 0, 1], [0, 3, 1, 2, -1], [-1, 2, 0, 1, 2], [1, -2, 3, 1, 0]])
    square = torch.tensor([[1, 2, -1], [2, 3, 1], [-1, 1, -2]])
    z = torch.tensor([3, -1, 2, 1, -2, 4, 1, 2, -3])
    sizes = "signal of 6, kernel of 3"
    return [
        convolution_steps(f"{sizes}, padding 1", signal, kernel, z[:6], padding=1),
        convolution_steps(f"{sizes}, no padding", signal, kernel, z[:4]),
        convolution_steps(f"{sizes}, stride 2", signal, kernel, z[:2], stride=2),
        convolution_steps(f"{sizes}, stride 2, padding 1", signal, kernel, z[:3], stride=2, padding=1),
        convolution_steps("5 × 5, kernel of 3 × 3", image, square, z.view(3, 3)),
        convolution_steps(
            "5 × 5, kernel of 3 × 3, stride 2, padding 1", image, square, z.view(3, 3), stride=2, padding=1
        ),
    ]


def _operator(v: Tensor, kernel: Tensor, stride: int, padding: int) -> LinearOperator:
    layer = _CONVOLUTIONS[v.dim()](1, 1, tuple(kernel.shape), stride=stride, padding=padding, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(kernel[None, None])
    return freeze(layer.eval(), v[None, None])[0]


def _taps(v: Tensor, kernel: Tensor, stride: int, padding: int) -> Tensor:
    # A convolution is linear in its kernel, so that the matrix of each unit kernel shows where its entry stands.
    units = torch.eye(kernel.numel(), dtype=kernel.dtype).unflatten(1, kernel.shape)
    places = torch.stack([_operator(v, unit, stride, padding).dense() for unit in units])
    return torch.where(places.any(0), places.argmax(0), -1)
