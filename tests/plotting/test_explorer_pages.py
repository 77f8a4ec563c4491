"""What holds for every interactive figure: complete in itself, safe to repeat, readable without its script."""

import base64
import io
import json
import re
import tomllib
from importlib import import_module

import pytest
import torch
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from PIL import Image
from svr_graph_support import chain

from paperlib import paths
from paperlib.generalizability.convolution_steps import convolution_steps
from paperlib.hypergraphs import families
from paperlib.plotting.adjoint_explorer import adjoint_explorer
from paperlib.plotting.circle_explorer import circle_explorer
from paperlib.plotting.explorers import Explorer, explorer, table
from paperlib.plotting.explorers.page import _SHARED, script_json
from paperlib.plotting.hypergraph_explorer import hypergraph_explorer
from paperlib.plotting.rank_explorer import rank_explorer
from paperlib.plotting.scatter_explorer import ScatterPoints, scatter_explorer
from paperlib.plotting.similarity_explorer import similarity_explorer
from paperlib.plotting.svr_explorer import svr_explorer
from paperlib.rank_frames import RankFrames

PLOTTING = paths.ROOT / "paperlib" / "plotting"
SHARED = PLOTTING / "explorers" / "static"
# By name how many parts of its template a script asks for at least, and how many controls it has.
LEAST = {
    "adjoint_explorer": (10, 6),
    "circle_explorer": (5, 7),
    "hypergraph_explorer": (5, 2),
    "rank_explorer": (12, 5),
    "scatter_explorer": (10, 3),
    "similarity_explorer": (5, 2),
    "svr_explorer": (11, 7),
}
NAMES = tuple(LEAST)


def made(name: str, label: str = "ours") -> Explorer:
    shown = {"fallback": Figure(figsize=(2, 1)), "alt": 'a "b"'}
    if name == "adjoint_explorer":
        return adjoint_explorer([convolution_steps(label, torch.ones(3), torch.ones(2), torch.ones(2))], **shown)
    if name == "circle_explorer":
        return circle_explorer({label: torch.eye(2)}, **shown)
    if name == "hypergraph_explorer":
        family = families(torch.eye(4).repeat(2, 1), torch.arange(8) % 2, ["a", "b"], [0.5], [75])
        return hypergraph_explorer(family, title=label, **shown)
    if name == "rank_explorer":
        ones = torch.ones(1, 2, 3)
        frames = RankFrames((0,), torch.tensor([0]), ones, ones[None], ones, ones[:, 0], *(ones[..., 0],) * 3)
        return rank_explorer({label: frames}, **shown)
    if name == "scatter_explorer":
        return scatter_explorer(ScatterPoints([label, "b"], [0, 1], [0.8, 0.9], [[0.1], [0.2]]), **shown)
    if name == "similarity_explorer":
        photographs = {"one": torch.zeros(3, 8, 8), "other": torch.ones(3, 8, 8)}
        return similarity_explorer(photographs, {label: torch.zeros(2, 2, 2, 2)}, **shown)
    return svr_explorer([chain(), chain()], ["before", label], **shown)


def script(html: str) -> str:
    return BeautifulSoup(html, "html.parser").find_all("script")[-1].string


def sources(name: str) -> dict[str, str]:
    """Modules in the order in which the page has them."""
    order = import_module(f"paperlib.plotting.{name}.page").MODULES
    own = PLOTTING / name / "static"
    assert {path.stem for path in own.glob("*.js")} == set(order)
    return {one: (SHARED / f"{one}.js").read_text("utf-8") for one in _SHARED} | {
        one: (own / f"{one}.js").read_text("utf-8") for one in order
    }


def template(name: str) -> BeautifulSoup:
    """As the page has it: the explorer's own part in the frame that all share."""
    (text,) = re.findall(r"^const TEMPLATE = (.+);$", script(made(name).html), re.MULTILINE)
    return BeautifulSoup(json.loads(text), "html.parser")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_shows_the_html_and_keeps_it_once(name):
    page = made(name)
    assert page._repr_html_() == page.html
    assert len(repr(page)) < 50


@pytest.mark.parametrize("name", NAMES)
def test_without_script_there_are_a_picture_and_a_table(name):
    kind = name.replace("_", "-")
    found = BeautifulSoup(made(name).html, "html.parser").select_one(f".{kind}[data-explorer='{kind}']")
    image = found.find("img")
    assert image["alt"] == 'a "b"' and image["width"] == "192"
    prefix, encoded = image["src"].split(",")
    assert prefix == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(encoded))).size == (300, 150)
    assert found.find("caption").get_text() and found.select("tbody td")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_fetched_and_nothing_needs_more_than_the_script(name):
    found = BeautifulSoup(made(name).html, "html.parser")
    attributes = [(key, value) for tag in found.find_all(True) for key, value in tag.attrs.items()]
    assert not [key for key, _ in attributes if key.startswith("on") or key in ("style", "href", "id")]
    assert {value[:10] for key, value in attributes if key == "src"} == {"data:image"}
    code = "".join(
        path.read_text("utf-8") for folder in (SHARED, PLOTTING / name / "static") for path in folder.iterdir()
    )
    for word in (
        "http",
        "url(",
        "fetch(",
        "XMLHttpRequest",
        "eval(",
        "new Function",
        "innerHTML +=",
        "@import",
        " id=",
    ):
        assert word not in code, word


