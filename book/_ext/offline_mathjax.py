"""Sphinx extension: formulas without a network, by MathJax copied from the Python package that ships it.

The SVG output carries its glyphs with it; a browser that opens the book from a folder may refuse to load web fonts.
Only the parts that the book needs are loaded: without MathJax's menu, whose settings would ask for files that are not
there, and which puts every formula into the order of the Tab key.
"""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

_PACKAGE = "sphinx-mathjax-offline"
_FOLDER = "mathjax"
# Another macro package is one more component, "[tex]/NAME", whose file stands in input/tex/extensions.
_COMPONENTS = ("input/tex-base", "[tex]/ams", "output/svg", "a11y/assistive-mml")
# What these ask for themselves, in the order in which they need it.
_NEEDED = ("core", "output/svg/fonts/tex")
_TEX_PACKAGES = ("base", "ams")


def _use_local_script(app: Sphinx, config: Config) -> None:
    config.mathjax_path = f"{_FOLDER}/startup.js"
    given = config.mathjax3_config or {}
    config.mathjax3_config = given | {
        "loader": {"load": list(_COMPONENTS)},
        "tex": {"packages": list(_TEX_PACKAGES)},
    }


def _copy_scripts(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    try:
        source = files(_PACKAGE) / "static" / "mathjax"
    except ModuleNotFoundError as error:
        raise ExtensionError(f"the book's formulas need the package {_PACKAGE}; install it with pip") from error
    target = Path(app.outdir, "_static", _FOLDER)
    for name in ("startup", *_NEEDED, *_COMPONENTS):
        file = f"{name.replace('[tex]', 'input/tex/extensions')}.js"
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        with as_file(source / file) as path:
            shutil.copyfile(path, target / file)


def setup(app: Sphinx) -> dict[str, object]:
    """Point Sphinx's MathJax at the copies and make them before the pages are written."""
    app.connect("config-inited", _use_local_script)
    app.connect("builder-inited", _copy_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
