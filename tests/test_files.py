"""Files are written whole or not at all."""

import errno
import os
import stat

import pytest

from paperlib.files import write_atomically, write_text_atomically


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_is_written_into_a_folder_that_is_made(tmp_path):
    path = write_text_atomically(tmp_path / "a" / "b" / "note.txt", "käse\n")
    assert path.read_bytes() == "käse\n".encode()
    assert names(path.parent) == ["note.txt"]


def test_file_is_readable_by_all(tmp_path):
    path = write_text_atomically(tmp_path / "note.txt", "x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_an_earlier_file_is_replaced(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("a longer text than the new one")
    write_text_atomically(path, "new")
    assert path.read_text() == "new"
    assert names(tmp_path) == ["note.txt"]


def test_temporary_file_lies_beside_the_target_and_keeps_its_suffix(tmp_path):
    seen = []
    write_atomically(tmp_path / "table.json.gz", lambda temporary: seen.append(temporary))
    assert seen[0].parent == tmp_path and seen[0].suffix == ".gz"
    assert not seen[0].exists()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()], ids=repr)
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "result.json"
    path.write_text("old")

    def fill_the_disk(temporary):
        temporary.write_text("half of the n")
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, fill_the_disk)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.json"]


def test_a_rename_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    path.write_text("old")

    def no_space(_source, _target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(OSError, match="No space left"):
        write_text_atomically(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.json"]


def test_a_write_that_fails_without_an_old_file_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        write_atomically(tmp_path / "result.json", lambda temporary: 1 / 0)
    assert names(tmp_path) == []
