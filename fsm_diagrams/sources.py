"""From a target on the command line to a machine.

A target is ``package.module:object``, or the path of a saved machine, which ends in ``.json``. The
object is a machine of a known kind, or a class or function that makes one without arguments.
Sources are asked in turn whether the object is theirs; a new source is one more entry of `SOURCES`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path

from fsm_diagrams.errors import ModelError, TargetError
from fsm_diagrams.from_table import as_table, from_table
from fsm_diagrams.from_transitions import as_transitions, from_transitions
from fsm_diagrams.model import Machine
from fsm_diagrams.saved import from_json

__all__ = ["SOURCES", "load", "read"]

Source = Callable[[object], Machine | None]
"""Reads an object, or answers None when it is not of its kind."""


def _own(found: object) -> Machine | None:
    return found if isinstance(found, Machine) else None


def _table(found: object) -> Machine | None:
    table = as_table(found)
    return from_table(table) if table is not None else None


def _transitions(found: object) -> Machine | None:
    machine = as_transitions(found)
    return from_transitions(machine) if machine is not None else None


SOURCES: tuple[Source, ...] = (_own, _table, _transitions)


def load(target: str) -> Machine:
    """The machine that a target names.

    Raises:
        TargetError: it does not import, does not exist, or is no machine.
    """
    if target.endswith(".json"):
        return _saved(Path(target))
    module_name, colon, path = target.partition(":")
    if not (colon and module_name and path) or module_name.startswith("."):
        raise TargetError(
            f"{target!r} is no target; write package.module:object, or the path of a .json file"
        )
    found = _import(module_name, target)
    where = f"module {module_name!r}"
    for name in path.split("."):
        found = _attribute(found, name, where, target)
        where = f"{name!r} of {where}"
    try:
        return _made(found, target)
    except ModelError as error:
        raise TargetError(f"{target}: {error}") from error


def _made(found: object, target: str) -> Machine:
    """An object as a machine; of a class or a function, what it makes when it is called."""
    machine = read(found)
    if machine is None and callable(found):
        found = _call(found, target)
        machine = read(found)
    if machine is None:
        raise TargetError(
            f"{target}: a {type(found).__qualname__} is no machine; a warm_transfer Table, "
            "a fsm_diagrams Machine, a machine of transitions or a model of one is"
        )
    return machine


def _call(found: Callable[..., object], target: str) -> object:
    try:
        needed = [
            parameter.name
            for parameter in inspect.signature(found).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
    except (TypeError, ValueError):
        # Some built-in callables have no signature; calling them will tell.
        needed = []
    if needed:
        raise TargetError(f"{target}: takes arguments ({', '.join(needed)}); name a machine")
    try:
        return found()
    # What is called is the user's own code; whatever goes wrong there is reported.
    except (Exception, SystemExit) as error:
        problem = f"{type(error).__name__}: {error}"
        raise TargetError(f"{target}: makes no machine: {problem}") from error


def _saved(path: Path) -> Machine:
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TargetError(f"{path}: cannot be read: {reason}") from error
    return from_json(text, str(path))


def read(found: object) -> Machine | None:
    """An object as a machine, or None when no source knows its kind."""
    for source in SOURCES:
        if (machine := source(found)) is not None:
            return machine
    return None


def _import(name: str, target: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            raise TargetError(f"{target}: there is no module {missing!r}") from error
        raise TargetError(
            f"{target}: module {name!r} needs {missing!r}, which is not installed"
        ) from error
    # A module runs its own code when it is imported; whatever goes wrong there is reported.
    except (Exception, SystemExit) as error:
        problem = f"{type(error).__name__}: {error}"
        raise TargetError(f"{target}: module {name!r} does not import: {problem}") from error


def _attribute(owner: object, name: str, where: str, target: str) -> object:
    try:
        return getattr(owner, name)
    except AttributeError as error:
        near = difflib.get_close_matches(name, dir(owner), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TargetError(f"{target}: {where} has no {name!r}{hint}") from error
