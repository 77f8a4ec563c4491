"""Generated heads: their shapes, what is planted in them, and that a seed makes the same ones again."""

import hashlib
import json

import pytest
import torch
from scipy import ndimage

from paperlib.datasets.phantoms import SMALLEST_SIDE, VolumeData, phantom_volumes

SHAPE = (32, 28, 30)


@pytest.fixture(scope="module")
def data() -> VolumeData:
    return phantom_volumes(8, SHAPE, seed=3)


def head_of(data: VolumeData) -> torch.Tensor:
    """Inside the head noise makes an exact zero impossible."""
    return (data.images != 0).all(1)


def surround(lesion: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
    """The shell from two to four voxels around the lesions, inside the head."""
    near, far = (torch.from_numpy(ndimage.binary_dilation(lesion.numpy(), iterations=i)) for i in (1, 4))
    return far & ~near & head


def test_shapes_and_types(data):
    assert len(data) == 8
    assert data.images.shape == (8, 4, *SHAPE) and data.images.dtype == torch.float32
    assert data.labels.shape == (8, *SHAPE) and data.labels.dtype == torch.uint8
    assert data.contrasts.shape == (8,) and data.contrasts.dtype == torch.float64
    assert torch.isfinite(data.images).all()
    assert sorted(data.labels.unique().tolist()) == [0, 1]


@pytest.mark.parametrize("modalities", [1, 2, 6])
def test_modalities_differ(modalities):
    images = phantom_volumes(1, (16, 16, 16), modalities=modalities).images[0].flatten(1)
    assert len(images) == modalities
    assert all(not torch.allclose(images[i], images[j]) for i in range(modalities) for j in range(i))


def test_head_fills_about_a_quarter_and_is_one_piece(data):
    for head in head_of(data):
        assert 0.15 < head.float().mean() < 0.35
        assert ndimage.label(head.numpy())[1] == 1
        # A margin of background lies around it.
        assert not any(head.select(axis, end).any() for axis in range(3) for end in (0, -1))


def test_background_is_zero_in_every_modality(data):
    assert torch.equal((data.images != 0).any(1), head_of(data))


def test_inside_the_head_mean_is_zero_and_deviation_one(data):
    for image, head in zip(data.images, head_of(data), strict=True):
        inside = image[:, head].double()
        torch.testing.assert_close(inside.mean(1), torch.zeros(4, dtype=torch.float64), atol=1e-4, rtol=0)
        torch.testing.assert_close(inside.std(1, correction=0), torch.ones(4, dtype=torch.float64), atol=1e-4, rtol=0)


def test_without_normalisation_intensities_are_those_of_a_scanner():
    raw = phantom_volumes(2, SHAPE, seed=3, normalise=False)
    assert raw.images.min() == 0 and raw.images.max() < 3
    normalised = phantom_volumes(2, SHAPE, seed=3)
    assert torch.equal(raw.labels, normalised.labels)
    assert torch.equal(raw.images == 0, normalised.images == 0)


def test_lesions_lie_in_the_head_and_have_the_stated_size():
    data = phantom_volumes(24, (24, 24, 24), seed=1)
    heads = head_of(data)
    shares, pieces = [], []
    for label, head in zip(data.labels.bool(), heads, strict=True):
        assert (label <= head).all()
        shares.append((label.sum() / head.sum()).item())
        pieces.append(ndimage.label(label.numpy())[1])
    assert 0.002 < min(shares) and max(shares) < 0.2
    assert set(pieces) == {1, 2, 3}


@pytest.mark.parametrize("shape", [(SMALLEST_SIDE,) * 3, (16, 40, 24)])
def test_even_the_smallest_volumes_all_hold_a_lesion(shape):
    labels = phantom_volumes(40, shape, modalities=1).labels
    assert (labels.flatten(1).sum(1) > 0).all()


def test_planted_contrast_is_there():
    """At one seed the volumes differ in nothing but the contrast: the lesion stands out in proportion to it."""
    differences = []
    for contrast in (0.0, 0.25, 0.5, 1.0):
        one = phantom_volumes(4, SHAPE, seed=5, contrast=(contrast, contrast), bias=0, normalise=False)
        assert one.contrasts.tolist() == [contrast] * 4
        lesions, heads = one.labels.bool(), head_of(one)
        steps = [
            image[3][lesion].mean() - image[3][surround(lesion, head)].mean()
            for image, lesion, head in zip(one.images, lesions, heads, strict=True)
        ]
        differences.append(torch.stack(steps))
    none, quarter, half, full = differences
    assert (none < quarter).all() and (quarter < half).all() and (half < full).all()
    # 0.8 times the contrast is added in the fourth modality, less what the soft edge of a lesion takes away.
    gained = full - none
    assert (gained > 0.6).all() and (gained < 0.8).all()
    torch.testing.assert_close(half - none, gained / 2, rtol=0.05, atol=0)


def test_contrasts_are_drawn_over_the_range():
    contrasts = phantom_volumes(30, (16, 16, 16), modalities=1, contrast=(0.2, 1.0)).contrasts
    assert 0.2 <= contrasts.min() < 0.35 and 0.85 < contrasts.max() <= 1.0


def test_bias_field_changes_intensities_by_its_strength():
    plain = phantom_volumes(1, SHAPE, noise=0, bias=0, normalise=False).images[0]
    biased = phantom_volumes(1, SHAPE, noise=0, bias=0.3, normalise=False).images[0]
    logarithms = (biased / plain)[plain > 0].log()
    assert 0.15 < logarithms.abs().max() < 0.3 + 1e-5


def test_noise_has_its_deviation():
    silent = phantom_volumes(1, SHAPE, noise=0, bias=0, normalise=False).images[0]
    noisy = phantom_volumes(1, SHAPE, noise=0.02, bias=0, normalise=False).images[0]
    # Where the signal is well above the noise, Rician noise is almost Gaussian.
    bright = silent > 0.2
    assert (noisy - silent)[bright].std().item() == pytest.approx(0.02, rel=0.05)


def test_a_volume_depends_on_seed_and_place_alone(data):
    fewer = phantom_volumes(3, SHAPE, seed=3)
    assert torch.equal(fewer.images, data.images[:3]) and torch.equal(fewer.labels, data.labels[:3])
    assert torch.equal(fewer.contrasts, data.contrasts[:3])
    other = phantom_volumes(3, SHAPE, seed=4)
    assert not torch.equal(other.labels, fewer.labels) and not torch.equal(other.images, fewer.images)


def test_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    phantom_volumes(1, (16, 16, 16))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_provenance_names_settings_and_content(data):
    record = data.provenance()
    assert record["name"] == "phantoms" and record["count"] == 8 and record["source"] == "generated"
    assert record["selection"] == (
        "seed 3, shape 32 x 28 x 30, 4 modalities, contrast 0.2 to 1, noise 0.05, bias 0.3, normalised"
    )
    content = data.images.numpy().tobytes() + data.labels.numpy().tobytes()
    assert record["sha256"] == hashlib.sha256(content).hexdigest()
    json.dumps(record)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (16, 16)}, "three sides of 16 or more"),
        ({"shape": (16, 15, 16)}, r"shape is \(16, 15, 16\)"),
        ({"modalities": 0}, "of 0 modalities"),
        ({"count": -1}, "-1 volumes"),
        ({"contrast": (0.5, 0.2)}, r"contrast is \(0.5, 0.2\)"),
        ({"contrast": (-0.1, 0.2)}, "not negative"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"bias": -0.1}, "bias -0.1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        phantom_volumes(**{"count": 1, "shape": (16, 16, 16), **options})


def test_later_volumes_can_be_drawn_without_the_earlier_ones(data):
    later = phantom_volumes(2, SHAPE, seed=3, first=5)
    assert torch.equal(later.images, data.images[5:7]) and torch.equal(later.labels, data.labels[5:7])
    assert torch.equal(later.contrasts, data.contrasts[5:7])
    assert later.selection == f"{data.selection}, from number 5 on"
    with pytest.raises(ValueError, match="first is -1"):
        phantom_volumes(1, SHAPE, first=-1)
