"""The SVR's explorer as a piece of HTML: its data, its size, and what it shows without its script."""

import json

import pytest
import torch
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from svr_graph_support import ROWS, chain, connection, edges_of, layer

from paperlib.plotting.explorers import Explorer
from paperlib.plotting.svr_explorer import svr_explorer
from paperlib.plotting.svr_explorer.payload import payload
from paperlib.svr.export import SvrGraph


@pytest.fixture(scope="module")
def made() -> Explorer:
    graphs, labels = [chain(ROWS[:2]), chain()], ["epoch 0", "epoch <1>"]
    return svr_explorer(graphs, labels, fallback=Figure(figsize=(2, 1)), alt='a "b"')


def element(html: str):
    found = BeautifulSoup(html, "html.parser").select(".svr-explorer")
    assert len(found) == 1
    return found[0]


def test_the_element_holds_the_data(made):
    (data,) = element(made.html).select("script[type='application/json']")
    assert json.loads(data.string) == payload([chain(ROWS[:2]), chain()], ["epoch 0", "epoch <1>"])


def test_without_script_there_is_a_table_of_the_strongest_edges(made):
    found = element(made.html)
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
