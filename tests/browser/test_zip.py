"""The book as one file: the same for the same site, and whole when it is opened from a folder without a server."""

import hashlib
import subprocess
import sys
import zipfile

import pytest
from browser_support import built_site, open_page, watch
from explorer_support import explorers, shown

from paperlib.paths import ROOT


def pack(folder, target):
    command = [sys.executable, str(ROOT / "tools" / "zip_site"), str(folder), str(target)]
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The folder that a reader has after unpacking; its name has a blank, as those of readers do."""
    place = tmp_path_factory.mktemp("down loads")
    packed = pack(built_site(), place / "book.zip")
    assert packed.returncode == 0, packed.stdout
    with zipfile.ZipFile(place / "book.zip") as archive:
        archive.extractall(place)
    return place / "book"


def test_the_same_site_is_the_same_file(tmp_path):
    site = tmp_path / "site"
    (site / "part").mkdir(parents=True)
    (site / "index.html").write_text("<p>one</p>", encoding="utf-8")
    digests = set()
    for name in ("first", "second"):
        # Another time of writing, and another order in the folder.
        (site / "part" / "page.html").unlink(missing_ok=True)
        (site / "part" / "page.html").write_text("<p>two</p>", encoding="utf-8")
        assert pack(site, tmp_path / name / "book.zip").returncode == 0
        digests.add(hashlib.sha256((tmp_path / name / "book.zip").read_bytes()).hexdigest())
    assert len(digests) == 1
    with zipfile.ZipFile(tmp_path / "first" / "book.zip") as archive:
        assert archive.namelist() == ["book/index.html", "book/part/page.html"]


def test_a_folder_without_a_site_is_refused(tmp_path):
    refused = pack(tmp_path, tmp_path / "book.zip")
    assert refused.returncode != 0
    assert "make book" in refused.stdout
    assert not (tmp_path / "book.zip").exists()


def test_it_opens_from_disk(page, unpacked):
    address = unpacked.as_uri()
    traffic = watch(page, address)
    open_page(page, f"{address}/index.html")
    page.locator("article a.reference.internal").first.click()
    page.wait_for_load_state()
    assert page.url.startswith(address) and "index.html" not in page.url.removeprefix(f"{address}/")[:10]
    assert page.locator("article h1").is_visible()
    # One explorer is enough here: that each answers is tested elsewhere.
    where = explorers()[0]
    open_page(page, f"{address}/{where.page}.html")
    explorer = where.of(page)
    before = shown(explorer)
    control = explorer.locator("input[type=range]:enabled, [tabindex='0']").first
    control.focus()
    for key in ("Home", "End", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert shown(explorer) != before
    page.goto(f"{address}/search.html?q=pseudoinverse")
    found = page.locator("#search-results ul.search a")
    found.first.wait_for()
    target = found.first.evaluate("({ href }) => href")
    assert target.startswith(address)
    open_page(page, target)
    assert page.locator("mjx-container svg").count() > 0
    assert traffic.problems() == []
