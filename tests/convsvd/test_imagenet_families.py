"""The paper's families through pytorchcv: the registry, networks without weights, and what is said where none are."""

import sys
from functools import partial
from types import ModuleType

import pytest
import torch
from torch import nn

from paperlib.convsvd.families import large_families
from paperlib.convsvd.imagenet import imagenet_families, imagenet_network
from paperlib.pretrained import WeightsError
from paperlib.spectra.matrizations import spatial_sizes

SMALLEST = {"resnext": "resnext14_32x2d", "fdmobilenet": "fdmobilenet_wd4", "menet": "menet108_8x1_g3"}


class Network(nn.Module):
    """What stands for a network of the package, which need not be installed."""

    def __init__(self, family: str, name: str) -> None:
        super().__init__()
        self.family, self.name = family, name
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.output = nn.Linear(4, 10)

    def forward(self, x):
        return self.output(self.stem(x).mean((2, 3)))


@pytest.fixture
def package(monkeypatch, tmp_path):
    """Puts modules of the package's names into their places; its store gives the path, or has no network."""
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path))
    monkeypatch.delenv("PAPERLIB_DATA", raising=False)

    def put(path=None):
        def get_model_file(name, local_model_store_dir_path):
            if path is None:
                raise OSError("no route to host")
            return str(path)

        modules = {family: {name: partial(Network, family, name)} for family, name in SMALLEST.items()}
        modules["common.model_store"] = {"get_model_file": get_model_file}
        for name in ("pytorchcv", "pytorchcv.models", "pytorchcv.models.common"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        for name, content in modules.items():
            module = ModuleType(f"pytorchcv.models.{name}")
            vars(module).update(content)
            monkeypatch.setitem(sys.modules, module.__name__, module)

    return put


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
def test_networks_are_built_by_the_package(family, package):
    package()
    model = imagenet_network(family, SMALLEST[family], trained=False)
    assert (model.family, model.name) == (family, SMALLEST[family])
    assert not model.training and not any(weight.requires_grad for weight in model.parameters())
    assert spatial_sizes(model, torch.zeros(1, 3, 224, 224)) == {"stem": (224, 224)}


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytorchcv", None)
    monkeypatch.delitem(sys.modules, "pytorchcv.models.menet", raising=False)
    monkeypatch.setitem(sys.modules, "pytorchcv.models.menet", None)
    with pytest.raises(WeightsError, match=r'pip install "paperlib\[imagenet\]"'):
        imagenet_network("menet", "menet108_8x1_g3", trained=False)


def test_weights_that_cannot_be_had(package):
    package(None)
    with pytest.raises(WeightsError, match="no copy of the weights of menet108_8x1_g3: no route"):
        imagenet_network("menet", "menet108_8x1_g3")


def test_weights_of_another_network(package, tmp_path):
    torch.save({"x": torch.ones(1)}, tmp_path / "menet.pth")
    package(tmp_path / "menet.pth")
    with pytest.raises(WeightsError, match="does not hold the weights of menet108_8x1_g3"):
        imagenet_network("menet", "menet108_8x1_g3")


def test_weights_are_loaded(package, tmp_path):
    weights = Network("menet", "menet108_8x1_g3").state_dict()
    torch.save(weights, tmp_path / "menet.pth")
    package(tmp_path / "menet.pth")
    found = imagenet_network("menet", "menet108_8x1_g3").state_dict()
    assert all(torch.equal(found[name], value) for name, value in weights.items())


@pytest.mark.parametrize(
    ("family", "name", "message"),
    [("vgg", "vgg16", "known: resnext, fdmobilenet, menet"), ("menet", "menet1", "known: menet108_8x1_g3")],
)
def test_unknown_networks(family, name, message):
    with pytest.raises(WeightsError, match=message):
        imagenet_network(family, name)
