"""The notebooks of the compendium: what each covers, needs and costs, and its parameters in each profile."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from paperlib import paths
from paperlib.engine.errors import ParameterError, SourceError, UsageError
from paperlib.engine.parameters import ParameterSpec, Value, check_values, read_parameters
from paperlib.engine.text import nearest, shown_path

PROFILES = ("quick", "laptop", "paper")
CUSTOM = "custom"


class Cost(BaseModel):
    """What a run costs, in words for people, per profile."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quick: str
    laptop: str
    paper: str


class About(BaseModel):
    """What a page says about its figures beside the numbers, in the Markdown of the book.

    ``change`` is a parameter to try, as ``name=value``; ``differs`` what is not as in the paper, and why; ``chance``
    what would come out if there were nothing to see; ``stand_in`` what stands in for data or networks of the paper
    that cannot be had, empty where nothing does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    change: str = ""
    differs: str = ""
    chance: str = ""
    stand_in: str = ""


class Notebook(BaseModel):
    """A notebook's row of its paper's catalogue; ``profiles`` holds what differs from the defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^\w+/\w+$")
    title: str = Field(min_length=1)
    covers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    cost: Cost
    about: About = About()
    profiles: dict[str, dict[str, object]] = {}

    @field_validator("profiles")
    @classmethod
    def _known_profiles(cls, profiles: dict) -> dict:
        for name in profiles:
            if name == PROFILES[0]:
                raise ValueError(f"{name} is the set of defaults of the parameters cell and may not be given here")
            if name not in PROFILES:
                raise ValueError(f"unknown profile {name!r}; expected {' or '.join(PROFILES[1:])}")
        return profiles

    @property
    def paper(self) -> str:
        return self.id.partition("/")[0]

    @property
    def path(self) -> Path:
        """The notebook file, committed without outputs."""
        return paths.NOTEBOOKS / f"{self.id}.ipynb"

    @cached_property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        """Declared parameters in their order; raises ``SourceError`` for a missing or malformed notebook."""
        return read_parameters(self.path)

    def profile_values(self, profile: str) -> dict[str, Value]:
        """Every parameter's value in ``profile``; raises ``UsageError`` for an unknown profile."""
        if profile not in PROFILES:
            raise UsageError(f"unknown profile {profile!r}.{nearest(profile, PROFILES)} Known: {', '.join(PROFILES)}")
        defaults = {spec.name: spec.default for spec in self.parameters}
        try:
            return defaults | check_values(self.parameters, self.profiles.get(profile, {}))
        except ParameterError as error:
            raise SourceError(
                f"{shown_path(catalogue_path(self.paper))}, profile {profile} of {self.id}: {error}"
            ) from None

    def values(self, profile: str, overrides: Mapping[str, object] | None = None) -> dict[str, Value]:
        """Every parameter's value in ``profile`` with ``overrides``, which are checked (``ParameterError``)."""
        chosen = self.profile_values(profile)
        try:
            return chosen | check_values(self.parameters, overrides or {})
        except ParameterError as error:
            raise ParameterError(f"{self.id}: {error}") from None

    def profile_of(self, values: Mapping[str, Value], requested: str | None = None) -> str:
        """The profile whose parameters ``values`` are, or ``custom``.

        Where several profiles have the same parameters the ``requested`` one is taken, else the cheapest.
        """
        equal = [profile for profile in PROFILES if self.profile_values(profile) == values]
        return requested if requested in equal else (equal or [CUSTOM])[0]


def catalogue_path(paper: str) -> Path:
    return paths.NOTEBOOKS / paper / "catalogue.toml"


def papers() -> tuple[str, ...]:
    """Papers that have a catalogue, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in paths.NOTEBOOKS.glob("*/catalogue.toml")))


def read_catalogue(selected: Iterable[str] | None = None) -> dict[str, Notebook]:
    """All notebooks by id in reading order, or those of the ``selected`` papers.

    Raises ``SourceError`` for a malformed catalogue or a need that is no notebook.
    """
    everything = {notebook.id: notebook for paper in papers() for notebook in _read(paper)}
    for notebook in everything.values():
        for need in notebook.needs:
            if need not in everything:
                raise SourceError(
                    f"{shown_path(catalogue_path(notebook.paper))}: {notebook.id} needs {need!r}, which is no notebook."
                    + nearest(need, everything)
                )
    chosen = None if selected is None else set(selected)
    return {id: notebook for id, notebook in everything.items() if chosen is None or notebook.paper in chosen}


def find_notebook(notebook_id: str) -> Notebook:
    """The notebook of this id; raises ``UsageError`` with the nearest known ids."""
    known = read_catalogue()
    if notebook_id in known:
        return known[notebook_id]
    if (paths.NOTEBOOKS / f"{notebook_id}.ipynb").is_file() and "/" in notebook_id:
        place = shown_path(catalogue_path(notebook_id.partition("/")[0]))
        raise UsageError(f"the notebook {notebook_id} exists but has no row in {place}; add one")
    listed = "".join(f"\n  {id}  {notebook.title}" for id, notebook in known.items()) or "\n  none"
    raise UsageError(f"unknown notebook {notebook_id!r}.{nearest(notebook_id, known)}\nThe notebooks are:{listed}")


def _read(paper: str) -> list[Notebook]:
    path = catalogue_path(paper)
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{shown_path(path)} is not TOML: {error}") from error
    return [_notebook(path, f"{paper}/{name}", row) for name, row in rows.items()]


def _notebook(path: Path, notebook_id: str, row: object) -> Notebook:
    if not isinstance(row, dict):
        raise SourceError(f"{shown_path(path)}: {notebook_id.partition('/')[2]} is no table; expected [notebook_name]")
    try:
        return Notebook(**{**row, "id": notebook_id})
    except ValidationError as error:
        raise SourceError(f"{shown_path(path)}, {notebook_id}: {validation_problems(error)}") from None


def validation_problems(error: ValidationError) -> str:
    """What pydantic found wrong, one phrase a field."""
    phrases = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"])
        phrases.append(f"{place}: {problem['msg']}" if place else problem["msg"])
    return "; ".join(phrases)
