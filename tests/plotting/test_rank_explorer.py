"""The explorer of the rank-k CNN as a piece of HTML, and its figure: numbers come back, and nothing is too heavy."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from figure_support import assert_readable
from matplotlib.figure import Figure

from paperlib.plotting.rank_explorer import rank_explorer
from paperlib.plotting.rank_explorer.payload import STEPS, payload
from paperlib.plotting.rank_frames import draw_rank_frames
from paperlib.rank_frames import RankFrames


def frames(count: int = 2, ranks: int = 3, classes: int = 4, side: int = 5, seed: int = 0) -> RankFrames:
    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed + len(shape)), dtype=torch.float64)

    return RankFrames(
        indices=tuple(range(10, 10 + count)),
        labels=torch.arange(count) % classes,
        images=drawn(count, side, side).sigmoid(),
        projections=drawn(count, ranks, side, side),
        scores=drawn(count, ranks, classes),
        full_scores=drawn(count, classes),
        rpr=drawn(count, ranks).sigmoid(),
        lpr=drawn(count, ranks).sigmoid(),
        singular_values=drawn(count, ranks).exp(),
    )


def test_projections_come_back_within_half_a_step_and_numbers_with_six_digits():
    given = frames()
    (network,) = payload({"ours": given})["networks"]
    assert network["name"] == "ours"
    for place, view in enumerate(network["views"]):
        steps = np.frombuffer(base64.b64decode(view["projections"]), np.int8).reshape(3, 5, 5)
        found = steps / STEPS * view["bound"]
        assert np.abs(steps).max() == STEPS
        np.testing.assert_allclose(found, given.projections[place], atol=0.51 * view["bound"] / STEPS)
        for name, values in (("scores", given.scores), ("full", given.full_scores), ("values", given.singular_values)):
            np.testing.assert_allclose(view[name], values[place], rtol=1e-5)
        np.testing.assert_allclose([view["rpr"], view["lpr"]], torch.stack([given.rpr, given.lpr])[:, place], rtol=1e-5)


def test_images_are_bytes_with_their_place_and_label():
    given = frames()
    data = payload({"ours": given})
    assert (data["height"], data["width"]) == (5, 5)
    assert [(one["index"], one["label"]) for one in data["images"]] == [(10, 0), (11, 1)]
    for one, image in zip(data["images"], given.images, strict=True):
        pixels = np.frombuffer(base64.b64decode(one["pixels"]), np.uint8).reshape(5, 5)
        np.testing.assert_allclose(pixels / 255, image, atol=0.51 / 255)


def test_a_projection_of_nothing_is_drawn_as_zeros():
    given = replace(frames(), projections=torch.zeros(2, 3, 5, 5, dtype=torch.float64))
    view = payload({"ours": given})["networks"][0]["views"][0]
    assert set(base64.b64decode(view["projections"])) == {0}


def test_without_script_there_is_a_table_for_each_network():
    first, second = frames(), frames(seed=9)
    html = rank_explorer({"one <b>": first, "other": second}, fallback=Figure(figsize=(2, 1)), alt="none").html
    found = BeautifulSoup(html, "html.parser").select_one("[data-explorer='rank-explorer']")
    assert json.loads(found.select_one("script").string) == payload({"one <b>": first, "other": second})
    assert not found.select("b")
    for table, given in zip(found.select("table"), (first, second), strict=True):
        rows = [[cell.get_text() for cell in row.select("td")] for row in table.select("tbody tr")]
        read = given.full_scores.argmax(1).tolist()
        assert [row[0] for row in rows] == [f"#{10 + n}, a {n}, read as {read[n]}" for n in (0, 1)]
        _, said, rpr, lpr = rows[1]
        assert list(map(int, said.split(", "))) == [int(scores.argmax()) for scores in given.scores[1]]
        for ratios, values in ((rpr, given.rpr), (lpr, given.lpr)):
            assert ratios.split(", ") == [f"{value:.2f}" for value in values[1]]


def test_a_page_of_two_networks_and_eight_digits_is_light():
    given = frames(count=8, ranks=10, classes=10, side=28)
    html = rank_explorer({"one": given, "other": given}, fallback=Figure(figsize=(2, 1)), alt="none").html
    assert len(html) < 400_000


@pytest.mark.parametrize(
    ("networks", "words"),
    [
        ({}, "shown at no images"),
        ({"a": frames(0)}, "shown at no images"),
        ({"a": frames(), "b": replace(frames(), indices=(10, 12))}, r"network b is shown at images \[10, 12\]"),
        ({"a": frames(), "b": frames(ranks=2)}, "expected those of the first"),
        ({"a": frames(count=4, ranks=10, side=128)}, "655360 pixels of projections"),
    ],
)
def test_what_cannot_be_shown_is_an_error(networks, words):
    with pytest.raises(ValueError, match=words):
        payload(networks)


def test_the_figure_has_images_projections_and_both_scores():
    given = frames(ranks=4)
    figure = draw_rank_frames(given, ranks=(1, 3, 10))
    assert_readable(figure)
    rows = np.array(figure.axes).reshape(2, 4)
    for place, row in enumerate(rows):
        assert np.array_equal(row[0].images[0].get_array(), given.images[place])
        # Ranks above those that there are are left out.
        for axis, k in zip(row[1:3], (1, 3), strict=True):
            assert np.array_equal(axis.images[0].get_array(), given.projections[place, k - 1])
            assert f"k = {k}, RPR {given.rpr[place, k - 1]:.2f}" == axis.get_title()
        bound = float(given.projections[place].abs().max())
        assert {axis.images[0].get_clim() for axis in row[1:3]} == {(-bound, bound)}
        heights = [[bar.get_height() for bar in bars] for bars in row[3].containers]
        np.testing.assert_allclose(heights, torch.stack([given.scores[place, 2], given.full_scores[place]]))
