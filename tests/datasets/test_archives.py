"""Colour images in archives: order, labels and pixels, and archives that are damaged or something else."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from paperlib.datasets import DataError
from paperlib.datasets.archives import cifar_binary, jpeg_classes, photographs
from paperlib.datasets.embedded import photograph_tiles

RNG = np.random.default_rng(0)


def batches(**contents: bytes) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return whole.getvalue()


def records(images: np.ndarray, labels: np.ndarray) -> bytes:
    """As Krizhevsky describes his batches: a byte of label, then the red, the green and the blue plane, row by row."""
    return b"".join(
        bytes([label]) + image[:, :, 0].tobytes() + image[:, :, 1].tobytes() + image[:, :, 2].tobytes()
        for image, label in zip(images, labels, strict=True)
    )


def test_binary_batches_are_read_in_order():
    images = RNG.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    labels = RNG.integers(0, 10, 12).astype(np.uint8)
    parts = {f"data_batch_{n}": records(images[2 * n - 2 : 2 * n], labels[2 * n - 2 : 2 * n]) for n in range(1, 6)}
    content = batches(**parts, test_batch=records(images[10:], labels[10:]))
    found, found_labels = cifar_binary(content, "train", "archive")
    assert np.array_equal(found, images[:10]) and np.array_equal(found_labels, labels[:10])
    found, found_labels = cifar_binary(content, "test", "archive")
    assert np.array_equal(found, images[10:]) and np.array_equal(found_labels, labels[10:])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no archive", "not CIFAR-10's binary archive"),
        (batches(data_batch_1=b""), "not CIFAR-10's binary archive"),
        (batches(test_batch=bytes(3074)), "3074 bytes in the batches of test, which are no records of 3073"),
        (batches(test_batch=bytes(30730))[:-40], "not CIFAR-10's binary archive"),
    ],
)
def test_a_damaged_archive_of_batches_is_an_error(content, words):
    with pytest.raises(DataError, match=words):
        cifar_binary(content, "test", "archive")


def jpeg(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=100, subsampling=0)
    return buffer.getvalue()


def flat(colour: tuple[int, int, int], height: int = 8, width: int = 8) -> np.ndarray:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def zipped(members: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return whole.getvalue()


def test_members_of_a_zip_are_read_by_part_class_and_name():
    members = {
        "train/owl/0001.jpg": jpeg(flat((200, 0, 0))),
        "train/owl/0000.jpg": jpeg(flat((0, 200, 0))),
        "test/ant/0000.jpg": jpeg(flat((9, 9, 9))),
        "train/ant/0000.jpg": jpeg(flat((0, 0, 200))),
        "train/notes.txt": b"not an image",
    }
    images, labels = jpeg_classes(zipped(members), "train", "archive")
    assert labels.tolist() == [0, 1, 1]
    assert images.shape == (3, 8, 8, 3)
    # A flat colour comes through JPEG within a few levels.
    expected = np.array([[0, 0, 200], [0, 200, 0], [200, 0, 0]])
    assert np.abs(images.mean((1, 2)) - expected).max() < 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no archive", "not a zip archive"),
        (zipped({"test/ant/0.jpg": b"not JPEG"}), "test/ant/0.jpg in archive cannot be read as an image"),
        (zipped({"test/ant/0.jpg": jpeg(flat((1, 1, 1))), "test/ant/1.jpg": jpeg(flat((1, 1, 1), 9))}), "2 sizes"),
        (zipped({"train/ant/0.jpg": jpeg(flat((1, 1, 1)))}), "0 sizes"),
    ],
)
def test_a_damaged_zip_is_an_error(content, words):
    with pytest.raises(DataError, match=words):
        jpeg_classes(content, "test", "archive")


def test_of_a_photograph_the_middle_is_seen():
    bands = np.zeros((256, 400, 3), dtype=np.uint8)
    bands[:, 88:312] = 255
    tall = np.zeros((512, 512, 3), dtype=np.uint8)
    tall[32:480, 32:480] = 255
    members = {"n2_tall.JPEG": jpeg(tall), "n1_bands.JPEG": jpeg(bands), "read.me": b""}
    images, labels = photographs(zipped(members), "test", "archive")
    assert images.shape == (2, 224, 224, 3) and labels.tolist() == [0, 1]
    # The first is cut exactly at the band's edges; in the second the resampling blurs a rim of two pixels.
    assert images[0].min() > 240
    assert images[1][2:-2, 2:-2].min() > 240


def test_tiles_put_together_are_the_photograph():
    from sklearn.datasets import load_sample_image

    tiles, labels = photograph_tiles("test")
    assert labels.tolist() == [0] * 15 + [1] * 15
    whole = tiles[15:].reshape(3, 5, 128, 128, 3).transpose(0, 2, 1, 3, 4).reshape(384, 640, 3)
    assert np.array_equal(whole, load_sample_image("flower.jpg")[:384, :640])
