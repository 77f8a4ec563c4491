"""The plan for a course: its minutes add up, and its live runs take what the catalogue says."""

import re

import pytest

from paperlib.engine import find_notebook
from paperlib.paths import BOOK

PAGE = (BOOK / "learn" / "teaching.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"^## Session \d.*?(?=^## )", PAGE, flags=re.MULTILINE | re.DOTALL)
OVERVIEW = [int(seconds) for seconds in re.findall(r"^\| \d \| [\d, ]+ \|.*\| (\d+) \|$", PAGE, flags=re.MULTILINE)]
RUN = re.compile(r"^paperlib run (\S+).*# (\d+) s\b", flags=re.MULTILINE)


def test_there_are_six_sessions():
    assert len(SESSIONS) == len(OVERVIEW) == 6


@pytest.mark.parametrize("number", range(6))
def test_a_session_says_what_a_lecturer_needs(number):
    text = SESSIONS[number]
    assert all(f"*{part}.*" in text or f"*{part}:*" in text for part in ("Goals", "Print", "For the class", "For home"))
    assert "*What usually goes wrong.*" in text
    minutes = [int(first) for first in re.findall(r"^\| (\d+) \| ", text, flags=re.MULTILINE)]
    assert sum(minutes) == 90


@pytest.mark.parametrize("number", range(6))
def test_the_live_runs_take_what_the_catalogue_says(number):
    runs = RUN.findall(SESSIONS[number])
    assert len(runs) >= 2 and len(runs) == len(re.findall(r"^paperlib run", SESSIONS[number], flags=re.MULTILINE))
    assert [f"{seconds} s" for _, seconds in runs] == [
        re.match(r"\d+ s", find_notebook(notebook).cost.quick)[0] for notebook, _ in runs
    ]
    assert sum(int(seconds) for _, seconds in runs) == OVERVIEW[number]
