"""Data in files: where they are looked for, how damage is noticed, downloads that fail, and what they leave."""

import errno
import gzip
import hashlib
import importlib
import os
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from paperlib import datasets, paths
from paperlib.datasets import DataError
from paperlib.datasets.idx import parse_idx

COUNT = 3
PIXELS = np.arange(COUNT * 28 * 28, dtype=np.uint64).astype(np.uint8).reshape(COUNT, 28, 28)
LABELS = np.array([2, 0, 1], dtype=np.uint8)
IMAGE_FILE, LABEL_FILE = "digits-images.gz", "digits-labels.gz"


def idx(array: np.ndarray, code: int = 0x08) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


FILES = {IMAGE_FILE: gzip.compress(idx(PIXELS)), LABEL_FILE: gzip.compress(idx(LABELS))}


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def register(tmp_path, monkeypatch):
    """Make a registry of one data set `tiny`, by default without an address, and with a cache of its own."""
    loaded = importlib.import_module("paperlib.datasets.registry").registry
    sources = importlib.import_module("paperlib.datasets.sources")

    def make(address: str = "", images: bytes = idx(PIXELS), labels: bytes = idx(LABELS), count: int = COUNT) -> None:
        path = tmp_path / "registry.toml"
        path.write_text(
            f"""
            [tiny]
            title = "Tiny"
            description = "three images"
            licence = "none"
            citation = "nobody"
            format = "idx"
            megabytes = 1
            addresses = [{f'"{address}"' if address else ""}]
            [tiny.parts.train]
            count = {count}
            images = {{ file = "{IMAGE_FILE}", sha256 = "{checksum(images)}" }}
            labels = {{ file = "{LABEL_FILE}", sha256 = "{checksum(labels)}" }}
            """
        )
        monkeypatch.setattr(paths, "REGISTRY", path)
        loaded.cache_clear()

    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PAPERLIB_DATA", raising=False)
    monkeypatch.setattr(sources, "SYSTEM", tmp_path / "system")
    yield make
    loaded.cache_clear()


def put(folder: Path, **contents: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (FILES | {IMAGE_FILE: contents.get("images", FILES[IMAGE_FILE])}).items():
        (folder / name).write_bytes(content)
    return folder


def cached(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "data" / "tiny"


def left_over(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_become_tensors(register, tmp_path, monkeypatch):
    register()
    put(tmp_path / "given" / "tiny")
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "given"))
    data = datasets.load("tiny", "train", download=False)
    assert data.labels.tolist() == [2, 0, 1]
    assert torch.equal(data.images, torch.from_numpy(PIXELS / np.float32(255)).unsqueeze(1))
    assert data.source == "PAPERLIB_DATA" and data.sha256 == checksum(idx(PIXELS)) and data.title == "Tiny"


def test_places_are_searched_in_order(register, tmp_path, monkeypatch):
    register()
    put(cached(tmp_path))
    assert datasets.load("tiny", "train", download=False).source == "local cache"
    put(tmp_path / "system" / "tiny")
    assert datasets.load("tiny", "train", download=False).source == "system package"
    put(tmp_path / "given" / "tiny")
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "given"))
    assert datasets.load("tiny", "train", download=False).source == "PAPERLIB_DATA"
    entry = datasets.registry()["tiny"]
    file = entry.parts["train"].images
    assert datasets.find("tiny", entry, file) == (tmp_path / "given" / "tiny" / IMAGE_FILE, "PAPERLIB_DATA")
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "nowhere"))
    assert datasets.load("tiny", "train", download=False).source == "system package"


def test_a_file_that_is_nowhere_is_not_found(register):
    register()
    entry = datasets.registry()["tiny"]
    assert datasets.find("tiny", entry, entry.parts["train"].images) is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x1f\x8b" + b"no gzip at all", "damaged or truncated"),
        (FILES[IMAGE_FILE][:-20], "damaged or truncated"),
        (b"plain bytes", "damaged or truncated"),
        (b"", "wrong checksum"),
        (FILES[IMAGE_FILE][:40] + b"\xff" + FILES[IMAGE_FILE][41:], "damaged or truncated|wrong checksum"),
        (gzip.compress(idx(PIXELS + 1)), "wrong checksum"),
    ],
    ids=["corrupt", "truncated", "not compressed", "empty", "one byte", "other content"],
)
def test_a_damaged_file_is_an_error_that_names_it_and_never_skipped(register, tmp_path, monkeypatch, content, why):
    register()
    put(cached(tmp_path))
    folder = put(tmp_path / "given" / "tiny", images=content)
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "given"))
    with pytest.raises(DataError, match=why) as caught:
        datasets.load("tiny", "train", download=False)
    assert str(folder / IMAGE_FILE) in str(caught.value) and "replace it by a whole copy" in str(caught.value)


def test_wrong_idx_type_is_refused(register, tmp_path):
    floats = idx(PIXELS, code=0x0D)
    register(images=floats)
    put(cached(tmp_path), images=gzip.compress(floats))
    with pytest.raises(DataError, match=f"{IMAGE_FILE} holds IDX type 0x0d, expected unsigned bytes"):
        datasets.load("tiny", "train", download=False)


