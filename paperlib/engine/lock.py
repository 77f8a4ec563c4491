"""The lock as versions by package, and the packages that an imported name brings with it."""

import sys
import tomllib
from collections.abc import Iterable
from functools import cached_property
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

UNPINNED = "not pinned"


class Lock:
    """The pins of ``constraints.txt``, and the exact ones of ``pyproject.toml`` for what the former leaves out.

    ``lines`` are ``name==version`` with an optional marker, of which those for this Python and system count.
    """

    def __init__(self, lines: Iterable[str]):
        self.versions: dict[str, str] = {}
        for requirement in map(_requirement, lines):
            exact = [item.version for item in requirement.specifier if item.operator == "=="] if requirement else []
            if exact and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
                self.versions.setdefault(canonicalize_name(requirement.name), exact[0])

    @classmethod
    def read(cls, root: Path) -> "Lock":
        """The lock of the project in ``root``; one without pins where it has neither file."""
        lines = []
        if (root / "constraints.txt").is_file():
            lines += (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if (root / "pyproject.toml").is_file():
            project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            lines += project.get("dependencies", [])
        return cls(lines)

    @cached_property
    def _distributions(self) -> dict[str, list[str]]:
        return {name: [canonicalize_name(item) for item in found] for name, found in _importable().items()}

    def packages(self, imported: Iterable[str], *, with_needs: bool = True) -> frozenset[str]:
        """Packages that provide top-level ``imported`` names, with everything that these need (extras left out).

        A name that no installed package provides is taken for the package's own name where the lock has it; the
        standard library has no pins. For any other name it cannot be told which package is meant, and the whole lock
        counts.
        """
        found: set[str] = set()
        for name in imported:
            if name in sys.stdlib_module_names:
                continue
            direct = self._distributions.get(name) or [canonicalize_name(name)]
            if name not in self._distributions and direct[0] not in self.versions:
                return frozenset(self.versions)
            found.update(direct)
        return frozenset(self._with_needs(found) if with_needs else found)

    def _with_needs(self, packages: set[str]) -> set[str]:
        found, waiting = set(), list(packages)
        while waiting:
            package = waiting.pop()
            if package not in found:
                found.add(package)
                # What is not pinned cannot change with the lock.
                waiting.extend(need for need in self._needs(package) if need in self.versions)
        return found

    def _needs(self, package: str) -> list[str]:
        if package not in self._known_needs:
            self._known_needs[package] = _installed_needs(package)
        return self._known_needs[package]

    @cached_property
    def _known_needs(self) -> dict[str, list[str]]:
        return {}

    def version(self, package: str) -> str:
        """The pinned version, or ``not pinned``."""
        return self.versions.get(package, UNPINNED)


def _importable() -> dict[str, list[str]]:
    """Distributions by the top-level names that they provide, less those that are installed in place."""
    return {name: found for name, found in metadata.packages_distributions().items() if name.isidentifier()}


def _installed_needs(package: str) -> list[str]:
    try:
        lines = metadata.requires(package) or []
    except metadata.PackageNotFoundError:
        return []
    needs = [requirement for requirement in map(_requirement, lines) if requirement]
    wanted = [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return [canonicalize_name(need.name) for need in wanted]


def _requirement(line: str) -> Requirement | None:
    text = line.partition("#")[0].strip()
    try:
        return Requirement(text) if text else None
    except InvalidRequirement:
        return None
