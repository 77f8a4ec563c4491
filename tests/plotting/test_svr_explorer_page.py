"""The explorer as a piece of HTML: complete in itself, safe to repeat, readable without its script."""

import base64
import fnmatch
import io
import json
import re
import tomllib

import pytest
import torch
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from PIL import Image
from svr_graph_support import ROWS, chain, connection, edges_of, layer

from paperlib import paths
from paperlib.plotting.svr_explorer import SvrExplorer, svr_explorer
from paperlib.plotting.svr_explorer import page as page_module
from paperlib.plotting.svr_explorer.payload import payload
from paperlib.svr.export import SvrGraph

STATIC = paths.ROOT / "paperlib" / "plotting" / "svr_explorer" / "static"
MODULES = {path.stem: path.read_text("utf-8") for path in STATIC.glob("*.js")}


@pytest.fixture(scope="module")
def made() -> SvrExplorer:
    graphs, labels = [chain(ROWS[:2]), chain()], ["epoch 0", "epoch <1>"]
    return svr_explorer(graphs, labels, fallback=Figure(figsize=(2, 1)), alt='a "b"')


def element(html: str):
    found = BeautifulSoup(html, "html.parser").select(".svr-explorer")
    assert len(found) == 1
    return found[0]


def test_a_notebook_shows_the_html_and_keeps_it_once(made):
    assert made._repr_html_() == made.html
    assert len(repr(made)) < 50


def test_the_element_holds_the_data(made):
    (data,) = element(made.html).select("script[type='application/json']")
    assert json.loads(data.string) == payload([chain(ROWS[:2]), chain()], ["epoch 0", "epoch <1>"])


def test_without_script_there_is_a_picture_and_a_table_of_the_strongest_edges(made):
    found = element(made.html)
    image = found.find("img")
    assert image["alt"] == 'a "b"' and image["width"] == "192"
    prefix, encoded = image["src"].split(",")
    assert prefix == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(encoded))).size == (300, 150)
    assert found.find("caption").get_text() == "The 5 strongest edges, epoch <1>"
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in found.select("tbody tr")]
    assert [row[2] for row in rows] == ["0.81", "0.64", "0.25", "0.16", "0.04"]
    assert rows[0] == ["hidden #0", "last #1", "0.81", "1e-09"]


def test_the_picture_is_by_default_a_drawing_of_all_graphs():
    image = element(svr_explorer([chain(), chain()], ["one", "two"]).html).find("img")
    assert "one, two" in image["alt"] and len(image["alt"]) > 40
    # Two panels are as wide as a page.
    assert int(image["width"]) > 700


def test_labels_and_names_cannot_become_markup():
    graph = chain()
    layers = (layer("<b>conv</b>", [4.0, 2.0, 1.0], "convolution"), *graph.layers[1:])
    hostile = SvrGraph(layers, graph.intensities, graph.connections, graph.edges, "ignored")
    html = svr_explorer([hostile], ["</script><i>label</i>"], fallback=Figure(), alt='"><u>alt</u>').html
    found = element(html)
    assert not found.select("b, i, u")
    assert "<b>conv</b> #0" in [cell.get_text() for cell in found.find_all("td")]
    assert "</script><i>" not in html


def test_nothing_is_fetched_and_nothing_needs_more_than_the_script(made):
    found = BeautifulSoup(made.html, "html.parser")
    attributes = [(tag.name, name, value) for tag in found.find_all(True) for name, value in tag.attrs.items()]
    assert not [row for row in attributes if row[1].startswith("on") or row[1] in ("style", "href", "id")]
    assert {value[:10] for _, name, value in attributes if name == "src"} == {"data:image"}
    code = "".join(path.read_text("utf-8") for path in STATIC.iterdir())
    for word in ("http", "url(", "fetch(", "XMLHttpRequest", "eval(", "new Function", "innerHTML +=", "@import"):
        assert word not in code, word


def test_two_outputs_share_their_code_and_nothing_else(made):
    other = svr_explorer([chain()], ["other"], fallback=Figure(), alt="other")
    first, second = (element(one.html) for one in (made, other))
    assert first.name == second.name and re.fullmatch(r"svr-explorer-[0-9a-f]{8}", first.name)
    codes = [BeautifulSoup(one.html, "html.parser").find_all("script")[-1].string for one in (made, other)]
    assert codes[0] == codes[1] and f'const TAG = "{first.name}"' in codes[0]
    # Names of the template would clash where two share a page, were they identifiers.
    assert " id=" not in (STATIC / "explorer.html").read_text()


