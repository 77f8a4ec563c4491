"""Exactly the pages that depend on what changed are stale, and the reason is told."""

import json

import pytest

from paperlib.engine import SourceError, UsageError
from paperlib.engine.catalogue import PROFILES
from paperlib.engine.inputs import Inputs
from paperlib.engine.results import find_result, read_result
from paperlib.engine.run_address import inputs_path, local_path
from paperlib.engine.staleness import page_states

from .staleness_support import CONSTRAINTS, NOTEBOOKS, PARAMETERS, REGISTRY, plant


@pytest.fixture
def planted(tmp_path, monkeypatch):
    return plant(tmp_path / "tree", monkeypatch)


def test_nothing_is_stale_after_a_run(planted):
    assert planted.stale() == {}


@pytest.mark.parametrize(
    ("module", "pages"),
    [
        # `late` needs the notebook `ranks`.
        ("linear/rank", {"ranks", "late"}),
        # `ranks` imports from a package that only gathers names; `late` imports inside a function.
        ("linear/norm", {"late"}),
        ("linear/__init__", {"ranks", "late"}),
        ("drawing/page", {"drawn"}),
        ("nets", {"drawn"}),
        ("rules/table", {"tables"}),
        # Its import enters something into a table of the package.
        ("rules/entries", {"tables"}),
        ("__init__", {"ranks", "drawn", "tables", "late"}),
    ],
)
def test_a_changed_module_makes_its_users_stale(planted, module, pages):
    path = planted.root / f"paperlib/{module}.py"
    path.write_text(path.read_text() + "CHANGED = 1\n")
    stale = planted.stale()
    assert stale.keys() == pages
    own = [reasons for name, reasons in stale.items() if name != "late"]
    assert all(reasons == [f"paperlib/{module}.py changed"] for reasons in own)


def test_a_needed_notebook_is_a_reason_of_its_own(planted):
    path = planted.root / "paperlib/linear/rank.py"
    path.write_text(path.read_text() + "CHANGED = 1\n")
    assert planted.stale()["late"] == ["toy/ranks, which it needs, changed"]


def test_a_style_sheet_beside_a_module_counts(planted):
    planted.write("paperlib/drawing/static/page.css", "p { color: red }")
    assert planted.stale() == {"drawn": ["paperlib/drawing/static/page.css changed"]}


def test_a_default_and_a_profile(planted):
    planted.run("laptop")
    planted.write_notebook("drawn", NOTEBOOKS["drawn"], PARAMETERS.replace("int = 3", "int = 4"))
    assert planted.stale() == {"drawn": ["parameter size is 4, was 3"]}
    # The page of profile laptop shows the cell with the default, though its own value is another.
    assert planted.stale("laptop") == {"drawn": ["the parameters cell of notebooks/toy/drawn.ipynb changed"]}
    planted.run("laptop")
    planted.run()
    planted.write_catalogue("size = 6")
    assert planted.stale() == {}
    stale = planted.stale("laptop")
    assert stale.keys() == NOTEBOOKS.keys() and stale["drawn"] == ["parameter size is 6, was 5"]


def test_a_changed_cell_of_code_or_prose(planted):
    planted.write_notebook("tables", NOTEBOOKS["tables"] + "\nlook_up()")
    planted.write_notebook("drawn", NOTEBOOKS["drawn"], prose="More words.")
    assert planted.stale() == {
        "drawn": ["the cells of notebooks/toy/drawn.ipynb changed"],
        "tables": ["the cells of notebooks/toy/tables.ipynb changed"],
    }


def test_a_row_of_the_registry(planted):
    planted.write("data/registry.toml", REGISTRY.replace("bb", "dd").replace("cc", "ee"))
    assert planted.stale() == {}
    planted.write("data/registry.toml", REGISTRY.replace("aa", "dd"))
    stale = planted.stale()
    assert stale.keys() == NOTEBOOKS.keys()
    assert stale["ranks"] == ["the registry's row of data set small changed"]


def test_a_checkpoint_counts_where_its_architecture_and_its_data_are_named(planted):
    planted.write("data/checkpoints/tower-2.safetensors", "others")
    planted.write("data/checkpoints/arch-1.safetensors", "others")
    assert planted.stale() == {}
    planted.write("data/checkpoints/tower-1.safetensors", "others")
    assert planted.stale() == {"drawn": ["data/checkpoints/tower-1.safetensors changed"]}
    (planted.root / "data/checkpoints/tower-1.safetensors").unlink()
    assert planted.stale() == {"drawn": ["data/checkpoints/tower-1.safetensors is gone or used no more"]}


@pytest.mark.parametrize(
    ("package", "was", "pages"),
    # scipy, which `late` imports, needs numpy.
    [("numpy", "2.0.0", {"ranks", "late"}), ("scipy", "1.15.0", {"late"}), ("pillow", "11.0.0", set())],
)
def test_a_pin_makes_those_stale_that_import_the_package(planted, package, was, pages):
    planted.write("constraints.txt", CONSTRAINTS.replace(f"{package}=={was}", f"{package}==99.1"))
    stale = planted.stale()
    assert stale.keys() == pages
    assert all(f"{package} is pinned at 99.1, was {was}" in reasons for reasons in stale.values())


