"""Intensities on one scale: what is planted comes back, whatever the units, and MONAI agrees."""

import numpy as np
import pytest
import torch
from monai.transforms import NormalizeIntensity
from scipy.ndimage import gaussian_filter

from paperlib.segmentation.normalisation import (
    FIELDS,
    MODES,
    Normalisation,
    ellipsoid,
    normalised,
    otsu_threshold,
)

SHAPE = (12, 10, 14)
# Float32 results of values up to a few units, computed in float64 from float32 images.
ROUNDING = 1e-5


@pytest.fixture
def scan() -> torch.Tensor:
    """Two modalities of positive smooth values, a tenth of the voxels exactly zero, some glaring."""
    generator = np.random.default_rng(3)
    image = np.exp(gaussian_filter(generator.normal(size=(2, *SHAPE)), (0, 1, 1, 1)) * 2) + 0.1
    image[:, 5, 5, 5] = 500
    image[:, generator.random(SHAPE) < 0.1] = 0
    return torch.from_numpy(image).float()


def everything():
    return [(mode, field) for mode in MODES for field in FIELDS]


@pytest.mark.parametrize(("mode", "field"), everything())
def test_units_do_not_matter(scan, mode, field):
    settings = Normalisation(mode, field=field)
    result = normalised(scan, settings)
    assert result.dtype == torch.float32 and result.shape == scan.shape and result.isfinite().all()
    # A power of two only changes exponents, so that not even rounding differs; each modality has a scale of its own.
    assert torch.equal(normalised(scan * 2.0**20, settings), result)
    factors = torch.tensor([2500.0, 0.003]).reshape(2, 1, 1, 1)
    torch.testing.assert_close(normalised(scan * factors, settings), result, rtol=0, atol=ROUNDING)


