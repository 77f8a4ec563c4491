"""Weights in torchvision's files: found, downloaded, checked; tried on small files of the same form."""

import hashlib
import pickle

import pytest
import torch

from paperlib import models, paths, pretrained
from paperlib.pretrained import WeightsError

OPTIONS = {"depth": 11, "width": 1 / 64, "hidden": 4, "pooled": 1, "classes": 3, "batch_norm": True}


@pytest.fixture
def weights():
    torch.manual_seed(0)
    return models.vgg(**OPTIONS).state_dict()


@pytest.fixture
def register(tmp_path, monkeypatch, weights):
    """Put a file of weights somewhere, and a registry that names it; returns the file's path."""

    def make(content=weights, folder: str = "server", digits: str | None = None, legacy: bool = False):
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        torch.save(content, place / "new", _use_new_zipfile_serialization=not legacy)
        digits = digits or hashlib.sha256((place / "new").read_bytes()).hexdigest()[:8]
        path = (place / "new").rename(place / f"tiny-{digits}.pth")
        options = ", ".join(f"{name} = {str(value).lower()}" for name, value in OPTIONS.items())
        (tmp_path / "weights.toml").write_text(
            f'address = "{(tmp_path / "server").as_uri()}/"\nlicence = "none"\n'
            f'[networks.tiny]\nfile = "{path.name}"\nmegabytes = 1\noptions = {{ {options} }}\n'
        )
        return path

    monkeypatch.setattr(paths, "WEIGHTS", tmp_path / "weights.toml")
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PAPERLIB_DATA", raising=False)
    pretrained._registry.cache_clear()
    yield make
    pretrained._registry.cache_clear()


@pytest.mark.parametrize("legacy", [False, True])
def test_weights_are_downloaded_once(register, weights, tmp_path, legacy):
    served = register(legacy=legacy)
    model = pretrained.pretrained("tiny")
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert not model.training and not any(parameter.requires_grad for parameter in model.parameters())
    served.unlink()
    pretrained.pretrained("tiny", download=False)
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == [served.name]


def test_a_file_that_is_given_comes_first(register, tmp_path, monkeypatch):
    register(folder="given/imagenet_weights")
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "given"))
    pretrained.pretrained("tiny", download=False)
    assert not (tmp_path / "cache").exists()


def test_other_bytes_than_the_name_says_are_refused(register, tmp_path, monkeypatch):
    register(digits="00000000", folder="given/imagenet_weights")
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "given"))
    with pytest.raises(WeightsError, match=r"wrong checksum: SHA-256 \w{64}, expected one that begins with 00000000"):
        pretrained.pretrained("tiny")


def test_a_download_of_other_bytes_is_not_kept(register, tmp_path):
    register(digits="00000000")
    with pytest.raises(WeightsError, match=r"no copy of tiny-00000000\.pth .* invalid hash value"):
        pretrained.pretrained("tiny")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_missing_file_says_where_it_belongs(register):
    register().unlink()
    with pytest.raises(WeightsError, match=r"no copy of tiny-.*\.pth \(1 MB\): downloads were not asked for\. Put"):
        pretrained.pretrained("tiny", download=False)
    with pytest.raises(WeightsError, match="or connect to the network"):
        pretrained.pretrained("tiny")


def test_weights_of_another_network_are_refused(register, weights):
    register({name: value for name, value in weights.items() if name != "features.0.bias"})
    with pytest.raises(WeightsError, match=r"(?s)does not hold the weights of tiny: .*features\.0\.bias"):
        pretrained.pretrained("tiny")


class Harmful:
    def __reduce__(self):
        return print, ("this must not run",)


def test_nothing_but_tensors_is_loaded(register, capsys):
    register({"features.0.weight": Harmful()})
    with pytest.raises(WeightsError, match="cannot be read"):
        pretrained.pretrained("tiny")
    assert "this must not run" not in capsys.readouterr().out
    assert pickle.loads(pickle.dumps(Harmful())) is None and "must not run" in capsys.readouterr().out


def test_unknown_networks_are_refused_with_the_known_ones():
    with pytest.raises(WeightsError, match="unknown network 'vgg12'; known: vgg11, vgg13, vgg16, vgg19, vgg19_bn"):
        pretrained.pretrained("vgg12")


def test_each_registered_file_names_its_checksum():
    for name in pretrained.pretrained_names():
        digits = pretrained._registry().networks[name].file.removesuffix(".pth").rsplit("-", 1)[1]
        assert len(digits) == 8 and int(digits, 16) > 0
