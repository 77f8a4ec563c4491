"""Every path of the compendium, in one place.

The library is installed in place (``pip install --editable``), so the repository is the folder above this package.
"""

import os
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent
ROOT = LIBRARY.parent
DATA = ROOT / "data"
REGISTRY = DATA / "registry.toml"
VOLUMES = DATA / "volumes.toml"
WEIGHTS = DATA / "weights.toml"
CLAIMS = DATA / "claims"
THEOREMS = DATA / "theorems.toml"
TRACKED_RESULTS = DATA / "results"
TRACKED_CHECKPOINTS = DATA / "checkpoints"
NOTEBOOKS = ROOT / "notebooks"
BOOK = ROOT / "book"
EXECUTED = BOOK / "run"
LOCAL_RESULTS = ROOT / "results"


def cache_directory() -> Path:
    """Folder for downloads and local trainings: ``$PAPERLIB_CACHE``, else ``.cache`` of the repository."""
    return Path(os.environ.get("PAPERLIB_CACHE") or ROOT / ".cache")
