"""What a recipe accepts, how it is named, and the network that it draws."""

import pytest
import torch
from pydantic import ValidationError
from segmentation_support import tiny_recipe, tiny_volumes

from paperlib.datasets.volumes import load_volumes
from paperlib.segmentation import Normalisation, SegmentationRecipe


def same(first, second) -> bool:
    a, b = first.state_dict(), second.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_equal_recipes_have_one_name_and_a_changed_field_another():
    assert tiny_recipe().name == tiny_recipe().name
    changed = {
        "fold": 1, "fold_seed": 1, "validation_share": 0.3, "train_count": 2, "normalisation": "crop",
        "field": "ellipsoid", "filters": 4, "patch": (8, 8, 8), "epochs": 3, "learning_rate": 1e-3,
        "foreground_share": 0.5, "mirrored": False, "validate_every": 2, "overlap": 0.5, "precision": "bfloat16",
        "seed": 1, "train_names": ("phantom_0003",), "data_options": {"count": 13},
    }  # fmt: skip
    names = {tiny_recipe(**{field: value}).name for field, value in changed.items()}
    assert len(names | {tiny_recipe().name}) == len(changed) + 1


def test_a_default_that_is_written_out_changes_no_name():
    assert (
        SegmentationRecipe(data="hippocampus", depth=5, precision="float32").key
        == SegmentationRecipe(data="hippocampus").key
    )


def test_the_key_of_a_recipe_stays_that_of_its_checkpoints():
    # Written down once: whoever changes it orphans every checkpoint that was trained before.
    assert SegmentationRecipe(data="hippocampus").key == "572f5f3ba76e"
    assert tiny_recipe(train_count=4).key == "0349f94bad77"


def test_a_recipe_survives_json():
    recipe = tiny_recipe(train_names=("phantom_0001",), overlap=0.5)
    again = SegmentationRecipe.model_validate_json(recipe.model_dump_json())
    assert again == recipe and again.key == recipe.key


def test_the_options_of_the_data_make_the_volumes():
    recipe = tiny_recipe()
    volumes = load_volumes(recipe.data, **recipe.data_options)
    assert volumes.names == tiny_volumes().names
    assert torch.equal(volumes[3].image, tiny_volumes()[3].image)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fold": 3}, "fold is 3, but there are 3, counted from 0"),
        ({"patch": (16, 16, 15)}, "at depth 2 its sides must be multiples of 2"),
        ({"depth": 4, "patch": (16, 16, 4)}, "multiples of 8"),
        ({"patch": (16, 16)}, "patch"),
        ({"depht": 3}, "depht"),
        ({"validation_share": 0.0}, "validation_share"),
        ({"foreground_share": 1.1}, "foreground_share"),
        ({"normalisation": "whole"}, "normalisation"),
        ({"precision": "float16"}, "precision"),
        ({"overlap": 1.0}, "overlap"),
        ({"learning_rate": 0.0}, "learning_rate"),
    ],
)
def test_what_no_training_can_have_is_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        tiny_recipe(**changes)


def test_the_network_follows_from_the_seed_alone():
    torch.manual_seed(5)
    first = tiny_recipe().network()
    torch.manual_seed(6)
    before = torch.get_rng_state()
    second = tiny_recipe(epochs=9).network()
    assert torch.equal(torch.get_rng_state(), before)
    assert same(first, second)
    assert not same(first, tiny_recipe(seed=1).network())


def test_the_network_has_the_modalities_and_two_classes():
    recipe = tiny_recipe(modalities=3, depth=3, filters=2)
    with torch.no_grad():
        assert recipe.network()(torch.zeros(1, 3, 8, 12, 4)).shape == (1, 2, 8, 12, 4)


def test_the_scale_is_the_normalisation_of_the_recipe():
    assert tiny_recipe().scale == Normalisation("nonzero")
    assert tiny_recipe(normalisation="tissue", field="ellipsoid").scale == Normalisation("tissue", field="ellipsoid")
