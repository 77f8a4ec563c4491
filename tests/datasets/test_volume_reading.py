"""Volumes from files: what is read is what was written, and every kind of damage is an error that names the file."""

import gzip
import json
import pickle

import nibabel
import numpy as np
import pytest
import torch
from volume_support import AFFINE, NAMES, SHAPE, description, image, mask, write, write_case, write_task

from paperlib.datasets import DataError
from paperlib.datasets.volumes import VolumeError, brats_folder, decathlon_folder


def task(folder):
    return decathlon_folder(folder, "toy", "A toy", "given folder")


def brats(folder):
    return brats_folder(folder, "toy", "A toy", "given folder")


@pytest.mark.parametrize("modalities", [1, 4])
def test_a_task_is_read_as_it_was_written(tmp_path, modalities):
    volumes = task(write_task(tmp_path, modalities=modalities))
    assert volumes.names == NAMES and volumes.modalities == modalities
    volume = volumes[1]
    assert volume.name == "scan_2"
    assert volume.image.dtype == torch.float32 and volume.label.dtype == torch.uint8
    planted = image(1, modalities).reshape(*SHAPE, modalities)
    for part in range(modalities):
        assert torch.equal(volume.image[part], torch.from_numpy(planted[..., part]))
    assert torch.equal(volume.label, torch.from_numpy((mask() > 0).astype(np.uint8)))


def test_whole_numbers_and_scaled_ones_become_float32(tmp_path):
    write_task(tmp_path)
    stored = nibabel.Nifti1Image(image(0).astype(np.int16), AFFINE)
    stored.header.set_slope_inter(0.5, 3)
    nibabel.save(stored, tmp_path / "imagesTr" / "scan_1.nii.gz")
    raw = nibabel.load(tmp_path / "imagesTr" / "scan_1.nii.gz").get_fdata()
    volume = task(tmp_path)[0]
    assert volume.image.dtype == torch.float32
    assert torch.equal(volume.image[0].double(), torch.from_numpy(raw))
    write(tmp_path / "imagesTr" / "scan_2.nii.gz", np.full(SHAPE, 7, dtype=np.uint8))
    assert torch.equal(task(tmp_path)[1].image, torch.full((1, *SHAPE), 7.0))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_cases_of_brats_are_read_as_they_were_written(tmp_path, ending):
    names = tuple(write_case(tmp_path, number, ending) for number in (1, 2, 11))
    (tmp_path / "survival_info.csv").write_text("not a case")
    volumes = brats(tmp_path)
    assert volumes.names == names and volumes.modalities == 4
    volume = volumes[2]
    assert volume.image.shape == (4, *SHAPE)
    assert torch.equal(volume.image, torch.from_numpy(np.moveaxis(image(11, 4), 3, 0).copy()))
    assert torch.equal(volume.label, torch.from_numpy((mask(3) > 0).astype(np.uint8)))


def test_an_empty_mask_is_allowed(tmp_path):
    write_task(tmp_path)
    write(tmp_path / "labelsTr" / "scan_1.nii.gz", np.zeros(SHAPE, dtype=np.uint8))
    assert task(tmp_path)[0].label.sum() == 0


def test_a_mask_may_be_stored_as_floats(tmp_path):
    write_task(tmp_path)
    write(tmp_path / "labelsTr" / "scan_1.nii.gz", mask().astype(np.float32))
    assert torch.equal(task(tmp_path)[0].label, task(tmp_path)[1].label)


def nan_voxels():
    values = image(0)
    values[0, 0, :2] = np.nan
    return values


def moved():
    affine = AFFINE.copy()
    affine[0, 3] = 0.1
    return affine


