"""Rows of volumes on disk as soon as they are known, written by any number of processes.

Each question (network, settings, data) has a folder of its own, named by the question's digest: ``question.json`` and
one file of JSON lines for each process that ever worked on it. No file is written by two processes or continued by a
later one, so that only the last line of a file can be cut off, and nothing needs a lock.
"""

import hashlib
import json
import uuid
from pathlib import Path

from paperlib.files import append_text, write_text_atomically
from paperlib.segmentation.rows import VolumeRow


class JournalError(Exception):
    """A folder of rows is not what its name says; the message names it and the mend."""


class VolumeJournal:
    """The rows of one question, which is plain JSON: whatever the numbers depend on, but for the volumes themselves.

    Each row stands with the digest of the volume that it was measured on. Raises ``JournalError`` where the folder of
    this question, below ``folder``, holds another. Close it, when rows were added.
    """

    def __init__(self, folder: Path, question: dict):
        text = json.dumps(question, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        self.path = Path(folder) / hashlib.sha256(text.encode()).hexdigest()[:16]
        self._shard = None
        note = self.path / "question.json"
        if not note.exists():
            write_text_atomically(note, text)
        elif note.read_text(encoding="utf-8") != text:
            raise JournalError(f"{note} was changed, or holds another question; remove {self.path} to measure again")

    def rows(self) -> dict[tuple[str, str], VolumeRow]:
        """The measured rows of all processes by (name, digest); lines that were cut off, and failed rows, are left."""
        found = {}
        for shard in sorted(self.path.glob("*.jsonl")):
            for line in shard.read_bytes().split(b"\n"):
                try:
                    entry = json.loads(line)
                    row = VolumeRow.from_dict(entry["row"])
                    digest = entry["digest"]
                except (ValueError, KeyError, TypeError):
                    continue
                if not row.note:
                    found[row.name, digest] = row
        return found

    def add(self, row: VolumeRow, digest: str) -> None:
        """Write a row, down to the disk, into this object's own file."""
        if self._shard is None:
            self._shard = (self.path / f"{uuid.uuid4().hex}.jsonl").open("xb")
        append_text(self._shard, json.dumps({"digest": digest, "row": row.as_dict()}, allow_nan=False) + "\n")

    def close(self) -> None:
        """Close this object's file, where it wrote one."""
        if self._shard is not None:
            self._shard.close()
            self._shard = None
