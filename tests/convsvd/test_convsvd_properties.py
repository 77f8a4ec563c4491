"""What `convsvd` states holds on random examples of several seeds."""

import pytest

from paperlib.convsvd.properties import PROPERTIES, properties

# Sums of some hundred products in double precision.
ROUNDING = 1e-12


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PROPERTIES)
def test_holds(name, seed):
    error = PROPERTIES[name][2](seed)
    assert 0 <= error < ROUNDING


def test_all_statements_have_words_and_places():
    found = properties(0)
    assert list(found) == list(PROPERTIES)
    assert all(one.statement and one.place for one in found.values())
