"""What every test of a figure runs under."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def settings_and_open_figures_stay():
    """Drawing leaves matplotlib's settings as they were, and no figure open."""
    before, numbers = dict(mpl.rcParams), plt.get_fignums()
    yield
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == numbers
