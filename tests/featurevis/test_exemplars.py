"""Exemplary images: the best of a data set for each objective, ties in order."""

import pytest
import torch
from featurevis_support import two_convolutions

from paperlib.featurevis import exemplary_images, objective, objective_values


def test_the_best_come_first_and_ties_stay_in_order():
    images = torch.arange(5.0).reshape(5, 1, 1, 1)
    values = torch.tensor([[1.0, 0], [3, 0], [2, 5], [3, 0], [-1, 5]])
    found = exemplary_images(values, images, 3)
    assert found.indices.tolist() == [[1, 3, 2], [2, 4, 0]]
    assert found.values.tolist() == [[3, 3, 2], [5, 5, 0]]
    assert found.images[..., 0, 0, 0].tolist() == [[1, 3, 2], [2, 4, 0]]


def test_of_a_network_they_are_found_again_by_the_objective():
    model = two_convolutions()
    images = torch.rand(20, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    goal = objective(model, "conv2", [0, 1])
    values = objective_values(model, goal, images, batch_size=7)
    found = exemplary_images(values, images, 20)
    torch.testing.assert_close(objective_values(model, goal, found.images[1])[:, 1], found.values[1])
    assert (found.values.diff(dim=1) <= 0).all()
    assert found.indices.sort(1).values.tolist() == [list(range(20))] * 2


@pytest.mark.parametrize(
    ("values", "count", "words"),
    [
        (torch.ones(4, 2), 1, "values are \\(4, 2\\) for 5 images"),
        (torch.ones(5), 1, "values are \\(5,\\)"),
        (torch.ones(5, 1), 0, "count is 0; expected 1..5"),
        (torch.ones(5, 1), 6, "count is 6; expected 1..5"),
        (torch.full((5, 1), float("nan")), 1, "5 of the values are NaN"),
    ],
)
def test_values_that_do_not_fit_are_errors(values, count, words):
    with pytest.raises(ValueError, match=words):
        exemplary_images(values, torch.rand(5, 1, 2, 2), count)
