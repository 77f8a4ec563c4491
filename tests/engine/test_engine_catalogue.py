"""The catalogue and the profiles."""

import pytest

from paperlib.engine import ParameterError, SourceError, UsageError, find_notebook, papers, read_catalogue

from .conftest import CATALOGUE

DEFAULTS = {"data": "toy", "rank_max": 3, "rate": 0.5, "digits": [1, 9], "centred": False}


def test_notebooks_come_in_reading_order_with_their_fields(project):
    project.write_catalogue(CATALOGUE.replace("[second", "[other").replace("toy/first", "other/first"), paper="other")
    known = read_catalogue()
    assert list(known) == ["other/first", "other/other", "toy/first", "toy/second"]
    assert papers() == ("other", "toy")
    assert list(read_catalogue(["toy"])) == ["toy/first", "toy/second"]
    second = known["toy/second"]
    assert (second.paper, second.title, second.covers) == ("toy", "The second notebook", ("Figure 2", "Table 1"))
    assert second.needs == ("toy/first",) and second.cost.paper == "2 s" and second.parameters == ()


def test_profiles_change_the_defaults(project):
    first = find_notebook("toy/first")
    assert first.profile_values("quick") == DEFAULTS
    assert first.profile_values("laptop") == DEFAULTS | {"data": "full"}
    assert first.values("paper", {"rate": 1}) == DEFAULTS | {"data": "full", "rank_max": 10, "rate": 1.0}


@pytest.mark.parametrize(
    ("changes", "requested", "profile"),
    [
        ({}, None, "quick"),
        ({}, "quick", "quick"),
        ({"data": "full"}, None, "laptop"),
        ({"data": "full", "rank_max": 10}, None, "paper"),
        # What the values are decides; what was asked for does not make them something else.
        ({}, "paper", "quick"),
        ({"rank_max": 4}, None, "custom"),
        ({"rank_max": 4}, "quick", "custom"),
    ],
)
def test_the_profile_follows_from_the_values(project, changes, requested, profile):
    assert find_notebook("toy/first").profile_of(DEFAULTS | changes, requested) == profile


@pytest.mark.parametrize("requested", ["quick", "laptop", "paper"])
def test_the_requested_profile_decides_between_equal_ones(project, requested):
    second = find_notebook("toy/second")
    assert second.profile_of({}, requested) == requested
    assert second.profile_of({}, "nonsense") == second.profile_of({}) == "quick"


def test_an_unknown_notebook_is_refused_with_the_nearest(project):
    with pytest.raises(UsageError, match=r"unknown notebook 'toy/frist'. Did you mean 'toy/first'\?"):
        find_notebook("toy/frist")


def test_a_notebook_without_a_row_is_said_so(project):
    project.write_notebook("third")
    with pytest.raises(UsageError, match=r"exists but has no row in notebooks/toy/catalogue.toml"):
        find_notebook("toy/third")


def test_an_unknown_profile_is_refused(project):
    with pytest.raises(UsageError, match=r"unknown profile 'papers'. Did you mean 'paper'\?"):
        find_notebook("toy/first").profile_values("papers")


def test_a_bad_override_names_the_notebook(project):
    with pytest.raises(ParameterError, match=r"^toy/first: parameter rank_max = 11"):
        find_notebook("toy/first").values("quick", {"rank_max": 11})


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[first]\n", "[first\n", "is not TOML"),
        ('title = "The first notebook"\n', "", "toy/first: title: Field required"),
        ("[first.profiles.laptop]", "[first.profiles.quick]", "quick is the set of defaults"),
        ("[first.profiles.laptop]", "[first.profiles.lapdog]", "unknown profile 'lapdog'"),
        ('laptop = "1 min"\n', "", "cost.laptop: Field required"),
        ('covers = ["Figure 1"]', 'covered = ["Figure 1"]', "covered: Extra inputs"),
        ('needs = ["toy/first"]', 'needs = ["toy/frist"]', "needs 'toy/frist', which is no notebook. Did you mean"),
        ("[first]\n", 'stray = "text"\n[first]\n', "stray is no table"),
    ],
)
def test_a_malformed_catalogue_is_refused_with_its_place(project, old, new, problem):
    assert old in CATALOGUE
    project.write_catalogue(CATALOGUE.replace(old, new, 1))
    with pytest.raises(SourceError, match=r"notebooks/toy/catalogue.toml") as caught:
        read_catalogue()
    assert problem in str(caught.value)


def test_a_profile_with_a_wrong_parameter_is_refused_with_its_place(project):
    project.write_catalogue(CATALOGUE.replace("rank_max = 10", "rank_max = 11"))
    with pytest.raises(SourceError, match=r"catalogue.toml, profile paper of toy/first: parameter rank_max = 11"):
        find_notebook("toy/first").profile_values("paper")


def test_a_row_without_its_notebook_is_refused(project):
    (project.root / "notebooks/toy/first.ipynb").unlink()
    with pytest.raises(SourceError, match=r"notebooks/toy/first.ipynb does not exist"):
        _ = find_notebook("toy/first").parameters
