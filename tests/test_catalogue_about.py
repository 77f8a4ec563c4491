"""What the catalogue says about each notebook's figures beside their numbers."""

import pytest

from paperlib.engine.catalogue import PROFILES, read_catalogue
from paperlib.engine.parameters import parse_overrides

NOTEBOOKS = read_catalogue()


@pytest.mark.parametrize("notebook", NOTEBOOKS.values(), ids=list(NOTEBOOKS))
def test_each_says_what_differs_what_chance_gives_and_what_to_change(notebook):
    assert len(notebook.about.differs) > 40 and len(notebook.about.chance) > 40
    changed = notebook.values(PROFILES[0], parse_overrides(notebook.parameters, [notebook.about.change]))
    assert changed != notebook.profile_values(PROFILES[0])
