"""From an executed notebook to a page of the book: captions name the data, a last cell says how it was made."""

import shlex
from collections.abc import Mapping

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from pydantic import JsonValue

from paperlib.engine.catalogue import CUSTOM, PROFILES, Notebook
from paperlib.engine.comparison import numbers
from paperlib.engine.errors import MissingResultError
from paperlib.engine.parameters import Value
from paperlib.engine.results import Result, load_result
from paperlib.engine.run_address import changed_values, nearest_profile
from paperlib.engine.text import code_span, format_value
from paperlib.tables import markdown_table

PROVENANCE_TAG = "provenance"
# So many numbers are read one by one; of more a reader wants the largest.
_FEW = 4


def finished_page(notebook: NotebookNode, result: Result, declared: Notebook, command: str) -> NotebookNode:
    """Complete an executed notebook in place and return it.

    In the ``mystnb`` metadata of every cell (captions, alt texts) ``{data}`` and ``{profile}`` are replaced from the
    result, and ``{tracked:paper}`` from the result of the same notebook in profile paper, for what `show_tracked`
    draws; papermill's metadata, which holds paths of this machine, goes; the provenance cell is appended.
    """
    words = {"{data}": data_sentence(result), "{profile}": result.profile}
    words |= {f"{{tracked:{profile}}}": _tracked_sentence(declared.id, profile) for profile in PROFILES}
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if "mystnb" in cell.metadata:
            cell.metadata["mystnb"] = _replaced(cell.metadata["mystnb"], words)
    notebook.cells = [cell for cell in notebook.cells if PROVENANCE_TAG not in cell.metadata.get("tags", [])]
    cell = new_markdown_cell(provenance_text(result, declared, command), metadata={"tags": [PROVENANCE_TAG]})
    cell["id"] = PROVENANCE_TAG
    notebook.cells.append(cell)
    return notebook


def _replaced(node, words: Mapping[str, str]):
    if isinstance(node, dict):
        return {key: _replaced(item, words) for key, item in node.items()}
    if isinstance(node, list):
        return [_replaced(item, words) for item in node]
    if isinstance(node, str):
        for placeholder, text in words.items():
            node = node.replace(placeholder, text)
    return node


def data_sentence(result: Result) -> str:
    """``Data: MNIST, 5,000 images (1,000 test images; profile quick).`` from what the result records."""
    if not result.data:
        return f"Profile {result.profile}."
    groups: dict[str, list[str]] = {}
    for item in result.data:
        phrases = groups.setdefault(_title(item), [])
        if _part_phrase(item) not in ("", *phrases):
            phrases.append(_part_phrase(item))
    groups[_title(result.data[-1])].append(f"profile {result.profile}")
    titles = [f"{title} ({'; '.join(phrases)})" if phrases else title for title, phrases in groups.items()]
    return f"Data: {', '.join(titles)}."


def _tracked_sentence(notebook_id: str, profile: str) -> str:
    try:
        return data_sentence(load_result(notebook_id, profile))
    except MissingResultError:
        return f"There is no result in profile {profile} yet."


def _title(item: Mapping) -> str:
    return str(item.get("title") or item.get("name") or "unnamed")


def _part_phrase(item: Mapping) -> str:
    count, part = item.get("count"), item.get("part")
    # A whole set has no part that would have to be named.
    part = {"train": "training", "all": ""}.get(str(part), part)
    if not isinstance(count, int):
        return str(part or "")
    words = f"{count:,} {part} images" if part else f"{count:,} images"
    selection = item.get("selection", "all")
    return words if selection == "all" else f"{words}: {selection}"


def page_command(
    notebook: Notebook, values: Mapping[str, Value], profile: str, output: str = "", result: str = ""
) -> str:
    """The one command that makes the page again; ``output`` and ``result`` where they are not the default paths."""
    base = nearest_profile(notebook, values) if profile == CUSTOM else profile
    words = ["paperlib", "run", notebook.id]
    words += [] if base == PROFILES[0] else ["--profile", base]
    changed = changed_values(notebook, values, base)
    specs = {spec.name: spec for spec in notebook.parameters}
    words += [part for name in changed for part in ("-p", f"{name}={specs[name].command_line(changed[name])}")]
    words += ["--output", output] if output else []
    words += ["--result", result] if result else []
    return shlex.join(words)


def provenance_text(result: Result, declared: Notebook, command: str) -> str:
    """Markdown of the provenance cell."""
    parameters = [
        (f"`{spec.name}`", code_span(spec.command_line(result.parameters[spec.name])), _meaning(spec))
        for spec in declared.parameters
    ]
    blocks = ["## Provenance"]
    if parameters:
        blocks.append(markdown_table(("parameter", "value", "meaning"), parameters))
    blocks.append(provenance_table(result))
    blocks.append(f"This command makes the page again:\n\n```bash\n{command}\n```")
    return "\n\n".join(blocks)


def provenance_table(result: Result) -> str:
    """Markdown table of what a result says about its origin, parameters left out."""
    run = [
        ("profile", result.profile),
        *(("data", _data_row(item)) for item in result.data),
        ("seeds", format_value(result.seeds) or "none"),
        ("commit", code_span(result.commit) if result.commit else "not under version control"),
        ("residuals", _residuals(result.residuals) or "none"),
        ("versions", ", ".join(f"{name} {version}" for name, version in result.versions.items())),
        ("computed on", _machine(result)),
        ("time", f"{result.seconds:,.1f} seconds, {result.date}"),
    ]
    return markdown_table(("item", "of this run"), run)


def _meaning(spec) -> str:
    limits = f", {code_span(str(spec.range))}" if spec.range is not None else ""
    return spec.words + limits


def _residuals(found: JsonValue) -> str:
    if isinstance(found, dict):
        return "; ".join(f"{name}: {_residuals(item)}" for name, item in found.items())
    if isinstance(found, list) and len(found) > _FEW and numbers(found):
        return f"{format_value(max(found))} at most, of {len(found):,}"
    return format_value(found)


def _machine(result: Result) -> str:
    threads = f"{result.threads} thread{'s' if result.threads != 1 else ''}"
    return ", ".join(word for word in (result.device, result.machine, threads) if word)


def _data_row(item: Mapping) -> str:
    words = [_title(item), _part_phrase(item), f"from: {item['source']}" if item.get("source") else ""]
    words.append(f"SHA-256 {code_span(str(item['sha256']))}" if item.get("sha256") else "")
    return "; ".join(word for word in words if word)
