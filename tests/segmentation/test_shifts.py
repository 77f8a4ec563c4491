"""Shifts of single images: what each does to an image that is made for it, and what none of them touches."""

import math
import pickle

import pytest
import torch
from segmentation_support import tiny_volumes

from paperlib.segmentation import Normalisation, normalised
from paperlib.segmentation.shifts import KINDS, Shift, shifted, shifted_volumes

STRONG = tuple(
    map(
        Shift.parse,
        ("noise 0.5", "bias field 0.4", "contrast 2", "blur 1", "thick slices 3", "truncation 0.6", "scaling 3"),
    )
)


def head() -> torch.Tensor:
    """Two modalities of positive intensities in a box, zero around it."""
    generator = torch.Generator().manual_seed(5)
    image = torch.zeros(2, 16, 18, 20)
    image[:, 3:13, 2:16, 4:17] = 1 + torch.rand(2, 10, 14, 13, generator=generator)
    return image


@pytest.mark.parametrize("shift", STRONG, ids=str)
def test_shape_type_and_background_are_kept(shift):
    image = head()
    before = image.clone()
    result = shifted(image, shift, seed=1)
    assert type(result) is torch.Tensor
    assert result.dtype == torch.float32 and result.shape == image.shape
    assert result[image == 0].eq(0).all()
    assert not torch.allclose(result, image, rtol=1e-3)
    assert image.equal(before)


@pytest.mark.parametrize("kind", KINDS)
def test_the_neutral_level_changes_nothing(kind):
    neutral = 0 if kind in ("noise", "bias field", "blur", "truncation") else 1
    assert shifted(head(), Shift(kind, neutral), seed=1).equal(head())


@pytest.mark.parametrize("shift", STRONG, ids=str)
def test_what_is_random_follows_from_the_seed(shift):
    first, again, other = (shifted(head(), shift, seed=seed) for seed in (1, 1, 2))
    assert first.equal(again)
    assert first.equal(other) == (shift.kind not in ("noise", "bias field"))


@pytest.mark.parametrize("mode", ["nonzero", "crop", "tissue", "no mean"])
def test_normalisation_undoes_scaling(mode):
    settings = Normalisation(mode)
    scaled = shifted(head(), Shift("scaling", 37.0), seed=1)
    # Percentiles are interpolated between float32 values, which were rounded by the factor.
    torch.testing.assert_close(normalised(scaled, settings), normalised(head(), settings), rtol=1e-5, atol=1e-5)


def test_noise_is_rician_with_the_deviation_asked_for():
    # Far above the noise Rician noise is Gaussian but for its second order, deviation^2 / (2 signal).
    image = 100 + 10 * torch.randn(1, 32, 32, 32, generator=torch.Generator().manual_seed(0))
    change = shifted(image, Shift("noise", 0.5), seed=0) - image
    assert change.std().item() == pytest.approx(0.5 * image.std().item(), rel=0.02)
    # Where there is no signal it is Rayleigh's law, of mean sqrt(pi / 2): the dark half of this image.
    dark = torch.full((1, 32, 32, 32), 1e-6)
    dark[:, :16] = 1
    deviation = 0.1 * dark.std().item()
    noisy = shifted(dark, Shift("noise", 0.1), seed=0)[:, 16:]
    assert noisy.mean().item() == pytest.approx(deviation * math.sqrt(math.pi / 2), rel=0.02)


def test_noise_of_modalities_is_independent():
    image = torch.cat([head()[:1]] * 2)
    change = shifted(image, Shift("noise", 0.3), seed=1) - image
    inside = image[0] > 0
    correlation = torch.corrcoef(change[:, inside])[0, 1].item()
    # Of 1,820 voxels; the deviation of a correlation by chance is 0.023.
    assert abs(correlation) < 0.1


