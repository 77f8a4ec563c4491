"""The command line ``paperlib rpr``: its files, its messages and exit codes, and what an interruption leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from ratio_support import export, jacobian_ratios, pictures, small_network, write_builder, write_pictures
from safetensors.torch import save_file
from torch import nn
from typer.testing import CliRunner, Result

from paperlib.engine.cli import app
from paperlib.ratios import read_csv

COUNT = 5


@pytest.fixture
def folder(tmp_path) -> Path:
    write_pictures(tmp_path / "images", pictures(COUNT))
    write_builder(tmp_path)
    return tmp_path


def arguments(folder: Path, **changes) -> list[str]:
    options = {"model": f"{folder / 'nets.py'}:build", "images": folder / "images", "out": folder / "ratios.csv"}
    options |= {"rank": 3, "dtype": "float64"} | changes
    parts = [[f"--{name.replace('_', '-')}", str(value)] for name, value in options.items() if value is not None]
    return ["rpr", *(part for pair in parts for part in pair)]


def call(folder: Path, *flags: str, **changes) -> Result:
    return CliRunner().invoke(app, [*arguments(folder, **changes), *flags])


def without_seconds(path: Path) -> list[list[str]]:
    """The file's cells less the column of times, the only one that differs between equal runs."""
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = lines[0].index("seconds")
    return [line[:place] + line[place + 1 :] for line in lines]


def test_the_table_holds_the_ratios_of_the_files(folder):
    done = call(folder)
    assert done.exit_code == 0, done.output
    table = read_csv(folder / "ratios.csv")
    assert [row.ratio for row in table.rows] == sorted(row.ratio for row in table.rows) and len(table) == COUNT
    for row in table.rows:
        image = pictures(COUNT)[int(row.name.removeprefix("image_").removesuffix(".png"))]
        ratios, values = jacobian_ratios(small_network(), image, 3)
        assert row.rpr == pytest.approx(ratios.tolist(), abs=1e-10)
        assert row.singular_values == pytest.approx(values.tolist(), rel=1e-10)
    assert table.rows[0].name in done.stdout and "solver: exact" in done.stdout
    assert done.stderr.count("RPR") == COUNT and f"[{COUNT}/{COUNT}]" in done.stderr
    assert sorted(path.name for path in folder.glob("ratios*")) == ["ratios.csv", "ratios.csv.json"]


def test_json(folder):
    done = call(folder, "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0 and told["k"] == 3 and told["computed"] == COUNT and told["failed"] == 0
    assert [row["rpr"] for row in told["rows"]] == [list(row.rpr) for row in read_csv(folder / "ratios.csv").rows]


def test_an_exported_program_and_a_plot(folder):
    network = small_network()
    export(network, pictures(1), folder / "model.pt2")
    done = call(folder, model=folder / "model.pt2", plot=folder / "plots" / "ratios.svg")
    assert done.exit_code == 0, done.output
    assert call(folder, out=folder / "other.csv").exit_code == 0
    for a, b in zip(read_csv(folder / "ratios.csv").rows, read_csv(folder / "other.csv").rows, strict=True):
        assert a.name == b.name and a.rpr == pytest.approx(b.rpr, abs=1e-10)
    assert (folder / "plots" / "ratios.svg").read_text().lstrip().startswith("<?xml")


def test_a_second_call_computes_only_what_is_new_or_changed(folder):
    call(folder)
    before = {row.name: row for row in read_csv(folder / "ratios.csv").rows}
    assert json.loads(call(folder, "--json").stdout)["computed"] == 0
    write_pictures(folder / "more", pictures(2, seed=9))
    os.replace(folder / "more" / "image_0.png", folder / "images" / "new.png")
    os.replace(folder / "more" / "image_1.png", folder / "images" / "image_1.png")
    assert json.loads(call(folder, "--json").stdout)["computed"] == 2
    after = {row.name: row for row in read_csv(folder / "ratios.csv").rows}
    assert len(after) == COUNT + 1 and after["image_1.png"] != before["image_1.png"]
    assert after["image_0.png"] == before["image_0.png"]
    assert json.loads(call(folder, "--json", "--restart").stdout)["computed"] == COUNT + 1


def test_results_among_the_images_are_no_images(folder):
    places = {"out": folder / "images" / "ratios.csv", "plot": folder / "images" / "ratios.png"}
    for computed in (COUNT, 0):
        done = call(folder, "--json", **places)
        assert done.exit_code == 0 and json.loads(done.stdout)["computed"] == computed


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rank": 4}, "k: 3 there, 4 now"),
        ({"tol": 0.01}, "tol: 0.0001 there, 0.01 now"),
        ({"solver": "lanczos"}, "solver: 'auto' there, 'lanczos' now"),
        ({"normalise": "zscore"}, "normalise: 'none' there, 'zscore' now"),
        ({"dtype": None}, "dtype: 'float64' there, None now"),
        ({"roi_size": "8,8"}, "roi_size: None there, [8, 8] now"),
        ({"images": "image_0.png"}, "images: "),
        ({"model": "other"}, "model: "),
    ],
)
def test_another_question_is_refused_without_restart(folder, changes, named):
    call(folder)
    text = (folder / "ratios.csv").read_text()
    if "images" in changes:
        changes = {"images": folder / "images" / changes["images"]}
    if "model" in changes:
        changes = {"model": f"{folder / 'nets.py'}:{changes['model']}"}
    done = call(folder, **changes)
    assert done.exit_code == 2 and named in done.stderr and "--restart" in done.stderr
    assert (folder / "ratios.csv").read_text() == text


