"""What a file of `torch.export` holds, looked at before any of it is loaded.

``torch.export.load`` can run code that is in the file: it unpickles weights and constants that the file marks as
pickled, unpickles sample inputs without restriction where the restricted reader refuses them, loads compiled
libraries, evaluates expressions for sizes as Python, resolves operators to any function below ``torch``, and writes
Python from the names in the graph. A file that ``torch.export.save`` wrote for an ordinary network needs none of that.
`check_archive` accepts such files alone. It closes the ways named here; it is no proof that there are no others.
"""

import io
import json
import re
from collections.abc import Iterator

import torch

from paperlib.ratios.errors import ModelError, UnsafeModelError

_MODEL = "models/model.json"
_SAMPLE = "data/sample_inputs/model.pt"
_WEIGHTS = "data/weights/model_weights_config.json"
_CONSTANTS = "data/constants/model_constants_config.json"
_KNOWN_RECORDS = re.compile(
    r"archive_format|archive_version|byteorder|\.data/(version|serialization_id)|models/model\.json|extra/.+"
    r"|data/weights/(model_weights_config\.json|weight_\d+)|data/sample_inputs/model\.pt"
    r"|data/constants/(model_constants_config\.json|tensor_\d+)",
    re.ASCII,
)
_OPERATOR = re.compile(
    r"torch\.ops\.aten\.\w+\.\w+|torch\.sym_(max|min|float|int|not|sum)"
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|neg|pow|eq|ne|lt|le|gt|ge|and_|or_|getitem)",
    re.ASCII,
)
_NAME = re.compile(r"[\w.]*", re.ASCII)
_SIZE = re.compile(r"[\w\s,()=*+/<>'-]*", re.ASCII)
_SIZE_WORDS = re.compile(
    r"[a-z]{1,4}\d+|Symbol|Integer|Rational|Add|Mul|Pow|Max|Min|Mod|PythonMod|FloorDiv|CeilDiv|CleanDiv|IntTrueDiv"
    r"|ModularIndexing|PowByNatural|Eq|Ne|Lt|Le|Gt|Ge|positive|integer|nonnegative|True|False",
    re.ASCII,
)
_CONTAINERS = (None, "builtins.tuple", "builtins.list", "builtins.dict")
# Printed or compared, never evaluated; ``as_string`` is an argument's value and is quoted wherever it is written.
_PLAIN = ("as_string", "as_strings", "torch_version")


def check_archive(content: bytes) -> None:
    """Raise unless ``content`` is a whole file of `torch.export.save` with none of the parts named above.

    Raises ``ModelError`` for a file that is damaged or something else, ``UnsafeModelError`` for one with parts that
    could run code, which it names.
    """
    try:
        reader = torch._C.PyTorchFileReader(io.BytesIO(content))
        records = reader.get_all_records()
        missing = [record for record in (_MODEL, _SAMPLE, _WEIGHTS, _CONSTANTS) if record not in records]
        if missing:
            raise ModelError(f"it is no file of torch.export.save in today's format: it lacks {missing[0]!r}")
        program, weights, constants = (json.loads(reader.get_record(r)) for r in (_MODEL, _WEIGHTS, _CONSTANTS))
        sample = reader.get_record(_SAMPLE)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"it is damaged, or no file of torch.export.save ({_first_line(error)})") from error
    if len(set(records)) < len(records):
        raise UnsafeModelError("it holds two records of one name, of which either may be read")
    for record in records:
        if not _KNOWN_RECORDS.fullmatch(record):
            raise UnsafeModelError(f"it holds {record!r}, which may be compiled or pickled code")
    _check_tensors(weights, "weight")
    _check_tensors(constants, "constant")
    _check_sample(sample)
    for key, text in _strings(program):
        _check_string(key, text)


def _check_tensors(configuration: dict, what: str) -> None:
    prefix = {"weight": "weight_", "constant": "tensor_"}[what]
    for name, entry in configuration.get("config", {}).items():
        if entry.get("use_pickle") is not False or not str(entry.get("path_name")).startswith(prefix):
            raise UnsafeModelError(f"{what} {name!r} is pickled")


def _check_sample(content: bytes) -> None:
    # torch.export.load itself goes on to the unrestricted reader where this one refuses.
    if content:
        try:
            torch.load(io.BytesIO(content), weights_only=True)
        except Exception as error:
            raise UnsafeModelError(
                f"its sample inputs are not plain tensors on a device of this machine ({_first_line(error)})"
            ) from error


def _strings(value, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string of the program with the key that it stands under.

    Left out are the notes on where a node came from, which are only kept, and the Python code of the checks of the
    inputs (``guards_code``), which nothing evaluates unless the module is built with these checks.
    """
    if isinstance(value, dict):
        for name, part in value.items():
            yield "key", name
            if name not in ("metadata", "guards_code"):
                yield from _strings(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part, key)
    elif isinstance(value, str):
        yield key, value


def _check_string(key: str, text: str) -> None:
    if key in _PLAIN:
        return
    if key in ("target", "as_operator"):
        allowed = _OPERATOR.fullmatch(text)
    elif key == "expr_str":
        words = re.findall(r"[A-Za-z_]\w*", text)
        allowed = _SIZE.fullmatch(text) and all(_SIZE_WORDS.fullmatch(word) for word in words)
    elif key in ("in_spec", "out_spec"):
        allowed = all(kind in _CONTAINERS for kind in _container_types(json.loads(text)))
    else:
        allowed = _NAME.fullmatch(text)
    if not allowed:
        what = {"target": "operator", "as_operator": "operator", "expr_str": "size"}.get(key, key)
        raise UnsafeModelError(
            f"its {what} {text!r} is more than an ordinary network of ATen operators with one tensor in and out needs"
        )


def _container_types(spec) -> Iterator[object]:
    if isinstance(spec, dict):
        yield spec.get("type")
        for child in spec.get("children_spec", []):
            yield from _container_types(child)
    elif isinstance(spec, list):
        for child in spec:
            yield from _container_types(child)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