def test_the_script_is_all_modules_without_their_imports(made):
    code = BeautifulSoup(made.html, "html.parser").find_all("script")[-1].string
    assert not re.search(r"^(import|export)\b", code, re.MULTILINE)
    for name, source in MODULES.items():
        last = source.rstrip().splitlines()[-1].removeprefix("export ")
        assert last in code, name
    assert code.strip().startswith("(() => {") and code.strip().endswith("})();")
    # A script element ends at the first of these, wherever it stands.
    assert "</" not in code


def top_level(source: str) -> list[str]:
    return re.findall(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", source, re.MULTILINE)


def test_modules_share_one_scope_without_clashes():
    names = [name for source in MODULES.values() for name in top_level(source)]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    assert not {"STYLE", "TEMPLATE", "TAG"} & set(names)


def test_each_module_imports_what_earlier_ones_export():
    order = list(page_module._SCRIPTS)
    assert sorted(order) == sorted(MODULES)
    for place, name in enumerate(order):
        for line in (line for line in MODULES[name].splitlines() if line.startswith("import")):
            wanted, source = re.fullmatch(r'import \{ (.+) \} from "\./(\w+)\.js";', line).groups()
            assert source in order[:place], f"{name} imports {source}"
            exported = re.findall(r"^export (?:function|class|const) (\w+)", MODULES[source], re.MULTILINE)
            assert set(wanted.split(", ")) <= set(exported), f"{name}: {line}"


def test_the_script_asks_only_for_what_the_template_has():
    template = BeautifulSoup((STATIC / "explorer.html").read_text(), "html.parser")
    # The element itself has the data, and the template all else.
    used = [
        one
        for source in MODULES.values()
        for one in re.findall(r'(?<!this\.)(?:querySelector|find)\("([^"]+)"\)', source)
    ]
    assert len(set(used)) > 10
    assert not [selector for selector in used if not template.select(selector)]


def test_every_control_can_be_named_and_reached():
    template = BeautifulSoup((STATIC / "explorer.html").read_text(), "html.parser")
    controls = template.select("button, input")
    assert len(controls) >= 7
    for control in controls:
        named = control.get("aria-label") or control.get_text(strip=True) or control.find_parent("label")
        assert named, control
        assert control.get("tabindex") != "-1"
    assert template.select_one(".stage")["tabindex"] == "0"
    assert template.select_one("[aria-live='polite']") is not None


def test_static_files_are_installed():
    settings = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    patterns = settings["paperlib.plotting.svr_explorer"]
    files = [f"static/{path.name}" for path in STATIC.iterdir()]
    assert len(files) > 10
    assert all(any(fnmatch.fnmatch(file, pattern) for pattern in patterns) for file in files)


def test_a_network_of_the_size_of_vgg19_stays_under_five_megabytes():
    counts = [27, 64, 64, 128, 128, *[256] * 4, *[512] * 7, 4096, 4096, 1000]
    layers = [layer(f"layer{n}", torch.linspace(5, 0.1, count).tolist()) for n, count in enumerate(counts)]
    links = len(counts) - 1
    generator = torch.Generator().manual_seed(0)
    each = 20_000 // links
    coefficients, p_values = torch.rand(2, links * each, generator=generator, dtype=torch.float64)
    ends = torch.randint(0, 27, (2, links * each), generator=generator)
    rows = zip(torch.arange(links).repeat_interleave(each), *ends, coefficients, p_values.clamp_min(1e-9), strict=True)
    graph = SvrGraph(
        tuple(layers),
        tuple(torch.rand(count, generator=generator, dtype=torch.float64) for count in counts),
        tuple(connection(number, number + 1) for number in range(links)),
        edges_of([tuple(value.item() for value in row) for row in rows], links),
        "ignored",
    )
    # The picture of a drawing has some hundred kilobytes more.
    assert len(svr_explorer([graph] * 6, [str(n) for n in range(6)], fallback=Figure(), alt="").html) < 4_000_000
