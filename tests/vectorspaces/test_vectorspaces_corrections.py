"""The corrections to `vectorspaces`: each with its number, by a second way where there is one."""

import numpy as np
import pytest

from paperlib.errata import errata_rows
from paperlib.vectorspaces.errata import ERRATA, agreement_of_noise, errata_numbers, noise_condition_numbers

NUMBERS = {
    "caption": {"assignments": 11, "digits": 10, "repeated": [4]},
    "injective": {"image_change": 1.0, "output_change": 1e-15},
    "residual": {"one_row": 0.9, "row_space": 0.7},
}


def test_every_number_has_a_correction_and_every_correction_a_check():
    numbers = errata_numbers(*NUMBERS.values(), seed=0)
    assert set(numbers) <= {one.name for one in ERRATA}
    rows = errata_rows(ERRATA, numbers)
    assert len({one.name for one in ERRATA}) == len(ERRATA)
    assert all(len(row) == 4 and all(row) for row in rows)


def test_random_numbers_have_the_condition_number_that_the_paper_prints():
    found = noise_condition_numbers(200, seed=1)
    assert found["low"] < 1.07 < found["median"] < found["high"]
    # Marchenko and Pastur's edges for 9 of 4096, which the extremes of a finite matrix stay inside of on average.
    edge = (1 + np.sqrt(9 / 4096)) / (1 - np.sqrt(9 / 4096))
    assert found["median"] < edge


def test_vectors_of_two_random_matrices_agree_as_random_directions_do():
    # The mean of 30 * 9 squared cosines of standard deviation 0.13: four standard errors are 0.03.
    assert agreement_of_noise(30, seed=2) == pytest.approx(1 / 9, abs=0.03)
    assert agreement_of_noise(3, seed=2) == agreement_of_noise(3, seed=2)
