"""Counts of claims by profile, and the basis of each figure."""

import pytest

from paperlib.engine.catalogue import find_notebook, read_catalogue
from paperlib.engine.claims import Status, load_claims
from paperlib.engine.overview import Basis, counts_by_profile, covered_figures

CLAIMS = """
[[claim]]
id = "toy.claim.01"
place = "Section 1"
quantity = "accuracy"
kind = "absolute"
paper_value = 0.5
tolerance = 0.1
why = "spread of seeds"
notebook = "toy/first"
value = "accuracy.full"
profiles = ["paper", "quick"]

[[claim]]
id = "toy.claim.02"
place = "Section 2"
quantity = "score of others"
kind = "quoted"
paper_value = 0.9
reason = "quoted from elsewhere"
"""


def test_a_claim_is_judged_in_each_profile_by_itself(project):
    project.write_claims(CLAIMS)
    project.write_result(values={"accuracy": {"full": 0.97}})
    project.write_result(profile="paper", tracked=True, values={"accuracy": {"full": 0.55}})
    project.write_result(profile="laptop", tracked=True, values={"accuracy": {"full": 0.5}})
    found = counts_by_profile(load_claims("toy"))
    assert found["quick"] == dict.fromkeys(Status, 0) | {Status.DIFFERS: 1, Status.NOT_MEASURED: 1}
    assert found["paper"] == dict.fromkeys(Status, 0) | {Status.MATCH: 1, Status.NOT_MEASURED: 1}
    # There is a result in profile laptop, which this claim may not be judged on.
    assert found["laptop"] == dict.fromkeys(Status, 0) | {Status.NOT_MEASURED: 2}


def test_figures_are_real_stood_in_for_drawn_without_data_or_missing(project):
    assert {figure.basis for figure in covered_figures(read_catalogue().values())} == {Basis.MISSING}
    project.write_result()
    project.write_result(name="second", data=[])
    found = {figure.name: figure for figure in covered_figures(read_catalogue().values())}
    assert {name: figure.basis for name, figure in found.items()} == {
        "Figure 1": Basis.REAL,
        "Figure 2": Basis.NONE,
        "Table 1": Basis.NONE,
    }
    assert found["Figure 1"].notebooks == ("toy/first",)


def test_a_stand_in_is_named_and_gives_way_to_real_data(project):
    project.write_result()
    first = find_notebook("toy/first")
    instead = first.model_copy(update={"about": first.about.model_copy(update={"stand_in": "digits for scans"})})
    (alone,) = covered_figures([instead])
    assert (alone.basis, alone.stand_in) == (Basis.STAND_IN, "digits for scans")
    (both,) = covered_figures([instead, first])
    assert both.basis == Basis.REAL and both.stand_in == "" and len(both.notebooks) == 2


@pytest.mark.parametrize("basis", Basis)
def test_every_basis_is_said_in_words(basis):
    assert len(basis.value) > 5
