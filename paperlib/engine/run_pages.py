"""Pages of the runs that were made here with parameters of one's own: one a run, one a notebook, one for all.

They need no network and no book; formulas are drawn by MathJax, copied once beside them.
"""

import base64
import json
import shutil
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from paperlib import paths
from paperlib.engine.catalogue import Notebook, find_notebook
from paperlib.engine.errors import EngineError, SourceError
from paperlib.engine.figures import PageFigure
from paperlib.engine.inputs import Inputs
from paperlib.engine.run_address import run_results, runs_folder
from paperlib.engine.run_comparison import LocalRun, compare_runs, figures_side_by_side, read_run
from paperlib.engine.run_markdown import inline_html, to_html
from paperlib.engine.text import format_value, shown_path
from paperlib.files import write_atomically, write_text_atomically

ERROR_ENDING = ".error.txt"
_MATHJAX_PACKAGE = "sphinx-mathjax-offline"
_MATHJAX = "tex-svg-full.js"
# Numbers in sight; the others are folded away.
_FIRST_ROWS = 20
# The best form of an output first.
_KINDS = ("text/html", "image/svg+xml", "image/png", "text/markdown", "text/plain")


def write_run_pages(notebook_id: str) -> Path:
    """Write the page of each run of a notebook, the one that sets them side by side, and the list of all runs.

    Returns the second's path. A run whose files are damaged stands among the failed ones, with what is wrong. Raises
    ``UsageError`` for an unknown notebook.
    """
    notebook = find_notebook(notebook_id)
    folder = runs_folder(notebook_id)
    inputs = Inputs()
    runs, failed = _local_runs(notebook, inputs)
    _copy_mathjax(paths.LOCAL_RESULTS / "runs" / "_static")
    for run in runs:
        _write(folder / f"{run.key}.html", "run.html", notebook=notebook, run=run, blocks=_blocks(folder, run))
    page = _write(
        folder / "index.html",
        "runs.html",
        notebook=notebook,
        runs=runs,
        failed=failed,
        comparison=compare_runs(notebook, runs),
        figures=figures_side_by_side(runs),
        first=_FIRST_ROWS,
    )
    _write_list(inputs)
    return page


def _write_list(inputs: Inputs) -> None:
    found = [(notebook, *_local_runs(notebook, inputs)) for notebook in inputs.notebooks.values()]
    chosen = [(notebook, runs, failed) for notebook, runs, failed in found if runs or failed]
    _write(paths.LOCAL_RESULTS / "runs" / "index.html", "all_runs.html", notebooks=chosen)


def keep_failure(result: Path, error: str) -> Path:
    """Keep why the run of a result failed, beside where the result would be."""
    return write_text_atomically(result.with_suffix(ERROR_ENDING), error + "\n")


def forget_failure(result: Path) -> None:
    """Drop what `keep_failure` kept."""
    result.with_suffix(ERROR_ENDING).unlink(missing_ok=True)


def _local_runs(notebook: Notebook, inputs: Inputs) -> tuple[list[LocalRun], dict[str, str]]:
    """The runs that are whole, in the order of their parameters' values, and why the others failed, by key."""
    folder = runs_folder(notebook.id)
    errors = sorted(folder.glob(f"*{ERROR_ENDING}"))
    failed = {path.name.removesuffix(ERROR_ENDING): path.read_text(encoding="utf-8").strip() for path in errors}
    runs = []
    for path in run_results(notebook.id):
        try:
            runs.append(read_run(path, notebook, inputs))
        except EngineError as error:
            failed.setdefault(path.stem, str(error))
    whole = [run for run in runs if run.key not in failed]
    return sorted(whole, key=lambda run: _order(notebook, run)), failed


def _order(notebook: Notebook, run: LocalRun) -> list:
    """Numbers in their order, everything else as text, parameter by parameter."""
    values = [run.result.parameters.get(spec.name) for spec in notebook.parameters]
    items = [value if isinstance(value, list) else [value] for value in values]
    return [[(0, item, "") if type(item) in (int, float) else (1, 0, str(item)) for item in row] for row in items]


def _write(path: Path, template: str, **content: object) -> Path:
    depth = len(path.relative_to(paths.LOCAL_RESULTS / "runs").parts) - 1
    text = _environment().get_template(template).render(top="../" * depth, **content)
    return write_text_atomically(path, text)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("paperlib.engine"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"markdown": lambda text: Markup(inline_html(text)), "value": format_value}
    environment.globals |= {"image": _image, "mathjax": _MATHJAX}
    return environment


def _copy_mathjax(folder: Path) -> None:
    if (folder / _MATHJAX).is_file():
        return
    try:
        source = files(_MATHJAX_PACKAGE) / "static" / "mathjax" / _MATHJAX
    except ModuleNotFoundError as error:
        raise SourceError(f"the formulas need the package {_MATHJAX_PACKAGE}; install it with pip") from error
    with as_file(source) as path:
        write_atomically(folder / _MATHJAX, lambda temporary: shutil.copyfile(path, temporary))


def _image(figure: PageFigure) -> str:
    """The figure's image as an address that holds all of it."""
    ending = next(iter(figure.images))
    kind = "svg+xml" if ending == "svg" else ending
    return f"data:image/{kind};base64,{base64.b64encode(figure.images[ending]).decode()}"


def _blocks(folder: Path, run: LocalRun) -> list[dict]:
    """The cells of a run's executed notebook as what the template shows."""
    path = folder / f"{run.key}.ipynb"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [block for cell in cells if (block := _block(cell)) is not None]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{shown_path(path)} is no executed notebook ({error!r}); run it again") from error


def _block(cell: Mapping) -> dict | None:
    tags, source = cell["metadata"].get("tags", []), "".join(cell["source"])
    if "remove-cell" in tags:
        return None
    if cell["cell_type"] == "markdown":
        return {"text": Markup(to_html(source)), "code": "", "outputs": []}
    declared = cell["metadata"].get("mystnb", {})
    caption = declared.get("figure", {}).get("caption", "")
    alt = declared.get("image", {}).get("alt", "")
    outputs = [] if "remove-output" in tags else [_output(output, alt) for output in cell.get("outputs", [])]
    code = "" if "remove-input" in tags else source
    return {"text": "", "code": code, "outputs": [output for output in outputs if output], "caption": caption}


def _output(output: Mapping, alt: str) -> Markup | None:
    if output["output_type"] == "stream":
        # Progress bars and warnings are not part of the page.
        return Markup("<pre>{}</pre>").format("".join(output["text"])) if output["name"] == "stdout" else None
    data = output.get("data", {})
    kind = next((kind for kind in _KINDS if kind in data), None)
    if kind is None:
        return None
    content = "".join(data[kind])
    if kind == "text/html":
        # What the notebook itself drew, such as an interactive figure.
        return Markup(content)
    if kind == "text/markdown":
        return Markup(to_html(content))
    if kind == "text/plain":
        return Markup("<pre>{}</pre>").format(content)
    raw = content.replace("\n", "") if kind == "image/png" else base64.b64encode(content.encode()).decode()
    return Markup('<img src="data:{};base64,{}" alt="{}">').format(kind, raw, alt)
