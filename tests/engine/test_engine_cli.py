"""The command line: exit codes, tables, and JSON for programs."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from paperlib import datasets
from paperlib.engine import show_tracked
from paperlib.engine.cli import app

from .test_engine_claims import BLOCKED, ROW, toml


def call(*arguments: str):
    # A wide terminal keeps the tables' words whole.
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"})


def test_list_json(project):
    done = call("list", "--json")
    assert done.exit_code == 0
    first, second = json.loads(done.stdout)
    assert first["id"] == "toy/first" and first["paper"] == "toy" and first["covers"] == ["Figure 1"]
    assert first["title"] == "The first notebook" and first["needs"] == [] and second["needs"] == ["toy/first"]
    assert first["cost"] == {"quick": "1 s", "laptop": "1 min", "paper": "1 h"}
    assert [parameter["name"] for parameter in first["parameters"]] == ["data", "rank_max", "rate", "digits", "centred"]
    assert first["parameters"][1] == {
        "name": "rank_max",
        "type": "int",
        "default": 3,
        "meaning": "largest rank",
        "unit": "singular triplets",
        "range": "1..10",
        "profiles": {"laptop": 3, "paper": 10},
    }
    assert first["parameters"][4]["range"] is None and first["parameters"][4]["unit"] is None
    assert second["parameters"] == []


def test_list_tables(project):
    done = call("list")
    assert done.exit_code == 0
    assert all(word in done.stdout for word in ("toy/first", "toy/second", "Figure 2, Table 1", "1 min"))
    done = call("list", "toy/first")
    assert done.exit_code == 0
    assert all(word in done.stdout for word in ("rank_max", "largest rank [singular triplets]", "1..10", "full"))
    assert call("list", "toy/frist").exit_code == 2


def test_run_prints_one_line(project):
    done = call("run", "toy/first", "-p", "rank_max=5", "-p", "digits=1,2")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("toy/first (custom): 6 cells in ")
    assert "-> results/runs/toy/first/rank_max=5,digits=1+2.ipynb, " in done.stdout
    assert done.stdout.count("\n") == 1 and done.stderr == ""
    done = call("run", "toy/second", "--json")
    row = json.loads(done.stdout)
    assert (row["id"], row["profile"], row["parameters"]) == ("toy/second", "quick", {})
    assert row["result"] == str(project.root / "results/quick/toy/second.json") and row["notebook"].endswith(
        "second.ipynb"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["toy/frist"], "Did you mean 'toy/first'?"),
        (["toy/first", "--profile", "papers"], "Did you mean 'paper'?"),
        (["toy/first", "-p", "rank_maks=5"], "Did you mean 'rank_max'?"),
        (["toy/first", "-p", "rank_max=five"], "'five' is not int"),
        (["toy/first", "-p", "rank_max=11"], "11 is out of range"),
        (["toy/first", "-p", "rank_max"], "expected name=value"),
        (["toy/first", "--output", "page.html"], "ends in .ipynb"),
        (["toy/first", "--output", "notebooks/toy/first.ipynb"], "is the notebook itself"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_exits_2_and_runs_nothing(project, monkeypatch, arguments, words):
    monkeypatch.chdir(project.root)
    before = project.files()
    done = call("run", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr and done.stdout == ""
    assert project.files() == before


def test_a_failing_notebook_exits_1_with_its_traceback(project):
    project.write_notebook("first", "1 / 0")
    done = call("run", "toy/first")
    assert done.exit_code == 1
    assert "Error: toy/first: cell 4 of 4, which begins '1 / 0', failed: ZeroDivisionError" in done.stderr
    assert "Traceback" in done.stderr and "results/failed/toy/first.ipynb" in done.stderr


@pytest.mark.parametrize(
    "cell",
    [
        "from paperlib.datasets import DataError\nraise DataError('no copy of toy')",
        "from paperlib.engine import load_result\nload_result('toy/second', 'quick')",
    ],
)
def test_missing_data_in_a_notebook_exits_3(project, cell):
    project.write_notebook("first", cell)
    assert call("run", "toy/first").exit_code == 3


def test_a_damaged_catalogue_exits_3(project):
    project.write_catalogue("[first")
    for command in (["list"], ["run", "toy/first"]):
        done = call(*command)
        assert done.exit_code == 3 and "notebooks/toy/catalogue.toml is not TOML" in done.stderr


def test_claims(project):
    project.write_result()
    project.write_claims(toml(ROW, ROW | {"id": "toy.claim.02"} | BLOCKED))
    done = call("claims", "--json", "--paper", "toy", "--strict")
    assert done.exit_code == 0
    assert [(row["id"], row["status"]) for row in json.loads(done.stdout)] == [
        ("toy.claim.01", "match"),
        ("toy.claim.02", "blocked"),
    ]
    done = call("claims")
    assert done.exit_code == 0
    assert all(word in done.stdout for word in ("toy.claim.01", "match", "Toy digits", "spread of seeds"))
    assert call("claims", "--paper", "toi").exit_code == 2


def test_strict_claims_exit_1_where_a_row_is_unexplained(project):
    project.write_result()
    differing = ROW | {"id": "toy.claim.02", "paper_value": 0.1}
    missing = ROW | {"id": "toy.claim.03", "profiles": ["paper"], "reason": "takes a day"}
    project.write_claims(toml(ROW, differing, missing))
    assert call("claims").exit_code == 0
    done = call("claims", "--strict")
    assert done.exit_code == 1
    assert "toy.claim.01" not in done.stderr
    assert "toy.claim.02: differs, and the row gives no reason" in done.stderr
    assert "toy.claim.03: no result; make it with: paperlib run toy/first --profile paper" in done.stderr
    explained = differing | {"reason": "another start"}
    project.write_claims(toml(ROW, explained))
    assert call("claims", "--strict").exit_code == 0


def test_a_malformed_claim_or_a_damaged_result_exits_3(project):
    project.write_claims(toml(ROW | {"tolerance": None}))
    assert call("claims").exit_code == 3
    project.write_claims(toml(ROW))
    project.write_result().write_text("{")
    done = call("claims", "--json")
    assert done.exit_code == 3 and "is damaged" in done.stderr and done.stdout == ""


def test_track(project):
    assert call("track", "toy/first", "--profile", "paper").exit_code == 3
    project.write_result(profile="paper")
    done = call("track", "toy/first", "--profile", "paper")
    assert done.exit_code == 0 and done.stdout == "tracked data/results/paper/toy/first.json\n" and done.stderr == ""
    project.write_result(profile="paper", commit="abc1234+")
    assert "code that no commit holds" in call("track", "toy/first", "--profile", "paper").stderr
    assert call("track", "toy/first").exit_code == 2
    assert call("track", "toy/first", "--profile", "custom").exit_code == 2


@pytest.fixture
def no_data(tmp_path, monkeypatch):
    """A machine without data sets, whose $PAPERLIB_DATA is an empty folder."""
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("paperlib.datasets.sources.SYSTEM", tmp_path / "system")
    return tmp_path / "data"


def test_data_json(no_data):
    done = call("data", "--json")
    assert done.exit_code == 0
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["mnist"]["found"] is None and rows["mnist"]["path"] is None
    assert rows["mnist"]["parts"] == {"train": 60000, "test": 10000} and rows["mnist"]["addresses"]
    assert rows["fashion_mnist"]["title"] == "Fashion-MNIST" and rows["fashion_mnist"]["licence"] == "MIT"
    assert rows["mnist_5000"]["found"] == "embedded" and "checked" not in rows["mnist"]
    assert set(rows["mnist"]) == {"name", "title", "parts", "licence", "megabytes", "found", "path", "addresses"}
    assert call("data", "list", "--json").stdout == call("data", "--json", "list").stdout == done.stdout
    assert "not here" in call("data").stdout


def test_damaged_data_exits_3_when_checked(no_data):
    entry = datasets.registry()["mnist"]
    for part in entry.parts.values():
        for file in part.files:
            path = no_data / "mnist" / file.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(b"something else"))
    assert call("data").exit_code == 0
    done = call("data", "--check", "--json")
    assert done.exit_code == 3 and "wrong checksum" in done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["mnist"]["found"] == "PAPERLIB_DATA" and rows["mnist"]["checked"] is False
    assert rows["mnist_5000"]["checked"] is True


def test_data_fetch(no_data, monkeypatch):
    done = call("data", "fetch", "mnist_5000")
    assert done.exit_code == 0 and "mnist_5000 test: 1,000 items, from embedded" in done.stdout
    done = call("data", "fetch", "mnist_500")
    assert done.exit_code == 2 and "Did you mean 'mnist_5000'?" in done.stderr

    def unreachable(*arguments, **options):
        raise ConnectionError("no network")

    monkeypatch.setattr("paperlib.datasets.sources.pooch.retrieve", unreachable)
    done = call("data", "fetch", "mnist")
    assert done.exit_code == 3 and "no network" in done.stderr


COMMANDS = [[], ["run"], ["list"], ["claims"], ["data"], ["track"], ["data", "fetch"], ["rpr"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command):
    done = call(*command, "--help")
    assert done.exit_code == 0
    assert "paperlib " in done.stdout and "unrecognised" not in done.stdout
    assert any(line.strip().startswith("paperlib ") for line in done.stdout.splitlines())


@pytest.mark.parametrize("command", [[], ["run"], ["data"], ["rpr"]])
def test_help_says_the_exit_codes(command):
    assert "Exit codes: 0 done; 1 " in call(*command, "--help").stdout


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing_behind(project, tmp_path, sent, code):
    project.write_notebook("first", "import time\nPath('started').touch()\ntime.sleep(60)")
    before = project.files()
    script = (
        "import sys; from pathlib import Path; from paperlib import paths; paths.ROOT = Path(sys.argv.pop());"
        "paths.NOTEBOOKS, paths.EXECUTED = paths.ROOT / 'notebooks', paths.ROOT / 'book/run';"
        "paths.LOCAL_RESULTS = paths.ROOT / 'results'; from paperlib.engine.cli import main; main()"
    )
    temporary = tmp_path / "t"
    temporary.mkdir()
    running = subprocess.Popen(
        [sys.executable, "-c", script, "run", "toy/first", str(project.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(temporary)},
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (project.root / "started").exists():
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(sent)
    assert running.wait(timeout=30) == code
    assert project.files() == before | {"started"}
    assert list(temporary.iterdir()) == []


def test_a_missing_tracked_result_is_a_red_box_on_the_page(project):
    box = show_tracked("toy/first", "paper", lambda result: result.values["order"])
    assert "paperlib run toy/first --profile paper" in box._repr_html_()
    project.write_result(profile="paper", tracked=True)
    assert show_tracked("toy/first", "paper", lambda result: result.values["order"]["c"]) == 3
