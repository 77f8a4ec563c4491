"""All singular values of a convolution with a circular boundary (`convsvd`, Section 4.1; the FFT method it uses).

The Fourier transform takes the operator matrix to one small matrix ``W(theta)`` for each frequency. Weights are real,
so that opposite frequencies have the same singular values and half of them are enough. At each, the singular values
are the roots of the eigenvalues of the Gram matrix of the smaller side, which costs a third of a singular value
decomposition and is no product of matrices but a sum of a few fixed ones (`paperlib.spectra.symbol.gram`).

What the Gram matrix loses: its eigenvalues err by some ``eps`` of the largest, so that a singular value ``s`` errs by
``eps s_0^2 / s``, and at worst by ``sqrt(eps) s_0``: 1e-8 of the largest in double precision, below the rounding of
weights in single precision. Where the tolerance asks for more, the frequencies that have singular values too small for
it are decomposed themselves; where it bears 2e-3 at the smallest values, the eigenvalues are found in single precision.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import prod
from threading import local

import torch
from torch import Tensor

from paperlib.spectra.symbol import PhaseSum, gram, half_frequencies, symbol
from paperlib.unfolding import Convolution, ConvolutionMatrices, convolution_matrices

# Entries of the Gram matrices of one block, 1 MiB, which stays in the cache; a few of the largest matrices all the
# same, so that forming them is a product of matrices.
_BLOCK, _LEAST, _MOST = 2**16, 8, 4096


def circular_singular_values(
    layer: Convolution | ConvolutionMatrices | Tensor,
    input_size: tuple[int, ...],
    *,
    tolerance: float | None = None,
    progress: Callable[[int], object] | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """All singular values of the operator matrix with a circular boundary, float64, decreasing, on the CPU.

    ``layer`` is a 1-D to 3-D convolution of any stride, dilation and groups, or weights ``(c_out, c_in, *kernel)``;
    ``input_size`` has no batch and no channels. There are ``min(rows, columns)`` values of each group of channels.
    Frequencies go through in blocks on as many threads as torch has; memory beyond the values is that of a few
    blocks and of about ``(2 k - 1)**axes`` matrices of channels.

    ``tolerance`` bounds the error relative to the largest singular value, by default 1e-6 for weights in single
    precision or less and 1e-12 for double; with 2e-3, which only small values make use of, two thirds of the time are
    enough. ``progress`` is called with the number of values found, after each block: such as
    ``tqdm(total=count).update``, see `circular_count`. ``device`` does the work.

    Raises ``UnfoldingError`` for another layer, a size that does not belong to it or that a stride does not divide,
    and ``ValueError`` for a tolerance that is not positive.
    """
    matrices = layer if isinstance(layer, ConvolutionMatrices) else convolution_matrices(layer)
    if tolerance is None:
        tolerance = 1e-12 if matrices.weight.dtype == torch.float64 else 1e-6
    if not tolerance > 0:
        raise ValueError(f"tolerance is {tolerance}; expected a positive number, relative to the largest value")
    solver = _Solver(_on(symbol(matrices, input_size), torch.device(device)), tolerance)
    frequencies, multiplicity = half_frequencies(solver.symbol.grid)
    size = min(max(_BLOCK // solver.entries, _LEAST), _MOST)
    blocks = list(zip(frequencies.split(size), multiplicity.split(size), strict=True))
    found = []
    for values in _in_threads(solver, blocks, device):
        found.append(values)
        if progress is not None:
            progress(len(values))
    return torch.cat(found).sort(descending=True).values


def circular_count(layer: Convolution | ConvolutionMatrices | Tensor, input_size: tuple[int, ...]) -> int:
    """Number of singular values with a circular boundary; raises as `circular_singular_values`."""
    matrices = layer if isinstance(layer, ConvolutionMatrices) else convolution_matrices(layer)
    rows, columns = len(matrices.weight) // matrices.groups, matrices.weight.shape[1] * prod(matrices.stride)
    return matrices.groups * min(rows, columns) * prod(matrices.output_size(input_size, "circular"))


class _Solver:
    """Singular values at blocks of frequencies."""

    def __init__(self, sum_: PhaseSum, tolerance: float) -> None:
        self.symbol = sum_
        terms, groups, side, _ = sum_.matrices.shape
        self.side, self.entries = side, groups * side**2
        if side == 1:
            return
        self.buffers = local()
        # The Gram matrix is the half and its conjugate transpose: cosines of the symmetric, sines of the other part.
        self.half = half = gram(sum_)
        self.cosines = (half.matrices + half.matrices.mT).flatten(1)
        self.sines = (half.matrices - half.matrices.mT).flatten(1)
        # The mean of the Gram matrices over all frequencies is that of the unfolding: its largest singular value is
        # at most the largest of all, and at least that over the root of the number of terms.
        unfolded = torch.linalg.matrix_norm(sum_.matrices.movedim(0, 2).flatten(2), 2).max()
        self.wanted = tolerance * unfolded
        single, double = (torch.finfo(dtype).eps * terms for dtype in (torch.float32, torch.float64))
        coarse = single**0.5 <= tolerance
        self.dtype = torch.complex64 if coarse else torch.complex128
        self.error = (single if coarse else double) * unfolded**2

    def __call__(self, block: tuple[Tensor, Tensor]) -> Tensor:
        frequencies, multiplicity = block
        frequencies = frequencies.to(self.symbol.matrices.device)
        values = self._of(frequencies).flatten(1).cpu()
        return values.repeat_interleave(multiplicity, dim=0).flatten()

    def _of(self, frequencies: Tensor) -> Tensor:
        """``(count, groups, side)``."""
        if self.side == 1:
            return torch.linalg.vector_norm(self.symbol.at(frequencies), dim=3)
        values = torch.linalg.eigvalsh(self._grams(frequencies).to(self.dtype)).double().clamp_min_(0).sqrt_()
        # The smallest is the first: an error of the eigenvalue divided by the sum of the true and the found root.
        missed = self.error / values[..., 0].clamp_min(self.error.sqrt()) > self.wanted
        again = missed.any(dim=1).nonzero().squeeze(1)
        for part in again.split(_LEAST):
            values[part] = torch.linalg.svdvals(self.symbol.at(frequencies[part]))
        return values

    def _grams(self, frequencies: Tensor) -> Tensor:
        """``(count, groups, side, side)``, in memory that the next block of the same thread overwrites."""
        phases = self.half.phases(frequencies)
        shape = (len(frequencies), self.entries)
        held = self.buffers.__dict__.get("held")
        if held is None or held[2].shape != shape:
            # Fresh memory for each block would take longer than forming the matrices.
            real, imaginary = phases.new_empty(shape), phases.new_empty(shape)
            held = self.buffers.held = (real, imaginary, phases.new_empty(shape, dtype=torch.complex128))
        real, imaginary, grams = held
        torch.matmul(phases.cos(), self.cosines, out=real)
        torch.matmul(phases.sin(), self.sines, out=imaginary)
        return torch.complex(real, imaginary, out=grams).reshape(len(frequencies), -1, self.side, self.side)


def _on(sum_: PhaseSum, device: torch.device) -> PhaseSum:
    return PhaseSum(sum_.grid, sum_.places.to(device), sum_.matrices.to(device))


def _in_threads(solver: _Solver, blocks: list[tuple[Tensor, Tensor]], device: torch.device | str) -> Iterator[Tensor]:
    """What the solver finds, block by block, in order; several blocks at once on a CPU with several threads."""
    threads = torch.get_num_threads()
    if torch.device(device).type != "cpu" or min(threads, len(blocks)) == 1:
        yield from map(solver, blocks)
        return
    with _one_thread(), ThreadPoolExecutor(threads) as pool:
        # LAPACK takes one matrix after the other and gains little from threads of its own.
        yield from pool.map(solver, blocks)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
