"""Work in a fresh Python process, so that its peak memory is its own and nothing from before warms it up.

>>> from paperlib.costs import measured_apart
>>> measured_apart("json:loads", s='{"rows": 10}').result
{'rows': 10}
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class ApartError(RuntimeError):
    """Work in a process of its own failed; the message holds the child's own error."""


@dataclass(frozen=True)
class Measured:
    """What the work returned, its seconds by the clock, and its peak memory in MiB beyond that held before it."""

    result: dict
    seconds: float
    peak_mib: float


def measured_apart(work: str, *, threads: int = 1, **arguments) -> Measured:
    """Run ``"module:function"`` with keyword arguments in a fresh process of ``threads`` threads, and measure it.

    The function takes JSON values and returns a dict of them. If it is a generator function, it prepares until its one
    bare ``yield``, and only what comes after that is measured; its ``return`` is the result. The child looks for
    modules where the caller does, and imports are not measured. Peak memory is the resident memory's, on the CPU alone.

    Raises ``TypeError`` for arguments that JSON cannot write, and ``ApartError`` where the function cannot be found,
    raises, returns something else, or its process is ended from outside (for want of memory, for example).
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        order = json.dumps({"work": work, "arguments": arguments, "answer": str(answer)})
        command = [sys.executable, "-m", "paperlib.costs.child"]
        child = subprocess.run(command, input=order, text=True, stderr=subprocess.PIPE, env=_environment(threads))
        if not answer.exists():
            last = (child.stderr.strip().splitlines() or ["no message"])[-1]
            raise ApartError(f"the process of {work} ended with exit status {child.returncode} and no result: {last}")
        found = json.loads(answer.read_text())
    if "error" in found:
        raise ApartError(f"{work} failed in its own process: {found['error']}")
    return Measured(**found)


def _environment(threads: int) -> dict[str, str]:
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads)) | {"PYTHONPATH": paths}