def test_whole_numbers_are_read_as_numbers():
    bytes_ = torch.randint(0, 256, (1, *SHAPE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert torch.equal(normalised(bytes_, Normalisation()), normalised(bytes_.float(), Normalisation()))


@pytest.mark.parametrize("mode", ["nonzero", "no mean"])
@pytest.mark.parametrize("field", FIELDS)
def test_zeros_stay_zero(scan, mode, field):
    result = normalised(scan, Normalisation(mode, field=field))
    outside = scan == 0
    if field == "ellipsoid":
        outside = outside | ~ellipsoid(SHAPE)
    assert (result[outside] == 0).all() and outside.sum() > 50


@pytest.mark.parametrize(("mode", "mean"), [("nonzero", True), ("crop", True), ("no mean", False)])
def test_moments_of_what_counts_are_those_of_the_mode(scan, mode, mean):
    result = normalised(scan, Normalisation(mode)).double()
    for part, values in zip(result, scan, strict=True):
        kept = part[values != 0] if mode != "crop" else part.flatten()
        assert kept.square().mean().item() == pytest.approx(1, abs=ROUNDING)
        assert (abs(kept.mean().item()) < ROUNDING) == mean


def test_without_a_mean_values_keep_their_proportions(scan):
    result = normalised(scan, Normalisation("no mean", percentiles=(0, 100)))
    root_mean_square = scan[0][scan[0] != 0].double().square().mean().sqrt()
    torch.testing.assert_close(result[0], (scan[0].double() / root_mean_square).float(), rtol=1e-6, atol=0)


def test_planted_extremes_are_clipped():
    values = torch.arange(1.0, 1001.0)
    planted = values.clone()
    planted[0], planted[-1] = -1e6, 1e6
    scan, extreme = (one.reshape(1, 10, 10, 10) for one in (values, planted))
    settings = Normalisation(percentiles=(1, 99))
    low, high = np.percentile(values.numpy(), settings.percentiles)
    clipped = np.clip(values.numpy(), low, high)
    expected = (clipped - clipped.mean()) / clipped.std()
    for image in (scan, extreme):
        np.testing.assert_allclose(normalised(image, settings).flatten().numpy(), expected, atol=ROUNDING)
    unclipped = normalised(extreme, Normalisation(percentiles=(0, 100)))
    assert unclipped.max() > 20


def test_nonzero_is_what_monai_does_after_the_same_clipping(scan):
    settings = Normalisation()
    clipped = scan.clone()
    for part in clipped:
        low, high = np.percentile(part[part != 0].double().numpy(), settings.percentiles)
        part[part != 0] = part[part != 0].clamp(low, high)
    theirs = NormalizeIntensity(nonzero=True, channel_wise=True)(clipped)
    torch.testing.assert_close(normalised(scan, settings), torch.as_tensor(theirs), rtol=0, atol=ROUNDING)


def test_crop_is_what_monai_does_after_the_same_clipping(scan):
    settings = Normalisation("crop", percentiles=(2, 98))
    bounds = np.percentile(scan.double().numpy(), settings.percentiles, axis=(1, 2, 3))
    low, high = (torch.from_numpy(bound).float().reshape(2, 1, 1, 1) for bound in bounds)
    theirs = NormalizeIntensity(channel_wise=True)(scan.clamp(low, high))
    torch.testing.assert_close(normalised(scan, settings), torch.as_tensor(theirs), rtol=0, atol=ROUNDING)


def bimodal(count: int, generator: np.random.Generator) -> np.ndarray:
    return np.concatenate([generator.normal(10, 2, count), generator.normal(40, 5, 2 * count)])


def test_tissue_is_measured_on_the_brighter_of_two_planted_kinds():
    generator = np.random.default_rng(0)
    values = bimodal(2000, generator)
    settings = Normalisation("tissue", percentiles=(0, 100))
    result = normalised(torch.from_numpy(values).reshape(1, 60, 10, 10), settings)
    # The two kinds, three and six of their deviations from the threshold, are told apart but for a few voxels.
    bright = values[2000:]
    expected = (values - bright.mean()) / bright.std()
    np.testing.assert_allclose(result.flatten().numpy(), np.clip(expected, expected[2000:].min(), None), atol=0.2)


def test_glaring_voxels_do_not_move_the_tissue():
    values = bimodal(2000, np.random.default_rng(0))
    glaring = values.copy()
    glaring[-5:] = 1e5
    images = (torch.from_numpy(image).reshape(1, 60, 10, 10) for image in (values, glaring))
    one, other = (normalised(image, Normalisation("tissue")).flatten()[:-5] for image in images)
    # Five more voxels above the percentile at which the brightest are clipped; without clipping the spread would be
    # a hundred times as large.
    torch.testing.assert_close(one, other, rtol=0, atol=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_otsu_separates_as_well_as_the_best_of_all_thresholds(seed):
    """Second method: the variance between the classes for every threshold between two neighbouring values."""
    values = np.sort(bimodal(300, np.random.default_rng(seed)))
    place = np.arange(1, len(values))
    means = np.array([values[:at].mean() - values[at:].mean() for at in place])
    between = place * (len(values) - place) * means**2
    best = int(between.argmax())
    found = otsu_threshold(torch.from_numpy(values))
    # The best of 256 bins' edges lies less than a bin from the best threshold, or separates as well as that.
    width = (values[-1] - values[0]) / 256
    assert values[best] - width <= found <= values[best + 1] + width
    at = int((values < found).sum()) - 1
    assert between[at] >= 0.999 * between[best]


def test_otsu_of_two_values_lies_between_them():
    found = otsu_threshold(torch.tensor([3.0] * 90 + [7.0] * 10))
    assert 3 < found < 7


def test_otsu_needs_two_values():
    with pytest.raises(ValueError, match="all values are 4"):
        otsu_threshold(torch.full((5,), 4.0))


def test_ellipsoid_touches_the_sides():
    inside = ellipsoid((21, 15, 9))
    assert inside.dtype == torch.bool and inside.shape == (21, 15, 9)
    # Sides of odd length have a voxel in the middle of each face, half a voxel inside the surface.
    assert inside[0, 7, 4] and inside[-1, 7, 4] and inside[10, 0, 4] and inside[10, 7, -1]
    assert not inside[0, 0, 0] and not inside[0, 0, 4] and not inside[0, 7, 0]
    for axis in range(3):
        assert torch.equal(inside, inside.flip(axis))
    # Pi / 6 of the box, but for the voxels that the surface cuts.
    assert ellipsoid((40, 50, 60)).float().mean().item() == pytest.approx(torch.pi / 6, abs=0.003)


def test_outside_the_ellipsoid_nothing_counts(scan):
    changed = torch.where(ellipsoid(SHAPE), scan, 1000 * scan + 7)
    for mode in MODES:
        settings = Normalisation(mode, field="ellipsoid")
        assert torch.equal(normalised(scan, settings), normalised(changed, settings))


@pytest.mark.parametrize(("mode", "field"), everything())
def test_an_image_without_scale_is_refused(scan, mode, field):
    settings = Normalisation(mode, field=field)
    # Zero outside the ellipsoid is a second value, which has a scale where every voxel counts.
    values = [0.0] if field == "ellipsoid" and mode == "crop" else [0.0, 3.0]
    for value in values:
        flat = scan.clone()
        flat[1] = value
        with pytest.raises(ValueError, match=r"modality 1 is .* so it has no scale"):
            normalised(flat, settings)


@pytest.mark.parametrize("mode", MODES)
def test_a_single_voxel_that_differs_makes_no_scale(mode):
    image = torch.zeros(1, *SHAPE)
    image[0, 6, 5, 7] = 3
    with pytest.raises(ValueError, match=r"modality 0 is .* nearly everywhere"):
        normalised(image, Normalisation(mode))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("mode", MODES)
def test_numbers_that_are_none_are_refused(scan, mode, value):
    scan[1, 5, 5, 6] = value
    with pytest.raises(ValueError, match="modality 1 holds NaN or infinity"):
        normalised(scan, Normalisation(mode))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"mode": "non-zero"}, "mode is 'non-zero'; expected one of nonzero, crop"),
        ({"field": "ball"}, "field is 'ball'; expected one of box, ellipsoid"),
        ({"percentiles": (99.5, 0.5)}, "percentiles are"),
        ({"percentiles": (5, 5)}, "percentiles are"),
        ({"percentiles": (-1, 99)}, "percentiles are"),
        ({"percentiles": (0, 101)}, "percentiles are"),
    ],
)
def test_unknown_settings_are_refused(settings, why):
    with pytest.raises(ValueError, match=why):
        Normalisation(**settings)
