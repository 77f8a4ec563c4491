"""The pages of executed notebooks in the book: what `paperlib.engine.figure_pages` says is put at their end."""

import json

from nbformat.v4 import new_markdown_cell
from sphinx.application import Sphinx

from paperlib import paths
from paperlib.engine.catalogue import PROFILES, Notebook, catalogue_path, read_catalogue
from paperlib.engine.claims import claimed_papers, claims_path, load_claims
from paperlib.engine.errors import EngineError
from paperlib.engine.figure_pages import export_numbers, page_sections
from paperlib.engine.figures import cell_figures, export_figure
from paperlib.engine.launch import launch_line
from paperlib.engine.pages import PROVENANCE_TAG
from paperlib.engine.results import Result, find_result, load_result
from paperlib.engine.sphinx_base import result_files, warn, watch


def _complete(app: Sphinx, docname: str, content: list[str]) -> None:
    declared = _notebook(app, docname)
    if declared is None:
        return
    env = app.env
    watch(env, [catalogue_path(declared.paper), *result_files(declared.id, PROFILES)])
    try:
        content[0] = json.dumps(_completed(app, declared, json.loads(content[0])))
    except EngineError as error:
        warn(env, error, docname)


def _notebook(app: Sphinx, docname: str) -> Notebook | None:
    """The notebook whose executed copy is the page; None for other pages."""
    page = (app.srcdir / docname).resolve()
    if not page.is_relative_to(paths.EXECUTED.resolve()):
        return None
    return read_catalogue().get(page.relative_to(paths.EXECUTED.resolve()).as_posix())


def _completed(app: Sphinx, declared: Notebook, notebook: dict) -> dict:
    """The executed notebook with a line of links below its title and the sections in place of its provenance cell."""
    cells = [cell for cell in notebook["cells"] if PROVENANCE_TAG not in cell["metadata"].get("tags", [])]
    results = _results(declared)
    figures = cell_figures(cells, declared.id)
    for figure in figures:
        export_figure(figure)
    for result in results.values():
        export_numbers(result)
    watch(app.env, [claims_path(declared.paper)] if declared.paper in claimed_papers() else [])
    claims = [claim.id for claim in load_claims(declared.paper) if claim.notebook == declared.id]
    sections = page_sections(declared, results, claims, figures)
    options = app.config.html_theme_options
    links = launch_line(declared, options.get("repository_url", ""), options.get("repository_branch", ""))
    if links and cells:
        cells = [cells[0], _cell("launch", links), *cells[1:]]
    return notebook | {"cells": [*cells, _cell(PROVENANCE_TAG, sections)]}


def _results(declared: Notebook) -> dict[str, Result]:
    """Results by profile, that of the page's own profile first, which has to be there."""
    own = PROFILES[0]
    others = [profile for profile in PROFILES[1:] if find_result(declared.id, profile)]
    return {profile: load_result(declared.id, profile) for profile in (own, *others)}


def _cell(name: str, text: str) -> dict:
    cell = new_markdown_cell(text, metadata={"tags": [name]})
    cell["id"] = name
    return cell


def connect_pages(app: Sphinx) -> None:
    """Complete the pages when they are read."""
    app.connect("source-read", _complete)
