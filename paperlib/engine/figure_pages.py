"""What the page of a notebook says beside its figures: the paper's claims, origin, commands, files to take along.

The text is Markdown of the book, which the Sphinx extension puts at the end of an executed notebook.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from paperlib import paths
from paperlib.engine.catalogue import PROFILES, Notebook
from paperlib.engine.errors import ResultError
from paperlib.engine.figures import PageFigure
from paperlib.engine.pages import page_command, provenance_table
from paperlib.engine.parameters import ParameterSpec, parse_overrides
from paperlib.engine.results import Result, leaves, run_command, write_result
from paperlib.engine.text import code_span
from paperlib.files import write_text_atomically
from paperlib.tables import markdown_table

# Figures are files of these kinds, the first of which the page shows.
_ENDINGS = ("svg", "png")


def page_sections(
    declared: Notebook, results: Mapping[str, Result], claims: Sequence[str], figures: Sequence[PageFigure]
) -> str:
    """All sections; ``results`` are by profile, the one that the page shows first; ``claims`` are ids.

    Raises ``ParameterError`` where the parameter to try is not one of the notebook's, and ``ResultError`` where the
    notebook has parameters by now that the first result does not know.
    """
    sections = [
        _claims(declared, claims),
        _prose("What differs from the paper, and why", declared.about.differs),
        _prose("What chance alone would give", declared.about.chance),
        _again(declared, next(iter(results.values()))),
        _files(declared, results, figures),
        _origin(results),
    ]
    return "\n\n".join(section for section in sections if section)


def _claims(declared: Notebook, claims: Sequence[str]) -> str:
    if not claims:
        return ""
    directive = f"```{{claims}} {declared.paper}\n:ids: {' '.join(claims)}\n```"
    return f"## The paper beside this book\n\n{_wide(directive)}"


def _wide(table: str) -> str:
    """A table of more columns than the width of the text has room for."""
    return f"::::{{div}} full-width\n{table}\n::::"


def _prose(title: str, text: str) -> str:
    return f"## {title}\n\n{text.strip()}" if text.strip() else ""


def _again(declared: Notebook, result: Result) -> str:
    newer = [spec.name for spec in declared.parameters if spec.name not in result.parameters]
    if newer:
        raise ResultError(
            f"the result of {declared.id} in profile {result.profile} has no parameter {', '.join(newer)}, which the "
            f"notebook has by now; run it again: {run_command(declared.id, result.profile)}"
        )
    blocks = ["## Make it again"]
    if declared.parameters:
        chosen = {profile: declared.profile_values(profile) for profile in PROFILES}
        head = ("parameter", "meaning", "type and range", *PROFILES)
        rows = [
            (f"`{spec.name}`", spec.words, _type(spec), *_values(spec, [chosen[name] for name in PROFILES]))
            for spec in declared.parameters
        ]
        blocks.append(_wide(markdown_table(head, rows)))
    commands = [page_command(declared, result.parameters, result.profile)]
    if declared.about.change:
        changed = parse_overrides(declared.parameters, [declared.about.change])
        commands += ["", "# the same with a changed parameter"]
        commands.append(page_command(declared, {**result.parameters, **changed}, result.profile))
    blocks.append("```bash\n" + "\n".join(commands) + "\n```")
    return "\n\n".join(blocks)


def _type(spec: ParameterSpec) -> str:
    return code_span(spec.type) + ("" if spec.range is None else f", {code_span(str(spec.range))}")


def _values(spec: ParameterSpec, profiles: Sequence[Mapping]) -> list[str]:
    """The value in each profile, those that equal the first's left out."""
    words = [code_span(spec.command_line(values[spec.name])) for values in profiles]
    return [words[0], *("" if word == words[0] else word for word in words[1:])]


def _files(declared: Notebook, results: Mapping[str, Result], figures: Sequence[PageFigure]) -> str:
    notebook = f"{_up(declared.id)}/../{declared.path.relative_to(paths.ROOT).as_posix()}"
    rows = [("the notebook, without outputs", _download("ipynb", notebook))]
    for profile in results:
        links = [_download(ending, numbers_path(declared.id, profile, ending).name, "numbers") for ending in _NUMBERS]
        rows.append((f"the numbers, profile {profile}", " ".join(links)))
    for figure in figures:
        endings = [ending for ending in _ENDINGS if ending in figure.images]
        links = [_download(ending, figure.file(ending).name, "figures") for ending in endings]
        rows.append((f"{{numref}}`{figure.name}`", " ".join(links)))
    return "## Take it along\n\n" + markdown_table(("what", "files"), rows)


def _up(notebook_id: str) -> str:
    """From the folder of a notebook's page to that of the book."""
    return (Path("..") / Path(*[".."] * notebook_id.count("/"))).as_posix()


def _download(ending: str, name: str, folder: str = "") -> str:
    return f"{{download}}`{ending.upper()} <{f'{folder}/{name}' if folder else name}>`"


def _origin(results: Mapping[str, Result]) -> str:
    blocks = [f":::{{dropdown}} Profile {name}\n\n{provenance_table(result)}\n:::" for name, result in results.items()]
    return "\n\n".join(["## Where the numbers come from", *blocks])


_NUMBERS = ("json", "csv")


def numbers_path(notebook_id: str, profile: str, ending: str) -> Path:
    """Where `export_numbers` puts the numbers of a result."""
    paper, _, name = notebook_id.partition("/")
    return paths.EXECUTED / paper / "numbers" / f"{name}-{profile}.{ending}"


def export_numbers(result: Result) -> None:
    """Write a result below ``book/run`` as JSON, and its values as CSV with a row for each number."""
    write_result(result, numbers_path(result.id, result.profile, "json"))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("name", "value"))
    rows.writerows(leaves(result.values))
    write_text_atomically(numbers_path(result.id, result.profile, "csv"), text.getvalue())
