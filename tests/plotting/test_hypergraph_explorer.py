"""What the hypergraph's explorer is given: every hypergraph of a family with its hierarchy, and nothing too heavy."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from PIL import Image

from paperlib.hypergraphs import Family, families, semantic_hierarchy
from paperlib.plotting.hypergraph_explorer import hypergraph_explorer
from paperlib.plotting.hypergraph_explorer import page as page_module
from paperlib.plotting.hypergraph_explorer.payload import payload

# Images of three classes, two each; rows of signals in four directions.
SIGNALS = torch.tensor(
    [
        [9.0, 9.0, 0.0, 0.0],
        [9.0, 9.0, 0.0, 0.0],
        [9.0, 0.0, 9.0, 0.0],
        [9.0, 0.0, 9.0, 0.0],
        [9.0, 0.0, 0.0, 5.0],
        [9.0, 0.0, 0.0, 0.0],
    ]
)
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


@pytest.fixture
def family() -> Family:
    return families(SIGNALS, LABELS, ["bird", "cat", "dog"], [0.3, 0.5], [60, 100])


def data_of(html: str) -> dict:
    return json.loads(BeautifulSoup(html, "html.parser").select_one("script[type='application/json']").string)


def test_cells_hold_classes_and_the_edges_of_the_diagram(family):
    data = payload(family, family.classes, {})
    assert (data["quantiles"], data["majorities"]) == ([0.3, 0.5], [60.0, 100.0])
    cell = data["cells"][1][1]
    assert cell["threshold"] == 0.0
    # Direction 0 for all, 1 for birds, 2 for cats; 3 is above for one dog of two.
    assert cell["classes"] == [[[0], [0, 1, 2]], [[1], [0]], [[2], [1]]]
    assert cell["edges"] == [[0, 1], [0, 2]]
    assert data["singularValues"] == {} and data["pictures"] == []


def test_every_cell_is_the_hierarchy_at_its_quantile_and_majority():
    generator = torch.Generator().manual_seed(5)
    labels = torch.arange(60) % 6
    signals = torch.randn(60, 12, generator=generator) + torch.randn(6, 12, generator=generator)[labels]
    family = families(signals, labels, list("abcdef"), [0.4, 0.6, 0.8], [51, 75, 90])
    data = payload(family, family.classes, {})
    sizes = set()
    for q, row in zip(family.quantiles, data["cells"], strict=True):
        for p, cell in zip(family.majorities, row, strict=True):
            hierarchy = semantic_hierarchy(family.hypergraph(q, p))
            assert [tuple(members) for members, _ in cell["classes"]] == [one.members for one in hierarchy.classes]
            assert [tuple(edges) for _, edges in cell["classes"]] == [one.hyperedges for one in hierarchy.classes]
            assert [tuple(edge) for edge in cell["edges"]] == list(hierarchy.edges)
            sizes.add(len(cell["classes"]))
    assert len(sizes) > 3


def test_thresholds_of_their_own_are_left_out():
    family = families(SIGNALS, LABELS, ["bird", "cat", "dog"], [0.5], [60], per_direction=True)
    assert payload(family, family.classes, {})["cells"][0][0]["threshold"] is None


def test_pictures_of_nodes_become_small_files(family):
    generator = torch.Generator().manual_seed(0)
    grey, coloured = torch.rand(2, 1, 4, 5, generator=generator), torch.rand(1, 3, 4, 5, generator=generator)
    pictures = {"optimised": {0: coloured}, "exemplary": {0: grey, 3: grey}}
    rows = payload(family, family.classes, pictures)["pictures"]
    assert [row["name"] for row in rows] == ["optimised", "exemplary"]
    # Direction 3 is no node of any of these hypergraphs.
    assert [list(row["images"]) for row in rows] == [["0"], ["0"]]

    def pixels(uri: str) -> np.ndarray:
        assert uri.startswith("data:image/png;base64,")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))

    # A step of eight bits is 1 / 255.
    assert np.abs(pixels(rows[0]["images"]["0"][0]) / 255 - coloured[0].movedim(0, 2).numpy()).max() < 0.5 / 255 + 1e-6
    assert np.abs(pixels(rows[1]["images"]["0"][1]) / 255 - grey[1, 0].numpy()).max() < 0.5 / 255 + 1e-6


def test_singular_values_come_along_for_nodes_alone(family):
    family = Family(**vars(family) | {"singular_values": torch.tensor([4.0, 3.0, 2.00004, 1.0], dtype=torch.float64)})
    assert payload(family, family.classes, {})["singularValues"] == {"0": 4.0, "1": 3.0, "2": 2.0}


def test_the_page_starts_where_it_is_told_and_names_classes_as_it_is_told(family):
    page = hypergraph_explorer(family, class_names=["B", "C", "D"], title="conv", fallback=Figure(), start=(0.3, 100))
    data = data_of(page.html)
    assert (data["start"], data["names"], data["title"]) == ([0, 1], ["B", "C", "D"], "conv")
    assert data_of(hypergraph_explorer(family, fallback=Figure()).html)["start"] == [1, 1]


def test_without_script_there_is_a_table_of_sizes(family):
    found = BeautifulSoup(hypergraph_explorer(family, fallback=Figure()).html, "html.parser")
    assert [head.get_text() for head in found.select("th")] == ["quantile q", "p = 60 %", "p = 100 %"]
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in found.select("tbody tr")]
    assert rows[1] == ["0.5", "3 in 3", "3 in 3"]


def test_what_the_page_cannot_show_is_refused(family, monkeypatch):
    with pytest.raises(ValueError, match="2 class names for the 3 classes"):
        hypergraph_explorer(family, class_names=["a", "b"], fallback=Figure())
    with pytest.raises(ValueError, match=r"start is q = 0\.4, p = 60; expected q of \[0\.3, 0\.5\]"):
        hypergraph_explorer(family, fallback=Figure(), start=(0.4, 60))
    with pytest.raises(ValueError, match=r"'optimised' are \(2, 2, 4, 4\); expected \(count, channels"):
        hypergraph_explorer(family, pictures={"optimised": {0: torch.zeros(2, 2, 4, 4)}}, fallback=Figure())
    monkeypatch.setattr(page_module, "MOST_BYTES", 10_000)
    with pytest.raises(ValueError, match=r"more than 10,000; give fewer or smaller pictures"):
        hypergraph_explorer(family, fallback=Figure())


def test_a_page_of_the_size_of_the_books_stays_light():
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(500) % 10
    signals = torch.randn(500, 128, generator=generator) + 2 * torch.randn(10, 128, generator=generator)[labels]
    family = families(
        signals, labels, list("0123456789"), [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95], [51, 60, 70, 75, 80, 90]
    )
    # A page with pictures may take five times as much.
    assert len(hypergraph_explorer(family, fallback=Figure()).html) < 1_000_000
