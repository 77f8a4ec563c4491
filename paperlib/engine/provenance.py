"""What a result says about where it came from."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from paperlib import paths

# What a run's numbers depend on; changes elsewhere (prose, tests, tracked results) do not make a commit dirty.
_INPUTS = (
    "paperlib", "notebooks", "data/registry.toml", "data/volumes.toml", "data/checkpoints", "pyproject.toml",
    "constraints.txt",
)  # fmt: skip
_PACKAGES = ("torch", "numpy", "scipy", "slepc4py")


def commit() -> str | None:
    """Short hash of the repository's commit, with ``+`` where the code, notebooks or data registry differ from it.

    None outside git, without git, before the first commit, or where the repository is part of another one.
    """
    top = _git("rev-parse", "--show-toplevel")
    short = _git("rev-parse", "--short", "HEAD")
    if top is None or short is None or not os.path.samefile(top, paths.ROOT):
        return None
    changed = _git("status", "--porcelain", "--", *_INPUTS)
    return short if changed == "" else f"{short}+"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(paths.ROOT), *arguments], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute; a package that is not installed is left out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def threads() -> int:
    """Threads that torch computes with, or the cores of this process where torch is not loaded."""
    torch = sys.modules.get("torch")
    if torch is not None:
        return torch.get_num_threads()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device_name(device: str) -> str:
    """``device`` with the name of the GPU where it is one, such as ``cuda (NVIDIA H100)``."""
    torch = sys.modules.get("torch")
    if torch is not None and device.startswith("cuda") and torch.cuda.is_available():
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return device


def machine() -> str:
    """The processor in words, with the number of its cores, such as ``AMD EPYC 7R13, 2 cores``."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    cores = os.cpu_count() or 1
    return f"{model}, {cores} core{'s' if cores != 1 else ''}"


def now() -> str:
    """Date and time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