def test_a_result_that_is_shown_beside(planted):
    code = 'from paperlib.engine import show_tracked\nshow_tracked("toy/ranks", "paper", str)'
    planted.write("paperlib/engine/__init__.py", "def show_tracked(): ...\n")
    planted.write_notebook("drawn", code)
    planted.run()
    planted.write("data/results/laptop/toy/ranks.json", "{}")
    assert planted.stale() == {}
    planted.write("data/results/paper/toy/ranks.json", "{}")
    assert planted.stale() == {"drawn": ["the result of toy/ranks in profile paper, which it shows, came"]}
    planted.run()
    planted.write("data/results/paper/toy/ranks.json", "{ }")
    assert planted.stale() == {"drawn": ["the result of toy/ranks in profile paper, which it shows, changed"]}


def test_what_is_missing_or_of_another_run_is_never_fresh(planted):
    (planted.root / "results/quick/toy/ranks.json").unlink()
    (planted.root / "book/run/toy/drawn.ipynb").unlink()
    inputs_path(local_path("toy/tables", "quick")).unlink()
    local_path("toy/late", "quick").write_text("[]")
    states = {state.id: state for state in page_states()}
    assert (states["toy/ranks"].state, states["toy/drawn"].state) == ("missing", "missing")
    assert states["toy/ranks"].reasons == ("its result is not here; make it with: paperlib run toy/ranks",)
    assert states["toy/tables"].state == states["toy/late"].state == "stale"
    assert "was not recorded" in states["toy/tables"].reasons[0]
    assert states["toy/late"].reasons == ("results/quick/toy/late.json was changed after its run",)
    inputs_path(local_path("toy/drawn", "quick")).write_text("[")
    (planted.root / "book/run/toy/drawn.ipynb").write_text("{}")
    assert "is damaged" in planted.stale()["drawn"][0]


def test_unknown_profiles_and_broken_modules_are_errors(planted):
    with pytest.raises(UsageError, match="Did you mean 'paper'"):
        page_states(profile="papers")
    planted.write("paperlib/late.py", "def (")
    with pytest.raises(SourceError, match="toy/late uses cannot be read"):
        page_states()


def test_a_cell_that_is_not_python_names_nothing(planted):
    planted.write_notebook("tables", "%config InlineBackend.figure_formats = ['svg']\nimport scipy\nscipy.pi")
    found = Inputs().of_profile("toy/tables", "quick")
    assert "package scipy" in found and "paperlib/rules/table.py" not in found
    planted.write_notebook("tables", "this is no Python")
    assert "package scipy" not in Inputs().of_profile("toy/tables", "quick")


@pytest.fixture(scope="module")
def real():
    return Inputs()


def users(inputs: Inputs, name: str) -> set[str]:
    return {notebook for notebook in inputs.notebooks if name in inputs.of_profile(notebook, "quick")}


def test_modules_of_one_paper_leave_the_pages_of_others_fresh(real):
    of_vectorspaces = {notebook for notebook in real.notebooks if notebook.startswith("vectorspaces/")}
    assert of_vectorspaces
    for module in ("svr/representation", "svr/edges", "plotting/svr", "hypergraphs/significance"):
        assert users(real, f"paperlib/{module}.py") and not users(real, f"paperlib/{module}.py") & of_vectorspaces
    assert users(real, "paperlib/vectorspaces/figure_one.py") == {
        "vectorspaces/fig01_signal_space",
        "vectorspaces/oddities",
    }


def test_the_engine_counts_as_far_as_it_makes_pages(real):
    everyone = set(real.notebooks)
    for name in ("runner", "kernel", "pages", "results", "parameters"):
        assert users(real, f"paperlib/engine/{name}.py") == everyone
    for name in ("sphinx", "sphinx_theorems", "inputs", "staleness", "status_command", "sweep_command", "run_pages"):
        assert not users(real, f"paperlib/engine/{name}.py") - {"generalizability/own_model"}
    assert not users(real, "paperlib/engine/static/paperlib.css")


def test_every_data_set_that_a_result_recorded_was_told(real):
    compared = 0
    for notebook in real.notebooks:
        for profile in PROFILES:
            path = find_result(notebook, profile)
            recorded = {item["name"] for item in read_result(path).data} if path else set()
            counted = real.of_profile(notebook, profile)
            assert {name for name in recorded if f"data set {name}" not in counted} == set()
            compared += len(recorded)
    assert compared


def test_a_checkpoint_is_counted_by_the_notebooks_that_load_it(real):
    trained = "data/checkpoints/mnist_cnn-48502af575bd.safetensors"
    on_mnist = real.of_profile("generalizability/fig01_rank_k_accuracy", "paper")
    assert trained in on_mnist
    assert trained not in real.of_profile("generalizability/fig01_rank_k_accuracy", "quick")
    assert json.dumps(on_mnist)
