"""Seeded selections: sizes, balance, order, and what is refused."""

import pytest
import torch

from paperlib import datasets
from paperlib.datasets import ImageData, balanced_subset, select, split, without_most_of

# Training images of MNIST by digit; the paper's numbers rest on the 6,742 ones and 5,949 nines.
MNIST_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def labelled(labels: torch.Tensor) -> ImageData:
    """Images whose single pixel is their place, so that a selection shows."""
    images = torch.arange(len(labels), dtype=torch.float32).reshape(-1, 1, 1, 1)
    return ImageData(images, labels, "synthetic", "train", "Synthetic", "made here", "")


@pytest.fixture(scope="module")
def mnist_like() -> ImageData:
    labels = torch.repeat_interleave(torch.arange(10), torch.tensor(MNIST_COUNTS))
    return labelled(labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))])


@pytest.fixture
def data() -> ImageData:
    return labelled(torch.arange(60) % 3)


def places(data: ImageData) -> list[int]:
    return data.images.flatten().int().tolist()


def test_unbalanced_set_of_the_paper(mnist_like):
    """99 % of the ones and nines removed leaves 67 and 59 of them, 47,435 images in all."""
    kept = without_most_of(mnist_like, (1, 9), 0.99, seed=0)
    counts = kept.labels.bincount().tolist()
    assert (counts[1], counts[9]) == (67, 59)
    assert [counts[digit] for digit in range(10) if digit not in (1, 9)] == [
        MNIST_COUNTS[digit] for digit in range(10) if digit not in (1, 9)
    ]
    assert len(kept) == 47_435
    assert kept.selection == "without 99% of classes 1, 9, seed 0"
    assert mnist_like.labels[places(kept)].tolist() == kept.labels.tolist()
    assert places(kept) == sorted(places(kept))


def test_seed_says_which_images_stay(mnist_like):
    first, again, other = (without_most_of(mnist_like, (1, 9), 0.99, seed) for seed in (3, 3, 4))
    assert places(first) == places(again)
    assert places(first) != places(other)
    assert len(first) == len(other)


@pytest.mark.parametrize(("fraction", "left"), [(0.0, 20), (0.5, 10), (0.93, 1), (1.0, 0)])
def test_fraction_says_how_many_stay(data, fraction, left):
    kept = without_most_of(data, (1,), fraction, seed=0)
    assert kept.labels.bincount(minlength=3).tolist() == [20, left, 20]


@pytest.mark.parametrize("fraction", [-0.01, 1.01, float("nan")])
def test_fraction_outside_of_its_range_is_refused(data, fraction):
    with pytest.raises(ValueError, match=r"fraction is .*; expected a number in \[0, 1\]"):
        without_most_of(data, (1,), fraction, seed=0)


def test_class_that_is_not_there_is_refused(data):
    with pytest.raises(ValueError, match="synthetic has no image of class 7"):
        without_most_of(data, (1, 7), 0.5, seed=0)


def test_balanced_subset(data):
    subset = balanced_subset(data, 4, seed=1)
    assert subset.labels.bincount().tolist() == [4, 4, 4]
    assert places(subset) == sorted(set(places(subset)))
    assert data.labels[places(subset)].tolist() == subset.labels.tolist()
    assert subset.selection == "4 of each class, seed 1"
    assert places(balanced_subset(data, 4, seed=1)) == places(subset)
    assert places(balanced_subset(data, 4, seed=2)) != places(subset)


def test_a_class_with_too_few_images_is_refused():
    with pytest.raises(ValueError, match="class 1 of synthetic has 2 images, 3 were asked for"):
        balanced_subset(labelled(torch.tensor([0, 0, 0, 1, 1])), 3, seed=0)


@pytest.mark.parametrize("count", [0, 1, 20, 59])
def test_split_keeps_every_image_once_and_in_order(data, count):
    rest, apart = split(data, count, seed=1)
    assert (len(rest), len(apart)) == (60 - count, count)
    assert sorted(places(rest) + places(apart)) == list(range(60))
    for part in (rest, apart):
        assert places(part) == sorted(places(part))
        assert data.labels[places(part)].tolist() == part.labels.tolist()


def test_split_follows_its_seed(data):
    first, again, other = (split(data, 20, seed)[1] for seed in (1, 1, 2))
    assert places(first) == places(again) != places(other)
    # At random, not the first or the last twenty.
    assert 0 < sum(place < 30 for place in places(first)) < 20


def test_split_says_what_it_did(data):
    rest, apart = split(balanced_subset(data, 4, seed=1), 5, seed=3)
    assert rest.selection == "4 of each class, seed 1; without 5 random images, seed 3"
    assert apart.selection == "4 of each class, seed 1; 5 random images, seed 3"
    assert len(data) == 60 and data.selection == "all"


@pytest.mark.parametrize("count", [-1, 60, 61])
def test_split_that_leaves_nothing_is_refused(data, count):
    with pytest.raises(ValueError, match=f"{count} of the 60 images of synthetic cannot be set apart; expected fewer"):
        split(data, count, seed=0)


def test_selections_add_up_in_words_and_leave_the_whole(data):
    subset = select(balanced_subset(data, 4, seed=1), torch.tensor([2, 0]), "two by hand")
    assert subset.selection == "4 of each class, seed 1; two by hand"
    assert subset.provenance()["selection"] == subset.selection and subset.provenance()["count"] == 2
    assert len(data) == 60 and data.selection == "all"


def test_global_random_state_is_left_alone(data):
    before = torch.get_rng_state()
    balanced_subset(data, 2, seed=0)
    without_most_of(data, (0,), 0.5, seed=0)
    split(data, 2, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_class_means_are_those_of_each_class():
    data = datasets.load("mnist_5000", "test")
    means = datasets.class_means(data)
    assert means.shape == (10, 1, 28, 28)
    torch.testing.assert_close(means[3], data.images[data.labels == 3].mean(0))
