"""One convolution and all the matrices that are made of it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.unfolding.matrices import input_unfolding, kernel_stack, output_unfolding, slices
from paperlib.unfolding.operator_matrix import (
    Boundary,
    ConvolutionOperator,
    UnfoldingError,
    Window,
    check_boundary,
    sparse_operator_matrix,
)
from paperlib.unfolding.receptive_fields import Convolution


@dataclass(frozen=True)
class ConvolutionMatrices:
    """The matrizations of a convolution (`convsvd`, Section 3), without its bias, in the dtype of its weights.

    ``weight`` is ``(c_out, c_in / groups, *kernel)`` with one to three axes of a kernel, square or not; ``stride``,
    ``dilation`` and the zero ``padding`` before and after have an entry for each axis. Made by `convolution_matrices`.
    """

    weight: Tensor
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    groups: int = 1

    @property
    def kernel(self) -> tuple[int, ...]:
        return tuple(self.weight.shape[2:])

    @property
    def in_channels(self) -> int:
        return self.weight.shape[1] * self.groups

    @property
    def W1(self) -> Tensor:
        """The output unfolding ``(c_out, c_in k)``, see `output_unfolding`."""
        return output_unfolding(self.weight, self.groups)

    @property
    def co_W1(self) -> Tensor:
        """The input unfolding ``(c_out k, c_in)``, see `input_unfolding`."""
        return input_unfolding(self.weight, self.groups)

    @property
    def slices(self) -> Tensor:
        """The k matrices of channels ``(k, c_out, c_in)``, see `slices`."""
        return slices(self.weight, self.groups)

    @property
    def kernels(self) -> Tensor:
        """The kernel stack ``(c_out c_in / groups, k)``, see `kernel_stack`."""
        return kernel_stack(self.weight)

    def window(self, input_size: tuple[int, ...], boundary: Boundary) -> Window:
        """What is read of an input of ``input_size``: ``"valid"`` adds nothing to it, ``"zero"`` the layer's own zeros.

        ``"circular"`` joins the ends of each axis, with a position for each entry (each ``stride``-th one) of the input
        and the kernel centred there, as far as its size allows. For an odd kernel with half its width as padding these
        are the positions of the layer, and of one with ``padding_mode="circular"``.

        Raises ``UnfoldingError`` for an unknown boundary, and sizes that do not belong to this convolution.
        """
        check_boundary(boundary)
        if len(input_size) != len(self.kernel):
            raise UnfoldingError(
                f"input_size {tuple(input_size)} has {len(input_size)} axes, the kernel {self.kernel} has "
                f"{len(self.kernel)}; leave out batch and channels"
            )
        if boundary == "valid":
            sides = tuple((0, 0) for _ in self.kernel)
        elif boundary == "zero":
            sides = self.padding
        else:
            reach = [step * (side - 1) for step, side in zip(self.dilation, self.kernel, strict=True)]
            sides = tuple((total // 2, total - total // 2) for total in reach)
        before, after = (tuple(widths) for widths in zip(*sides, strict=True))
        size = tuple(int(side) for side in input_size)
        return Window(size, self.kernel, self.stride, self.dilation, before, after, boundary == "circular")

    def output_size(self, input_size: tuple[int, ...], boundary: Boundary) -> tuple[int, ...]:
        """Positions along each axis; raises as `window`."""
        return self.window(input_size, boundary).output_size

    def operator(self, input_size: tuple[int, ...], boundary: Boundary) -> ConvolutionOperator:
        """The operator matrix as a linear operator, never formed; raises as `window`."""
        return ConvolutionOperator(self.weight, self.window(input_size, boundary), self.groups)

    def operator_matrix(self, input_size: tuple[int, ...], boundary: Boundary, *, sparse: bool = False) -> Tensor:
        """The operator matrix W2 ``(c_out positions, c_in entries)`` (`convsvd`, eq. 10), dense or sparse COO.

        Raises as `window`.
        """
        matrix = sparse_operator_matrix(self.weight, self.window(input_size, boundary), self.groups)
        return matrix if sparse else matrix.to_dense()


def convolution_matrices(layer: Convolution | Tensor) -> ConvolutionMatrices:
    """The matrices of a 1-D to 3-D convolution, or of bare weights ``(c_out, c_in, *kernel)`` with stride 1.

    A layer's padding counts as zeros whatever its mode. Raises ``UnfoldingError`` for another layer, and for weights
    that are no such floating-point tensor, or not finite.

    In the book: thm-unfoldings-share, thm-operator-norm.
    """
    if isinstance(layer, Tensor):
        axes = range(max(layer.dim() - 2, 0))
        ones, none = tuple(1 for _ in axes), tuple((0, 0) for _ in axes)
        return ConvolutionMatrices(_checked(layer), ones, ones, none)
    if not isinstance(layer, Convolution):
        raise UnfoldingError(f"{type(layer).__name__} is no convolution; supported are Conv1d, Conv2d and Conv3d")
    widths = layer._reversed_padding_repeated_twice
    padding = tuple(zip(widths[::2], widths[1::2], strict=True))[::-1]
    return ConvolutionMatrices(_checked(layer.weight), layer.stride, layer.dilation, padding, layer.groups)


def _checked(weight: Tensor) -> Tensor:
    if not 3 <= weight.dim() <= 5 or 0 in weight.shape or not weight.is_floating_point():
        raise UnfoldingError(
            f"weights are {tuple(weight.shape)} of {weight.dtype}; expected floating-point numbers "
            "(c_out, c_in, *kernel) with a kernel of one to three axes"
        )
    if not torch.isfinite(weight).all():
        wrong = int((~torch.isfinite(weight)).sum())
        raise UnfoldingError(f"{wrong} of the {weight.numel()} weights are NaN or infinite")
    return weight.detach()
