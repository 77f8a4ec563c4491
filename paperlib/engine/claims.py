"""The papers' claims beside what was measured: one comparison for the tests, the tables and the status page."""

import math
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from paperlib import paths
from paperlib.engine.catalogue import PROFILES, read_catalogue, validation_problems
from paperlib.engine.comparison import matches, numbers
from paperlib.engine.errors import ClaimsError, ResultError, UsageError
from paperlib.engine.results import Result, find_result, load_result, run_command
from paperlib.engine.text import nearest, shown_path

Kind = Literal["exact", "absolute", "relative", "band", "ordering", "sign", "quoted"]
_NUMERIC = ("absolute", "relative")
_WITHOUT_TOLERANCE = ("ordering", "sign", "quoted")


class Status(StrEnum):
    MATCH = "match"
    DIFFERS = "differs"
    NOT_MEASURED = "not-measured"
    BLOCKED = "blocked"


class Claim(BaseModel):
    """A row of a claims file; `paperlib.engine.comparison.matches` says what each kind means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    place: str = Field(min_length=1)
    quantity: str = Field(min_length=1)
    kind: Kind
    paper_value: JsonValue
    tolerance: float | tuple[float, float] | None = None
    why: str = ""
    data: str = ""
    notebook: str | None = None
    value: str | None = None
    profiles: tuple[Literal["quick", "laptop", "paper"], ...] = ()
    reason: str = ""
    blocked: bool = False

    @property
    def paper(self) -> str:
        return self.id.partition(".")[0]

    @property
    def measurable(self) -> bool:
        """Whether a notebook measures this claim, so that a missing result is a gap and not a decision."""
        return self.notebook is not None and self.kind != "quoted" and not self.blocked

    @model_validator(mode="after")
    def _consistent(self) -> "Claim":
        problem = _tolerance_problem(self) or _paper_value_problem(self) or _source_problem(self)
        if problem:
            raise ValueError(problem)
        return self


def _tolerance_problem(claim: Claim) -> str:
    kind, tolerance = claim.kind, claim.tolerance
    if kind in _WITHOUT_TOLERANCE:
        return "" if tolerance is None else f"a claim of kind {kind} has no tolerance"
    if kind == "band":
        if not isinstance(tolerance, tuple) or not tolerance[0] <= tolerance[1]:
            return "a claim of kind band needs tolerance = [low, high]"
    elif tolerance is None:
        return f"a claim of kind {kind} needs a tolerance" if kind in _NUMERIC else ""
    elif isinstance(tolerance, tuple) or not (math.isfinite(tolerance) and tolerance >= 0):
        return f"a claim of kind {kind} needs a number >= 0 as tolerance"
    return "" if claim.why or tolerance == 0 else "a tolerance needs a why"


def _paper_value_problem(claim: Claim) -> str:
    kind, value = claim.kind, claim.paper_value
    if kind in _NUMERIC and not numbers(value):
        return f"paper_value is {value!r}; a claim of kind {kind} needs a number or a list of numbers"
    if kind == "sign" and value not in ("+", "-"):
        return f"paper_value is {value!r}; a claim of kind sign needs '+' or '-'"
    if kind == "ordering":
        names = value if isinstance(value, list) else []
        if len(names) < 2 or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            return f"paper_value is {value!r}; a claim of kind ordering needs a list of different names"
    return ""


def _source_problem(claim: Claim) -> str:
    if claim.measurable:
        if not claim.value:
            return "a notebook needs a value: the dotted path into its result"
        return "" if claim.profiles else f"a notebook needs profiles: one or more of {', '.join(PROFILES)}"
    if claim.reason:
        return ""
    if claim.blocked:
        return "a blocked claim needs a reason that says what is missing"
    return "a claim that no notebook measures needs a reason"


@dataclass(frozen=True)
class Judgement:
    """A claim beside what was measured; ``value`` and ``profile`` are None where nothing was.

    ``data`` names the data that the value was measured on, else what the claim needs. ``reason`` is empty for a match.
    """

    claim: Claim
    status: Status
    value: JsonValue = None
    profile: str | None = None
    data: str = ""
    reason: str = ""

    @property
    def missing(self) -> bool:
        """Whether a notebook should have measured this and its result is not there."""
        return self.claim.measurable and self.profile is None

    @property
    def command(self) -> str:
        """The command that makes the missing result, in the first profile that the claim may be judged in."""
        return run_command(self.claim.notebook, self.claim.profiles[0]) if self.claim.measurable else ""

    def as_json(self) -> dict[str, JsonValue]:
        """The row of ``paperlib claims --json``; an end of a band that is infinite becomes null."""
        claim, tolerance = self.claim, self.claim.tolerance
        if isinstance(tolerance, tuple):
            tolerance = [end if math.isfinite(end) else None for end in tolerance]
        return {
            "id": claim.id,
            "paper": claim.paper,
            "place": claim.place,
            "quantity": claim.quantity,
            "kind": claim.kind,
            "paper_value": claim.paper_value,
            "value": self.value,
            "profile": self.profile,
            "data": self.data,
            "tolerance": tolerance,
            "status": self.status.value,
            "reason": self.reason,
        }


def claims_path(paper: str) -> Path:
    return paths.CLAIMS / f"{paper}.toml"


def claimed_papers() -> tuple[str, ...]:
    """Papers that have a claims file, in alphabetical order."""
    return tuple(sorted(path.stem for path in paths.CLAIMS.glob("*.toml")))


def load_claims(paper: str | None = None) -> tuple[Claim, ...]:
    """The claims of one paper, or of all, in the files' order.

    Raises ``UsageError`` for an unknown paper, ``ClaimsError`` (file, row, field) for a malformed row, an id that is
    not the paper's or is there twice, or a notebook that does not exist.
    """
    known = claimed_papers()
    if paper is not None and paper not in known:
        raise UsageError(f"no claims of paper {paper!r}.{nearest(paper, known)} Known: {', '.join(known) or 'none'}")
    return tuple(claim for name in ([paper] if paper else known) for claim in _read(name))


def _read(paper: str) -> list[Claim]:
    path = claims_path(paper)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ClaimsError(f"{shown_path(path)} is not TOML: {error}") from error
    rows = document.pop("claim", [])
    if document or not isinstance(rows, list):
        raise ClaimsError(f"{shown_path(path)}: expected [[claim]] rows only, found {', '.join(document) or 'claim'}")
    notebooks = read_catalogue()
    claims: dict[str, Claim] = {}
    for number, row in enumerate(rows, start=1):
        place = f"{shown_path(path)}, row {number} ({row.get('id', 'without id')})"
        try:
            claim = Claim(**row)
        except ValidationError as error:
            raise ClaimsError(f"{place}: {validation_problems(error)}") from None
        if claim.paper != paper:
            raise ClaimsError(f"{place}: the id has to begin with {paper}.")
        if claim.id in claims:
            raise ClaimsError(f"{place}: an earlier row has this id")
        if claim.notebook is not None and claim.notebook not in notebooks:
            raise ClaimsError(f"{place}: no notebook {claim.notebook!r}.{nearest(claim.notebook, notebooks)}")
        claims[claim.id] = claim
    return list(claims.values())


def judge_claims(claims: Iterable[Claim]) -> list[Judgement]:
    """Compare each claim with the first result that its profiles have (local before tracked).

    Raises ``ClaimsError`` where a result lacks the value or it is of a shape that the kind cannot judge, and
    ``ResultError`` for a damaged result.
    """
    loaded: dict[tuple[str, str], Result] = {}

    def result_of(notebook: str, profile: str) -> Result:
        if (notebook, profile) not in loaded:
            loaded[notebook, profile] = load_result(notebook, profile)
        return loaded[notebook, profile]

    return [_judge(claim, result_of) for claim in claims]


def _judge(claim: Claim, result_of) -> Judgement:
    if claim.blocked:
        return Judgement(claim, Status.BLOCKED, data=claim.data, reason=claim.reason)
    there = [p for p in claim.profiles if find_result(claim.notebook, p)] if claim.measurable else []
    if not there:
        unmeasured = Judgement(claim, Status.NOT_MEASURED, data=claim.data, reason=claim.reason)
        if not unmeasured.missing or claim.reason:
            return unmeasured
        return replace(unmeasured, reason=f"no result yet; make it with: {unmeasured.command}")
    result = result_of(claim.notebook, there[0])
    try:
        value = result.value(claim.value)
        status = Status.MATCH if matches(claim.kind, claim.paper_value, claim.tolerance, value) else Status.DIFFERS
    except (ResultError, ValueError) as error:
        raise ClaimsError(f"{claim.id}: {error}") from None
    titles = dict.fromkeys(str(item.get("title") or item.get("name")) for item in result.data)
    reason = claim.reason if status == Status.DIFFERS else ""
    return Judgement(claim, status, value, there[0], ", ".join(titles) or claim.data, reason)


def unexplained(judgements: Iterable[Judgement]) -> list[Judgement]:
    """Rows that differ without a reason, or whose result is missing though a notebook measures them."""
    return [row for row in judgements if row.missing or (row.status == Status.DIFFERS and not row.claim.reason.strip())]


def count_by_status(judgements: Iterable[Judgement]) -> dict[str, dict[str, int]]:
    """Count of claims by status, per paper; every status is there."""
    counts: dict[str, Counter] = {}
    for row in judgements:
        counts.setdefault(row.claim.paper, Counter())[row.status.value] += 1
    return {paper: {status.value: count[status.value] for status in Status} for paper, count in counts.items()}