@pytest.mark.parametrize("name", NAMES)
def test_the_script_is_all_modules_in_one_scope(name):
    modules = sources(name)
    code = script(made(name).html)
    assert not re.search(r"^(import|export)\b", code, re.MULTILINE)
    assert "</" not in code and code.strip().startswith("(() => {") and code.strip().endswith("})();")
    for source in modules.values():
        assert source.rstrip().splitlines()[-1].removeprefix("export ") in code
    names = [
        one
        for source in modules.values()
        for one in re.findall(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", source, re.MULTILINE)
    ]
    assert len(names) == len(set(names)), sorted(one for one in names if names.count(one) > 1)
    assert not {"STYLE", "TEMPLATE", "TAG"} & set(names)


@pytest.mark.parametrize("name", NAMES)
def test_each_module_imports_what_earlier_ones_export(name):
    modules = sources(name)
    order = list(modules)
    for place, one in enumerate(order):
        for line in (line for line in modules[one].splitlines() if line.startswith("import")):
            wanted, folder, source = re.fullmatch(r'import \{ (.+) \} from "(.+)/(\w+)\.js";', line).groups()
            # As files in their folders the modules find each other too.
            assert folder == ("../../explorers/static" if source in _SHARED and one not in _SHARED else ".")
            assert source in order[:place], f"{one} imports {source}"
            exported = re.findall(r"^export (?:function|class|const) (\w+)", modules[source], re.MULTILINE)
            assert set(wanted.split(", ")) <= set(exported), f"{one}: {line}"
            for used in wanted.split(", "):
                assert len(re.findall(rf"\b{used}\b", modules[one])) > 1, f"{one} does not use {used}"


@pytest.mark.parametrize(("name", "least"), [(name, parts) for name, (parts, _) in LEAST.items()])
def test_the_script_asks_only_for_what_the_template_has(name, least):
    found = template(name)
    used = {
        one
        for source in sources(name).values()
        for one in re.findall(r'(?:(?<!this\.)querySelector(?:All)?|\bfind)\("([^"]+)"\)', source)
    }
    assert len(used) >= least
    assert not [one for one in used if not one.startswith("script") and not found.select(one)]


@pytest.mark.parametrize(("name", "least"), [(name, controls) for name, (_, controls) in LEAST.items()])
def test_every_control_can_be_named_and_reached(name, least):
    found = template(name)
    controls = found.select("button, input, select")
    assert len(controls) >= least
    for control in controls:
        named = control.get("aria-label") or control.get_text(strip=True) or control.find_parent("label")
        assert named, control
        assert control.get("tabindex") != "-1"
    # What only a pointer could reach otherwise.
    assert found.select("[tabindex='0']")
    assert found.select("[role='status'], [aria-live='polite']")


@pytest.mark.parametrize("name", NAMES)
def test_the_template_is_the_explorers_own_in_the_frame(name):
    found = template(name)
    box, static = found.find_all(recursive=False)
    assert box["class"] == ["explorer"] and static["class"] == ["static"] and static.find("slot") is not None
    own = PLOTTING / name / "static"
    assert len(box.select("details.help > ul > li")) == (own / "help.html").read_text("utf-8").count("<li>") >= 2
    parts = BeautifulSoup((own / "explorer.html").read_text("utf-8"), "html.parser").find_all(recursive=False)
    shown = box.find_all(recursive=False)
    assert [str(part) for part in shown[:-1]] == [str(part) for part in parts]
    assert shown[-1]["class"] == ["help"]


@pytest.mark.parametrize("name", NAMES)
def test_two_outputs_share_their_code_and_nothing_else(name):
    first, second = (made(name, label).html for label in ("one", "another"))
    kind = name.replace("_", "-")
    tags = [BeautifulSoup(html, "html.parser").select_one(f".{kind}").name for html in (first, second)]
    assert tags[0] == tags[1] and re.fullmatch(rf"{kind}-[0-9a-f]{{8}}", tags[0])
    assert script(first) == script(second) and f'const TAG = "{tags[0]}"' in script(first)
    assert first != second


def test_texts_cannot_become_markup():
    page = explorer(
        "paperlib.plotting.circle_explorer",
        ("svd",),
        {"name": "</script><b>data</b>"},
        name="some-explorer",
        fallback=Figure(),
        alt='"><u>alt</u>',
        static=table("<i>caption</i>", ["<i>head</i>"], [["<i>cell</i>"]]),
    )
    found = BeautifulSoup(page.html, "html.parser").select_one(".some-explorer")
    assert not found.select("b, i, u")
    assert json.loads(found.select_one("script").string) == {"name": "</script><b>data</b>"}
    assert [one.get_text() for one in found.select("caption, th, td")] == [
        "<i>caption</i>", "<i>head</i>", "<i>cell</i>"
    ]  # fmt: skip


def test_json_cannot_end_the_script_that_holds_it():
    value = {"label": "</script><!-- & \u2028 'quoted' \"text\""}
    text = script_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028") & set(text)


@pytest.mark.parametrize("package", ["explorers", *NAMES])
def test_static_files_are_installed(package):
    settings = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert settings.get(f"paperlib.plotting.{package}") == ["static/*"]
    files = list((PLOTTING / package / "static").iterdir())
    assert len(files) >= 4 and all(path.is_file() for path in files)
