"""The kernel that notebooks run in: this very Python, whatever kernels are installed."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

# A Unix socket's path is at most 107 characters on Linux and 103 on macOS.
_LONGEST_SOCKET_PATH = 90


def kernel_manager_class(folder: Path, variables: Mapping[str, str]) -> type[AsyncKernelManager]:
    """A kernel manager whose kernel is ``sys.executable``, with ``variables`` added to its environment.

    ``folder`` (an empty temporary one) takes the kernel's connection file and IPython's own files, so that neither
    the user's IPython profile nor a read-only home folder plays a part.
    """
    environment = {
        # Threads that spin while they wait for each other slow a training tenfold where anything else runs on the
        # machine; sleeping ones cost a fifth on an idle machine.
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        "IPYTHONDIR": str(folder / "ipython"),
        # A backend in the environment (Agg on servers) would keep figures out of the notebook.
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        **variables,
    }
    spec = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="Python 3",
        language="python",
        # The values are templates, in which a dollar is written twice.
        env={name: value.replace("$", "$$") for name, value in environment.items()},
    )
    connection = folder / "kernel.json"
    # Two runs at once may be given the same free TCP port and one of them then fails; sockets in a folder of
    # their own cannot collide, and nobody else on the machine can reach them.
    sockets = sys.platform != "win32" and len(str(connection)) < _LONGEST_SOCKET_PATH

    class ThisPython(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            return spec

        def __init__(self, **options):
            transport = {"transport": "ipc"} if sockets else {}
            super().__init__(**options, connection_file=str(connection), **transport)

    return ThisPython
