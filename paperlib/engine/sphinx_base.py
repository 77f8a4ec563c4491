"""What the directives and roles of the book share: errors as red notes, and which files a page depends on."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from paperlib import paths
from paperlib.engine.errors import EngineError, MissingResultError
from paperlib.engine.results import local_path, tracked_path

logger = logging.getLogger(__name__)

_FORMULA = re.compile(r"\$([^$]+)\$")


class EngineDirective(SphinxDirective, ABC):
    """A directive whose errors are red boxes."""

    def run(self) -> list[nodes.Node]:
        try:
            return self.content_nodes()
        except EngineError as error:
            warn(self.env, error, self.get_location())
            return [_box(error)]

    @abstractmethod
    def content_nodes(self) -> list[nodes.Node]:
        """What the directive shows; may raise ``EngineError``."""

    def inline(self, text: str) -> list[nodes.Node]:
        """Text in which formulas and code are marked up as in the book."""
        return self.state.inline_text(text, self.lineno)[0]


def with_formulas(text: str) -> list[nodes.Node]:
    """Plain text in which only the formulas between dollar signs are marked up."""
    parts = _FORMULA.split(text)
    made = [nodes.math(part, part) if place % 2 else nodes.Text(part) for place, part in enumerate(parts)]
    return [node for node in made if node.astext()]


def or_missing(role: SphinxRole, make: Callable[[], list[nodes.Node]]) -> tuple[list[nodes.Node], list]:
    """What a role returns: the nodes that ``make`` gives, or a red note where it raised ``EngineError``."""
    try:
        return make(), []
    except EngineError as error:
        warn(role.env, error, role.get_location())
        return [missing_note(_command(error) or str(error))], []


def warn(env: BuildEnvironment, error: EngineError, location: str) -> None:
    """Say on the console what is wrong, and read the page again the next time."""
    # A page that is not read again would not warn again, and a second strict build would pass.
    env.note_reread()
    logger.warning("%s", error, location=location, type="paperlib", subtype="result")


def _command(error: EngineError) -> str:
    return error.command if isinstance(error, MissingResultError) else ""


def missing_note(what: str) -> nodes.inline:
    """A red note inside a line."""
    return nodes.inline("", "", nodes.Text("missing: "), nodes.literal("", what), classes=["paperlib-missing"])


def _box(error: EngineError) -> nodes.admonition:
    command = _command(error)
    title = "Missing result" if command else "This cannot be shown"
    box = nodes.admonition("", nodes.title("", title), classes=["error", "paperlib-missing"])
    box += nodes.paragraph("", str(error))
    if command:
        box += nodes.literal_block(command, command, language="bash")
    return box


def result_files(notebook_id: str, profiles: Sequence[str]) -> list[Path]:
    """Every place where a result of the notebook may lie."""
    return [place(notebook_id, profile) for profile in profiles for place in (local_path, tracked_path)]


def page_link(env: BuildEnvironment, notebook_id: str, text: str) -> nodes.Node:
    """A link to the executed notebook's page where the book has one, else the text."""
    page = paths.EXECUTED / f"{notebook_id}.ipynb"
    watch(env, [page])
    source = Path(env.srcdir).resolve()
    inside = page.resolve().is_relative_to(source)
    document = str(page.resolve().relative_to(source).with_suffix("")) if inside else ""
    if document not in env.found_docs:
        return nodes.Text(text)
    options = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{document}", "refexplicit": True}
    return addnodes.pending_xref("", nodes.inline("", text), refdoc=env.docname, refwarn=True, **options)


def watch(env: BuildEnvironment, files: Sequence[Path]) -> None:
    """Read the current page again when one of the files changes, appears or goes."""
    for file in files:
        there = file.is_file()
        _watched(env).setdefault(env.docname, {})[str(file)] = there
        if there:
            env.note_dependency(str(file))


def _watched(env: BuildEnvironment) -> dict[str, dict[str, bool]]:
    """Files that each page looked for, and whether they were there."""
    if not hasattr(env, "paperlib_watched"):
        env.paperlib_watched = {}
    return env.paperlib_watched


def _outdated(app: Sphinx, env: BuildEnvironment, added: set, changed: set, removed: set) -> list[str]:
    pages = _watched(env).items()
    return [page for page, files in pages if any(Path(file).is_file() != there for file, there in files.items())]


def _forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _watched(env).pop(docname, None)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: Sequence[str], other: BuildEnvironment) -> None:
    _watched(env).update({page: files for page, files in _watched(other).items() if page in docnames})


def connect(app: Sphinx) -> None:
    """Let Sphinx read a page again when one of the files that it watches changed, appeared or went."""
    app.connect("env-get-outdated", _outdated)
    app.connect("env-purge-doc", _forget)
    app.connect("env-merge-info", _merge)
