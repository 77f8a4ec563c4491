"""What the command line says of sets of volumes."""

import numpy as np
import pytest
from volume_support import NAMES, mask, write, write_task

from paperlib.engine import data_sets
from paperlib.engine.errors import UsageError


@pytest.fixture
def no_images(monkeypatch):
    """No other data sets than the volumes."""
    monkeypatch.setattr("paperlib.datasets.registry", dict)


def rows(check: bool) -> tuple[dict[str, dict], list[str]]:
    found, problems = data_sets.data_rows(check)
    return {row["name"]: row for row in found}, problems


def test_sets_are_listed(register_volumes, no_images, tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    write_task(tmp_path / "toy")
    found, problems = rows(check=False)
    assert found["toy"] == {
        "name": "toy", "title": "T", "parts": {"all": 3}, "licence": "L", "megabytes": 1, "found": "PAPERLIB_DATA",
        "path": str(tmp_path / "toy"), "addresses": ["https://toy.invalid/"],
    }  # fmt: skip
    assert found["cases"]["found"] is None and found["cases"]["path"] is None
    assert found["phantoms"]["found"] == "generated" and found["phantoms"]["parts"] == {}
    assert problems == []


def test_sets_are_checked(register_volumes, no_images, tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    write_task(tmp_path / "toy")
    found, problems = rows(check=True)
    assert problems == [] and found["toy"]["checked"] is True and found["cases"]["checked"] is False
    assert "checked" not in found["phantoms"]
    write(tmp_path / "toy" / "labelsTr" / "scan_1.nii.gz", mask().astype(np.float32) / 2)
    found, problems = rows(check=True)
    assert found["toy"]["checked"] is False and "labelsTr/scan_1.nii.gz" in problems[0]
    (tmp_path / "toy" / "dataset.json").unlink()
    assert "dataset.json" in rows(check=True)[1][0]


def test_sets_are_fetched(register_volumes, no_images, tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    write_task(tmp_path / "toy")
    (part,) = data_sets.fetch("toy")
    assert part["name"] == "toy" and part["count"] == len(NAMES) and part["source"] == "PAPERLIB_DATA"
    (tmp_path / "toy" / "imagesTr" / "scan_1.nii.gz").write_bytes(b"")
    with pytest.raises(data_sets.DataMissingError, match=r"imagesTr/scan_1\.nii\.gz"):
        data_sets.fetch("toy")
    with pytest.raises(data_sets.DataMissingError, match="by registration only"):
        data_sets.fetch("cases")
    with pytest.raises(UsageError, match="nothing to fetch"):
        data_sets.fetch("phantoms")
    with pytest.raises(UsageError, match="Did you mean 'cases'"):
        data_sets.fetch("case")
