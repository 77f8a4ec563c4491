"""The two recipes of the digit classifiers differ by their data alone."""

import pytest

from paperlib.generalizability.networks import classifier_recipes

SETTINGS = {
    "data": "mnist",
    "padding": "same",
    "epochs": 50,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "seed": 0,
    "removed_digits": [1, 9],
    "removed_fraction": 0.99,
    "subset_seed": 0,
}


def test_recipes_differ_by_the_removed_images_alone():
    recipes = classifier_recipes(**SETTINGS)
    balanced, unbalanced = recipes["balanced"].model_dump(), recipes["unbalanced"].model_dump()
    assert {name for name in balanced if balanced[name] != unbalanced[name]} == {"removed_labels", "removed_fraction"}


def test_another_choice_of_kept_images_is_another_unbalanced_recipe_only():
    first, second = classifier_recipes(**SETTINGS), classifier_recipes(**{**SETTINGS, "subset_seed": 1})
    assert first["balanced"] == second["balanced"]
    assert first["unbalanced"].key != second["unbalanced"].key


@pytest.mark.parametrize("digits", [[], [1, 1], list(range(10))])
def test_refuses_digits_that_make_no_unbalanced_set(digits):
    with pytest.raises(ValueError, match="one to nine different digits"):
        classifier_recipes(**{**SETTINGS, "removed_digits": digits})
