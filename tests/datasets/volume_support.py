"""Small folders of labelled volumes, as the Decathlon and BraTS ship them."""

import json
from pathlib import Path

import nibabel
import numpy as np

SHAPE = (5, 6, 7)
NAMES = ("scan_1", "scan_2", "scan_3")
AFFINE = np.diag([1.0, 1.5, 2.0, 1.0])


def image(index: int, modalities: int = 1) -> np.ndarray:
    """Float32 values that tell volumes and modalities apart; 4-D with more than one modality."""
    values = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE) + 1000 * index
    return values if modalities == 1 else np.stack([values + 100_000 * part for part in range(modalities)], axis=-1)


def mask(classes: int = 2) -> np.ndarray:
    """Classes 1 to ``classes``, a plane each."""
    values = np.zeros(SHAPE, dtype=np.uint8)
    for label in range(1, classes + 1):
        values[label] = label
    return values


def write(path: Path, values: np.ndarray, affine: np.ndarray = AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


def description(names=NAMES, modalities: int = 1) -> dict:
    pairs = [{"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"} for name in names]
    return {
        "modality": {str(number): "MRI" for number in range(modalities)},
        "labels": {"0": "background", "1": "front", "2": "back"},
        "training": pairs,
    }


def write_task(folder: Path, names=NAMES, modalities: int = 1) -> Path:
    """A whole task of the Decathlon; the order of ``dataset.json`` is not that of the names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps(description(names[::-1], modalities)))
    for index, name in enumerate(names):
        write(folder / "imagesTr" / f"{name}.nii.gz", image(index, modalities))
        write(folder / "labelsTr" / f"{name}.nii.gz", mask())
    return folder


def write_case(folder: Path, number: int, ending: str = ".nii") -> str:
    """One case of BraTS 2020; returns its name."""
    name = f"BraTS20_Training_{number:03d}"
    values = image(number, 4)
    for part, what in enumerate(("flair", "t1", "t1ce", "t2")):
        write(folder / name / f"{name}_{what}{ending}", values[..., part])
    labels = mask(3)
    labels[labels == 3] = 4
    write(folder / name / f"{name}_seg{ending}", labels)
    return name
