"""Generated phantoms as a set of volumes."""

import pickle

import pytest
import torch

from paperlib.datasets.phantoms import phantom_volumes
from paperlib.datasets.volumes import load_volumes, phantoms


def test_phantoms_are_drawn_one_at_a_time():
    volumes = load_volumes("phantoms", count=3, shape=(16, 18, 20), seed=5, contrast=(0.3, 0.4))
    planted = phantom_volumes(3, (16, 18, 20), seed=5, contrast=(0.3, 0.4), normalise=False)
    assert volumes.names == ("phantom_0000", "phantom_0001", "phantom_0002") and volumes.modalities == 4
    for index in (2, 0, 1):
        assert torch.equal(volumes[index].image, planted.images[index])
        assert torch.equal(volumes[index].label, planted.labels[index])
    assert volumes.selection == planted.selection
    assert volumes.select(volumes.names[2:], "last")[0].name == "phantom_0002"


def test_phantoms_are_told_apart_by_their_content():
    one, more, other = (phantoms(count, (16, 16, 16), seed=seed) for count, seed in ((1, 0), (2, 0), (2, 1)))
    found = [volumes.provenance()["sha256"] for volumes in (one, more, other)]
    assert len(set(found)) == 3
    assert more.select(one.names, "first").provenance()["sha256"] == found[0]


def test_a_large_set_of_phantoms_is_cheap_to_send():
    volumes = phantoms(1000, (128.0, 128.0, 128.0))
    sent = pickle.dumps(volumes)
    assert len(sent) < 30_000
    assert pickle.loads(sent) == volumes


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"shape": (16, 16, 15)}, ValueError, "16 or more"),
        ({"shape": (16, 16, 16.5)}, ValueError, "whole numbers"),
        ({"count": -1}, ValueError, "none or more"),
        ({"noise": -1.0}, ValueError, "negative"),
        ({"colour": 3}, TypeError, "colour"),
    ],
)
def test_settings_of_phantoms_are_checked_before_one_is_read(options, error, why):
    with pytest.raises(error, match=why):
        load_volumes("phantoms", **{"count": 2, "shape": (16, 16, 16), **options})
