"""What can be set of the Lanczos solver, and how large a basis follows."""

from dataclasses import dataclass

import torch

# Default size of the bases at most.
_DEFAULT_BYTES = 2**33


@dataclass(frozen=True)
class Lanczos:
    """Settings of `paperlib.svd.lanczos_svd`.

    ``block_size`` vectors are multiplied at a time. One needs the fewest products. A block finds at once as many copies
    of a repeated singular value as it has vectors; further ones show only late, through rounding, and may be missed.
    ``basis_size`` bounds the vectors of each of the two bases; by default 60 or 6 k, the larger, so that restarts
    are few, but no more than fill 8 GiB, down to 4 k. ``max_products`` bounds the vectors multiplied by A or A^T.
    ``basis_device`` is where the bases lie and are orthogonalised, the operator's device by default: ``"cpu"`` where a
    GPU has room for the products but not for the bases.

    ``guard_steps`` continue for so many steps behind convergence, with one more random direction orthogonal to what
    was found, in search of copies that a single vector missed; each step costs two products more than without it.
    """

    block_size: int = 1
    basis_size: int | None = None
    max_products: int = 10_000
    basis_device: str | torch.device | None = None
    guard_steps: int = 0

    def __post_init__(self):
        for name, least in (("block_size", 1), ("basis_size", 1), ("max_products", 1), ("guard_steps", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"Lanczos got {name}={value}; it must be at least {least}")

    @property
    def name(self) -> str:
        return "lanczos" if self.block_size == 1 else "block lanczos"

    @property
    def width(self) -> int:
        """Most vectors that are multiplied at once."""
        return self.block_size + (1 if self.guard_steps else 0)

    def capacity(self, k: int, shape: tuple[int, int], dtype: torch.dtype) -> int:
        """Vectors of a basis for k triplets of an operator; ``ValueError`` for a ``basis_size`` that is too small."""
        if self.basis_size is None:
            affordable = _DEFAULT_BYTES // (sum(shape) * dtype.itemsize)
            return max(min(max(60, 6 * k), affordable), 4 * k, k + 4 * self.width)
        least = min(k + 2 * self.width, *shape)
        if self.basis_size < least:
            raise ValueError(
                f"a basis of {self.basis_size} vectors is too small for {k} triplets by blocks of {self.width}; "
                f"basis_size must be at least {least}"
            )
        return self.basis_size
