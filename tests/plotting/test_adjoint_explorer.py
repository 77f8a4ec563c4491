"""The explorer of a convolution's adjoint as a piece of HTML, and its figure: every sum is there and adds up."""

import json
import re

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from figure_support import assert_readable
from matplotlib.figure import Figure

from paperlib.generalizability.convolution_steps import convolution_examples, convolution_steps
from paperlib.plotting.adjoint_explorer import adjoint_explorer
from paperlib.plotting.adjoint_explorer.payload import payload
from paperlib.plotting.convolution_steps import draw_convolution_steps

CASES = convolution_examples()


def number(text: str) -> int:
    return int(text.strip("()").replace("−", "-"))


@pytest.fixture(scope="module")
def found():
    html = adjoint_explorer(CASES, fallback=Figure(figsize=(2, 1)), alt="arrows").html
    return BeautifulSoup(html, "html.parser").select_one("[data-explorer='adjoint-explorer']")


def test_the_page_has_all_from_which_its_sums_follow(found):
    data = json.loads(found.select_one("script").string)
    assert data == payload(CASES)
    for raw, case in zip(data["cases"], CASES, strict=True):
        vectors = {name: np.array(raw[name]["values"]) for name in ("v", "z", "forward", "backward", "kernel")}
        taps = np.array(raw["taps"])
        matrix = np.where(taps < 0, 0, vectors["kernel"][taps])
        assert np.array_equal(matrix @ vectors["v"], vectors["forward"])
        assert np.array_equal(matrix.T @ vectors["z"], vectors["backward"])
        products = [vectors["forward"] @ vectors["z"], vectors["v"] @ vectors["backward"]]
        assert raw["products"] == products and products[0] == products[1]
        assert raw["v"]["shape"] == [1, 6] if case.v.dim() == 1 else [5, 5]
        assert (raw["name"], raw["stride"], raw["padding"]) == (case.name, case.stride, case.padding)


def test_without_script_every_sum_of_the_first_case_is_written_and_right(found):
    sums, products = found.select("table")
    rows = [[cell.get_text() for cell in row.select("td")] for row in sums.select("tbody tr")]
    values = {"Av": CASES[0].forward.tolist(), "Aᵀz": CASES[0].backward.tolist()}
    assert [row[:2] for row in rows] == [[name, str(place)] for name in values for place in range(6)]
    for name, place, terms, value in rows:
        factors = [tuple(map(number, term.split("·"))) for term in terms.split(" + ")]
        assert sum(weight * other for weight, other in factors) == number(value) == values[name][int(place)]
    shown = [[cell.get_text() for cell in row.select("td")] for row in products.select("tbody tr")]
    assert [row[0] for row in shown] == [case.name for case in CASES]
    assert [[number(left), number(right)] for *_, left, right in shown] == [list(case.products) for case in CASES]


def test_a_place_that_nothing_reads_is_said_to_be_none():
    html = adjoint_explorer([CASES[2]], fallback=Figure(figsize=(2, 1)), alt="arrows").html
    last = BeautifulSoup(html, "html.parser").select("table")[0].select("tbody tr")[-1]
    assert [cell.get_text() for cell in last.select("td")] == ["Aᵀz", "5", "none", "0"]


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        ([], "expected one or more"),
        ([CASES[0], CASES[0]], "of different names"),
        ([convolution_steps("long", torch.ones(50), torch.ones(3), torch.ones(48))], "long: a vector has 50 places"),
    ],
)
def test_what_cannot_be_shown_is_an_error(cases, words):
    with pytest.raises(ValueError, match=words):
        payload(cases)


@pytest.mark.parametrize("case", [case for case in CASES if case.v.dim() == 1], ids=lambda case: case.name)
def test_the_figure_has_an_arrow_for_every_weight_in_both_directions(case):
    figure = draw_convolution_steps(case)
    assert_readable(figure)
    forward, backward, matrix = figure.axes
    for axis, top, bottom in ((forward, case.v, case.forward), (backward, case.backward, case.z)):
        arrows = [text for text in axis.texts if text.arrow_patch is not None]
        assert len(arrows) == int((case.taps >= 0).sum())
        # From the inputs down to the outputs, and back up.
        assert {(text.xyann[1], text.xy[1]) for text in arrows} == {(1.0, 0.0) if axis is forward else (0.0, 1.0)}
        for height, values in ((1.0, top), (0.0, bottom)):
            written = [text.get_text() for text in axis.texts if text.get_text() and text.xy[1] == height]
            assert list(map(float, written)) == values.tolist()
    numbers = {tuple(map(int, text.xy[::-1])): float(text.get_text()) for text in matrix.texts}
    assert numbers == {tuple(at): float(case.matrix[tuple(at)]) for at in (case.taps >= 0).nonzero().tolist()}


def test_an_image_is_not_drawn_as_arrows():
    with pytest.raises(ValueError, match=re.escape(CASES[-1].name)):
        draw_convolution_steps(CASES[-1])
