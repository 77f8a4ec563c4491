"""Sphinx extension: formulas without a network, by MathJax copied from the Python package that ships it.

The SVG output carries its glyphs with it; a browser that opens the book from a folder may refuse to load web fonts.
"""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

_PACKAGE = "sphinx-mathjax-offline"
_SCRIPT = "tex-svg-full.js"


def _use_local_script(app: Sphinx, config: Config) -> None:
    config.mathjax_path = _SCRIPT


def _copy_script(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    try:
        source = files(_PACKAGE) / "static" / "mathjax" / _SCRIPT
    except ModuleNotFoundError as error:
        raise ExtensionError(f"the book's formulas need the package {_PACKAGE}; install it with pip") from error
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    with as_file(source) as path:
        shutil.copyfile(path, static / _SCRIPT)


def setup(app: Sphinx) -> dict[str, object]:
    """Point Sphinx's MathJax at the copy and make it before the pages are written."""
    app.connect("config-inited", _use_local_script)
    app.connect("builder-inited", _copy_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
