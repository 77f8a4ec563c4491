"""Recording, reading and tracking results."""

import enum
import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from paperlib.engine import (
    MissingResultError,
    ParameterError,
    ResultError,
    UsageError,
    find_result,
    load_result,
    provenance,
    start_run,
    track_result,
)
from paperlib.engine.results import plain, read_result

NAMESPACE = {"data": "toy", "rank_max": 3, "rate": 0.5, "digits": [1, 9], "centred": False, "unrelated": object()}


def test_a_result_survives_the_file(project):
    run = start_run("toy/first", NAMESPACE)
    assert (run.profile, run.parameters["rank_max"]) == ("quick", 3)
    run.record(
        values={"tensor": torch.arange(3, dtype=torch.float32), "count": np.int64(4), 7: {"deep": np.float32(0.5)}},
        data=[{"name": "toy", "count": 10}],
        seeds={"training": np.int64(7)},
        residuals={"largest": torch.tensor(1e-3, dtype=torch.float64, requires_grad=True)},
    )
    result = load_result("toy/first", "quick")
    assert result.values == {"tensor": [0.0, 1.0, 2.0], "count": 4, "7": {"deep": 0.5}}
    assert result.residuals == {"largest": 1e-3} and result.seeds == {"training": 7}
    assert result.data == [{"name": "toy", "count": 10}]
    assert result.parameters == run.parameters and result.device == "cpu"
    assert result.versions["torch"] == torch.__version__ and result.threads == torch.get_num_threads()
    assert 0 <= result.seconds < 60 and result.date.endswith("+00:00")


def test_numbers_stand_in_rows_and_texts_stay_as_they_are(project):
    run = start_run("toy/first", NAMESPACE)
    values = {
        "image": [[0, -1.5e-07], [255, 3]],
        "mixed": [1, "two", True],
        "text": "a [  1,   2 ] b\n[\n 3,\n 4 ]",
        "none": [],
    }
    run.record(values=values, data=[], seeds={})
    path = find_result("toy/first", "quick")
    assert read_result(path).values == values
    lines = [line.strip() for line in path.read_text().splitlines()]
    assert "[ 0, -1.5e-07 ]," in lines and "[ 255, 3 ]" in lines
    assert '"two",' in lines


def test_plain_papermill_values_decide_the_profile(project, monkeypatch):
    assert start_run("toy/first", NAMESPACE | {"data": "full"}).profile == "laptop"
    assert start_run("toy/first", NAMESPACE | {"rate": 1}).profile == "custom"
    assert start_run("toy/second", {}).profile == "quick"
    monkeypatch.setenv("PAPERLIB_PROFILE", "paper")
    assert start_run("toy/second", {}).profile == "paper"


def test_the_runner_chooses_where_the_result_goes(project, monkeypatch, tmp_path):
    monkeypatch.setenv("PAPERLIB_RESULT", str(tmp_path / "elsewhere.json"))
    start_run("toy/first", NAMESPACE).record(values={"a": 1})
    assert read_result(tmp_path / "elsewhere.json").values == {"a": 1}
    assert find_result("toy/first", "quick") is None


def test_the_device_parameter_is_recorded(project):
    project.write_notebook("second", parameters='device: str = "cpu"  # where it computes {cpu, meta}')
    start_run("toy/second", {"device": "meta"}).record(values={})
    assert load_result("toy/second", "custom").device == "meta"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"rank_max": 11}, "out of range"), ({"rank_max": "3"}, "is of type str"), ({"rate": math.nan}, "is not finite")],
)
def test_a_run_with_a_bad_parameter_does_not_start(project, changes, problem):
    with pytest.raises(ParameterError, match=f"^toy/first: parameter .*{problem}"):
        start_run("toy/first", NAMESPACE | changes)


def test_a_deleted_parameter_is_named(project):
    with pytest.raises(ParameterError, match="no longer sets rank_max"):
        start_run("toy/first", {name: value for name, value in NAMESPACE.items() if name != "rank_max"})


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1.0, math.nan]}, r"values.a\[1\] is nan"),
        ({"a": np.array([[0.0], [np.inf]])}, r"values.a\[1\]\[0\] is inf"),
        ({"a": torch.tensor(float("-inf"))}, "values.a is -inf"),
        ({"a": {1, 2}}, "values.a is of type set"),
        ({"a": {(1, 2): 3}}, r"values.a has the key \(1, 2\)"),
        ({"a": 1 + 2j}, "values.a is of type complex"),
    ],
)
def test_what_json_cannot_hold_is_refused_and_the_old_result_stays(project, value, place):
    run = start_run("toy/first", NAMESPACE)
    run.record(values={"old": 1})
    with pytest.raises(ResultError, match=place):
        run.record(values=value)
    assert load_result("toy/first", "quick").values == {"old": 1}


