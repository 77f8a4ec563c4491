"""The state of a training on disk: everything comes back, and what is another's or damaged is refused by name."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from paperlib.training import TrainingError
from paperlib.training.state_files import read_state, write_state

HEADER = {"recipe": '{"a": 1, "b": [2, 3]}', "epoch": "4"}


def made(seed: int, steps: int = 3):
    """A network whose weights lie in memory as convolutions like them, and an optimiser that has made steps."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv3d(2, 3, 3, padding=1), nn.Conv3d(3, 1, 1)).to(memory_format=torch.channels_last_3d)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        step(model, optimiser)
    return model, optimiser


def step(model, optimiser):
    optimiser.zero_grad()
    model(torch.ones(1, 2, 4, 4, 4)).square().sum().backward()
    optimiser.step()


def same(first, second) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "folder" / "state.safetensors"
    model, optimiser = made(0)
    kept = {name: value - 1 for name, value in model.state_dict().items()}
    write_state(path, model, optimiser, HEADER, kept)
    return path


def changed(path, tensors: dict, header: dict | None) -> None:
    save_file(load_file(path) | tensors, path, metadata=header)


def test_everything_comes_back(written):
    first, own = made(0)
    model, optimiser = made(1, steps=0)
    header, kept = read_state(written, model, optimiser, {"recipe": HEADER["recipe"]})
    assert header == HEADER
    assert same(model.state_dict(), first.state_dict())
    assert same(kept, {name: value - 1 for name, value in first.state_dict().items()})
    # The next step depends on what the optimiser remembers.
    step(first, own)
    step(model, optimiser)
    assert same(model.state_dict(), first.state_dict())
    forgetful, other = made(0, steps=0)
    forgetful.load_state_dict(load_kept(written, "weight."))
    step(forgetful, other)
    assert not same(forgetful.state_dict(), first.state_dict())


def load_kept(path, prefix: str):
    return {name.removeprefix(prefix): value for name, value in load_file(path).items() if name.startswith(prefix)}


def test_without_kept_weights_there_are_none(tmp_path):
    path = tmp_path / "state.safetensors"
    write_state(path, *made(0), HEADER)
    assert read_state(path, *made(1), {})[1] == {}


def test_weights_keep_their_order_in_memory(written):
    model, optimiser = made(1)
    read_state(written, model, optimiser, {})
    weight = model[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert optimiser.state[weight]["exp_avg"].stride() == weight.stride()


def test_a_state_of_another_training_is_refused_and_changes_nothing(written):
    model, optimiser = made(1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(TrainingError, match=r"state\.safetensors holds the state of another recipe; remove it or name"):
        read_state(written, model, optimiser, {"recipe": '{"a": 1, "b": [2, 4]}'})
    assert same(model.state_dict(), before)


def test_a_question_is_answered_by_its_meaning_and_not_by_its_spelling(written):
    header, _ = read_state(written, *made(1), {"recipe": json.dumps({"b": [2, 3], "a": 1}, indent=2)})
    assert header["epoch"] == "4"


@pytest.mark.parametrize("damage", ["no header", "a header that is no JSON", "a stray tensor", "a weight less"])
def test_what_is_no_state_is_refused_by_name(written, damage):
    with safe_open(written, "pt") as file:
        header = file.metadata()
    if damage == "a weight less":
        tensors = {name: value for name, value in load_file(written).items() if name != "weight.1.bias"}
        save_file(tensors, written, metadata=header)
    else:
        stray = {"bias": torch.zeros(1)} if damage == "a stray tensor" else {}
        headers = {"no header": None, "a header that is no JSON": {"recipe": "{"}}
        changed(written, stray, headers.get(damage, header))
    with pytest.raises(TrainingError, match=r"(?s)state\.safetensors is no state of this training .*; remove it to"):
        read_state(written, *made(1), {"recipe": HEADER["recipe"]})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"absent\.safetensors is no state of this training"):
        read_state(tmp_path / "absent.safetensors", *made(1), {})
