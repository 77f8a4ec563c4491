"""A circle under a matrix: the script's decomposition against torch's, the figure's vectors, the page's data."""

import json
import math
import re
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
import torch
from bs4 import BeautifulSoup
from matplotlib.figure import Figure

from paperlib import paths
from paperlib.plotting.circle import draw_circle
from paperlib.plotting.circle_explorer import circle_explorer

SCRIPT = paths.ROOT / "paperlib" / "plotting" / "circle_explorer" / "static" / "svd.js"
# Python's names for what the arithmetic of the script uses.
MATHS = SimpleNamespace(
    hypot=math.hypot,
    atan2=math.atan2,
    abs=abs,
    sign=lambda value: (value > 0) - (value < 0),
    cos=math.cos,
    sin=math.sin,
)
SHAPES = {
    "zero": [[0.0, 0.0], [0.0, 0.0]],
    "rotation": [[0.6, -0.8], [0.8, 0.6]],
    "reflection": [[0.6, 0.8], [0.8, -0.6]],
    "rank one": [[1.0, 2.0], [2.0, 4.0]],
    "diagonal": [[0.0, -3.0], [0.5, 0.0]],
}


@pytest.fixture(scope="module")
def decompose():
    """The function of the shipped script: its body is arithmetic, which reads the same in Python."""
    body = re.search(r"export function decompose\(a, b, c, d\) \{\n(.*?)\n\}", SCRIPT.read_text("utf-8"), re.DOTALL)[1]
    steps = re.findall(r"^  const (\w+ = .+);$", body, re.MULTILINE)
    names = re.search(r"return \{ (.+) \};", body)[1].split(", ")
    # An equality is a number there once Number() has made it one, as int() does here.
    code = "\n".join(steps).replace("Number(", "int(").replace("===", "==")
    assert len(steps) == len(body.splitlines()) - 2

    def run(matrix):
        (a, b), (c, d) = matrix.tolist()
        scope = {"a": a, "b": b, "c": c, "d": d, "Math": MATHS}
        exec(code, scope)
        return {name: scope[name] for name in names}

    return run


def matrices() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    drawn = list(torch.randn(200, 2, 2, dtype=torch.float64, generator=generator))
    return drawn + [torch.tensor(shape, dtype=torch.float64) for shape in SHAPES.values()]


def column(angle: float) -> torch.Tensor:
    return torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)


def test_the_script_has_torchs_singular_values_and_its_factors_give_the_matrix_back(decompose):
    for W in matrices():
        found = decompose(W)
        values = torch.tensor([found["s0"], found["s1"]], dtype=torch.float64)
        # Closed forms cancel as any difference does: relative to the larger value.
        scale = float(W.norm()) or 1.0
        assert torch.allclose(values, torch.linalg.svdvals(W), rtol=0, atol=1e-14 * scale)
        v, u = (torch.stack([column(found[name]), column(found[name] + math.pi / 2)]) for name in "vu")
        u[1] *= found["sign"]
        assert found["sign"] in (-1, 1)
        assert torch.allclose(u.T * values @ v, W, rtol=0, atol=1e-14 * scale)


def test_the_page_has_the_matrices_and_a_table_of_their_singular_values():
    W = torch.tensor([[1.0, 0.25], [2.0, 1.4]])
    page = circle_explorer({"ours": W, "shear": torch.tensor([[1, 1], [0, 1]])}, angle=0.5, fallback=Figure())
    found = BeautifulSoup(page.html, "html.parser").select_one(".circle-explorer")
    data = json.loads(found.select_one("script[type='application/json']").string)
    assert data["angle"] == 0.5
    assert [preset["name"] for preset in data["presets"]] == ["ours", "shear"]
    assert torch.equal(torch.tensor(data["presets"][0]["matrix"]), W)
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in found.select("tbody tr")]
    # Golden ratio and its inverse: the singular values of a shear.
    assert rows[1] == ["shear", "1, 1; 0, 1", "1.618", "0.618"]


def test_without_a_figure_the_page_draws_its_own():
    found = BeautifulSoup(circle_explorer({"ours": torch.eye(2)}).html, "html.parser").find("img")
    assert int(found["width"]) > 500 and len(found["alt"]) > 40


@pytest.mark.parametrize(
    "matrix, words",
    [
        (torch.eye(3), r"ours: the matrix is \(3, 3\)"),
        (torch.full((2, 2), 7.0), "at most 6"),
        (torch.full((2, 2), torch.nan), "nan"),
    ],
)
def test_what_the_page_cannot_show_is_refused(matrix, words):
    with pytest.raises(ValueError, match=words):
        circle_explorer({"ours": matrix})
    with pytest.raises(ValueError, match="no matrix is given"):
        circle_explorer({})


def test_the_figure_has_the_ellipse_and_its_half_axes():
    W = torch.tensor([[1.0, 0.25], [2.0, 1.4]], dtype=torch.float64)
    before = plt.get_fignums()
    figure = draw_circle(W, 0.9)
    figure.canvas.draw()
    assert plt.get_fignums() == before
    panels = figure.axes[:4]
    curve = torch.tensor(panels[1].lines[0].get_xydata())
    turned = torch.tensor(panels[0].lines[0].get_xydata())
    assert torch.allclose(turned.norm(dim=1), torch.ones(len(turned), dtype=torch.float64))
    assert torch.allclose(curve, turned @ W.T)
    ends = {text.get_text(): torch.tensor(text.xy, dtype=torch.float64) for text in panels[3].texts if text.get_text()}
    U, S, _ = torch.linalg.svd(W)
    for index in (0, 1):
        # Either sign of a singular vector will do.
        cosine = ends[f"$s_{index}u_{index}$"] @ U[:, index] / S[index]
        assert abs(abs(float(cosine)) - 1) < 1e-12
    assert torch.allclose(ends["$Wx$"], W @ column(0.9))
