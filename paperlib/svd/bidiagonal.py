"""Block Golub-Kahan bidiagonalisation with full reorthogonalisation on both sides, and its thick restart.

Two orthonormal bases, P of the domain and Q of the range, grow in turn: Q by what ``A P`` adds to it, P by what
``A^T Q`` adds. All inner products are kept in one small matrix ``H = Q^T A P``, so that ``A P = Q H`` and
``A^T Q = P H^T`` hold to rounding but for the newest vectors, to which no product has been applied yet. Without a
restart and with one vector at a time H is the bidiagonal matrix of Golub and Kahan; a restart puts the singular values
that it keeps on the diagonal (J. Baglama and L. Reichel, SIAM J. Sci. Comput. 27, 2005).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.operators import LinearOperator
from paperlib.svd.errors import SvdError
from paperlib.svd.inner import combine, norms, project_out

# What a new vector adds to a space is zero below so many units of rounding of the operator's norm.
_ZERO = 10

# Where a projection leaves less than this part of a vector it is done once more: each step would amplify the error of
# the basis's orthonormality by the ratio of what is taken away to what is left.
_CANCELLED = 0.5**0.5

# Twice is enough for a vector that has a part outside the space (Kahan); a third time shows that it has none.
_MOST_PASSES = 3


@dataclass(frozen=True)
class Ritz:
    """Singular triplets of the projected matrix: ``S`` ``(j,)`` decreasing, and the vectors' coefficients.

    ``left`` ``(q, j)`` and ``right`` ``(p, j)`` are coefficients in the bases Q and P. ``beyond`` ``(waiting, j)`` are
    those of the residuals, by the recurrence, in the vectors that wait for their product: of ``A^T u - s v`` where they
    are P's and of ``A v - s u`` where they are Q's; the other residual is zero but for rounding.
    """

    left: Tensor
    S: Tensor
    right: Tensor
    beyond: Tensor

    @property
    def residuals(self) -> Tensor:
        """Two-sided residual norms ``(j,)`` by the recurrence: those of the triplets themselves, but for rounding."""
        return self.beyond.norm(dim=0)


class Basis:
    """Orthonormal vectors of one side: the first ``count`` rows of a tensor that is allocated once."""

    def __init__(self, rows: int, size: int, dtype: torch.dtype, device: torch.device):
        self.rows = torch.empty(rows, size, dtype=dtype, device=device)
        self.count = 0
        # So many of the newest vectors may have a large part in what the next product gives.
        self.coupled = 0

    @property
    def vectors(self) -> Tensor:
        return self.rows[: self.count]

    @property
    def full(self) -> bool:
        return self.count == self.rows.shape[1]

    def extend(self, block: Tensor, zero: float) -> Tensor:
        """Append an orthonormal basis of what the rows of ``block`` ``(b, n)`` add to the space.

        Returns the coefficients ``(count, b)``, in float64 on the CPU, of the block in the basis as it is afterwards.
        A vector with at most ``zero`` outside the space adds nothing.
        """
        start, size = self.count, len(block)
        block = self.rows[start : start + size].copy_(block)
        coefficients = torch.zeros(start + size, size, dtype=torch.float64)
        # Without the large parts the pass over the whole basis finds little more than rounding, and one is enough.
        last = slice(start - self.coupled, start)
        coefficients[last], before = project_out(self.rows[last], block)
        more, after = project_out(self.vectors, block)
        coefficients[:start] += more
        for i, (length, rest) in enumerate(zip(before.tolist(), after.tolist(), strict=True)):
            if self.count > start:
                rest = self._pass(block[i : i + 1], coefficients[:, i], slice(start, self.count))
            for _ in range(1, _MOST_PASSES):
                if rest >= _CANCELLED * length or rest <= zero:
                    break
                length, rest = rest, self._pass(block[i : i + 1], coefficients[:, i], slice(self.count))
            if rest > zero and not self.full:
                torch.div(block[i], rest, out=self.rows[self.count])
                coefficients[self.count, i] = rest
                self.count += 1
        self.coupled = self.count - start
        return coefficients[: self.count]

    def _pass(self, vector: Tensor, coefficients: Tensor, rows: slice) -> float:
        products, rest = project_out(self.rows[rows], vector)
        coefficients[rows] += products[:, 0]
        return float(rest)

    def keep(self, weights: Tensor, newest: int) -> None:
        """Replace all but the ``newest`` vectors by the combinations ``weights`` ``(l, count - newest)`` of them."""
        old, kept = self.count - newest, len(weights)
        combine(weights, self.rows[:old], self.rows[:kept])
        self.rows[kept : kept + newest] = self.rows[old : self.count].clone()
        self.count = kept + newest
        self.coupled = newest or kept


class Bidiagonalisation:
    """The two bases of an operator that has at least as many rows as columns, the matrix H, and the next product.

    ``waiting`` vectors, the newest of P (``on_right``) or else of Q, have not been multiplied yet. ``capacity`` bounds
    the vectors of each basis, ``width`` those of a block.
    """

    def __init__(self, operator: LinearOperator, capacity: int, width: int, device: torch.device, seed: int):
        self.operator = operator
        rows, columns = operator.shape
        self.capacity = capacity
        self.right = Basis(basis_rows(columns, capacity, width), columns, operator.dtype, device)
        self.left = Basis(basis_rows(rows, capacity, width), rows, operator.dtype, device)
        self.H = torch.zeros(len(self.left.rows), len(self.right.rows), dtype=torch.float64)
        self.waiting, self.on_right, self.products = 0, True, 0
        # Largest norm of a product, a lower bound of the operator's; and of what the newest products added to a basis.
        self.norm, self.coupling = 0.0, torch.inf
        self._generator = torch.Generator().manual_seed(seed)

    def room(self, new: int) -> bool:
        """Whether so many vectors still fit into P; they always do where it may hold the whole space."""
        return self.right.count + new <= self.capacity or self.capacity >= self.operator.shape[1]

    def add_random(self, count: int) -> int:
        """Let random directions orthogonal to P wait for their product; how many there was a dimension left for.

        Drawn on the CPU in float64, so that they do not depend on the device or, but for rounding, on the dtype.
        """
        size, start = self.right.rows.shape[1], self.right.count
        # By the length of what is drawn, about the square root of the size.
        zero = self._rounding(size**0.5)
        for _ in range(count):
            vector = torch.randn(1, size, dtype=torch.float64, generator=self._generator)
            self.right.extend(vector, zero)
        added = self.right.count - start
        self.H[:, start : self.right.count] = 0
        self.waiting, self.on_right, self.coupling = self.waiting + added, True, torch.inf
        return added

    def advance(self) -> None:
        """Multiply the waiting vectors, by A or by A^T, and let what is new in the result wait."""
        source, target = (self.right, self.left) if self.on_right else (self.left, self.right)
        new = slice(source.count - self.waiting, source.count)
        start = target.count
        coefficients = self._extend(target, self._multiply(source.rows[new]))
        added = slice(start, target.count)
        self.coupling = float(coefficients[added].norm())
        if self.on_right:
            self.H[added, : source.count] = 0
            self.H[: target.count, new] = coefficients
        else:
            self.H[: source.count, added] = 0
            self.H[new, added] = coefficients[added].T
        self.waiting, self.on_right = target.count - start, not self.on_right

    def ritz(self) -> Ritz:
        """Triplets of the part of H whose vectors have all been multiplied, on both sides."""
        p, q = self.right.count, self.left.count
        closed_p, closed_q = (p - self.waiting, q) if self.on_right else (p, q - self.waiting)
        left, S, right = torch.linalg.svd(self.H[:closed_q, :closed_p], full_matrices=False)
        right = right.T
        beyond = self.H[:closed_q, closed_p:p].T @ left if self.on_right else self.H[closed_q:q, :closed_p] @ right
        return Ritz(left, S, right, beyond)

    def remainder(self, ritz: Ritz, weights: Tensor) -> Tensor:
        """The residual ``(1, size)`` of a combination of the first Ritz triplets, on the side that waits."""
        basis = self.right if self.on_right else self.left
        out = basis.rows.new_zeros(1, basis.rows.shape[1])
        if self.waiting:
            combine((ritz.beyond[:, : len(weights)] @ weights).unsqueeze(0), basis.vectors[-self.waiting :], out)
        return out

    def restart(self, ritz: Ritz, kept: int) -> None:
        """Keep the first ``kept`` Ritz triplets, or as many as there are, and the waiting vectors of P."""
        kept = min(kept, len(ritz.S))
        coupling = ritz.left[:, :kept].T @ self.H[: len(ritz.left), self.right.count - self.waiting : self.right.count]
        self.right.keep(ritz.right[:, :kept].T, self.waiting)
        self.left.keep(ritz.left[:, :kept].T, 0)
        self.H.zero_()
        self.H[:kept, :kept] = torch.diag(ritz.S[:kept])
        self.H[:kept, kept : kept + self.waiting] = coupling

    def pad(self, k: int) -> None:
        """Random directions on both sides up to k, for the zero singular values of an operator that has no others."""
        for basis in (self.right, self.left):
            while basis.count < k:
                vector = torch.randn(1, basis.rows.shape[1], dtype=torch.float64, generator=self._generator)
                basis.extend(vector, 0.0)

    def _multiply(self, vectors: Tensor) -> Tensor:
        operator = self.operator
        shape, product = (
            (operator.domain_shape, operator.matmat) if self.on_right else (operator.range_shape, operator.rmatmat)
        )
        self.products += len(vectors)
        return product(vectors.to(operator.device).unflatten(1, shape)).flatten(1)

    def _extend(self, basis: Basis, block: Tensor) -> Tensor:
        largest = float(norms(block).max())
        if not largest < float("inf"):
            raise SvdError(
                f"product {self.products} with {'A' if self.on_right else 'A^T'} gave NaN or infinity for a vector of "
                "norm 1; look for them in the operator's weights, and for values beyond the range of "
                f"{self.operator.dtype}"
            )
        self.norm = max(self.norm, largest)
        return basis.extend(block, self._rounding(self.norm))

    def _rounding(self, norm: float) -> float:
        return _ZERO * torch.finfo(self.operator.dtype).eps * norm


def basis_rows(size: int, capacity: int, width: int) -> int:
    """Rows of one side's basis: its capacity, or, where this holds the whole space, that and one block on its way."""
    return capacity if capacity < size else size + width
