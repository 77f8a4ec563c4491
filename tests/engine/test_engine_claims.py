"""Claims: the one comparison, the status, and what a malformed row says."""

import json

import pytest

from paperlib.engine import (
    ClaimsError,
    ResultError,
    Status,
    UsageError,
    count_by_status,
    judge_claims,
    load_claims,
    unexplained,
)
from paperlib.engine.comparison import matches
from paperlib.engine.tables import claim_words

ROW = {
    "id": "toy.claim.01",
    "place": "Section 1",
    "quantity": "test accuracy",
    "kind": "absolute",
    "paper_value": 0.98,
    "tolerance": 0.02,
    "why": "spread of seeds",
    "data": "Digits",
    "notebook": "toy/first",
    "value": "accuracy.full",
    "profiles": ["paper", "quick"],
}
BLOCKED = {"blocked": True, "reason": "the scans need an application"}


def toml(*rows: dict) -> str:
    lines = []
    for row in rows:
        lines.append("[[claim]]")
        # JSON of texts, numbers, lists and booleans is TOML too; a row without a field leaves it out.
        lines += [
            f"{key} = {json.dumps(value).replace('Infinity', 'inf')}" for key, value in row.items() if value is not None
        ]
    return "\n".join(lines)


def judged(project, **changes):
    project.write_claims(toml(ROW | changes))
    return judge_claims(load_claims("toy"))[0]


@pytest.mark.parametrize(
    ("kind", "paper", "tolerance", "agreeing", "differing"),
    [
        ("exact", 10, None, [10, 10.0], [11, "10", True, [10], None]),
        ("exact", 1.0, 1e-8, [1 + 1e-9], [1 + 1e-7]),
        ("exact", True, None, [True], [1, False]),
        ("exact", "cross", None, ["cross"], ["cros", None]),
        ("exact", [60000, 10000], None, [[60000, 10000]], [[60000], [10000, 60000], 60000]),
        ("exact", {"a": [1, 2]}, 0.1, [{"a": [1.05, 2]}], [{"a": [1.2, 2]}, {"b": [1, 2]}]),
        ("absolute", 0.98, 0.02, [0.98, 0.97, 0.99], [0.9599, 1.0001]),
        ("absolute", [1, 2], 0.5, [[1.5, 2]], [[1, 2.6]]),
        ("absolute", 0.5, 0, [0.5], [0.500001]),
        ("relative", -200, 0.1, [-219, -181], [-221, -179, 200]),
        ("relative", 0, 0.1, [0], [1e-9]),
        ("band", "about 0.8", (0.6, 0.95), [0.6, 0.95, [0.7, 0.8]], [0.59, 0.96, [0.7, 0.5]]),
        ("band", "nearly 1", (0.95, float("inf")), [0.95, 7], [0.94]),
        ("ordering", ["a", "b", "c"], None, [{"a": 1, "b": 2, "c": 3, "d": 0}], [{"a": 1, "b": 1, "c": 3}]),
        ("sign", "+", None, [0.1, [1, 2]], [0, -1, [1, 0]]),
        ("sign", "-", None, [-0.1, [-1, -2]], [0, 1, [-1, 1]]),
    ],
)
def test_each_kind_matches_and_differs(kind, paper, tolerance, agreeing, differing):
    for value in agreeing:
        assert matches(kind, paper, tolerance, value)
    for value in differing:
        assert not matches(kind, paper, tolerance, value)


@pytest.mark.parametrize(
    ("kind", "paper", "tolerance", "value"),
    [
        ("absolute", 1, 0.1, "1"),
        ("absolute", 1, 0.1, True),
        ("absolute", 1, 0.1, [1]),
        ("relative", [1, 2], 0.1, [1, 2, 3]),
        ("band", "high", (0, 1), {"a": 1}),
        ("sign", "+", None, None),
        ("ordering", ["a", "b"], None, [1, 2]),
        ("ordering", ["a", "b"], None, {"a": 1}),
        ("ordering", ["a", "b"], None, {"a": 1, "b": True}),
    ],
)
def test_a_value_of_another_shape_is_an_error_and_no_difference(kind, paper, tolerance, value):
    with pytest.raises(ValueError, match="the value"):
        matches(kind, paper, tolerance, value)


