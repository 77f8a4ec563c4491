"""The state of the whole compendium in counts: claims by profile, figures by the data that they are drawn from."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from paperlib.engine.catalogue import PROFILES, Notebook
from paperlib.engine.claims import Claim, Status, judge_claims
from paperlib.engine.results import find_result, read_result


def counts_by_profile(claims: Iterable[Claim]) -> dict[str, dict[Status, int]]:
    """Claims by status, judged on the results of each profile alone.

    A claim that may not be judged in a profile, or has no result there, counts as not measured. Raises what
    `judge_claims` raises.
    """
    claims = tuple(claims)
    counts = {}
    for profile in PROFILES:
        asked = [claim for claim in claims if profile in claim.profiles or not claim.measurable]
        alone = [claim.model_copy(update={"profiles": (profile,)}) for claim in asked]
        found = Counter(row.status for row in judge_claims(alone))
        found[Status.NOT_MEASURED] += len(claims) - len(asked)
        counts[profile] = {status: found[status] for status in Status}
    return counts


class Basis(StrEnum):
    """What a figure is drawn from."""

    REAL = "the paper's data, or data of the same kind"
    STAND_IN = "a stand-in"
    NONE = "mathematics alone"
    MISSING = "no result yet"


@dataclass(frozen=True)
class Covered:
    """A figure or table of a paper: its name there, the notebooks that draw it, and on which basis."""

    paper: str
    name: str
    notebooks: tuple[str, ...]
    basis: Basis
    stand_in: str = ""


def covered_figures(notebooks: Iterable[Notebook]) -> list[Covered]:
    """Every figure and table of the papers that notebooks cover, by the best basis that one of these has.

    Raises ``ResultError`` for a damaged result.
    """
    found: dict[tuple[str, str], list[Notebook]] = {}
    for notebook in notebooks:
        for name in notebook.covers:
            found.setdefault((notebook.paper, name), []).append(notebook)
    return [_covered(paper, name, drawn_by) for (paper, name), drawn_by in found.items()]


def _covered(paper: str, name: str, notebooks: list[Notebook]) -> Covered:
    order = list(Basis)
    basis, best = min(((_basis(one), one) for one in notebooks), key=lambda pair: order.index(pair[0]))
    stand_in = best.about.stand_in if basis == Basis.STAND_IN else ""
    return Covered(paper, name, tuple(one.id for one in notebooks), basis, stand_in)


def _basis(notebook: Notebook) -> Basis:
    paths = [find_result(notebook.id, profile) for profile in reversed(PROFILES)]
    best = next((path for path in paths if path is not None), None)
    if best is None:
        return Basis.MISSING
    if notebook.about.stand_in:
        return Basis.STAND_IN
    return Basis.REAL if read_result(best).data else Basis.NONE