def test_images_that_fail_are_told_and_tried_again(folder):
    good = (folder / "images" / "image_0.png").read_bytes()
    (folder / "images" / "image_0.png").write_bytes(good[:50])
    np.save(folder / "images" / "nan.npy", np.full((8, 8), np.nan))
    np.save(folder / "images" / "rgb.npy", np.ones((3, 8, 8)))
    np.save(folder / "images" / "zero.npy", np.zeros((8, 8)))
    (folder / "images" / "notes.txt").write_text("x")
    done = call(folder)
    assert done.exit_code == 1 and "5 of 9 images failed" in done.stderr
    notes = {row.name: row.note for row in read_csv(folder / "ratios.csv").failed}
    assert "cannot be read" in notes["image_0.png"] and "NaN" in notes["nan.npy"] and "0/0" in notes["zero.npy"]
    assert "layer" in notes["rgb.npy"] and "unknown kind" in notes["notes.txt"]
    assert "notes.txt: unknown kind of image" in done.stdout
    for name in ("nan.npy", "rgb.npy", "zero.npy", "notes.txt"):
        (folder / "images" / name).unlink()
    (folder / "images" / "image_0.png").write_bytes(good)
    again = call(folder, "--json")
    assert again.exit_code == 0 and json.loads(again.stdout)["computed"] == 1


def test_k_above_the_rank_is_a_row_with_its_reason(folder):
    done = call(folder, rank=33, plot=folder / "ratios.png")
    assert done.exit_code == 1 and f"{COUNT} of {COUNT} images failed" in done.stderr
    # Nothing to draw.
    assert not (folder / "ratios.png").exists()
    assert "33 singular triplets were asked for" in read_csv(folder / "ratios.csv").rows[0].note


def test_an_unsupported_layer_is_named(folder):
    done = call(folder, model=f"{folder / 'nets.py'}:smooth")
    assert done.exit_code == 1 and "layer '1.0' (GELU) is not supported" in done.stderr
    assert not (folder / "ratios.csv").exists()


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"device": "cuda:7"}, 2, "sees"),
        ({"device": "quantum"}, 2, "expected cpu, cuda or cuda:N"),
        ({"solver": "lanczoz"}, 2, "Did you mean 'lanczos'?"),
        ({"roi_size": "8;8"}, 2, "expected positive whole numbers"),
        ({"mean": "a"}, 2, "expected numbers"),
        ({"mean": "0.5", "normalise": "zscore"}, 2, "two ways to scale"),
        ({"tol": 2}, 2, "between 0 and 1"),
        ({"overlap": 1}, 2, "in [0, 1)"),
        ({"mode": "round"}, 2, "constant or gaussian"),
        ({"dtype": "float16"}, 2, "float32 or float64"),
        ({"channels": 2}, 2, "1 (grey) or 3 (RGB)"),
        ({"out": "ratios.txt"}, 2, "ends in .csv"),
        ({"plot": "ratios.doc"}, 2, "ends in .png"),
        ({"images": "nowhere"}, 3, "nowhere does not exist"),
        ({"model": "model.pt2"}, 3, "model.pt2 cannot be read"),
        ({"model": "model.onnx"}, 3, "cannot be read"),
        ({"weights": "w.safetensors"}, 3, "weights file w.safetensors cannot be read"),
    ],
)
def test_wrong_usage_and_missing_files(folder, monkeypatch, changes, code, message):
    monkeypatch.chdir(folder)
    done = call(folder, **changes)
    assert done.exit_code == code and message in done.stderr and done.stdout == ""
    assert list(folder.glob("ratios*")) == []


