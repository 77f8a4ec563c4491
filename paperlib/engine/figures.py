"""The figures of executed notebooks as files, so that other pages show them and readers take them along."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from paperlib import paths
from paperlib.engine.catalogue import read_catalogue
from paperlib.engine.errors import SourceError
from paperlib.engine.text import shown_path
from paperlib.files import write_atomically

# Formats that a notebook's output may hold, and the ending of their files.
_FORMATS = {"image/svg+xml": "svg", "image/png": "png"}


@dataclass(frozen=True)
class PageFigure:
    """A figure of an executed notebook: its label, caption and description, and the image in each format by ending."""

    name: str
    notebook: str
    caption: str
    alt: str
    images: Mapping[str, bytes]

    def file(self, ending: str) -> Path:
        """Where `export_figure` puts it."""
        paper = self.notebook.partition("/")[0]
        return paths.EXECUTED / paper / "figures" / f"{self.name}.{ending}"


def page_figures(notebook_id: str) -> list[PageFigure]:
    """The labelled figures of a notebook's executed page, in their order; none where there is no such page.

    Raises ``SourceError`` for a page that is no notebook.
    """
    path = paths.EXECUTED / f"{notebook_id}.ipynb"
    return figures_of(path, notebook_id) if path.is_file() else []


def figures_of(path: Path, notebook_id: str) -> list[PageFigure]:
    """The labelled figures of the executed notebook in a file; raises ``SourceError`` where it is none."""
    try:
        return cell_figures(json.loads(path.read_text(encoding="utf-8"))["cells"], notebook_id)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{shown_path(path)} is no executed notebook ({error!r}); run it again") from error


def cell_figures(cells: Iterable[Mapping], notebook_id: str) -> list[PageFigure]:
    """The labelled figures of an executed notebook's cells, in their order."""
    return [figure for cell in cells for figure in _figures(notebook_id, cell)]


def all_figures() -> dict[str, PageFigure]:
    """The figures of all executed pages of the book by label."""
    return {figure.name: figure for notebook_id in read_catalogue() for figure in page_figures(notebook_id)}


def export_figure(figure: PageFigure) -> None:
    """Write its images below ``book/run``; a file that is there already, with the same content, is not touched."""
    for ending, image in figure.images.items():
        file = figure.file(ending)
        if not file.is_file() or file.read_bytes() != image:
            write_atomically(file, lambda temporary, image=image: temporary.write_bytes(image))


def _figures(notebook_id: str, cell: Mapping) -> list[PageFigure]:
    declared = cell["metadata"].get("mystnb", {})
    name = declared.get("figure", {}).get("name")
    images = {
        _FORMATS[kind]: _decoded(kind, "".join(content))
        for output in cell.get("outputs", [])
        for kind, content in output.get("data", {}).items()
        if kind in _FORMATS
    }
    if not name or not images:
        return []
    alt = declared.get("image", {}).get("alt", "")
    return [PageFigure(name, notebook_id, declared["figure"].get("caption", ""), alt, images)]


def _decoded(kind: str, content: str) -> bytes:
    return content.encode("utf-8") if kind == "image/svg+xml" else base64.b64decode(content)
