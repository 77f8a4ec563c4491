"""Linear algebra of convolutional neural networks: the library of the compendium.

The public parts are the sub-packages. The front for a reader's own model is here too, imported on first use, so that
neither ``import paperlib`` nor the command line waits for torch.
"""

from importlib import import_module

_FRONT = {"RatioTable": "paperlib.ratios", "analyze": "paperlib.ratios"}

__all__ = ["RatioTable", "analyze"]


def __getattr__(name: str):
    if name in _FRONT:
        return getattr(import_module(_FRONT[name]), name)
    raise AttributeError(f"module 'paperlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_FRONT])
