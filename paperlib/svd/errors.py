"""How a decomposition can fail."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paperlib.svd.triplets import SingularTriplets


class SvdError(Exception):
    """Base of the errors of `paperlib.svd`."""


class RankError(SvdError, ValueError):
    """More singular triplets were asked for than the matrix can have."""


class NotConvergedError(SvdError):
    """A solver stopped before all triplets reached the tolerance; ``triplets`` holds what it found."""

    def __init__(self, message: str, triplets: "SingularTriplets"):
        super().__init__(message)
        self.triplets = triplets


class NotEnoughMemoryError(SvdError, MemoryError):
    """The vectors of a solver would not fit; the message says how many bytes they take and how many are free."""


class SolverUnavailableError(SvdError, ImportError):
    """The library behind a solver is not installed; the message says how to get it."""


def check_rank(k: int, shape: tuple[int, int]) -> None:
    """Raise ``RankError`` unless ``1 <= k <= min(shape)``."""
    if not 1 <= k <= min(shape):
        raise RankError(
            f"{k} singular triplets were asked for; a {shape[0]} x {shape[1]} matrix has {min(shape)}, so k must be in "
            f"1..{min(shape)}"
        )
