"""The catalogue, the claims and the data as JSON rows and as tables for a terminal."""

from collections import Counter
from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from paperlib.engine.catalogue import PROFILES, Notebook
from paperlib.engine.claims import Claim, Judgement
from paperlib.engine.staleness import PageState
from paperlib.engine.text import format_value

_COLOURS = {"match": "green", "differs": "red", "not-measured": "yellow", "blocked": "magenta"}
_COLOURS |= {"fresh": "green", "stale": "red", "missing": "yellow"}
# Reasons in a row of the table; JSON has all.
_REASONS = 3


def notebook_row(notebook: Notebook) -> dict:
    """The object of ``paperlib list --json``."""
    chosen = {profile: notebook.profile_values(profile) for profile in PROFILES}
    parameters = [
        {
            "name": spec.name,
            "type": spec.type,
            "default": spec.default,
            "meaning": spec.meaning,
            "unit": spec.unit,
            "range": None if spec.range is None else str(spec.range),
            "profiles": {profile: chosen[profile][spec.name] for profile in PROFILES[1:]},
        }
        for spec in notebook.parameters
    ]
    return {
        "id": notebook.id,
        "paper": notebook.paper,
        "title": notebook.title,
        "covers": list(notebook.covers),
        "needs": list(notebook.needs),
        "parameters": parameters,
        "cost": notebook.cost.model_dump(),
    }


def notebook_table(notebooks: Iterable[Notebook]) -> Table:
    """Id, title, what is covered, cost per profile."""
    table = Table("id", "title", "covers", *PROFILES, title="Notebooks", caption="paperlib list ID: its parameters")
    table.columns[0].no_wrap = True
    for notebook in notebooks:
        costs = (getattr(notebook.cost, profile) for profile in PROFILES)
        words = (notebook.id, notebook.title, ", ".join(notebook.covers), *costs)
        table.add_row(*(escape(word) for word in words))
    return table


def parameter_table(notebook: Notebook) -> Table:
    """Name, type, default, what the profiles change, range, meaning."""
    table = Table("parameter", "type", *PROFILES, "range", "meaning", title=f"{notebook.id}: {escape(notebook.title)}")
    chosen = [notebook.profile_values(profile) for profile in PROFILES]
    for spec in notebook.parameters:
        values = (spec.command_line(values[spec.name]) for values in chosen)
        limits = "" if spec.range is None else str(spec.range)
        table.add_row(*(escape(word) for word in (spec.name, spec.type, *values, limits, spec.words)))
    return table


def claims_table(judgements: Iterable[Judgement]) -> Table:
    """The paper's value beside ours."""
    heads = ("id", "place", "quantity", "paper", "ours", "profile and data", "tolerance", "status", "reason")
    table = Table(*heads, title="Claims")
    table.columns[0].no_wrap = True
    for row in judgements:
        status = row.status.value
        words = [escape(word) for word in claim_words(row)]
        words[7] = f"[{_COLOURS[status]}]{status}[/]"
        table.add_row(*words)
    return table


def claim_words(row: Judgement) -> tuple[str, ...]:
    """The cells of a claim's row: id, place, quantity, paper, ours, profile and data, tolerance, status, reason."""
    claim = row.claim
    where = ", ".join(word for word in (row.profile, row.data) if word)
    return (
        claim.id,
        claim.place,
        claim.quantity,
        paper_words(claim),
        "-" if row.profile is None else value_words(claim, row.value),
        where,
        tolerance_words(claim),
        row.status.value,
        row.reason,
    )


def paper_words(claim: Claim) -> str:
    """The paper's value in words; an ordering as ``a < b``, a sign as ``> 0``."""
    if claim.kind == "ordering":
        return " < ".join(claim.paper_value)
    if claim.kind == "sign":
        return "> 0" if claim.paper_value == "+" else "< 0"
    # A number of a paper is shown with the digits that the paper prints.
    return str(claim.paper_value) if isinstance(claim.paper_value, float) else format_value(claim.paper_value)


def value_words(claim: Claim, value) -> str:
    """Our value in words, an ordering's numbers in the paper's order."""
    if claim.kind == "ordering" and isinstance(value, dict):
        return ", ".join(f"{name}: {format_value(value[name])}" for name in claim.paper_value)
    return format_value(value)


def tolerance_words(claim: Claim) -> str:
    """How far ours may be off, and why."""
    if claim.kind == "band":
        low, high = (format_value(end) for end in claim.tolerance)
        words = {"-inf": f"at most {high}"}.get(low, f"at least {low}" if high == "inf" else f"{low} to {high}")
    elif claim.kind == "relative":
        words = f"±{100 * claim.tolerance:g}%"
    elif claim.tolerance is None:
        words = {"exact": "equal", "ordering": "the order", "sign": "the sign"}.get(claim.kind, "")
    else:
        words = f"±{claim.tolerance:g}" if claim.tolerance else "equal"
    return f"{words} ({claim.why})" if claim.why else words


def data_table(rows: Iterable[dict]) -> Table:
    """Name, title, parts, size, licence, where found."""
    table = Table("name", "title", "parts", "MB", "licence", "found", "path", title="Data sets")
    for row in rows:
        parts = ", ".join(f"{part} {count:,}" for part, count in row["parts"].items())
        found = row["found"] or "not here"
        if row.get("checked"):
            found += ", checked"
        words = (row["name"], row["title"], parts, f"{row['megabytes']:g}", row["licence"], found, row["path"] or "")
        table.add_row(*(escape(word) for word in words))
    return table


def status_table(states: Iterable[PageState]) -> Table:
    """Id, state and the first reasons of each page."""
    table = Table("id", "state", "why")
    table.columns[0].no_wrap = True
    for state in states:
        shown = [
            *state.reasons[:_REASONS],
            *([f"and {more} more"] if (more := len(state.reasons) - _REASONS) > 0 else []),
        ]
        colour = _COLOURS[state.state]
        table.add_row(escape(state.id), f"[{colour}]{state.state}[/]", escape("; ".join(shown)))
    return table


def status_summary(states: Iterable[PageState]) -> str:
    """How many pages are in each state."""
    counts = Counter(state.state for state in states)
    return ", ".join(f"{counts[name]} {name}" for name in ("fresh", "stale", "missing"))
