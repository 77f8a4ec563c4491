"""Work of known cost and known failures, to be run in a process of its own."""

import os
import signal


def filled(mib: int, prepared_mib: int = 0):
    """Fill and free one tensor before the measured part, and fill another in it."""
    # Not above: the other processes start faster without it.
    import torch

    for size in (prepared_mib, mib):
        if size == mib:
            yield
        tensor = torch.ones(size, 2**18)
        total = float(tensor.sum())
        del tensor
    return {"sum": total, "threads": torch.get_num_threads()}


def process() -> dict:
    return {"id": os.getpid()}


def raises(message: str) -> dict:
    raise ValueError(message)


def no_dict() -> int:
    return 3


def no_json() -> dict:
    return {"a": {1, 2}}


def yields_twice():
    yield
    yield


def is_killed() -> dict:
    os.kill(os.getpid(), signal.SIGKILL)


def exits() -> dict:
    raise SystemExit("the work gives up")
