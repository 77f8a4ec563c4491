"""One case for each row of the claims files: paper's value beside ours by the one comparison."""

import pytest

from paperlib.engine import Status, judge_claims, load_claims

JUDGED = {judgement.claim.id: judgement for judgement in judge_claims(load_claims())}

# How many claims each paper makes.
COUNTS = {"convsvd": 24, "generalizability": 35, "svr": 33, "vectorspaces": 23}

# Follow from algebra or counting, so they cannot differ unless the code is wrong.
MATHEMATICS = {
    "convsvd": "01 02b 09 09b 09c 09d 21",
    "generalizability": "05 06 07 08 11 12 13 13b 14 26 28 29 30 31",
    "svr": "01 01b 02 02b 03 03b 04 04b 05 06 06b 08b 09 29 30",
    "vectorspaces": "06 07 07b 07c 08 09 20 21 21b 22 23",
}


@pytest.mark.parametrize("claim_id", JUDGED)
def test_is_measured_or_says_why_not(claim_id):
    judgement = JUDGED[claim_id]
    assert not judgement.missing, f"no result yet; run: {judgement.command}"
    if judgement.status is not Status.MATCH:
        assert judgement.reason, f"{claim_id} is {judgement.status} without a reason"


@pytest.mark.parametrize(
    "claim_id", [f"{paper}.claim.{number}" for paper, numbers in MATHEMATICS.items() for number in numbers.split()]
)
def test_mathematics_matches(claim_id):
    judgement = JUDGED[claim_id]
    assert judgement.status is Status.MATCH, (judgement.claim.paper_value, judgement.value)


def test_every_paper_with_claims_is_counted():
    assert {judgement.claim.paper for judgement in JUDGED.values()} == set(COUNTS) == set(MATHEMATICS)


@pytest.mark.parametrize("paper", COUNTS)
def test_every_number_of_the_paper_has_a_row(paper):
    prefix = f"{paper}.claim."
    numbers = {claim_id.removeprefix(prefix)[:2] for claim_id in JUDGED if claim_id.startswith(prefix)}
    assert numbers == {f"{number:02d}" for number in range(1, COUNTS[paper] + 1)}
