"""A registry of small sets of volumes, away from the real one."""

import pytest

from paperlib import paths
from paperlib.datasets.volumes import volume_registry

ENTRY = 'title = "T"\ndescription = "D"\nlicence = "L"\ncitation = "C"\nmegabytes = 1\nhome = "https://toy.invalid/"\n'


@pytest.fixture
def register_volumes(tmp_path, monkeypatch):
    """A registry of the sets `toy` (a task) and `cases` (BraTS), an empty cache and no $PAPERLIB_DATA."""

    def make(sha256: str = "", digits: str = "") -> None:
        (tmp_path / "volumes.toml").write_text(
            f'[toy]\n{ENTRY}format = "decathlon"\ntask = "Task99_Toy"\ncount = 3\nmodalities = 1\n'
            f'sha256 = "{sha256}"\ndigits = "{digits}"\n'
            f'[cases]\n{ENTRY}format = "brats"\ncount = 2\nmodalities = 4\n'
            f'[phantoms]\n{ENTRY}format = "generated"\n'
        )
        volume_registry.cache_clear()

    monkeypatch.setattr(paths, "VOLUMES", tmp_path / "volumes.toml")
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PAPERLIB_DATA", raising=False)
    make()
    yield make
    volume_registry.cache_clear()
