"""Reading and preparing images: exact values, names and order, and a reason for each that cannot be used."""

import nibabel
import numpy as np
import pytest
import torch
from PIL import Image
from ratio_support import pictures, write_pictures

from paperlib.ratios import ImageError, Preparation, image_source
from paperlib.ratios.images import tensor_items
from paperlib.ratios.reading import read_image


def save_volume(path, values: np.ndarray) -> None:
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_give_the_values_that_were_written(tmp_path, channels):
    images = pictures(2, channels=channels)
    write_pictures(tmp_path, images)
    found = [item.read() for item in image_source(tmp_path)]
    assert torch.equal(torch.stack(found), images)


def test_grey_and_rgb_by_choice(tmp_path):
    write_pictures(tmp_path, pictures(1, channels=3))
    path = tmp_path / "image_0.png"
    assert read_image(path, 1).shape == (1, 8, 8)
    Image.open(path).convert("RGBA").save(tmp_path / "alpha.png")
    assert torch.equal(read_image(tmp_path / "alpha.png"), read_image(path))
    Image.open(path).convert("L").save(tmp_path / "grey.png")
    grey = read_image(tmp_path / "grey.png")
    assert grey.shape == (1, 8, 8) and torch.equal(read_image(tmp_path / "grey.png", 3), grey.repeat(3, 1, 1))


