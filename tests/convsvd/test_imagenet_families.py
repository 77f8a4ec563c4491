"""The paper's families through pytorchcv: the registry, networks without weights, and what is said where none are."""

import sys

import pytest
import torch

from paperlib.convsvd.families import large_families
from paperlib.convsvd.imagenet import imagenet_families, imagenet_network
from paperlib.pretrained import WeightsError
from paperlib.spectra.matrizations import spatial_sizes

SMALLEST = {"resnext": "resnext14_32x2d", "fdmobilenet": "fdmobilenet_wd4", "menet": "menet108_8x1_g3"}
PARAMETERS = {"resnext": 7_029_416, "fdmobilenet": 383_160, "menet": 654_516}


def test_the_registry_has_the_three_families_of_the_paper():
    families = imagenet_families().families
    assert [family.title for family in families.values()] == ["ResNeXt", "FD-MobileNet", "MENet"]
    assert [len(family.top1_error) for family in families.values()] == [8, 4, 8]
    assert all(10 < error < 60 for family in families.values() for error in family.top1_error.values())
    assert "erging and evolution" in families["menet"].about


def test_candidates_have_the_documented_accuracies_and_load_nothing():
    found = large_families()
    assert list(found) == ["ResNeXt", "FD-MobileNet", "MENet"]
    one = found["FD-MobileNet"][3]
    assert (one.name, one.example.shape) == ("fdmobilenet_w1", (1, 3, 224, 224))
    assert one.accuracy == pytest.approx(0.6577)


@pytest.mark.parametrize("family", SMALLEST)
def test_networks_are_built_by_the_package(family):
    """With as many parameters as its table of models says."""
    pytest.importorskip("pytorchcv")
    model = imagenet_network(family, SMALLEST[family], trained=False)
    assert sum(weight.numel() for weight in model.parameters()) == PARAMETERS[family]
    assert not model.training
    sizes = spatial_sizes(model, torch.zeros(1, 3, 224, 224))
    assert sizes["features.init_block.conv" if family != "resnext" else "features.init_block.conv.conv"] == (224, 224)


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytorchcv", None)
    monkeypatch.delitem(sys.modules, "pytorchcv.models.menet", raising=False)
    monkeypatch.setitem(sys.modules, "pytorchcv.models.menet", None)
    with pytest.raises(WeightsError, match=r'pip install "paperlib\[imagenet\]"'):
        imagenet_network("menet", "menet108_8x1_g3", trained=False)


class Store:
    """A package's store of weights, as it behaves without a network, or with a file."""

    def __init__(self, path=None):
        self.path = path

    def get_model_file(self, name, local_model_store_dir_path):
        if self.path is None:
            raise OSError("no route to host")
        return str(self.path)


def with_store(monkeypatch, tmp_path, store):
    pytest.importorskip("pytorchcv")
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))
    monkeypatch.delenv("PAPERLIB_DATA", raising=False)
    monkeypatch.setattr("pytorchcv.models.common.model_store.get_model_file", store.get_model_file)


def test_weights_that_cannot_be_had(monkeypatch, tmp_path):
    with_store(monkeypatch, tmp_path, Store())
    with pytest.raises(WeightsError, match="no copy of the weights of menet108_8x1_g3: no route"):
        imagenet_network("menet", "menet108_8x1_g3")


def test_weights_of_another_network(monkeypatch, tmp_path):
    torch.save({"x": torch.ones(1)}, tmp_path / "menet.pth")
    with_store(monkeypatch, tmp_path, Store(tmp_path / "menet.pth"))
    with pytest.raises(WeightsError, match="does not hold the weights of menet108_8x1_g3"):
        imagenet_network("menet", "menet108_8x1_g3")


def test_weights_are_loaded(monkeypatch, tmp_path):
    pytest.importorskip("pytorchcv")
    weights = imagenet_network("menet", "menet108_8x1_g3", trained=False).state_dict()
    torch.save(weights, tmp_path / "menet.pth")
    with_store(monkeypatch, tmp_path, Store(tmp_path / "menet.pth"))
    found = imagenet_network("menet", "menet108_8x1_g3").state_dict()
    assert all(torch.equal(found[name], value) for name, value in weights.items())


@pytest.mark.parametrize(
    ("family", "name", "message"),
    [("vgg", "vgg16", "known: resnext, fdmobilenet, menet"), ("menet", "menet1", "known: menet108_8x1_g3")],
)
def test_unknown_networks(family, name, message):
    with pytest.raises(WeightsError, match=message):
        imagenet_network(family, name)
