"""Addresses of runs, grids of values, and the pages that set runs side by side."""

import json
import re
from html.parser import HTMLParser

import pytest

from paperlib.engine import ParameterError, find_notebook, load_result
from paperlib.engine.figures import PageFigure
from paperlib.engine.grid import grid_runs
from paperlib.engine.run_address import run_key, run_path, run_results
from paperlib.engine.run_comparison import LocalRun, figures_side_by_side
from paperlib.engine.run_markdown import inline_html, to_html
from paperlib.engine.run_pages import forget_failure, keep_failure, write_run_pages
from paperlib.engine.runner import run_notebook

from .conftest import RECORD


def key(profile: str = "quick", **changes) -> str:
    notebook = find_notebook("toy/first")
    return run_key(notebook, notebook.values(profile, changes))


@pytest.mark.parametrize(
    ("profile", "changes", "expected"),
    [
        ("quick", {}, "quick"),
        ("paper", {}, "paper"),
        ("quick", {"rank_max": 5}, "rank_max=5"),
        ("quick", {"rate": 0.25, "digits": [2, 3], "centred": True}, "rate=0.25,digits=2+3,centred=true"),
        ("paper", {"rate": 0.25}, "paper,rate=0.25"),
        # The same values have the same address, wherever they come from.
        ("paper", {"data": "toy", "rank_max": 5}, "rank_max=5"),
    ],
)
def test_a_key_says_what_was_changed(project, profile, changes, expected):
    assert key(profile, **changes) == expected


def test_long_and_odd_values_have_keys_that_are_file_names(project):
    project.write_notebook("first", parameters='name: str = "a"  # a name\nnames: list[str] = ["a"]  # names\n')
    project.write_catalogue(
        re.sub(r'data = "full"|rank_max = 10', "", (project.root / "notebooks/toy/catalogue.toml").read_text())
    )
    odd = [key(name=text) for text in ("a/b", "a b", "a:b", "x" * 300, "é")]
    odd += [key(names=names) for names in ([], ["a+b"], ["a", "b"], ["a,b"])]
    assert len(set(odd)) == len(odd) and all(re.fullmatch(r"[A-Za-z0-9._=,+~-]{1,90}", text) for text in odd)
    assert odd == [*(key(name=text) for text in ("a/b", "a b", "a:b", "x" * 300, "é")), *odd[5:]]


def test_a_grid_is_every_combination(project):
    runs = grid_runs(find_notebook("toy/first"), "quick", ["rank_max=3, 5,3", "digits=1,9;[2]", "rate=0.1"])
    assert [run.chosen for run in runs] == [
        {"rank_max": rank, "digits": digits, "rate": 0.1} for rank in (3, 5) for digits in ([1, 9], [2])
    ]
    assert runs[0].arguments == ["-p", "rank_max=3", "-p", "digits=1,9", "-p", "rate=0.1"]
    assert runs[3].key == "rank_max=5,rate=0.1,digits=2"
    again = grid_runs(find_notebook("toy/first"), "quick", ["digits=1,9", "digits=2"])
    assert [run.chosen["digits"] for run in again] == [[1, 9], [2]]
    assert grid_runs(find_notebook("toy/first"), "laptop", ["rank_max=5"])[0].values["data"] == "full"


def test_every_bad_value_of_a_grid_is_named_at_once(project):
    with pytest.raises(ParameterError) as caught:
        grid_runs(find_notebook("toy/first"), "quick", ["rank_max=3,11,x", "rank_maks=1", "digits=1,12", "rate"])
    message = str(caught.value)
    for words in (
        "11 is out of range",
        "'x' is not int",
        "Did you mean 'rank_max'",
        "12 is out of range",
        "expected name=value",
    ):
        assert words in message
    assert message.count("The parameters are:") == 1


