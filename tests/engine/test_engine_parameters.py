"""Parameters cells and the values that are set in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperlib.engine import ParameterError, SourceError, parse_overrides, parse_parameters, read_parameters
from paperlib.engine.parameters import check_values
from paperlib.engine.ranges import Choices, Interval

from .conftest import PARAMETERS

SPECS = parse_parameters(PARAMETERS, "toy")


def declare(kind: str, default: str, limits: str = ""):
    return parse_parameters(f"x: {kind} = {default}  # meaning {limits}", "toy")[0]


def test_a_cell_gives_typed_specs_in_order():
    source = (
        "# what a reader may change\n"
        'data: str = "toy"  # data set [name] {toy, full}\n'
        "rate: float = 1  # step {0<..1}\n"
        "many: list[str] = [\n"
        '    "a",\n'
        "]  # letters\n"
    )
    data, rate, many = parse_parameters(source, "toy")
    assert (data.name, data.type, data.default, data.meaning, data.unit) == ("data", "str", "toy", "data set", "name")
    assert data.range == Choices(("toy", "full"))
    assert rate.default == 1.0 and type(rate.default) is float
    assert rate.range == Interval(0, 1, open_low=True) and rate.unit is None
    assert (many.default, many.meaning, many.range) == (["a"], "letters", None)


def test_a_cell_of_comments_declares_nothing():
    assert parse_parameters("# nothing to set\n", "toy") == ()


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x: int = 1", "no comment that says what it means"),
        ("x: int = 1  # [unit]", "no comment that says what it means"),
        ("x = 1  # untyped", "is no parameter"),
        ("x: int  # without default", "is no parameter"),
        ("import os  # not a parameter", "is no parameter"),
        ("x: complex = 1  # number", "has the type complex"),
        ("x: int = 1 + n  # number", "is not a literal"),
        ("x: int = 1.0  # number", "is of type float"),
        ("x: int = True  # number", "is of type bool"),
        ("x: int = 11  # number {1..10}", "out of range"),
        ("x: int = 1  # one\nx: int = 2  # two", "declared twice"),
        ("x: int = 1; y: int = 2  # both", "two parameters on one line"),
        ("_x: int = 1  # hidden", "underscore"),
        ("x: int = 1  # number {ten}", "neither a..b nor a list of int"),
        ("x: int = 1  # number {..}", "not of the form"),
        ("x: int = 5  # number {10..1}", "is empty"),
        ("x: int = 1  # number {1..2..3}", "not of the form"),
        ("x: str = 'a'  # text {a, a}", "repeated choice"),
        ("x: bool = True  # switch {true}", "a bool needs no range"),
        ("x: int = (1  # open", "not Python"),
    ],
)
def test_a_malformed_cell_is_refused_with_its_place(source, problem):
    with pytest.raises(SourceError, match=r"^book page: .*parameters cell") as caught:
        parse_parameters(source, "book page")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "inside", "outside"),
    [
        ("{0<..1}", [1e-9, 1.0], [0.0, 1.1]),
        ("{0..<1}", [0.0, 0.999], [1.0, -0.1]),
        ("{0<..<1}", [0.5], [0.0, 1.0]),
        ("{1..}", [1.0, 1e30], [0.9]),
        ("{..-2.5e1}", [-25.0, -1e9], [-24.9]),
        ("{1e-3..1_000}", [0.001, 1000.0], [0.0009, 1001.0]),
        ("{0.5, 1, 2}", [0.5, 2.0], [1.5]),
    ],
)
def test_ranges(limits, inside, outside):
    spec = declare("float", str(inside[0]), limits)
    for value in inside:
        assert spec.check(value) == value
    for value in outside:
        with pytest.raises(ParameterError, match="out of range"):
            spec.check(value)


@pytest.mark.parametrize(
    ("kind", "default", "good", "bad"),
    [
        ("int", "1", [0, -3], [1.0, True, "1", None, [1]]),
        ("float", "1.0", [0.5, 2], [True, "1", float("nan"), float("inf"), None]),
        ("bool", "True", [False, True], [0, 1, "true", None]),
        ("str", "'a'", ["", "b c"], [1, None, ["a"]]),
        ("list[int]", "[1]", [[], [1, 2], (3,)], [1, [1.0], [True], "1", [[1]]]),
        ("list[float]", "[1.0]", [[1, 2.5]], [[float("nan")], ["1"], 1.0]),
        ("list[str]", "['a']", [["b", "c,d"]], ["b", [1]]),
    ],
)
def test_values_are_checked_strictly(kind, default, good, bad):
    spec = declare(kind, default)
    for value in good:
        assert spec.check(value) == (list(value) if isinstance(value, tuple) else value)
    for value in bad:
        with pytest.raises(ParameterError, match=r"parameter x = .*expected"):
            spec.check(value)


@pytest.mark.parametrize(
    ("kind", "default", "text", "value"),
    [
        ("int", "1", " 7 ", 7),
        ("int", "1", "-1_000", -1000),
        ("float", "1.0", "3", 3.0),
        ("float", "1.0", "1e-3", 0.001),
        ("bool", "True", "False", False),
        ("bool", "True", "true", True),
        ("str", "'a'", " kept as it is ", " kept as it is "),
        ("str", "'a'", "a=b", "a=b"),
        ("list[int]", "[1]", "1, 9", [1, 9]),
        ("list[int]", "[1]", "[1, 9]", [1, 9]),
        ("list[int]", "[1]", "", []),
        ("list[str]", "['a']", '["a,b", "c"]', ["a,b", "c"]),
    ],
)
def test_command_line_texts(kind, default, text, value):
    assert parse_overrides([declare(kind, default)], [f"x={text}"]) == {"x": value}


@pytest.mark.parametrize(
    ("kind", "default", "text"),
    [
        ("int", "1", "1.0"),
        ("int", "1", "1e3"),
        ("int", "1", ""),
        ("float", "1.0", "nan"),
        ("float", "1.0", "a"),
        ("bool", "True", "1"),
        ("bool", "True", "yes"),
        ("list[int]", "[1]", "1,,2"),
        ("list[int]", "[1]", "[1, 2"),
        ("list[int]", "[1]", "[1.5]"),
        ("list[int]", "[1]", "[NaN]"),
    ],
)
def test_command_line_texts_of_another_type_are_refused(kind, default, text):
    with pytest.raises(ParameterError, match="expected"):
        parse_overrides([declare(kind, default)], [f"x={text}"])


def test_a_misspelt_name_is_refused_with_the_right_ones():
    with pytest.raises(ParameterError) as caught:
        parse_overrides(SPECS, ["rank_maks=3", "digits=10", "rate=0.1"])
    message = str(caught.value)
    assert "unknown parameter 'rank_maks'. Did you mean 'rank_max'?" in message
    assert "parameter digits = '10'" in message or "parameter digits = [10]" in message
    assert "rank_max: int = 3 {1..10}" in message and "centred: bool = False" in message


def test_a_misspelt_choice_is_refused_with_the_nearest():
    with pytest.raises(ParameterError, match=r"'ful' is out of range.* Did you mean 'full'\?"):
        check_values(SPECS, {"data": "ful"})


@pytest.mark.parametrize("assignment", ["rank_max", "=3"])
def test_an_assignment_without_name_or_value_is_refused(assignment):
    with pytest.raises(ParameterError, match="expected name=value"):
        parse_overrides(SPECS, [assignment])


def test_a_parameter_set_twice_is_refused():
    with pytest.raises(ParameterError, match="rank_max is set twice"):
        parse_overrides(SPECS, ["rank_max=3", "rank_max=4"])


TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=8)
CASES = st.one_of(
    st.tuples(st.just("int"), st.integers()),
    st.tuples(st.just("float"), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just("bool"), st.booleans()),
    st.tuples(st.just("str"), TEXTS),
    st.tuples(st.just("list[int]"), st.lists(st.integers(), max_size=3)),
    st.tuples(st.just("list[float]"), st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3)),
    st.tuples(st.just("list[str]"), st.lists(TEXTS, max_size=3)),
)


@given(CASES)
def test_every_value_survives_the_command_line(case):
    kind, value = case
    spec = declare(kind, repr(value))
    assert spec.default == value
    assert spec.parse(spec.command_line(value)) == value


def notebook(*cells: dict) -> str:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def code(source, *tags: str) -> dict:
    return {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}}


def test_parameters_are_read_from_the_tagged_cell(tmp_path):
    path = tmp_path / "page.ipynb"
    prose = {"cell_type": "markdown", "source": "# Title", "metadata": {}}
    path.write_text(notebook(prose, code(["x: int = 1  # one\n", "y: int = 2  # two"], "parameters"), code("x")))
    assert [spec.name for spec in read_parameters(path)] == ["x", "y"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "does not exist"),
        ("{", "is not a notebook"),
        ("[]", "is not a notebook"),
        (notebook(code("x: int = 1  # one")), "0 code cells are tagged"),
        (notebook(code("1"), code("x: int = 1  # one", "parameters")), "the first code cell"),
        (notebook(code("", "parameters"), code("", "parameters")), "2 code cells are tagged"),
    ],
)
def test_a_notebook_without_its_parameters_cell_is_refused(tmp_path, content, problem):
    path = tmp_path / "page.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SourceError, match=problem):
        read_parameters(path)