def test_sixteen_bits_keep_their_steps(tmp_path):
    values = np.array([[0, 1, 256], [1000, 40000, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "x.tiff")
    expected = torch.from_numpy(values.astype(np.float32) / 65535)
    assert torch.equal(read_image(tmp_path / "x.tiff")[0], expected)
    assert torch.equal(read_image(tmp_path / "x.tiff", 3), expected.repeat(3, 1, 1))


def test_jpeg_is_close(tmp_path):
    Image.fromarray(np.full((16, 16, 3), (200, 100, 50), np.uint8)).save(tmp_path / "x.JPG", quality=95)
    # A constant picture survives the compression up to a step or two of its colour transform.
    expected = torch.tensor([200, 100, 50]).reshape(3, 1, 1) / 255
    assert (read_image(tmp_path / "x.JPG") - expected).abs().max() < 3 / 255


def test_arrays_are_used_as_they_are(tmp_path):
    for shape, expected in (((4, 5), (1, 4, 5)), ((2, 4, 5), (2, 4, 5)), ((2, 3, 4, 5), (2, 3, 4, 5))):
        values = np.arange(np.prod(shape), dtype=np.float64).reshape(shape) - 7
        np.save(tmp_path / "x.npy", values)
        found = read_image(tmp_path / "x.npy")
        assert found.shape == expected and found.dtype == torch.float32
        assert torch.equal(found.reshape(shape), torch.from_numpy(values).float())


def test_volumes_with_their_scale_and_channels_first(tmp_path):
    values = np.random.default_rng(0).integers(0, 100, (3, 4, 5, 2)).astype(np.int16)
    image = nibabel.Nifti1Image(values, np.eye(4))
    image.header.set_slope_inter(0.5, 3)
    for name in ("x.nii", "x.nii.gz"):
        nibabel.save(image, tmp_path / name)
        stored = np.moveaxis(nibabel.load(tmp_path / name).get_fdata(), -1, 0)
        assert np.array_equal(read_image(tmp_path / name).numpy(), stored)
    save_volume(tmp_path / "one.nii", values[..., 0])
    assert np.array_equal(read_image(tmp_path / "one.nii").numpy(), values[None, ..., 0])


def test_names_are_sorted_and_hidden_files_skipped(tmp_path):
    write_pictures(tmp_path, pictures(3))
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "below").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    items = image_source(tmp_path)
    assert [item.name for item in items] == ["image_0.png", "image_1.png", "image_2.png", "notes.txt"]
    assert len({item.digest() for item in items}) == 4
    with pytest.raises(ImageError, match="unknown kind of image"):
        items[-1].read()
    assert [item.name for item in image_source(tmp_path / "image_1.png")] == ["image_1.png"]
    assert len(image_source(tmp_path, without=[tmp_path / "below" / ".." / "notes.txt"])) == 3


def test_a_file_is_read_when_it_is_its_turn(tmp_path):
    write_pictures(tmp_path, pictures(2))
    items = image_source(tmp_path)
    (tmp_path / "image_1.png").unlink()
    assert items[0].read().shape == (1, 8, 8)
    with pytest.raises(ImageError, match="cannot be read"):
        items[1].digest()


def test_places_without_images(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        image_source(tmp_path / "none")
    with pytest.raises(ImageError, match="holds no files"):
        image_source(tmp_path)


def test_files_that_cannot_be_used(tmp_path):
    pages = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (1, 2)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    write_pictures(tmp_path, pictures(1))
    (tmp_path / "cut.png").write_bytes((tmp_path / "image_0.png").read_bytes()[:60])
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "complex.npy", np.zeros((2, 2), complex))
    (tmp_path / "cut.nii.gz").write_bytes(b"\x1f\x8b")
    save_volume(tmp_path / "five.nii", np.zeros((2, 2, 2, 2, 2), np.float32))
    reasons = {
        "pages.tif": "2 pages",
        "cut.png": "cannot be read",
        "objects.npy": "allow_pickle=False",
        "complex.npy": "expected real numbers",
        "cut.nii.gz": "cannot be read",
        "five.nii": "5 axes",
    }
    for name, reason in reasons.items():
        with pytest.raises(ImageError, match=reason):
            read_image(tmp_path / name)


def test_modalities_are_channels(tmp_path):
    values = {name: np.random.default_rng(seed).random((3, 4, 5), np.float32) for seed, name in enumerate("abcd")}
    for case, first, second in (("case_2", "a", "b"), ("case_1", "c", "d")):
        save_volume(tmp_path / f"{case}_t1.nii.gz", values[first])
        save_volume(tmp_path / f"{case}_t2.nii.gz", values[second])
    save_volume(tmp_path / "case_1_seg.nii.gz", values["a"])
    save_volume(tmp_path / "case_3_t2.nii.gz", values["a"])
    items = image_source(tmp_path, modalities=("t2", "t1"))
    assert [item.name for item in items] == ["case_1", "case_2", "case_3"]
    assert np.array_equal(items[0].read().numpy(), np.stack([values["d"], values["c"]]))
    assert items[0].digest() != items[1].digest()
    with pytest.raises(ImageError, match="modality t1 is missing"):
        items[2].read()
    save_volume(tmp_path / "case_3_t1.nii.gz", values["a"][:2])
    with pytest.raises(ImageError, match="different shapes"):
        image_source(tmp_path, modalities=("t2", "t1"))[2].read()
    with pytest.raises(ImageError, match="ends in _flair"):
        image_source(tmp_path, modalities=("flair",))


def test_zscore_of_all_and_of_the_foreground():
    image = torch.tensor([[[0.0, 1.0, 2.0, 3.0]], [[0.0, 0.0, 10.0, 30.0]]])
    every = Preparation(normalise="zscore")(image)
    assert torch.allclose(every.mean((1, 2)), torch.zeros(2), atol=1e-6)
    assert torch.allclose(every.std((1, 2), correction=0), torch.ones(2))
    inside = Preparation(normalise="zscore-foreground")(image)
    assert torch.allclose(inside[1, 0], torch.tensor([0.0, 0.0, -1.0, 1.0]))
    with pytest.raises(ImageError, match="constant"):
        Preparation(normalise="zscore")(torch.ones(1, 2, 2))
    with pytest.raises(ImageError, match="constant"):
        Preparation(normalise="zscore-foreground")(torch.zeros(1, 2, 2))


def test_mean_std_and_size():
    image = torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(0))
    scaled = Preparation(mean=(0.5,), std=(1.0, 2.0, 4.0))(image)
    assert torch.allclose(scaled[2], (image[2] - 0.5) / 4)
    assert Preparation(size=(8, 5))(image).shape == (3, 8, 5)
    assert Preparation(size=(7,))(torch.rand(1, 4, 5, 6)).shape == (1, 7, 7, 7)
    constant = Preparation(size=(5, 5))(torch.full((1, 9, 9), 0.25))
    assert torch.allclose(constant, torch.full((1, 5, 5), 0.25))
    with pytest.raises(ImageError, match="mean has 2 numbers; an image of 3 channels"):
        Preparation(mean=(1.0, 2.0))(image)
    with pytest.raises(ImageError, match="cannot resize"):
        Preparation(size=(4, 4, 4))(image)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"normalise": "minmax"}, "unknown normalisation"),
        ({"normalise": "zscore", "mean": (0.5,)}, "two ways to scale"),
        ({"std": (1.0, 0.0)}, "must be positive"),
    ],
)
def test_settings_that_contradict_each_other(settings, message):
    with pytest.raises(ValueError, match=message):
        Preparation(**settings)


def test_tensors_as_items():
    images = pictures(12)
    named = list(tensor_items(images))
    assert [item.name for item in named[:2]] == ["00", "01"] and torch.equal(named[3].read(), images[3])
    pairs = list(tensor_items((f"case {place}", image) for place, image in enumerate(images)))
    assert pairs[5].name == "case 5" and torch.equal(pairs[5].read(), images[5]) and pairs[5].digest() == ""
