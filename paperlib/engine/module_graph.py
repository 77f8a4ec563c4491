"""Which modules of a package a piece of Python uses, found in the sources without importing anything."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One imported name: ``from module import name``, or ``import module`` (no name; ``*`` is one too)."""

    module: str
    name: str = ""


@dataclass(frozen=True)
class Closure:
    """What a piece of Python uses: ``modules`` of the package by name, and top-level names of other ``packages``."""

    modules: frozenset[str]
    packages: frozenset[str]


@dataclass(frozen=True)
class Source:
    """What matters here of a piece of Python; ``module`` is its dotted name, made by `parse_source`.

    ``imports`` are all that can run, also those inside functions; ``texts`` the text constants that are no
    docstrings; ``attributes`` the accesses ``name.attribute`` as dotted names; ``bound`` what the names of the
    top-level ``from a import b`` stand for; ``defined`` the names of the top-level functions, classes and variables;
    ``acts`` whether an import of it may do more than define names, for a statement of another kind stands at its top,
    or a decorator of the same package, which may enter what it decorates in a table.
    """

    module: str
    is_package: bool
    imports: tuple[Import, ...]
    texts: tuple[str, ...]
    attributes: frozenset[str]
    bound: dict[str, Import]
    defined: frozenset[str]
    acts: bool


