"""When a bidiagonalisation of an operator has found its largest singular triplets, and what it does until then."""

from collections.abc import Callable

import torch
from torch import Tensor

from paperlib.svd.bidiagonal import Bidiagonalisation, Ritz
from paperlib.svd.lanczos_settings import Lanczos
from paperlib.svd.residuals import ZERO
from paperlib.svd.triplets import SingularTriplets

# An invariant space shows by what is left beyond it, some units of rounding that the steps have amplified.
_FAINT = 1e4

# Of the room that the basis has beyond k, the part that a restart fills with further Ritz vectors. Measured on flat
# and clustered values: a third to a half costs the fewest products, none or three quarters a tenth more.
_KEPT = 0.5

Report = Callable[[int, Tensor], None]


class Search:
    """Steps of the bidiagonalisation until the recurrence says that all triplets have converged."""

    def __init__(self, process: Bidiagonalisation, k: int, settings: Lanczos, tol: float, report: Report | None):
        self.process, self.k, self.settings, self.report = process, k, settings, report
        self.tol, self.targets = tol, torch.full((k,), tol, dtype=torch.float64)
        self.done = False
        self._zero = ZERO * torch.finfo(process.operator.dtype).eps
        self._kept = k + int(_KEPT * max(0, process.capacity - k - 2 * settings.width))
        self._guarded = settings.guard_steps == 0
        # No convergence before so many products, and no look at it before so many.
        self._hold, self._next = 0, 0
        # Of the largest space that was exhausted.
        self._dimension = 0
        self._start_anew(settings.block_size, torch.empty(0))

    def run(self) -> Ritz:
        """Advance until converged (``done``) or out of products; the Ritz triplets of that moment."""
        process = self.process
        while True:
            if self._closed() and self._exhausted(self._look()):
                self.done = True
                process.pad(self.k)
                return process.ritz()
            if not process.room(process.waiting):
                process.restart(process.ritz(), self._kept)
            if process.products + process.waiting > self.settings.max_products:
                return process.ritz()
            process.advance()
            if process.waiting and self._due():
                ritz = self._look()
                if self._converged(ritz) and self._unguarded_no_more():
                    self.done = True
                    return ritz

    def tighten(self, ritz: Ritz, found: SingularTriplets) -> bool:
        """Smaller targets for triplets whose true residuals miss the tolerance; whether smaller ones can help."""
        estimated = ritz.residuals[: self.k] / found.S
        beyond = (found.relative_residuals.cpu().square() - estimated.square()).clamp_min(0).sqrt()
        if not self.process.waiting or not (beyond < self.tol).all():
            return False
        self.targets = 0.9 * (self.tol**2 - beyond.square()).sqrt()
        self.done = False
        return True

    def _look(self) -> Ritz:
        ritz = self.process.ritz()
        if self.report is not None and len(ritz.S):
            relative = ritz.residuals[: self.k] / ritz.S[: self.k].clamp_min(torch.finfo(torch.float64).tiny)
            self.report(self.process.products, relative)
        return ritz

    def _due(self) -> bool:
        """Whether to look: at each product where the small SVD costs little beside it, else at every fourth at most."""
        count, products = self.process.left.count, self.process.products
        if count < self.k or products < self._next:
            return False
        self._next = products + min(4, 1 + count**2 // sum(self.process.operator.shape))
        return True

    def _converged(self, ritz: Ritz) -> bool:
        if len(ritz.S) < self.k or self.process.products < self._hold:
            return False
        S, residuals = ritz.S[: self.k], ritz.residuals[: self.k]
        zero = torch.hypot(S, residuals) <= self._zero * S[0]
        return bool(((residuals <= self.targets * S) | zero).all())

    def _unguarded_no_more(self) -> bool:
        """Whether the search for missed copies is over; starts it where it is due."""
        process = self.process
        if self._guarded:
            return True
        if process.on_right:
            if not process.room(2 * self.settings.width):
                process.restart(process.ritz(), self._kept)
            process.add_random(1)
            self._guarded, self._hold = True, process.products + 2 * self.settings.guard_steps * process.waiting
        else:
            # Directions of the domain can be added behind the next product.
            self._next = 0
        return False

    def _closed(self) -> bool:
        """Whether the bases span an invariant space, to within rounding and what the steps have amplified of it."""
        process = self.process
        if not process.waiting:
            return True
        faint = _FAINT * torch.finfo(process.operator.dtype).eps
        if process.coupling > faint * process.norm:
            return False
        ritz = process.ritz()
        return bool((ritz.residuals <= faint * ritz.S.where(ritz.S > self._zero * process.norm, torch.inf)).all())

    def _exhausted(self, ritz: Ritz) -> bool:
        """Whether an invariant space holds all that there is; else random directions outside of it are searched.

        A random direction has a part of every singular vector that is still missing. So nothing is left where A sends
        it to nothing new, or where the space that grew from it has not changed the k largest values. What rounding
        left beyond the space is as good as random.
        """
        process, S = self.process, ritz.S[: self.k]
        self._dimension = max(self._dimension, process.right.count)
        if not process.waiting and process.left.count == self._left_count:
            return True
        if len(S) == self.k == len(self._values) and torch.allclose(S, self._values, rtol=self._zero, atol=0):
            return True
        # As many steps as it took to exhaust the first space show all values of the next.
        self._hold = process.products + 2 * self._dimension
        if process.waiting:
            self._values = S
            return False
        if not process.room(2 * self.settings.width):
            process.restart(ritz, self._kept)
        return not self._start_anew(self.settings.block_size, S)

    def _start_anew(self, count: int, values: Tensor) -> int:
        self._left_count, self._values = self.process.left.count, values
        return self.process.add_random(count)
