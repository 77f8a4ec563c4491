"""The engine of the compendium: parameters, runs, results and claims of its notebooks.

>>> from paperlib.engine import load_result, start_run

A notebook calls `start_run` and records what it measured; `run_notebook` runs one; `load_result` reads what was
recorded; `judge_claims` sets the papers' numbers beside ours.
"""

from paperlib.engine.catalogue import CUSTOM, PROFILES, Notebook, find_notebook, papers, read_catalogue
from paperlib.engine.claims import Claim, Judgement, Status, count_by_status, judge_claims, load_claims, unexplained
from paperlib.engine.display import MissingResult, show_tracked
from paperlib.engine.errors import (
    ClaimsError,
    EngineError,
    MissingResultError,
    ParameterError,
    ResultError,
    RunError,
    SourceError,
    UsageError,
)
from paperlib.engine.parameters import ParameterSpec, parse_overrides, parse_parameters, read_parameters
from paperlib.engine.results import Result, Run, find_result, load_result, start_run, track_result

__all__ = [
    "CUSTOM", "PROFILES", "Claim", "ClaimsError", "EngineError", "Judgement", "MissingResult",
    "MissingResultError", "Notebook", "ParameterError", "ParameterSpec", "Result", "ResultError", "Run",
    "RunError", "SourceError", "Status", "UsageError", "count_by_status", "find_notebook", "find_result",
    "judge_claims", "load_claims", "load_result", "papers", "parse_overrides", "parse_parameters",
    "read_catalogue", "read_parameters", "run_notebook", "show_tracked", "start_run", "track_result",
    "unexplained",
]  # fmt: skip


def __getattr__(name: str):
    # The runner imports Jupyter's client, which takes a second; notebooks that only record do without.
    if name == "run_notebook":
        from paperlib.engine.runner import run_notebook

        return run_notebook
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