def parse_source(text: str, module: str = "", *, is_package: bool = False, filename: str = "<text>") -> Source:
    """Read a piece of Python, without the imports under ``if TYPE_CHECKING``, which never run.

    Raises ``SyntaxError``.
    """
    tree = ast.parse(text, filename=filename)
    parent = module.split(".") if is_package else module.split(".")[:-1]
    imports, texts, attributes, docstrings = [], [], set(), set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind is ast.Constant:
            if isinstance(node.value, str) and id(node) not in docstrings:
                texts.append(node.value)
            continue
        if kind is ast.Name:
            continue
        if kind is ast.Attribute and type(node.value) is ast.Name:
            attributes.add(f"{node.value.id}.{node.attr}")
            continue
        if kind in (ast.Import, ast.ImportFrom):
            imports.extend(_imports(node, parent))
            continue
        if kind is ast.If and _is_type_checking(node.test):
            waiting.extend(node.orelse)
            continue
        if kind in _DOCUMENTED and node.body and type(node.body[0]) is ast.Expr:
            docstrings.add(id(node.body[0].value))
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                waiting.extend(item for item in value if isinstance(item, ast.AST))
            elif isinstance(value, ast.AST):
                waiting.append(value)
    bound = {
        alias.asname or alias.name: Import(_absolute(node, parent), alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    defined = frozenset(name for node in tree.body for name in _defined(node))
    acts = any(_acts(node, bound, module.partition(".")[0]) for node in tree.body)
    return Source(module, is_package, tuple(imports), tuple(texts), frozenset(attributes), bound, defined, acts)


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _imports(node: ast.Import | ast.ImportFrom, parent: list[str]) -> list[Import]:
    if isinstance(node, ast.Import):
        return [Import(alias.name) for alias in node.names]
    return [Import(_absolute(node, parent), alias.name) for alias in node.names]


def _absolute(node: ast.ImportFrom, parent: list[str]) -> str:
    if not node.level:
        return node.module or ""
    above = parent[: len(parent) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def _acts(node: ast.stmt, bound: Mapping[str, Import], package: str) -> bool:
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        roots = [bound.get(_root(decorator)) for decorator in node.decorator_list]
        return any(root is not None and root.module.partition(".")[0] == package for root in roots)
    if isinstance(node, ast.If):
        main = isinstance(node.test, ast.Compare) and ast.unparse(node.test.left) == "__name__"
        return not (main or _is_type_checking(node.test))
    return not isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign)


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name | ast.Attribute) and ast.unparse(test).endswith("TYPE_CHECKING")


def _root(node: ast.expr) -> str:
    """First name of a decorator such as ``table.register(1)``."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


class ModuleGraph:
    """The modules of the package in ``folder`` and what each uses.

    A module uses everything that it imports, at its top or inside a function, and every module that one of its texts
    names (such as a program for another process); imports under ``if TYPE_CHECKING`` do not run and do not count.
    Of a package that is imported from, ``from package import name`` uses the module that defines the name, not the
    others that its ``__init__`` gathers; where the ``__init__`` defines the name itself, or the package is taken as a
    whole, all that the ``__init__`` imports counts. Every ``__init__`` on the way to a module counts as well, and so
    does each module that such an ``__init__`` imports and whose import does more than define names (`Source`).
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.package = self.folder.name
        self._sources: dict[str, Source] = {}
        self._paths = {self._module_name(path): path for path in sorted(self.folder.rglob("*.py"))}
        self._named = re.compile(rf"\b{re.escape(self.package)}(?:\.\w+)+")
        self._uses: dict[str, list[Import]] = {}
        self._acting: dict[str, frozenset[str]] = {}

    def _module_name(self, path: Path) -> str:
        parts = path.relative_to(self.folder.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def path(self, module: str) -> Path:
        """File of a module; ``KeyError`` for one that is not there."""
        return self._paths[module]

    def source(self, module: str) -> Source:
        """What a module's file holds; raises ``SyntaxError``."""
        if module not in self._sources:
            path = self._paths[module]
            text = path.read_text(encoding="utf-8")
            whole = path.name == "__init__.py"
            self._sources[module] = parse_source(text, module, is_package=whole, filename=str(path))
        return self._sources[module]

    def closure(self, sources: Iterable[Source], modules: Iterable[str] = (), without: Iterable[str] = ()) -> Closure:
        """Everything that ``sources`` and the whole of ``modules`` use, directly or through others.

        Modules ``without`` are left out, and what is used through them alone.
        """
        left_out = set(without)
        seen: set[Import] = set()
        found: set[str] = set()
        packages: set[str] = set()
        waiting = [
            *(used for source in sources for used in self._used(source)),
            *(Import(module) for module in modules),
        ]
        while waiting:
            wanted = waiting.pop()
            if wanted in seen:
                continue
            seen.add(wanted)
            if not self._is_ours(wanted.module):
                packages.add(wanted.module.partition(".")[0])
                continue
            module, whole = self._resolved(wanted)
            if module in left_out:
                continue
            for executed in self._executed(module) - found:
                found.add(executed)
                if not self.source(executed).is_package:
                    waiting.extend(self._used(self.source(executed)))
            if whole is None:
                waiting.extend(self._used(self.source(module)))
            elif whole != wanted:
                waiting.append(whole)
        return Closure(frozenset(found), frozenset(packages))

    def _is_ours(self, module: str) -> bool:
        return module == self.package or module.startswith(f"{self.package}.")

    def _used(self, source: Source) -> list[Import]:
        if source.module not in self._uses or not source.module:
            self._uses[source.module] = self._read_uses(source)
        return self._uses[source.module]

    def _read_uses(self, source: Source) -> list[Import]:
        named = {name for text in source.texts for name in self._named.findall(text)}
        texts = [Import(longest) for name in named if (longest := self._longest(name))]
        return [*source.imports, *texts]

    def _longest(self, dotted: str) -> str:
        """The longest beginning of a dotted name that is a module, the package itself left out."""
        while dotted != self.package and dotted not in self._paths:
            dotted = dotted.rpartition(".")[0]
        return dotted if dotted != self.package else ""

    def _resolved(self, wanted: Import) -> tuple[str, Import | None]:
        """The module that an import runs, and the import that it stands for; None where all of the module counts."""
        module = wanted.module if wanted.module in self._paths else self._longest(wanted.module) or self.package
        source = self.source(module)
        if wanted.name not in ("", "*") and f"{module}.{wanted.name}" in self._paths:
            return module, Import(f"{module}.{wanted.name}")
        if not source.is_package or wanted.name in source.defined or wanted.name in ("", "*"):
            return module, None
        # A name that is nowhere in sight is one that the package makes on first use.
        return module, source.bound.get(wanted.name)

    def _executed(self, module: str) -> set[str]:
        """The module, the packages above it, and what acts among the imports of these packages."""
        parts = module.split(".")
        above = {".".join(parts[:count]) for count in range(1, len(parts))}
        packages = above | ({module} if self.source(module).is_package else set())
        return {module, *above}.union(*(self._acting_below(package) for package in packages))

    def _acting_below(self, package: str) -> frozenset[str]:
        """Modules that are imported with a package's ``__init__``, through whatever chain, and act."""
        if package not in self._acting:
            seen, waiting = set(), [package]
            while waiting:
                module = waiting.pop()
                if module in seen:
                    continue
                seen.add(module)
                for wanted in self.source(module).imports:
                    if self._is_ours(wanted.module):
                        whole = f"{wanted.module}.{wanted.name}"
                        waiting.append(whole if whole in self._paths else self._longest(wanted.module) or self.package)
            acting = {name for name in seen - {package} if self.source(name).acts}
            self._acting[package] = frozenset(acting)
        return self._acting[package]