def test_a_match_says_where_it_was_measured(project):
    project.write_result()
    row = judged(project, reason="differed once")
    assert (row.status, row.value, row.profile, row.data, row.reason) == (Status.MATCH, 0.97, "quick", "Toy digits", "")
    assert not row.missing and unexplained([row]) == []


def test_the_first_profile_with_a_result_counts(project):
    project.write_result()
    project.write_result(profile="paper", tracked=True, values={"accuracy": {"full": 0.5}})
    row = judged(project, reason="another start")
    assert (row.status, row.value, row.profile, row.reason) == (Status.DIFFERS, 0.5, "paper", "another start")
    assert unexplained([row]) == []


def test_a_difference_without_a_reason_is_unexplained(project):
    project.write_result()
    row = judged(project, paper_value=0.5)
    assert row.status == Status.DIFFERS and unexplained([row]) == [row]


def test_a_missing_result_is_unexplained_and_names_its_command(project):
    project.write_result(profile="laptop")
    row = judged(project)
    assert (row.status, row.value, row.profile, row.data) == (Status.NOT_MEASURED, None, None, "Digits")
    assert row.missing and unexplained([row]) == [row]
    assert row.reason == "no result yet; make it with: paperlib run toy/first --profile paper"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        (BLOCKED, Status.BLOCKED),
        (BLOCKED | {"notebook": None, "value": None, "profiles": None}, Status.BLOCKED),
        ({"kind": "quoted", "tolerance": None, "reason": "taken from others"}, Status.NOT_MEASURED),
        ({"notebook": None, "reason": "an exercise shows it"}, Status.NOT_MEASURED),
    ],
)
def test_what_no_notebook_measures_is_explained(project, changes, status):
    project.write_result()
    row = judged(project, **changes)
    assert (row.status, row.value, row.profile) == (status, None, None)
    assert row.reason and not row.missing and unexplained([row]) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tolerance": None}, "kind absolute needs a tolerance"),
        ({"tolerance": -0.1}, "needs a number >= 0"),
        ({"tolerance": [0, 1]}, "needs a number >= 0"),
        ({"why": ""}, "a tolerance needs a why"),
        ({"kind": "band"}, r"needs tolerance = \[low, high\]"),
        ({"kind": "band", "tolerance": [1, 0]}, r"needs tolerance = \[low, high\]"),
        ({"kind": "ordering", "paper_value": ["a", "b"]}, "kind ordering has no tolerance"),
        ({"kind": "ordering", "tolerance": None, "paper_value": ["a", "a"]}, "a list of different names"),
        ({"kind": "ordering", "tolerance": None, "paper_value": ["a"]}, "a list of different names"),
        ({"kind": "sign", "tolerance": None, "paper_value": 1}, "needs '\\+' or '-'"),
        ({"kind": "exactly"}, "kind: Input should be 'exact'"),
        ({"paper_value": "0.98"}, "needs a number or a list of numbers"),
        ({"value": None}, "a notebook needs a value"),
        ({"profiles": []}, "a notebook needs profiles"),
        ({"profiles": ["custom"]}, r"profiles.0: Input should be 'quick'"),
        ({"notebook": None}, "a claim that no notebook measures needs a reason"),
        ({"kind": "quoted", "tolerance": None}, "a claim that no notebook measures needs a reason"),
        ({"blocked": True}, "a blocked claim needs a reason"),
        ({"notebook": "toy/frist"}, r"no notebook 'toy/frist'. Did you mean 'toy/first'\?"),
        ({"place": ""}, "place: String should have at least 1 character"),
        ({"placed": "Section 1"}, "placed: Extra inputs"),
        ({"id": "other.claim.01"}, "the id has to begin with toy."),
        ({"id": None}, r"\(without id\): id: Field required"),
    ],
)
def test_a_malformed_row_is_refused_with_its_place(project, changes, problem):
    project.write_claims(toml(ROW | changes))
    with pytest.raises(ClaimsError, match=rf"^data/claims/toy.toml, row 1.*{problem}"):
        load_claims("toy")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (toml(ROW, ROW), "an earlier row has this id"),
        ("[[claim]\n", "is not TOML"),
        ("[[claims]]\nid = 1\n", "rows only, found claims"),
        ("claim = 1\n", "rows only"),
    ],
)
def test_a_malformed_file_is_refused(project, text, problem):
    project.write_claims(text)
    with pytest.raises(ClaimsError, match=rf"data/claims/toy.toml.*{problem}"):
        load_claims()