def test_bias_field_multiplies_all_modalities_by_one_smooth_field():
    image = head()
    inside = image[0] > 0
    mild, strong = (shifted(image, Shift("bias field", level), seed=3)[:, inside] for level in (0.1, 0.2))
    fields = [(values / image[:, inside]).log() for values in (mild, strong)]
    torch.testing.assert_close(fields[0][0], fields[0][1], rtol=1e-4, atol=1e-5)
    # The same field, twice as strong in its logarithm.
    torch.testing.assert_close(fields[1], 2 * fields[0], rtol=1e-3, atol=1e-5)
    assert fields[0].abs().max() > 0.05
    smooth = torch.zeros(inside.shape)
    smooth[inside] = fields[0][0]
    assert smooth[3:13, 2:16, 4:17].diff(dim=0).abs().max() < 0.1


def test_contrast_raises_to_a_power_between_the_extremes():
    image = torch.tensor([1.0, 2.0, 3.0, 5.0]).reshape(1, 1, 2, 2)
    result = shifted(image, Shift("contrast", 2), seed=0)
    torch.testing.assert_close(result, 1 + (image - 1).square() / 4)


def test_blur_takes_a_wave_down_as_a_gaussian_does():
    wave = 5 + torch.cos(2 * math.pi * torch.arange(32) / 8).reshape(1, 32, 1, 1).expand(1, 32, 24, 24)
    result = shifted(wave, Shift("blur", 1), seed=0)[0, 12:20, 12, 12]
    expected = math.exp(-((2 * math.pi / 8) ** 2) / 2)
    # The filter is cut off at four deviations and made of integrals over voxels.
    assert (result.max() - result.min()).item() / 2 == pytest.approx(expected, rel=0.05)


def test_thick_slices_are_means_and_keep_straight_lines():
    slices = torch.tensor([1.0, 3.0, 6.0, 8.0, 9.0]).expand(1, 4, 4, 5)
    result = shifted(slices, Shift("thick slices", 2), seed=0)[0, 0, 0]
    # Means 2, 7 and 9 in the middle of their slices, straight lines between, level outside.
    torch.testing.assert_close(result, torch.tensor([2.0, 3.25, 5.75, 7.5, 8.5]))
    line = torch.arange(1.0, 13).expand(1, 4, 4, 12)
    torch.testing.assert_close(shifted(line, Shift("thick slices", 3), seed=0)[..., 1:-1], line[..., 1:-1])


def test_truncation_removes_fast_waves_and_leaves_slow_ones():
    places = torch.arange(32).reshape(1, 32, 1, 1).expand(1, 32, 32, 32)
    slow, fast = (torch.cos(2 * math.pi * waves * places / 32) for waves in (2, 14))
    result = shifted(5 + slow + fast, Shift("truncation", 0.5), seed=0)
    # Half of the radius sqrt(2) / 2 * 32 is 11.3 waves.
    torch.testing.assert_close(result, 5 + slow, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "level", "expected"),
    [("spike", 1, "noise, bias field"), ("noise", -1, "0 to 100"), ("truncation", 1, "0 to 0.99"),
     ("thick slices", 1.5, "whole number"), ("noise", math.nan, "0 to 100")],
)  # fmt: skip
def test_unknown_kinds_and_levels_are_refused(kind, level, expected):
    with pytest.raises(ValueError, match=expected):
        Shift(kind, level)


def test_shifts_are_read_from_text():
    assert Shift.parse(" bias field 0.4") == Shift("bias field", 0.4)
    assert str(Shift.parse("thick slices 3")) == "thick slices 3"
    with pytest.raises(ValueError, match=r"such as 'noise 0\.2'"):
        Shift.parse("noise")


def test_a_set_of_volumes_is_shifted_when_it_is_read():
    volumes = tiny_volumes()
    shift = Shift("noise", 0.3)
    changed = pickle.loads(pickle.dumps(shifted_volumes(volumes, shift, seed=4)))
    first, again = changed[0], changed[0]
    assert first.image.equal(again.image) and first.label.equal(volumes[0].label)
    assert not first.image.equal(volumes[0].image)
    other_seed = shifted_volumes(volumes, shift, seed=5)
    assert not first.image.equal(other_seed[0].image)
    # Volumes have noise of their own, whatever their order.
    noise = [changed.read(name).image - volumes.read(name).image for name in volumes.names[:2]]
    assert not torch.allclose(noise[0], noise[1])
    assert changed.select(volumes.names[1:], "rest")[0].image.equal(changed[1].image)
    assert "noise 0.3, seed 4" in changed.provenance()["selection"]
