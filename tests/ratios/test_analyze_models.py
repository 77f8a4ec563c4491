"""Loading a reader's model: what comes in, what is refused, and that nothing in a refused file runs."""

import io
import json
import logging
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from ratio_support import export, pictures, small_network, write_builder
from safetensors.torch import save_file
from torch import nn

from paperlib.ratios import ModelError, load_model
from paperlib.ratios.archive import check_archive
from paperlib.ratios.errors import UnsafeModelError


class Marker:
    """A pickle that leaves a file behind when it is loaded, as an attack would."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def exported(tmp_path) -> Path:
    return export(small_network(), pictures(1), tmp_path / "model.pt2")


def rewritten(source: Path, target: Path, record: str, change: Callable[[bytes], bytes]) -> Path:
    """A copy of an exported file with one record changed or added."""
    reader = torch._C.PyTorchFileReader(str(source))
    names = [name for name in reader.get_all_records() if not name.startswith(".data/")]
    writer = torch._C.PyTorchFileWriter(str(target))
    writer.set_min_version(6)
    for name in dict.fromkeys([*names, record]):
        content = reader.get_record(name) if name in names else b""
        content = change(content) if name == record else content
        if name != "byteorder":
            writer.write_record(name, content, len(content))
    writer.write_end_of_file()
    return target


def in_json(change: Callable[[dict], None]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        value = json.loads(content)
        change(value)
        return json.dumps(value).encode()

    return changed


def test_an_exported_program_gives_the_outputs_of_its_model(exported):
    loaded = load_model(exported)
    images = pictures(1, seed=1)
    assert torch.equal(loaded.model(images), small_network()(images))
    assert loaded.channels == 1 and len(loaded.digest) == 64
    double = load_model(exported, dtype=torch.float64)
    assert next(double.model.parameters()).dtype == torch.float64


def test_an_exported_program_with_free_sizes_is_accepted(tmp_path):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)).eval()
    free = torch.export.Dim.AUTO
    program = torch.export.export(network, (torch.rand(2, 1, 8, 8),), dynamic_shapes=({0: free, 2: free, 3: free},))
    torch.export.save(program, tmp_path / "free.pt2")
    images = torch.rand(3, 1, 10, 9)
    assert torch.equal(load_model(tmp_path / "free.pt2").model(images), network(images))


@pytest.mark.parametrize("kept", [0, 100, 3000])
def test_a_damaged_exported_program_is_named(exported, kept):
    exported.write_bytes(exported.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"model\.pt2: it is damaged, or no file of torch\.export\.save"):
        load_model(exported)


def test_a_file_of_torch_save_by_another_name_does_not_run(tmp_path):
    torch.save(Marker(tmp_path / "ran"), tmp_path / "model.pt2")
    with pytest.raises(ModelError, match=r"no file of torch\.export\.save in today's format"):
        load_model(tmp_path / "model.pt2")
    assert not (tmp_path / "ran").exists()


def test_weights_that_were_garbled_are_an_error(exported, tmp_path):
    garbled = rewritten(exported, tmp_path / "x.pt2", "data/weights/weight_0", lambda content: content[:-1])
    with pytest.raises(ModelError, match=r"x\.pt2: torch\.export cannot load it"):
        load_model(garbled)


def pickled_weight(configuration: dict) -> None:
    next(iter(configuration["config"].values()))["use_pickle"] = True


def pickled_constant(configuration: dict) -> None:
    configuration["config"]["c"] = {"path_name": "opaque_obj_0", "use_pickle": False, "is_param": False}


def other_operator(program: dict) -> None:
    program["graph_module"]["graph"]["nodes"][0]["target"] = "torch.os.system"


def code_as_name(program: dict) -> None:
    program["graph_module"]["graph"]["nodes"][0]["outputs"][0]["as_tensor"]["name"] = "x = print('code')"


def code_as_size(program: dict) -> None:
    values = program["graph_module"]["graph"]["tensor_values"]
    next(iter(values.values()))["sizes"][0] = {"as_expr": {"expr_str": "__import__('os').getpid()", "hint": None}}


def imported_container(program: dict) -> None:
    for entry in program["graph_module"]["module_call_graph"]:
        if entry["signature"]:
            entry["signature"]["in_spec"] = '[1, {"type": "some.module.Thing", "context": "", "children_spec": []}]'


@pytest.mark.parametrize(
    ("record", "change", "named"),
    [
        ("data/weights/model_weights_config.json", in_json(pickled_weight), "weight '0.weight' is pickled"),
        ("data/constants/model_constants_config.json", in_json(pickled_constant), "constant 'c' is pickled"),
        ("data/aotinductor/model/x.so", lambda content: b"code", "'data/aotinductor/model/x.so'"),
        ("data/weights/model.pt", lambda content: b"pickle", "'data/weights/model.pt'"),
        ("models/model.json", in_json(other_operator), "operator 'torch.os.system'"),
        ("models/model.json", in_json(code_as_name), 'name "x = print'),
        ("models/model.json", in_json(code_as_size), 'size "__import__'),
        ("models/model.json", in_json(imported_container), "in_spec"),
    ],
)
def test_parts_that_could_run_code_are_refused_and_named(exported, tmp_path, record, change, named):
    check_archive(exported.read_bytes())
    unsafe = rewritten(exported, tmp_path / "unsafe.pt2", record, change)
    with pytest.raises(UnsafeModelError) as caught:
        load_model(unsafe)
    assert named in str(caught.value) and "--allow-pickle" in str(caught.value)


def test_records_beside_the_archive_and_doubles_are_refused(exported, tmp_path):
    for record, message in (
        ("version", "not in a subdirectory"),
        ("model/models/model.json", "two records of one name"),
    ):
        path = tmp_path / "x.pt2"
        path.write_bytes(exported.read_bytes())
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
            # That the name is there already.
            warnings.simplefilter("ignore")
            archive.writestr(record, b"8.20")
        with pytest.raises(ModelError, match=message):
            load_model(path)


def test_pickled_sample_inputs_do_not_run(exported, tmp_path, caplog):
    content = io.BytesIO()
    torch.save((Marker(tmp_path / "ran"),), content)
    unsafe = rewritten(exported, tmp_path / "x.pt2", "data/sample_inputs/model.pt", lambda _: content.getvalue())
    with pytest.raises(UnsafeModelError, match="sample inputs"):
        load_model(unsafe)
    assert not (tmp_path / "ran").exists()
    # That torch.export.load does run them is why the file is looked at first. Its own warning about it, which cannot be
    # formatted, is kept out.
    caplog.set_level(logging.ERROR, logger="torch._export.serde.serialize")
    load_model(unsafe, allow_pickle=True)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.pkl"])
def test_a_pickled_model_needs_the_flag(tmp_path, name):
    path = tmp_path / name
    torch.save(small_network(), path)
    with pytest.raises(UnsafeModelError, match=r"runs any code.*torch\.export\.save.*safetensors.*--allow-pickle"):
        load_model(path)
    images = pictures(2)
    assert torch.equal(load_model(path, allow_pickle=True).model(images), small_network()(images))


def test_a_refused_pickle_does_not_run(tmp_path):
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Marker(tmp_path / "ran"), protocol=2))
    with pytest.raises(UnsafeModelError):
        load_model(tmp_path / "model.pt")
    with pytest.raises(ModelError, match="holds more than tensors"):
        load_model(f"{write_builder(tmp_path)}:build", weights=tmp_path / "model.pt")
    assert not (tmp_path / "ran").exists()


def test_a_state_dict_is_no_model(tmp_path):
    torch.save(small_network().state_dict(), tmp_path / "model.pt")
    with pytest.raises(ModelError, match=r"holds a OrderedDict, not an nn\.Module; give a state dict by --weights"):
        load_model(tmp_path / "model.pt", allow_pickle=True)


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_a_function_with_weights(tmp_path, ending):
    network, path = small_network(), tmp_path / f"weights.{ending}"
    save_file(network.state_dict(), path) if ending == "safetensors" else torch.save(network.state_dict(), path)
    builder = write_builder(tmp_path)
    loaded = load_model(f"{builder}:other", weights=path)
    images = pictures(2)
    assert torch.equal(loaded.model(images), network(images)) and not loaded.model.training
    assert loaded.channels == 1
    assert loaded.digest == load_model(f"{builder}:other", weights=path).digest
    assert loaded.digest != load_model(f"{builder}:other").digest


def test_a_module_of_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "nets_of_mine.py").write_text(write_builder(tmp_path).read_text())
    monkeypatch.chdir(tmp_path)
    assert isinstance(load_model("nets_of_mine:build").model, nn.Sequential)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("nothing", "has no function 'nothing'"),
        ("text", "returned a str; expected an nn.Module"),
        ("broken", "the function failed (RuntimeError: no such file of weights)"),
    ],
)
def test_functions_that_give_no_model(tmp_path, function, message):
    with pytest.raises(ModelError) as caught:
        load_model(f"{write_builder(tmp_path)}:{function}")
    assert message in str(caught.value)


def test_places_that_give_no_module(tmp_path):
    with pytest.raises(ModelError, match="'no_such_package' cannot be imported"):
        load_model("no_such_package:build")
    with pytest.raises(ModelError, match=r"none\.py' cannot be imported"):
        load_model(f"{tmp_path / 'none.py'}:build")
    (tmp_path / "model.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"unknown kind of model; expected FILE\.pt2"):
        load_model(tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        load_model(tmp_path / "model.pt2")


def test_weights_that_do_not_fit_are_listed(tmp_path):
    builder = f"{write_builder(tmp_path)}:build"
    state = small_network().state_dict()
    state["4.weight"] = state.pop("3.weight")
    state["0.bias"] = torch.zeros(5)
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(ModelError) as caught:
        load_model(builder, weights=tmp_path / "w.safetensors")
    for part in ("missing in the file: 3.weight", "unknown to the model: 4.weight", "0.bias (5,) instead of (3,)"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.safetensors", b"\x10\x00", "is damaged"),
        ("w.pt", b"PK\x03\x04", "is damaged"),
        ("w.h5", b"", "unknown kind of weights"),
        ("w.safetensors", None, "cannot be read: No such file"),
    ],
)
def test_weights_that_cannot_be_read(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        load_model(f"{write_builder(tmp_path)}:build", weights=tmp_path / name)


def test_an_exported_program_takes_no_weights(exported, tmp_path):
    with pytest.raises(ModelError, match="holds its own weights"):
        load_model(exported, weights=tmp_path / "w.safetensors")
