"""The process of `paperlib.costs.apart`: reads what to run from standard input, runs it, writes what it took."""

import ctypes
import gc
import importlib
import inspect
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import reduce
from pathlib import Path

_STATUS = Path("/proc/self/status")


def main() -> None:
    order = json.load(sys.stdin)
    try:
        # Written inside, so that a result that JSON cannot write is an error like any other.
        text = json.dumps(measured(_function(order["work"]), order["arguments"]))
    except Exception as error:
        text = json.dumps({"error": f"{type(error).__name__}: {error}"})
    Path(order["answer"]).write_text(text)


def measured(function: Callable, arguments: dict) -> dict:
    """The fields of `paperlib.costs.Measured` for one call."""
    work = _prepared(function, arguments)
    forget_peak()
    before = resident_mib()
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    if not isinstance(result, dict):
        raise TypeError(f"expected a dict of JSON values as result, got {type(result).__name__}")
    return {"result": result, "seconds": seconds, "peak_mib": max(0.0, peak_mib() - before)}


def _function(work: str) -> Callable:
    module, separator, name = work.partition(":")
    if not separator:
        raise ValueError(f"expected 'module:function', got {work!r}")
    return reduce(getattr, name.split("."), importlib.import_module(module))


def _prepared(function: Callable, arguments: dict) -> Callable[[], dict]:
    """The part of the work that is measured; what a generator does before its ``yield`` is done here."""
    if not inspect.isgeneratorfunction(function):
        return lambda: function(**arguments)
    steps = function(**arguments)
    next(steps)

    def rest() -> dict:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        raise TypeError("expected a generator with exactly one yield, got a second one")

    return rest


def forget_peak() -> None:
    """Set the peak back to what is held (on Linux), and give back what was freed: else later work would hide in it."""
    gc.collect()
    if not _STATUS.exists():
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    # Writing 5 sets Linux's peak of this process back to what it holds now (man 5 proc).
    Path("/proc/self/clear_refs").write_text("5")


def resident_mib() -> float:
    """Resident memory of this process; its peak where the system does not tell."""
    return _status_mib("VmRSS") if _STATUS.exists() else peak_mib()


def peak_mib() -> float:
    """Largest resident memory of this process since it started or since `forget_peak`."""
    # Not getrusage on Linux: it starts at the peak of the parent process.
    if _STATUS.exists():
        return _status_mib("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _status_mib(field: str) -> float:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


if __name__ == "__main__":
    main()
