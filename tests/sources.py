"""The project's own modules, read and not imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("warm_transfer", "fsm_diagrams")


@dataclass(frozen=True)
class Module:
    """One module of the two packages."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def says_only_what_it_is(self) -> bool:
        """Whether there is nothing in it but a docstring."""
        return len(self.tree.body) <= 1

    def imports(self, *, at_run_time: bool = True) -> Iterator[str]:
        """The modules it imports, in full; at run time those for type checkers are left out."""
        yield from self._imports_of(self.tree, at_run_time=at_run_time)

    def _imports_of(self, node: ast.AST, *, at_run_time: bool) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{self.name}: relative import"
                assert child.module is not None
                yield child.module
                yield from (f"{child.module}.{alias.name}" for alias in child.names)
            elif at_run_time and isinstance(child, ast.If) and _is_for_types(child):
                continue
            else:
                yield from self._imports_of(child, at_run_time=at_run_time)

    def imports_at_once(self) -> Iterator[str]:
        """What is imported when the module is; not what functions import later."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                continue
            if isinstance(node, ast.If) and _is_for_types(node):
                continue
            alone = ast.Module(body=[node], type_ignores=[])
            yield from self._imports_of(alone, at_run_time=True)


def _is_for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def modules() -> list[Module]:
    """Every module of the packages."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(name, path))
    return found


MODULES = modules()
BY_NAME = {module.name: module for module in MODULES}


def is_under(name: str, package: str) -> bool:
    """Whether a module is a package or something in it."""
    return name == package or name.startswith(f"{package}.")
