"""What identifies the content of a set of volumes, and how another content is noticed."""

import hashlib
from dataclasses import replace

from volume_support import NAMES, image, write, write_task

from paperlib.datasets.volumes import decathlon_folder, load_volumes, verify_volumes, volume_registry
from paperlib.datasets.volumes.digests import volume_digest


def test_no_two_sets_are_the_same_by_title_or_content():
    entries = volume_registry().values()
    assert len({entry.title for entry in entries}) == len(entries)
    recorded = [entry.sha256 for entry in entries if entry.sha256]
    assert len(set(recorded)) == len(recorded) > 0


def digests(folder) -> tuple[str, list[str]]:
    """SHA-256 of the set and of each volume, computed here from the definition."""
    volumes = decathlon_folder(folder, "toy", "T", "here")
    each = []
    for volume in (volumes[index] for index in range(len(volumes))):
        shape = " ".join(str(side) for side in volume.image.shape).encode()
        each.append(hashlib.sha256(shape + volume.image.numpy().tobytes() + volume.label.numpy().tobytes()).hexdigest())
    lines = [f"{name} {digest}\n" for name, digest in zip(volumes.names, each, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest(), each


def test_provenance_names_the_content(register_volumes, tmp_path):
    folder = write_task(tmp_path / "task")
    whole, each = digests(folder)
    volumes = load_volumes("toy", folder=folder)
    assert [volume_digest(volumes[index]) for index in range(3)] == each
    assert volumes.provenance() == {
        "name": "toy", "part": "all", "title": "T", "source": "given folder", "sha256": whole, "selection": "all",
        "count": 3,
    }  # fmt: skip
    (folder / "imagesTr" / "scan_1.nii.gz").write_bytes(b"")
    some = volumes.select(NAMES[1:], "the last two")
    assert some.provenance()["count"] == 2 and some.provenance()["selection"] == "the last two"
    assert volumes.provenance()["sha256"] not in (whole, some.provenance()["sha256"])


def test_verify_compares_with_the_record(register_volumes, tmp_path):
    folder = write_task(tmp_path / "task")
    whole, each = digests(folder)
    register_volumes(whole, " ".join(digest[:8] for digest in each))
    volumes = load_volumes("toy", folder=folder)
    assert verify_volumes(volumes) == []
    changed = image(1)
    changed[2, 3, 4] += 1
    write(folder / "imagesTr" / "scan_2.nii.gz", changed)
    (folder / "labelsTr" / "scan_3.nii.gz").unlink()
    missing, differing = verify_volumes(volumes)
    assert "labelsTr/scan_3.nii.gz is missing" in missing
    assert differing.startswith("scan_2 of toy does not hold the voxels on record") and "toy.invalid" in differing
    assert verify_volumes(volumes.select(NAMES[:2], "two")) == []
    assert "expected 3" in verify_volumes(replace(volumes, names=NAMES[:1]))[0]


def test_verify_notices_other_names(register_volumes, tmp_path):
    _, each = digests(write_task(tmp_path / "task"))
    register_volumes("0" * 64, " ".join(digest[:8] for digest in each))
    (problem,) = verify_volumes(load_volumes("toy", folder=tmp_path / "task"))
    assert "other names than on record" in problem


def test_a_set_without_record_is_read_only(register_volumes, tmp_path):
    volumes = load_volumes("toy", folder=write_task(tmp_path / "task"))
    assert verify_volumes(volumes) == []
    (tmp_path / "task" / "imagesTr" / "scan_1.nii.gz").write_bytes(b"")
    assert len(verify_volumes(volumes)) == 1


def test_the_record_has_digits_for_every_volume():
    recorded = [entry for entry in volume_registry().values() if entry.sha256]
    assert [entry.title for entry in recorded] == ["Hippocampus (Medical Segmentation Decathlon, task 4)"]
    for entry in recorded:
        digits = entry.digits.split()
        assert len(set(digits)) == entry.count and {len(word) for word in digits} == {8}
