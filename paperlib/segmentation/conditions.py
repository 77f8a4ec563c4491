"""Conditions under which RPR is compared with Dice, each written as one line of text.

>>> from paperlib.segmentation.conditions import parse_condition
>>> condition = parse_condition("training set / 5 volumes: train_count=5")
>>> condition.group, condition.name, condition.changes
('training set', '5 volumes', {'train_count': 5})
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from paperlib.segmentation.folds import parts, recipe_volumes
from paperlib.segmentation.recipe import SegmentationRecipe

# What is no field of a recipe: steps of the optimiser, from which the epochs follow.
_STEPS = "steps"
_PATCHES = "patches"
_OF_THE_DATA = "data."


class ConditionError(ValueError):
    """A condition is not written as expected; the message quotes it."""


@dataclass(frozen=True)
class Condition:
    """``changes`` to a common setting, by names of `SegmentationRecipe`'s fields, ``data.OPTION``, or ``steps``.

    Where ``patches``, the mean of the patches' own ratios is measured beside the ratio of the stitched operator.
    """

    group: str
    name: str
    changes: dict[str, object]
    patches: bool = False

    @property
    def key(self) -> str:
        """The name as part of a result's key, without spaces."""
        return f"{self.group}_{self.name}".replace(" ", "_").replace(".", "_")


def parse_condition(text: str) -> Condition:
    """Read ``group / name: field=value; field=value``; values are JSON, or a word as it stands.

    Without changes the colon is left out. Raises ``ConditionError``.
    """
    title, _, listed = text.partition(":")
    group, slash, name = (part.strip() for part in title.partition("/"))
    if not (slash and group and name):
        raise ConditionError(f"{text!r} does not begin with 'group / name'")
    changes = {}
    for change in filter(None, (part.strip() for part in listed.split(";"))):
        field, equals, value = (part.strip() for part in change.partition("="))
        if not (field and equals and value):
            raise ConditionError(f"{change!r} in {text!r} is no 'field=value'")
        changes[field] = _value(value)
    patches = changes.pop(_PATCHES, False)
    if not isinstance(patches, bool):
        raise ConditionError(f"{_PATCHES} is {patches!r} in {text!r}; expected true or false")
    return Condition(group, name, changes, patches)


def condition_recipe(condition: Condition, base: dict, fold: int) -> SegmentationRecipe:
    """The recipe of a fold under a condition; ``base`` has the common fields and ``steps``.

    Epochs follow from ``steps`` and the number of training volumes, so that small training sets are seen more often
    and not trained for less long. Raises ``ConditionError`` for an unknown field or a value out of range.
    """
    changes = dict(condition.changes)
    options = {
        key.removeprefix(_OF_THE_DATA): changes.pop(key) for key in list(changes) if key.startswith(_OF_THE_DATA)
    }
    fields = {**base, **changes, "fold": fold}
    fields["data_options"] = {**base.get("data_options", {}), **options}
    steps = fields.pop(_STEPS)
    try:
        recipe = SegmentationRecipe(**{**fields, "epochs": 1, "validate_every": 1})
        names = recipe_volumes(recipe).names
        batches = -(-len(parts(recipe, names).train) // recipe.batch_size)
        epochs = max(1, round(steps / batches))
        # About twenty looks, however long an epoch is.
        return SegmentationRecipe(**{**fields, "epochs": epochs, "validate_every": max(1, epochs // 20)})
    except (ValidationError, TypeError, ValueError) as error:
        raise ConditionError(f"condition '{condition.group} / {condition.name}': {error}") from error


def measured_names(recipe: SegmentationRecipe, names: Sequence[str], count: int) -> tuple[str, ...]:
    """The first ``count`` test volumes of the recipe's fold, the same under all conditions that share the folds."""
    return parts(recipe, names).test[:count]


def _value(text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return tuple(value) if isinstance(value, list) else value