def test_a_pickled_model_needs_the_flag_and_damage_is_named(folder):
    torch.save(small_network(), folder / "model.pt")
    done = call(folder, model=folder / "model.pt")
    assert done.exit_code == 3 and "runs any code" in done.stderr and "safetensors" in done.stderr
    assert call(folder, "--allow-pickle", model=folder / "model.pt").exit_code == 0
    (folder / "model.pt2").write_bytes(b"PK\x03\x04")
    damaged = call(folder, model=folder / "model.pt2", out=folder / "x.csv")
    assert damaged.exit_code == 3 and "damaged" in damaged.stderr


def test_weights_from_safetensors(folder):
    save_file(small_network().state_dict(), folder / "w.safetensors")
    model = f"{folder / 'nets.py'}:other"
    assert call(folder, model=model, weights=folder / "w.safetensors").exit_code == 0
    assert call(folder, out=folder / "built.csv").exit_code == 0
    assert without_seconds(folder / "ratios.csv") == without_seconds(folder / "built.csv")


def test_the_help_explains_the_danger_of_pickles():
    done = CliRunner().invoke(app, ["rpr", "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0 and "DANGER" in done.stdout and "paperlib rpr --model model.pt2" in done.stdout
    assert "Exit codes: 0 done; 1 " in done.stdout


def test_a_folder_of_volumes_with_sliding_windows(folder):
    network = nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv3d(2, 1, 1)).eval()
    export(network, torch.rand(1, 1, 4, 4, 4), folder / "model.pt2")
    (folder / "volumes").mkdir()
    for name in ("a", "b"):
        values = np.random.default_rng(ord(name)).random((1, 6, 5, 4), np.float32)
        np.save(folder / "volumes" / f"{name}.npy", values)
    windows = {"roi_size": "4,4,4", "overlap": 0.5, "mode": "gaussian"}
    done = call(folder, model=folder / "model.pt2", images=folder / "volumes", **windows)
    assert done.exit_code == 0, done.output
    assert len(read_csv(folder / "ratios.csv").measured) == 2


def slow_folder(folder: Path) -> dict:
    """Images and a solver that take some tenths of a second each."""
    generator = torch.Generator().manual_seed(1)
    (folder / "large").mkdir()
    for index in range(6):
        values = torch.rand(1, 48, 48, generator=generator).numpy()
        np.save(folder / "large" / f"{index}.npy", values)
    return {"images": folder / "large", "solver": "lanczos", "tol": 1e-8, "rank": 4}


def started(folder: Path, **changes) -> subprocess.Popen:
    command = [sys.executable, "-c", "from paperlib.engine.cli import main; main()", *arguments(folder, **changes)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_interrupted_run_goes_on_where_it_was(folder, sent, code):
    slow = slow_folder(folder)
    running, part = started(folder, **slow), folder / "ratios.csv.part"
    while not part.exists() or part.read_bytes().count(b"\n") < 3:
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.01)
    running.send_signal(sent)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == code and not (folder / "ratios.csv").exists()
    assert ("the same command goes on" in errors) == (sent == signal.SIGINT)
    kept = part.read_text().splitlines()[1:]
    assert 2 <= len(kept) < 6
    done = call(folder, "--json", **slow)
    assert done.exit_code == 0 and json.loads(done.stdout)["computed"] == 6 - len(kept)
    # The rows of the first run, times and all, and the table of a run that nothing interrupted.
    assert set(kept) <= set((folder / "ratios.csv").read_text().splitlines())
    assert call(folder, **slow | {"out": folder / "whole.csv"}).exit_code == 0
    assert without_seconds(folder / "ratios.csv") == without_seconds(folder / "whole.csv")
