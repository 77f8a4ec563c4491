"""A recipe of a training as a checked object with a name that follows from its content."""

import hashlib
import json

from pydantic import BaseModel, ConfigDict


class KeyedRecipe(BaseModel):
    """Base of recipes: unknown fields are refused, and ``key`` names the content.

    Defaults are left out of what names a recipe or tells it from another, so that a field that a later version adds
    renames no checkpoint and ends no training of today.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits that name this recipe."""
        canonical = json.dumps(self.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def question(self) -> dict[str, str]:
        """What the header of a state file has to say, see `paperlib.training.state_files.read_state`."""
        return {"recipe": self.model_dump_json(exclude_defaults=True)}