def test_wrong_count_is_refused(register, tmp_path):
    register(count=COUNT + 1)
    put(cached(tmp_path))
    with pytest.raises(DataError, match="tiny train: 3 images, 3 labels, expected 4"):
        datasets.load("tiny", "train", download=False)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not an IDX file"),
        (b"\x00\x00\x08", "not an IDX file"),
        (b"PNG\x00\x00\x00\x00", "not an IDX file"),
        (b"\x00\x00\x08\x03", "truncated"),
        (b"\x00\x00\x08\x03\x00\x00\x00\x01\x00", "truncated"),
        (idx(PIXELS)[:-1], "truncated or too long: 2351 bytes"),
        (idx(PIXELS) + b"\x00", "truncated or too long: 2353 bytes"),
    ],
)
def test_a_file_that_is_no_whole_idx_file_is_refused(content, why):
    with pytest.raises(DataError, match=f"digits.*{why}"):
        parse_idx(content, "digits")


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0, 3)])
def test_arrays_of_any_shape_are_read(shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert np.array_equal(parse_idx(idx(array), "digits"), array)


def test_data_that_is_not_here_without_a_download_is_an_error_that_says_where_to_put_it(register):
    register()
    with pytest.raises(DataError, match=f"no copy of {IMAGE_FILE}.*downloads were not asked for.*PAPERLIB_DATA/tiny/"):
        datasets.load("tiny", "train", download=False)
    with pytest.raises(DataError, match="the registry has no address for it"):
        datasets.load("tiny", "train")


def test_no_network_and_no_data_is_an_error_that_names_the_address_and_the_ways_out(register, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    register(address=f"http://127.0.0.1:{port}/")
    with pytest.raises(DataError) as caught:
        datasets.load("tiny", "train")
    message = str(caught.value)
    assert f"http://127.0.0.1:{port}/{IMAGE_FILE}" in message
    assert "$PAPERLIB_DATA/tiny/" in message and "paperlib data fetch tiny" in message
    assert left_over(tmp_path / "cache") == []


class Server:
    """A local server of files whose answers can be spoilt."""

    def __init__(self):
        self.files, self.requests, self.missing_bytes, self.status = dict(FILES), [], 0, 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.path)
                body = outer.files.get(self.path.removeprefix("/"), b"")
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) - outer.missing_bytes])

            def log_message(self, *_words):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}/"


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def test_download_is_kept_in_the_cache_and_not_repeated(register, server, tmp_path):
    register(address=server.address)
    data = datasets.load("tiny", "train")
    assert data.labels.tolist() == [2, 0, 1] and data.source == server.address + IMAGE_FILE
    assert server.requests == [f"/{IMAGE_FILE}", f"/{LABEL_FILE}"]
    assert left_over(tmp_path / "cache") == [f"data/tiny/{IMAGE_FILE}", f"data/tiny/{LABEL_FILE}"]
    again = datasets.load("tiny", "train")
    assert again.source == "local cache" and torch.equal(again.images, data.images)
    assert len(server.requests) == 2


def test_a_body_that_is_cut_off_leaves_nothing(register, server, tmp_path):
    register(address=server.address)
    server.missing_bytes = 30
    with pytest.raises(DataError, match=f"no copy of {IMAGE_FILE}"):
        datasets.load("tiny", "train")
    assert left_over(tmp_path) == ["registry.toml"]
    server.missing_bytes = 0
    assert len(datasets.load("tiny", "train")) == COUNT


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>Please log in to the network</html>", "damaged or truncated"),
        (FILES[IMAGE_FILE][:-30], "damaged or truncated"),
        (gzip.compress(idx(PIXELS + 1)), "wrong checksum"),
    ],
    ids=["a login page", "a truncated file", "another file"],
)
def test_other_bytes_than_the_registry_says_leave_nothing(register, server, tmp_path, body, why):
    register(address=server.address)
    server.files[IMAGE_FILE] = body
    with pytest.raises(DataError, match=f"{IMAGE_FILE} sent something else than the registry says: .*{why}"):
        datasets.load("tiny", "train")
    assert left_over(tmp_path) == ["registry.toml"]


def test_a_server_that_refuses_is_named_with_its_answer(register, server, tmp_path):
    register(address=server.address)
    server.status = 503
    with pytest.raises(DataError, match="503"):
        datasets.load("tiny", "train")
    assert left_over(tmp_path) == ["registry.toml"]


def test_a_second_address_is_tried_where_the_first_is_down(register, server, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{free.getsockname()[1]}/"
    register(address=f'{down}", "{server.address}')
    assert datasets.load("tiny", "train").source == server.address + IMAGE_FILE


def test_a_full_disk_leaves_nothing(register, server, tmp_path, monkeypatch):
    def no_space(_source, _target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    register(address=server.address)
    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(DataError, match="No space left"):
        datasets.load("tiny", "train")
    assert left_over(tmp_path) == ["registry.toml"]


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_registry_of_the_project_is_whole(name):
    entry = datasets.registry()[name]
    assert {part: registered.count for part, registered in entry.parts.items()} == {"train": 60_000, "test": 10_000}
    files = [file for part in entry.parts.values() for file in part.files]
    assert len({file.file for file in files}) == len({file.sha256 for file in files}) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in files)
    assert all(re.fullmatch("https?://.+/", address) for address in entry.addresses)
    assert any(address.startswith("https://") for address in entry.addresses)


def test_data_sets_of_the_same_file_names_are_told_apart():
    mnist, fashion = (datasets.registry()[name].parts["train"] for name in ("mnist", "fashion_mnist"))
    assert mnist.images.file == fashion.images.file and mnist.images.sha256 != fashion.images.sha256
