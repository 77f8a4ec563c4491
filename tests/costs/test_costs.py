"""Work in a process of its own: what it returns, what it costs, and how its errors come back."""

import os

import pytest

from paperlib.costs import ApartError, measured_apart


def test_result_and_arguments_pass_through():
    measured = measured_apart("json:loads", s='{"rows": [1, null, "two"]}')
    assert measured.result == {"rows": [1, None, "two"]}
    assert measured.seconds >= 0


def test_runs_in_another_process_that_finds_the_modules_of_the_caller():
    assert measured_apart("costs_support:process").result["id"] != os.getpid()


def test_peak_is_that_of_the_measured_part_and_threads_are_set():
    measured = measured_apart("costs_support:filled", mib=40, prepared_mib=160, threads=2)
    assert measured.result == {"sum": 40.0 * 2**18, "threads": 2}
    # Some MiB more for what torch loads at its first sum; far less than the 160 MiB of the preparation.
    assert 39 < measured.peak_mib < 60


@pytest.mark.parametrize(
    ("work", "arguments", "message"),
    [
        ("costs_support:raises", {"message": "seven is too many"}, "ValueError: seven is too many"),
        ("costs_support:raises", {"massage": "a slip"}, "TypeError: .*massage"),
        ("costs_support:no_dict", {}, "expected a dict of JSON values as result, got int"),
        ("costs_support:no_json", {}, "TypeError: .*set is not JSON serializable"),
        ("costs_support:yields_twice", {}, "exactly one yield"),
        ("costs_support:is_killed", {}, "exit status -9 and no result"),
        ("costs_support:exits", {}, "no result: the work gives up"),
        ("costs_support:nowhere", {}, "AttributeError: .*nowhere"),
        ("no_such_module:work", {}, "ModuleNotFoundError: .*no_such_module"),
        ("costs_support", {}, "expected 'module:function', got 'costs_support'"),
    ],
)
def test_errors_of_the_child_come_back(work: str, arguments: dict, message: str):
    with pytest.raises(ApartError, match=message):
        measured_apart(work, **arguments)


def test_arguments_that_json_cannot_write_are_refused():
    with pytest.raises(TypeError, match="not JSON serializable"):
        measured_apart("costs_support:process", rows={1, 2})