def test_plain_values_are_of_plain_types():
    class Colour(str, enum.Enum):  # noqa: UP042 - its str() is the member's name, unlike a StrEnum's
        RED = "red"

    class Level(enum.IntEnum):
        HIGH = 3

    converted = plain([Colour.RED, Level.HIGH, np.str_("text"), np.float64(0.5), np.bool_(True), None, (1,)], "x")
    assert converted == ["red", 3, "text", 0.5, True, None, [1]]
    assert [type(item) for item in converted] == [str, int, str, float, bool, type(None), list]


def test_a_full_disk_leaves_the_old_result_and_no_temporary_file(project, monkeypatch):
    run = start_run("toy/first", NAMESPACE)
    run.record(values={"old": 1})
    before = project.files("results")
    whole = Path.write_text

    def write_half(path, text, **options):
        whole(path, text[: len(text) // 2], **options)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(OSError, match="No space left"):
        run.record(values={"new": 2})
    monkeypatch.undo()
    assert read_result(project.root / "results/quick/toy/first.json").values == {"old": 1}
    assert {str(path.relative_to(project.root)) for path in project.root.glob("results/**/*.json")} == before


def test_the_local_result_is_taken_before_the_tracked_one(project):
    tracked = project.write_result(tracked=True, seconds=1)
    assert find_result("toy/first", "quick") == tracked
    assert load_result("toy/first", "quick").seconds == 1
    project.write_result(seconds=2)
    assert load_result("toy/first", "quick").seconds == 2


def test_a_missing_result_names_the_command(project):
    with pytest.raises(MissingResultError, match="paperlib run toy/first --profile paper") as caught:
        load_result("toy/first", "paper")
    assert caught.value.command == "paperlib run toy/first --profile paper"


def test_an_unknown_profile_is_refused(project):
    with pytest.raises(UsageError, match=r"unknown profile 'quik'. Did you mean 'quick'\?"):
        load_result("toy/first", "quik")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda text: text[: len(text) // 2], "is damaged"),
        (lambda text: "[]", "is no result"),
        (lambda text: text.replace("0.97", "NaN"), "it holds NaN"),
        (lambda text: text.replace('"seconds": 1.5', '"seconds": -1'), r"is no result \(seconds"),
        (lambda text: text.replace('"device"', '"devise"'), "devise: Extra inputs"),
        (lambda text: text.replace("toy/first", "toy/second"), "holds the result of toy/second"),
    ],
)
def test_a_damaged_result_is_refused_with_its_mend(project, damage, problem):
    path = project.write_result()
    path.write_text(damage(path.read_text()))
    with pytest.raises(ResultError, match=rf"results/quick/toy/first.json.*{problem}.*run"):
        load_result("toy/first", "quick")


def test_values_are_found_by_dotted_path(project):
    project.write_result()
    result = load_result("toy/first", "quick")
    assert result.value("accuracy.full") == 0.97
    assert result.value("accuracy.rank.1") == 0.9 and result.value("accuracy.rank.-1") == 0.97
    assert result.value("order") == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("acuracy.full", "Did you mean 'accuracy'"),
        ("accuracy.rank.3", "no index of a list of 3"),
        ("accuracy.rank.-4", "no index of a list of 3"),
        ("accuracy.full.more", "has no parts"),
        ("", "is not among accuracy, order"),
    ],
)
def test_an_absent_value_is_refused_with_what_is_there(project, path, problem):
    project.write_result()
    with pytest.raises(ResultError, match=problem):
        load_result("toy/first", "quick").value(path)


def test_tracking_copies_the_local_result(project):
    local = project.write_result(profile="paper")
    tracked = track_result("toy/first", "paper")
    assert tracked == project.root / "data/results/paper/toy/first.json"
    assert json.loads(tracked.read_text()) == json.loads(local.read_text())


def test_tracking_refuses_what_is_not_there_or_not_whole(project):
    with pytest.raises(MissingResultError, match="paperlib run toy/first --profile paper"):
        track_result("toy/first", "paper")
    with pytest.raises(UsageError, match="unknown profile 'custom'"):
        track_result("toy/first", "custom")
    project.write_result(profile="paper").write_text("{")
    with pytest.raises(ResultError, match="is damaged"):
        track_result("toy/first", "paper")
    assert project.files("data") == set()


def test_the_commit_is_marked_where_the_code_differs(project):
    assert provenance.commit() is None

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(project.root), *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init")
    assert provenance.commit() is None
    git("add", ".")
    git("commit", "-m", "all")
    short = git("rev-parse", "--short", "HEAD")
    assert provenance.commit() == short
    (project.root / "README.md").write_text("prose")
    project.write_result(tracked=True)
    assert provenance.commit() == short
    project.write_notebook("third")
    assert provenance.commit() == f"{short}+"


def test_a_folder_inside_another_repository_has_no_commit_of_its_own(project, monkeypatch):
    subprocess.run(["git", "-C", str(project.root.parent), "init"], capture_output=True, check=True)
    assert provenance.commit() is None