class Elements(HTMLParser):
    """Every element of a page with its attributes, and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def attributes(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def runs(project):
    """Two runs of the notebook `first` side by side, and a failed one."""
    for rank in (5, 4):
        run_notebook("toy/first", overrides={"rank_max": rank})
    keep_failure(
        run_path(find_notebook("toy/first"), find_notebook("toy/first").values("quick", {"rank_max": 9})), "no <room>"
    )
    return project, write_run_pages("toy/first")


def test_runs_stand_side_by_side(runs):
    project, page = runs
    assert page == project.root / "results/runs/toy/first/index.html"
    elements = Elements(page.read_text(encoding="utf-8"))
    links = [attributes["href"] for attributes in elements.attributes("a")]
    assert links == ["../../index.html", "rank_max%3D4.html", "rank_max%3D5.html"]
    rows = re.findall(r"<tr[^>]*><th scope=\"row\">(.*?)</th>(.*?)</tr>", page.read_text(encoding="utf-8"))
    numbers = {name: re.findall(r"<td[^>]*>(.*?)</td>", cells) for name, cells in rows}
    # A parameter and a value of the same name.
    assert [
        cells
        for name, cells in [(name, re.findall(r"<td[^>]*>(.*?)</td>", cells)) for name, cells in rows]
        if name == "rank_max"
    ] == [["4", "5"], ["4", "5"]]
    assert "accuracy.full" not in numbers and numbers["since then"] == ["fresh", "fresh"]
    # Both drew the same picture.
    (image,) = elements.attributes("img")
    assert image["alt"] == "A line in profile custom" and image["src"].startswith("data:image/png;base64,")
    assert "rank_max=4 and rank_max=5" in elements.text
    assert "Failed: rank_max=9" in elements.text and "no <room>" in elements.text


def test_the_pages_are_whole_without_a_network(runs):
    project, _ = runs
    folder = project.root / "results/runs"
    pages = [folder / "index.html", *sorted((folder / "toy/first").glob("*.html"))]
    assert len(pages) == 4
    for page in pages:
        text = page.read_text(encoding="utf-8")
        elements = Elements(text)
        assert elements.attributes("html") == [{"lang": "en"}] and re.search(r"<title>\S.*</title>", text)
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)
        for attributes in elements.attributes("script"):
            assert "src" not in attributes or (page.parent / attributes["src"]).is_file()
        regions = [attributes for tag, attributes in elements.found if attributes.get("class") == "scroll"]
        assert all(region["tabindex"] == "0" and region["role"] == "region" for region in regions)
        assert text.count("<table") == 0 or regions
    listed = Elements((folder / "index.html").read_text(encoding="utf-8"))
    assert {"toy/first/rank_max%3D4.html", "toy/first/index.html"} <= {a["href"] for a in listed.attributes("a")}


def test_a_page_holds_the_cells_and_escapes_what_is_text(runs):
    project, _ = runs
    project.write_notebook("first", "print('<script>x</script>')", RECORD)
    run_notebook("toy/first", overrides={"rank_max": 6})
    write_run_pages("toy/first")
    text = (project.root / "results/runs/toy/first/rank_max=6.html").read_text(encoding="utf-8")
    assert "<script>x" not in text and "&lt;script&gt;x" in text
    assert "<h1>Notebook first</h1>" in text and "paperlib run toy/first -p rank_max=6" in text
    # The others were made from another notebook.
    side = (project.root / "results/runs/toy/first/index.html").read_text(encoding="utf-8")
    assert side.count("stale: the cells of notebooks/toy/first.ipynb changed") == 2


def test_a_damaged_run_stands_among_the_failed_ones(runs):
    project, page = runs
    run_path(find_notebook("toy/first"), find_notebook("toy/first").values("quick", {"rank_max": 4})).write_text("{")
    forget_failure(project.root / "results/runs/toy/first/rank_max=9.json")
    write_run_pages("toy/first")
    text = Elements(page.read_text(encoding="utf-8")).text
    assert "Failed: rank_max=4" in text and "is damaged" in text and "rank_max=9" not in text


def test_custom_runs_do_not_overwrite_each_other(runs):
    project, _ = runs
    assert [path.name for path in run_results("toy/first")] == ["rank_max=5.json", "rank_max=4.json"]
    assert load_result("toy/first", "custom").parameters["rank_max"] == 4
    record = json.loads((project.root / "results/runs/toy/first/rank_max=4.inputs.json").read_text())
    assert record["inputs"]["parameter rank_max"] == "4"


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("See {numref}`Figure 1 <fig-a>` and {cite:t}`name2020`.", "<p>See Figure 1 and name2020.</p>\n"),
        ("(label)=\n# Title", "<h1>Title</h1>\n"),
        ("$a<b$", '<p><span class="math inline">\\(a&lt;b\\)</span></p>\n'),
        ("```{note} Mind\nthe *gap*\n```", "<aside><p><strong>Mind</strong></p><p>the <em>gap</em></p>\n</aside>\n"),
        (":::{tip}\nwords\n:::", "<p>words</p>\n"),
        ("<b>no</b>", "<p>&lt;b&gt;no&lt;/b&gt;</p>\n"),
        ("```python\n1 < 2\n```", '<pre><code class="language-python">1 &lt; 2\n</code></pre>\n'),
    ],
)
def test_markdown_of_a_notebook_without_sphinx(markdown, words):
    assert to_html(markdown) == words


def test_a_caption_is_no_paragraph():
    assert inline_html("Rank $k$ of {ref}`it <a>`") == 'Rank <span class="math inline">\\(k\\)</span> of it'


def test_a_drawing_is_the_same_with_another_date_and_other_names():
    images = [
        f'<svg><dc:date>2025-01-0{day}</dc:date><path id="{name}" d="M 0 {end}"/><use href="#{name}"/></svg>'.encode()
        for day, name, end in ((1, "p93b37d381d", 4), (2, "m388e340c9c", 4), (3, "p93b37d381d", 5))
    ]
    runs = [
        LocalRun(f"n={n}", None, (PageFigure("fig-a", "toy/first", "It.", "a line", {"svg": image}),), ())
        for n, image in enumerate(images)
    ]
    (row,) = figures_side_by_side(runs)
    assert (row.name, row.caption) == ("fig-a", "It.")
    assert [drawn.keys for drawn in row.drawn] == [("n=0", "n=1"), ("n=2",)]
