"""The explorer of similarities as a piece of HTML: its data, its size, and what it shows without its script."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from PIL import Image

from paperlib.featurevis import similarity_maps
from paperlib.plotting.similarity_explorer import similarity_explorer
from paperlib.plotting.similarity_explorer.payload import STEPS, payload


def drawn(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def maps(first=(3, 4), second=(2, 5), seed=0):
    return similarity_maps(drawn(6, *first, seed=seed) - 0.5, drawn(6, *second, seed=seed + 1) - 0.5)


@pytest.fixture(scope="module")
def photographs():
    return {"one <b>": drawn(3, 24, 30), "other": drawn(3, 20, 20)}


@pytest.fixture(scope="module")
def html(photographs):
    layers = {"first": maps(), "second </script>": maps((2, 2), (2, 2))}
    return similarity_explorer(photographs, layers, fallback=Figure(figsize=(2, 1)), alt='an "overlay"').html


def element(html):
    (found,) = BeautifulSoup(html, "html.parser").select(".similarity-explorer")
    return found


def test_cosines_come_back_within_half_a_step(photographs):
    cosines = maps()
    (layer,) = payload(photographs, {"layer": cosines})["layers"]
    levels = np.frombuffer(base64.b64decode(layer["cosines"]), np.uint8).reshape(3, 4, 2, 5)
    assert layer["grids"] == [[3, 4], [2, 5]]
    np.testing.assert_allclose(levels / STEPS - 1, cosines, atol=0.5 / STEPS + 1e-9)


def test_photographs_are_pictures_of_their_own_size(photographs):
    found = payload(photographs | {"other": drawn(1, 20, 16)}, {"layer": maps()})["photographs"]
    sizes = []
    for one in found:
        prefix, encoded = one["picture"].split(",")
        assert prefix == "data:image/jpeg;base64"
        picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
        sizes.append((picture.mode, picture.size))
    assert sizes == [("RGB", (30, 24)), ("L", (16, 20))]


def test_the_element_holds_the_data_and_names_cannot_become_markup(html, photographs):
    found = element(html)
    (data,) = found.select("script[type='application/json']")
    layers = {"first": maps(), "second </script>": maps((2, 2), (2, 2))}
    assert json.loads(data.string) == payload(photographs, layers)
    assert not found.select("b")
    assert "</script>:" not in html


def test_without_script_there_is_a_picture_and_the_best_matches(html):
    found = element(html)
    assert found.find("img")["alt"] == 'an "overlay"'
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in found.select("tbody tr")]
    cosines = maps()
    i, j, k, m = np.unravel_index(int(cosines.argmax()), cosines.shape)
    assert rows[0] == ["first", f"{i}, {j}", f"{k}, {m}", f"{cosines.max():.2f}", f"{cosines.mean():.2f}"]


def test_a_page_stays_below_a_megabyte():
    photographs = {"one": drawn(3, 224, 224), "other": drawn(3, 224, 224, seed=1)}
    layers = {f"layer {number}": torch.zeros(14, 14, 14, 14) for number in range(6)}
    # Noise is the worst that a picture can be.
    assert len(similarity_explorer(photographs, layers, fallback=Figure(figsize=(2, 1)), alt="none").html) < 1_000_000


@pytest.mark.parametrize(
    ("count", "layers", "words"),
    [
        (1, {"a": torch.zeros(2, 2, 2, 2)}, "1 photographs and 1 layers"),
        (2, {}, "2 photographs and 0 layers"),
        (2, {"a": torch.zeros(30, 30, 30, 30)}, "810000 cosines"),
        (2, {"a": torch.zeros(4, 4)}, "layer a: maps are \\(4, 4\\)"),
        (2, {"a": torch.full((2, 2, 2, 2), 1.5)}, "expected cosines"),
        (2, {"a": torch.full((2, 2, 2, 2), float("nan"))}, "expected cosines"),
    ],
)
def test_what_cannot_be_shown_is_an_error(count, layers, words):
    photographs = {str(number): drawn(3, 4, 4) for number in range(count)}
    with pytest.raises(ValueError, match=words):
        payload(photographs, layers)


def test_a_photograph_of_another_shape_is_an_error():
    with pytest.raises(ValueError, match="photograph b is \\(2, 4, 4\\)"):
        payload({"a": drawn(3, 4, 4), "b": drawn(2, 4, 4)}, {"layer": maps()})
