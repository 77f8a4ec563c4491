"""Tasks of the Decathlon are downloaded whole or not at all."""

import hashlib
import http.server
import io
import tarfile
import threading

import monai.apps
import pytest
import torch
from volume_support import NAMES, image, write_task

from paperlib.datasets import DataError
from paperlib.datasets.volumes import load_volumes, volume_registry


@pytest.fixture
def serve(register_volumes, tmp_path, monkeypatch):
    """Make MONAI's tables name an archive that this machine serves, and return the paths that were asked for."""
    servers = []

    def start(content: bytes, md5: str | None = None) -> list[str]:
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                """Nothing on the terminal."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/Task99_Toy.tar"
        monkeypatch.setitem(monai.apps.DecathlonDataset.resource, "Task99_Toy", url)
        md5 = md5 or hashlib.md5(content).hexdigest()
        monkeypatch.setitem(monai.apps.DecathlonDataset.md5, "Task99_Toy", md5)
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def archive_of(tmp_path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.add(write_task(tmp_path / "packed"), "Task99_Toy")
    return content.getvalue()


def cached(tmp_path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache" / "data").iterdir())


def test_a_task_is_downloaded_once(serve, tmp_path):
    asked = serve(archive_of(tmp_path))
    volumes = load_volumes("toy")
    assert volumes.names == NAMES and volumes.source == "download"
    assert torch.equal(volumes[2].image[0], torch.from_numpy(image(2)))
    assert load_volumes("toy").source == "local cache"
    assert asked == ["/Task99_Toy.tar"] and cached(tmp_path) == ["toy"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (lambda archive: archive[: len(archive) // 2], "ReadError"),
        (lambda archive: b"an error page", "ReadError"),
        (lambda archive: io.BytesIO().getvalue(), "ReadError"),
    ],
)
def test_an_archive_that_cannot_be_unpacked_leaves_nothing(serve, tmp_path, content, why):
    serve(content(archive_of(tmp_path)))
    with pytest.raises(DataError, match=why):
        load_volumes("toy")
    assert cached(tmp_path) == []


def test_a_wrong_md5_leaves_nothing(serve, tmp_path):
    serve(archive_of(tmp_path), md5="0" * 32)
    with pytest.raises(DataError, match=r"hash.*does not match"):
        load_volumes("toy")
    assert cached(tmp_path) == []


def test_an_archive_of_something_else_leaves_nothing(serve, tmp_path):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.add(write_task(tmp_path / "packed"), "Task98_Other")
    serve(content.getvalue())
    with pytest.raises(DataError, match="Task99_Toy"):
        load_volumes("toy")
    assert cached(tmp_path) == []


def test_an_archive_cannot_write_outside(serve, tmp_path):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.add(write_task(tmp_path / "packed"), "../../escaped")
    serve(content.getvalue())
    with pytest.raises(DataError, match="OutsideDestinationError"):
        load_volumes("toy")
    assert cached(tmp_path) == [] and not (tmp_path / "escaped").exists()
    assert not (tmp_path / "cache" / "escaped").exists()


def test_no_network_says_what_to_do(register_volumes, monkeypatch, tmp_path):
    monkeypatch.setitem(monai.apps.DecathlonDataset.resource, "Task99_Toy", "http://127.0.0.1:1/Task99_Toy.tar")
    monkeypatch.setitem(monai.apps.DecathlonDataset.md5, "Task99_Toy", "0" * 32)
    with pytest.raises(DataError, match=r"(?s)127\.0\.0\.1.*https://toy\.invalid/.*PAPERLIB_DATA/toy.*data fetch toy"):
        load_volumes("toy")
    assert cached(tmp_path) == []
    with pytest.raises(DataError, match="downloads were not asked for"):
        load_volumes("toy", download=False)


def test_registered_tasks_are_known_to_monai():
    entries = [entry for entry in volume_registry().values() if entry.format == "decathlon"]
    assert len(entries) == 2
    for entry in entries:
        assert entry.task in monai.apps.DecathlonDataset.resource and entry.task in monai.apps.DecathlonDataset.md5
