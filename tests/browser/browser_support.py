"""A browser on the built site: the pages, a server for them, and what a page does while it loads."""

import gzip
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, Response

from paperlib import paths

SITE = paths.BOOK / "_build" / "html"
# Made by Sphinx, not named in the table of contents.
GENERATED = ("genindex", "prf-prf", "search")
_TEXT = (".html", ".css", ".js", ".json", ".svg")
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",  # which root cannot have
    "--disable-dev-shm-usage",  # a container's shared memory is too small for long pages
    "--disable-gpu",  # where there is none, imitating one costs half of the time
    "--force-color-profile=srgb",
)
# Milliseconds for what takes a second on a machine that does nothing else.
PATIENCE = 180_000
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def page_names() -> list[str]:
    """Every page of the site, by its address without the ending: those of the table of contents, and Sphinx's own."""
    contents = yaml.safe_load((paths.BOOK / "_toc.yml").read_text(encoding="utf-8"))
    return [contents["root"], *_files(contents["parts"]), *GENERATED]


def _files(entries: list[dict]) -> Iterator[str]:
    for entry in entries:
        if "file" in entry:
            yield entry["file"]
        for inner in ("chapters", "sections"):
            yield from _files(entry.get(inner, []))


def built_site() -> Path:
    """The folder of the site; a failure that says what to do where there is none."""
    assert (SITE / "index.html").is_file(), "the book is not built; run: make book"
    return SITE


def launch(playwright: Playwright) -> Browser:
    """The system's own browser: playwright's downloads are never used."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    assert program, "no chromium is on the PATH; install it: sudo apt-get install chromium"
    return playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))


class _Host(SimpleHTTPRequestHandler):
    """Answers as web hosts do: text goes compressed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix not in _TEXT or not path.is_file():
            super().do_GET()
            return
        body = _compressed(path, path.stat().st_mtime_ns)
        self.send_response(HTTPStatus.OK)
        headers = {"Type": self.guess_type(path), "Encoding": "gzip", "Length": str(len(body))}
        for name, value in headers.items():
            self.send_header(f"Content-{name}", value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: each request would be a line on the test's screen."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *address: object) -> None:
        """A browser that closes a page hangs up in the middle of an answer; anything else is worth its lines."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*address)


@cache
def _compressed(path: Path, _: int) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a folder can be read while the context lasts."""
    with _Server(("127.0.0.1", 0), partial(_Host, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def new_page(browser: Browser, **settings: object) -> Iterator[Page]:
    """A page without a past, of a desktop's size unless the settings of the context say otherwise."""
    with browser.new_context(**{"viewport": DESKTOP, **settings}) as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


@dataclass
class Traffic:
    """What a page says and asks for, from its first request on.

    ``messages`` are errors and warnings of the console and uncaught exceptions, ``failed`` requests without a good
    answer, ``foreign`` addresses elsewhere than the page's own place, ``size`` the bytes of all answers.
    """

    messages: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    size: int = 0

    def problems(self) -> list[str]:
        kinds = {"console": self.messages, "failed request": self.failed, "request elsewhere": self.foreign}
        return [f"{kind}: {text}" for kind, texts in kinds.items() for text in texts]


def watch(page: Page, place: str) -> Traffic:
    """Note what the page does from now on; ``place`` is where all that it needs should come from."""
    traffic = Traffic()

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            traffic.messages.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((place, "data:", "blob:")):
            traffic.foreign.append(request.url)

    def answered(response: Response) -> None:
        if response.status >= 400:
            traffic.failed.append(f"{response.status} {response.url}")
        traffic.size += int(response.headers.get("content-length", 0))

    page.on("console", console)
    page.on("pageerror", lambda error: traffic.messages.append(f"uncaught: {error}"))
    page.on("request", asked)
    page.on("requestfailed", lambda request: traffic.failed.append(f"{request.failure} {request.url}"))
    page.on("response", answered)
    return traffic


def open_page(page: Page, address: str) -> None:
    """Load a page and wait until its formulas are set."""
    page.goto(address, wait_until="load")
    page.evaluate("async () => { if (window.MathJax?.startup) await MathJax.startup.promise; }")
