"""Whole files or none: write beside the target, then rename, and lines that are on the disk once they are written."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, write: Callable[[Path], None]) -> Path:
    """Call ``write(temporary path)`` and rename what it wrote to ``path``.

    The temporary file lies in the folder of ``path``, so that the rename is atomic. Where ``write`` fails (a full
    disk, an interruption) the temporary file is removed, an earlier ``path`` stays as it was, and the error goes on.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        # mkstemp makes files that only their owner can read; a result is as public as any other file.
        temporary.chmod(0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_text_atomically(path: Path, text: str) -> Path:
    """Write ``text`` (UTF-8) to ``path`` whole or not at all."""
    return write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def append_text(file: BinaryIO, text: str) -> None:
    """Write ``text`` (UTF-8) to an open file, down to the disk."""
    file.write(text.encode())
    file.flush()
    os.fsync(file.fileno())
