"""The explorer of Dice against RPR as a piece of HTML: its data, what it refuses, and its table of the bands."""

import json
from dataclasses import replace

import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from scipy.stats import rankdata

from paperlib.plotting.scatter_explorer import ScatterPoints, scatter_explorer
from paperlib.plotting.scatter_explorer.payload import MOST_POINTS, payload
from paperlib.quantile_bands import quantile_bands


def drawn(count: int = 40, k: int = 3, seed: int = 0) -> ScatterPoints:
    generator = np.random.default_rng(seed)
    return ScatterPoints(
        names=[f"volume <{number}>" for number in range(count)],
        folds=np.arange(count) % 5,
        dice=generator.uniform(0.7, 0.95, count),
        ratios=np.sort(generator.uniform(0, 1, (count, k)), axis=1),
        others={"norm": generator.uniform(1e3, 1e7, count), "contrast </script>": generator.normal(size=count)},
    )


def made(points: ScatterPoints) -> str:
    return scatter_explorer(points, fallback=Figure(figsize=(2, 1)), alt="a scatter plot").html


def test_every_number_comes_to_the_page():
    points = drawn()
    data = payload(points)
    assert (data["names"], data["folds"]) == (points.names, points.folds.tolist())
    # Eight significant digits: half a unit of the last one.
    np.testing.assert_allclose(data["dice"], points.dice, rtol=5e-8)
    np.testing.assert_allclose(np.array(data["ratios"]).T, points.ratios, rtol=5e-8)
    assert [one["name"] for one in data["others"]] == list(points.others)
    for one in data["others"]:
        np.testing.assert_allclose(one["values"], points.others[one["name"]], rtol=5e-8)


def test_rounding_leaves_the_ranks_as_they_are():
    points = drawn(2000)
    data = payload(points)
    np.testing.assert_array_equal(rankdata(data["dice"]), rankdata(points.dice))
    for k, column in enumerate(data["ratios"]):
        np.testing.assert_array_equal(rankdata(column), rankdata(points.ratios[:, k]))


def test_a_missing_value_is_null_and_a_ratio_above_one_by_rounding_is_one():
    points = drawn(4, 1)
    contrast = np.array([1.0, np.nan, np.inf, 2.0])
    data = payload(replace(points, ratios=[[0.5], [1 + 1e-9], [0.2], [0]], others={"contrast": contrast}))
    assert data["others"] == [{"name": "contrast", "values": [1.0, None, None, 2.0]}]
    assert data["ratios"] == [[0.5, 1.0, 0.2, 0.0]]


def test_the_element_holds_the_data_and_names_cannot_become_markup():
    points = drawn()
    html = made(points)
    (found,) = BeautifulSoup(html, "html.parser").select(".scatter-explorer")
    assert json.loads(found.select_one("script[type='application/json']").string) == payload(points)
    assert '</script>"' not in html and "volume <" not in html


def test_without_script_there_are_a_picture_and_the_bands_at_the_largest_k():
    points = drawn()
    found = BeautifulSoup(made(points), "html.parser").select_one(".scatter-explorer")
    assert found.find("img")["alt"] == "a scatter plot"
    assert found.find("caption").get_text() == "Mean Dice in bands of the right projection ratio, k = 3"
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in found.select("tbody tr")]
    bands = quantile_bands(points.ratios[:, 2], points.dice)
    assert [row[0] for row in rows] == ["below 10 %", "10 to 50 %", "50 to 90 %", "above 90 %"]
    assert [row[2] for row in rows] == ["4", "16", "16", "4"]
    assert [row[1] for row in rows] == [f"{band.low:.4f} to {band.high:.4f}" for band in bands]
    assert [row[3] for row in rows] == [f"{band.mean:.4f}" for band in bands]


def test_an_empty_band_has_no_mean():
    # Ties: every volume lies on the lower limit of the last band.
    html = made(ScatterPoints(["a", "b", "c"], [0, 0, 1], [0.5, 0.6, 0.7], [[0.3], [0.3], [0.3]]))
    rows = BeautifulSoup(html, "html.parser").select(".scatter-explorer tbody tr")
    assert [row.find_all("td")[3].get_text() for row in rows] == ["none", "none", "none", "0.6000"]


def test_a_page_of_the_books_size_stays_small():
    # 260 volumes with ten ratios and five more columns: numbers, code and a picture.
    points = drawn(260, 10)
    others = {f"column {number}": np.random.default_rng(number).normal(size=260) for number in range(5)}
    assert len(made(replace(points, others=others))) < 150_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"names": []}, "0 volumes are given"),
        ({"names": ["a"] * (MOST_POINTS + 1)}, f"{MOST_POINTS + 1} volumes are given; .* at most {MOST_POINTS}"),
        ({"dice": [0.5, 0.6]}, r"Dice: values are \(2,\); expected one for each of 3 volumes"),
        ({"dice": [0.5, 0.6, 1.1]}, r"Dice has values outside \[0, 1\]"),
        ({"dice": [0.5, 0.6, np.nan]}, r"Dice has values outside \[0, 1\], or none; leave out the volumes that failed"),
        ({"ratios": [0.1, 0.2, 0.3]}, r"ratios are \(3,\); expected \(3, k\)"),
        ({"ratios": [[], [], []]}, r"ratios are \(3, 0\)"),
        ({"ratios": [[0.1, 0.2], [0.1, -0.2], [0.1, 0.2]]}, "the ratio at k = 2 has values outside"),
        ({"folds": [0, 1, 0.5]}, r"folds are \[0.0, 0.5, 1.0\]; expected whole numbers from 0"),
        ({"folds": [0, 1, -1]}, "expected whole numbers from 0"),
        ({"others": {"norm": [1.0]}}, r"norm: values are \(1,\)"),
        ({"others": {"norm": [np.nan] * 3}}, "norm: no volume has a value; leave the column out"),
    ],
)
def test_what_cannot_be_shown_is_an_error(changes, words):
    points = ScatterPoints(["a", "b", "c"], [0, 1, 0], [0.5, 0.6, 0.7], [[0.1, 0.2], [0.1, 0.3], [0.2, 0.4]])
    with pytest.raises(ValueError, match=words):
        payload(replace(points, **changes))
