"""Sets of volumes by name: where they are looked for, which folders are refused, and how a set is changed."""

import pickle
from dataclasses import replace

import pytest
import torch
from volume_support import NAMES, write_case, write_task

from paperlib.datasets import DataError
from paperlib.datasets.volumes import Volume, find_volumes, load_volumes


def test_places_are_searched_in_order(register_volumes, tmp_path, monkeypatch):
    assert find_volumes("toy") is None
    write_task(tmp_path / "cache" / "data" / "toy")
    assert load_volumes("toy", download=False).source == "local cache"
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "given"))
    assert load_volumes("toy", download=False).source == "local cache"
    write_task(tmp_path / "given" / "toy")
    assert load_volumes("toy", download=False).source == "PAPERLIB_DATA"
    assert find_volumes("toy") == (tmp_path / "given" / "toy", "PAPERLIB_DATA")
    write_task(tmp_path / "elsewhere")
    volumes = load_volumes("toy", folder=str(tmp_path / "elsewhere"))
    assert volumes.source == "given folder" and volumes.names == NAMES and volumes.title == "T"
    with pytest.raises(DataError, match="nowhere is no folder"):
        load_volumes("toy", folder=tmp_path / "nowhere")


def test_a_damaged_place_is_no_reason_to_go_on_to_the_next(register_volumes, tmp_path, monkeypatch):
    write_task(tmp_path / "cache" / "data" / "toy")
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "given"))
    (tmp_path / "given" / "toy").mkdir(parents=True)
    with pytest.raises(DataError, match=r"given/toy/dataset\.json"):
        load_volumes("toy")


def test_unknown_names_and_options(register_volumes):
    with pytest.raises(DataError, match="unknown set of volumes 'hipocampus'; known: toy, cases, phantoms"):
        load_volumes("hipocampus")
    with pytest.raises(DataError, match="toy has no option 'count'"):
        load_volumes("toy", count=3)
    with pytest.raises(DataError, match="phantoms are generated and lie in no folder"):
        load_volumes("phantoms", folder="somewhere", count=1, shape=(16, 16, 16))


def test_another_number_of_volumes_or_modalities(register_volumes, tmp_path):
    with pytest.raises(DataError, match=r"few holds 2 volumes; toy \(T\) has 3"):
        load_volumes("toy", folder=write_task(tmp_path / "few", NAMES[:2]))
    with pytest.raises(DataError, match=r"holds 4 modalities; toy .* has 1"):
        load_volumes("toy", folder=write_task(tmp_path / "four", modalities=4))


def test_brats_is_by_registration(register_volumes, tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"by registration only .*folder=.*\$PAPERLIB_DATA/cases"):
        load_volumes("cases")
    for number in (1, 2):
        write_case(tmp_path / "cases", number)
    assert load_volumes("cases").names == ("BraTS20_Training_001", "BraTS20_Training_002")


def brighter(volume: Volume) -> Volume:
    return replace(volume, image=volume.image + 1)


def test_volumes_are_selected_and_changed(register_volumes, tmp_path):
    volumes = load_volumes("toy", folder=write_task(tmp_path / "task"))
    changed = volumes.select(NAMES[::-1], "backwards").mapped(brighter, "one brighter")
    assert changed.names == NAMES[::-1] and changed.selection == "backwards; one brighter"
    assert torch.equal(changed[0].image, volumes[2].image + 1)
    assert torch.equal(pickle.loads(pickle.dumps(changed))[0].image, changed[0].image)
    with pytest.raises(KeyError, match="toy has no volume 'scan_9'"):
        volumes.select(["scan_9"], "one")
