"""The scales of a set of scans: percentiles of planted values, before and after normalisation."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from paperlib.datasets.volumes import Volume, VolumeError, VolumeSet, phantoms
from paperlib.segmentation import Normalisation, normalised
from paperlib.segmentation.intensities import IntensityScale, intensity_scales


def planted(name: str) -> Volume:
    """Values 1 to 1,000 and as many zeros, in units that the name says; the second modality is the same backwards."""
    values = torch.cat([torch.zeros(1000), torch.arange(1.0, 1001.0)]).reshape(1, 20, 10, 10)
    image = torch.cat([values, values.flip(1)])
    scaled = {"bytes": (image / 4).floor(), "below": image - 500, "large": image * 1e4, "empty": image * 0}[name]
    return Volume(name, scaled, torch.zeros(20, 10, 10, dtype=torch.uint8))


def scans(*names: str) -> VolumeSet:
    return VolumeSet("toy", "A toy", "here", names, 2, planted, lambda names: "0" * 64)


def test_percentiles_of_planted_values():
    bytes_, below, large = intensity_scales(scans("bytes", "below", "large"), Normalisation(percentiles=(10, 90)))
    assert [scale.name for scale in (bytes_, below, large)] == ["bytes", "below", "large"]
    assert [scale.eight_bit for scale in (bytes_, below, large)] == [True, False, False]
    # NumPy's percentiles of 1 to 1,000; the normalised ones are those of the clipped values.
    assert large.before == pytest.approx((1.009e6, 5.005e6, 9.001e6), rel=1e-5)
    assert large.after[0] == pytest.approx(-large.after[2], rel=1e-5) and large.after[1] == pytest.approx(0, abs=1e-5)
    image = normalised(planted("below").image, Normalisation(percentiles=(10, 90)))[0]
    shown = image[planted("below").image[0] != 0].double()
    assert below.after == pytest.approx(np.percentile(shown.numpy(), (10, 50, 90)), rel=1e-5)


def test_another_modality_and_default_settings():
    by_default = intensity_scales(scans("large"), modality=1)
    assert by_default == intensity_scales(scans("large"), Normalisation(percentiles=(0.5, 99.5)), modality=1)
    # The same values in another order.
    assert by_default == intensity_scales(scans("large"))


def test_a_scan_without_scale_is_named():
    with pytest.raises(VolumeError, match="empty: modality 0 is zero everywhere"):
        intensity_scales(scans("large", "empty"))


def test_an_unknown_modality_is_refused():
    with pytest.raises(ValueError, match="modality is 2; toy has 2"):
        intensity_scales(scans("large"), modality=2)


def test_a_result_file_can_hold_them():
    scales = intensity_scales(phantoms(3, (16, 16, 16)))
    stored = json.loads(json.dumps([dataclasses.asdict(scale) for scale in scales]))
    assert tuple(IntensityScale(**values) for values in stored) == scales