def test_an_unknown_paper_is_refused(project):
    project.write_claims("")
    assert load_claims() == ()
    with pytest.raises(UsageError, match=r"no claims of paper 'toi'. Did you mean 'toy'\?"):
        load_claims("toi")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"value": "acuracy.full"}, "toy.claim.01: .* has no value .*Did you mean 'accuracy'"),
        ({"value": "accuracy"}, "toy.claim.01: the value is .* compares a number"),
    ],
)
def test_a_result_that_cannot_be_compared_is_an_error(project, changes, problem):
    project.write_result()
    with pytest.raises(ClaimsError, match=problem):
        judged(project, **changes)


def test_a_damaged_result_is_an_error(project):
    project.write_result().write_text("{")
    with pytest.raises(ResultError, match="is damaged"):
        judged(project)


def test_counts_and_json(project):
    project.write_result()
    rows = [
        ROW,
        ROW | {"id": "toy.claim.02", "paper_value": 0.1},
        ROW | {"id": "toy.claim.03", "profiles": ["paper"]},
        ROW | {"id": "toy.claim.04"} | BLOCKED,
        ROW | {"id": "toy.claim.05", "kind": "band", "tolerance": [0.5, float("inf")], "paper_value": "high"},
    ]
    project.write_claims(toml(*rows))
    judgements = judge_claims(load_claims())
    assert count_by_status(judgements) == {"toy": {"match": 2, "differs": 1, "not-measured": 1, "blocked": 1}}
    assert judgements[0].as_json() == {
        "id": "toy.claim.01",
        "paper": "toy",
        "place": "Section 1",
        "quantity": "test accuracy",
        "kind": "absolute",
        "paper_value": 0.98,
        "value": 0.97,
        "profile": "quick",
        "data": "Toy digits",
        "tolerance": 0.02,
        "status": "match",
        "reason": "",
    }
    assert judgements[4].as_json()["tolerance"] == [0.5, None]
    json.dumps([row.as_json() for row in judgements], allow_nan=False)


@pytest.mark.parametrize(
    ("changes", "paper", "ours", "tolerance"),
    [
        ({}, "0.98", "0.97", "±0.02 (spread of seeds)"),
        ({"kind": "relative"}, "0.98", "0.97", "±2% (spread of seeds)"),
        ({"kind": "exact", "tolerance": None, "why": ""}, "0.98", "0.97", "equal"),
        ({"kind": "band", "tolerance": [0.9, 1]}, "0.98", "0.97", "0.9 to 1 (spread of seeds)"),
        ({"kind": "band", "tolerance": [0.9, float("inf")]}, "0.98", "0.97", "at least 0.9 (spread of seeds)"),
        ({"kind": "sign", "tolerance": None, "why": "", "paper_value": "+"}, "> 0", "0.97", "the sign"),
        (
            {"kind": "ordering", "tolerance": None, "why": "", "paper_value": ["c", "a"], "value": "order"},
            "c < a",
            "c: 3, a: 1",
            "the order",
        ),
        (BLOCKED, "0.98", "-", "±0.02 (spread of seeds)"),
    ],
)
def test_a_row_in_words(project, changes, paper, ours, tolerance):
    project.write_result()
    words = claim_words(judged(project, **changes))
    assert (words[3], words[4], words[6]) == (paper, ours, tolerance)