IMAGE, LABEL = "imagesTr/scan_1.nii.gz", "labelsTr/scan_1.nii.gz"
DAMAGES = {
    "mask of another shape": (LABEL, mask()[:, :, :-1], AFFINE, "expected the same grid"),
    "mask of another affine": (LABEL, mask(), moved(), "lie differently in space"),
    "mask of four axes": (LABEL, mask()[..., None].repeat(2, axis=3), AFFINE, "expected a mask of three axes"),
    "mask of fractions": (LABEL, mask() * np.float32(0.5), AFFINE, "no whole numbers"),
    "mask with NaN": (LABEL, np.full(SHAPE, np.nan, dtype=np.float32), AFFINE, "no whole numbers"),
    "mask with another label": (LABEL, mask(3), AFFINE, "label 3; expected 0, 1, 2 only"),
    "mask with a negative label": (LABEL, -mask().astype(np.int16), AFFINE, "label -2; expected"),
    "image of four axes": (IMAGE, image(0, 2), AFFINE, "2 modalities; expected 1"),
    "image of two axes": (IMAGE, image(0)[0], AFFINE, "expected three axes"),
    "image with NaN": (IMAGE, nan_voxels(), AFFINE, "holds 2 voxels of NaN or infinity"),
    "image too large for float32": (IMAGE, np.full(SHAPE, 1e300), AFFINE, "210 voxels of NaN or infinity"),
    "image of complex numbers": (IMAGE, image(0).astype(np.complex64), AFFINE, "expected real numbers"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bad_file_is_an_error_of_its_volume_only(tmp_path, damage):
    file, values, affine, why = DAMAGES[damage]
    write_task(tmp_path)
    write(tmp_path / file, values, affine)
    volumes = task(tmp_path)
    with pytest.raises(VolumeError, match=why) as error:
        volumes[0]
    assert str(tmp_path / file) in str(error.value)
    assert volumes[1].name == "scan_2" and volumes[2].name == "scan_3"


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def without_checksum(content: bytes) -> bytes:
    return content[:-8]


def changed_inside(content: bytes) -> bytes:
    """One voxel of an uncompressed block: the voxels can still be unpacked, the checksum behind them differs."""
    stored = bytearray(gzip.compress(gzip.decompress(content), compresslevel=0))
    stored[-30] ^= 1
    return bytes(stored)


@pytest.mark.parametrize(
    "damaged",
    [
        truncated,
        without_checksum,
        changed_inside,
        lambda content: b"",
        lambda content: b"\x1f\x8b no gzip",
        lambda content: gzip.compress(b"no NIfTI" * 100),
        lambda content: gzip.compress(gzip.decompress(content)[:-4]),
        lambda content: gzip.compress(gzip.decompress(content)[:200]),
    ],
)
@pytest.mark.parametrize("file", [IMAGE, LABEL])
def test_a_damaged_file_is_named(tmp_path, file, damaged):
    path = write_task(tmp_path) / file
    path.write_bytes(damaged(path.read_bytes()))
    with pytest.raises(VolumeError, match="cannot be read as NIfTI-1") as error:
        task(tmp_path)[0]
    assert str(path) in str(error.value)


@pytest.mark.parametrize("file", [IMAGE, LABEL])
def test_a_missing_file_is_an_error_of_its_volume_only(tmp_path, file):
    (write_task(tmp_path) / file).unlink()
    volumes = task(tmp_path)
    with pytest.raises(VolumeError, match="is missing") as error:
        volumes[0]
    assert str(tmp_path / file) in str(error.value)
    assert volumes[1].name == "scan_2"


def test_a_mask_of_brats_under_another_name_is_a_missing_one(tmp_path):
    name, other = write_case(tmp_path, 355), write_case(tmp_path, 356)
    expected = tmp_path / name / f"{name}_seg.nii"
    expected.rename(tmp_path / name / "W39_1998.09.19_Segm.nii")
    volumes = brats(tmp_path)
    with pytest.raises(VolumeError, match="is missing") as error:
        volumes[0]
    assert str(expected) in str(error.value)
    assert volumes[1].name == other


def test_label_3_is_none_of_brats(tmp_path):
    name = write_case(tmp_path, 1)
    write(tmp_path / name / f"{name}_seg.nii", mask(3))
    with pytest.raises(VolumeError, match="label 3; expected 0, 1, 2, 4 only"):
        brats(tmp_path)[0]


def test_four_modalities_in_one_file_of_brats_are_refused(tmp_path):
    name = write_case(tmp_path, 1)
    write(tmp_path / name / f"{name}_t1.nii", image(1, 4))
    with pytest.raises(VolumeError, match="4 modalities; expected 1"):
        brats(tmp_path)[0]


def test_a_folder_without_cases_is_no_brats(tmp_path):
    with pytest.raises(DataError, match="BraTS20_Training_001"):
        brats(tmp_path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda told: told.pop("training"), "lacks 'training'"),
        (lambda told: told.pop("modality"), "lacks 'modality'"),
        (lambda told: told.pop("labels"), "lacks 'labels'"),
        (lambda told: told["training"][1].pop("label"), "lacks 'label'"),
        (lambda told: told["training"].clear(), "lists no image"),
        (lambda told: told["training"].append(told["training"][0]), "lists an image twice"),
        (lambda told: told.update(training=["scan_1"]), "is no description"),
        (lambda told: told.update(labels={"background": 0}), "is no description"),
    ],
)
def test_a_description_that_lacks_something_is_named(tmp_path, change, why):
    told = description()
    change(told)
    (tmp_path / "dataset.json").write_text(json.dumps(told))
    with pytest.raises(DataError, match=why) as error:
        task(tmp_path)
    assert str(tmp_path / "dataset.json") in str(error.value)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '"text"', "\udcff"])
def test_a_description_that_is_none_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "dataset.json").write_text(content, errors="surrogateescape")
    with pytest.raises(DataError, match="is no description of a Decathlon task") as error:
        task(tmp_path)
    assert str(tmp_path / "dataset.json") in str(error.value)


def test_sets_can_be_sent_to_other_processes(tmp_path):
    write_task(tmp_path / "task")
    write_case(tmp_path / "cases", 1)
    for volumes in (task(tmp_path / "task"), brats(tmp_path / "cases")):
        again = pickle.loads(pickle.dumps(volumes))
        assert torch.equal(again[0].image, volumes[0].image) and again.provenance() == volumes.provenance()
