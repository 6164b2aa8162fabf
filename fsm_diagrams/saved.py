"""A machine saved as JSON, and read back.

The text is canonical and made for review: one line for each state and each row, and what is empty
is left out, so that a change of a machine is a change of the lines it is about. It is the same
whatever order the rows were given in, and `from_json(to_json(machine)) == machine`.

    {
    "fsm_diagrams": 1,
    "name": "door",
    "initial": ["open"],
    "states": [
    {"name": "open", "kind": "waiting"},
    {"name": "shut"}
    ],
    ...

`fsm_diagrams` is the version of this format. A reader refuses versions and fields it does not know:
a picture that leaves something out silently would be worse than none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, TypeVar, cast

from fsm_diagrams.errors import ModelError, TargetError
from fsm_diagrams.model import Edge, Group, Ignored, Kind, Machine, Reason, State

__all__ = ["FORMAT_VERSION", "from_json", "to_json"]

FORMAT_VERSION = 1

_PARTS: Mapping[str, type[State | Edge | Ignored | Reason | Group]] = {
    "states": State,
    "edges": Edge,
    "ignored": Ignored,
    "reasons": Reason,
    "groups": Group,
}
_TEXTS = ("name", "version")
_LISTS = ("initial", "events")
_KNOWN = ("fsm_diagrams", *_TEXTS, *_LISTS, *_PARTS, "impossible")

_T = TypeVar("_T")


def to_json(machine: Machine) -> str:
    """A machine as canonical JSON that ends with a newline."""
    parts = [f'"fsm_diagrams": {FORMAT_VERSION}']
    parts += [f"{_dump(key)}: {_dump(getattr(machine, key))}" for key in (*_TEXTS, *_LISTS)]
    parts += [_lines(key, [_fields(each) for each in getattr(machine, key)]) for key in _PARTS]
    parts.append(_lines("impossible", machine.impossible))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(key: str, items: Sequence[object]) -> str:
    if not items:
        return f"{_dump(key)}: []"
    return f"{_dump(key)}: [\n" + ",\n".join(_dump(item) for item in items) + "\n]"


def _fields(part: Any) -> dict[str, object]:
    """The fields of a part that are not as they are anyway."""
    found = {field.name: getattr(part, field.name) for field in fields(part)}
    usual = {field.name: field.default for field in fields(part)}
    return {name: value for name, value in found.items() if value != usual[name]}


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def from_json(text: str, where: str) -> Machine:
    """The machine that a text of `to_json` holds.

    Args:
        text: the JSON.
        where: what to call it in an error, such as the name of its file.

    Raises:
        TargetError: it is no JSON, or no saved machine of a version this library knows; or the
            machine contradicts itself. Says where.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise TargetError(f"{where}:{error.lineno}: is no JSON: {error.msg}") from error
    except RecursionError as error:
        raise TargetError(f"{where}: is nested too deeply for a saved machine") from error
    if not isinstance(found, dict) or "fsm_diagrams" not in found:
        raise TargetError(f"{where}: is no saved machine; it has no 'fsm_diagrams' with a version")
    if found["fsm_diagrams"] != FORMAT_VERSION:
        raise TargetError(
            f"{where}: is of version {found['fsm_diagrams']!r}, and only {FORMAT_VERSION} is known"
        )
    try:
        return _machine(found)
    except ModelError as error:
        raise TargetError(f"{where}: {error}") from error


def _machine(found: Mapping[str, object]) -> Machine:
    _check_known(found, _KNOWN, "a machine")
    return Machine.of(
        _text(found.get("name", ""), "name"),
        list(_parts(found, "states", State)),
        _texts(found.get("events", ()), "events"),
        _texts(found.get("initial", ()), "initial"),
        _parts(found, "edges", Edge),
        ignored=_parts(found, "ignored", Ignored),
        impossible=_pairs(found.get("impossible", ())),
        reasons=list(_parts(found, "reasons", Reason)),
        groups=list(_parts(found, "groups", Group)),
        version=_text(found.get("version", ""), "version"),
    )


def _parts(found: Mapping[str, object], key: str, kind: Callable[..., _T]) -> Iterator[_T]:
    readers = _readers(_PARTS[key])
    needed = [field.name for field in fields(_PARTS[key]) if field.default is MISSING]
    for index, item in enumerate(_list(found.get(key, ()), key)):
        place = f"{key}[{index}]"
        if not isinstance(item, dict):
            raise ModelError(f"{place} is no object")
        _check_known(item, readers, place)
        if missing := [name for name in needed if name not in item]:
            raise ModelError(f"{place} has no {missing[0]!r}")
        yield kind(**{name: readers[name](item[name], f"{place}.{name}") for name in item})


def _readers(part: type) -> dict[str, Callable[[object, str], object]]:
    """How each field of a part is read, by the type it is declared with."""
    by_type: dict[str, Callable[[object, str], object]] = {
        "str": _text,
        "str | None": _text,
        "bool": _flag,
        "Kind": _kind,
        "tuple[str, ...]": _texts,
    }
    return {field.name: by_type[cast("str", field.type)] for field in fields(part)}


def _check_known(
    found: Mapping[str, object], known: Sequence[str] | Mapping[str, object], what: str
) -> None:
    for name in found:
        if name not in known:
            raise ModelError(f"{what} has the unknown field {name!r}")


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise ModelError(f"{place} is no text")
    return value


def _flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise ModelError(f"{place} is neither true nor false")
    return value


def _kind(value: object, place: str) -> Kind:
    try:
        return Kind(_text(value, place))
    except ValueError as error:
        raise ModelError(f"{place} is {value!r}; there are {', '.join(Kind)}") from error


def _list(value: object, place: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise ModelError(f"{place} is no list")
    return value


def _texts(value: object, place: str) -> tuple[str, ...]:
    return tuple(_text(each, f"{place}[{index}]") for index, each in enumerate(_list(value, place)))


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    for index, each in enumerate(_list(value, "impossible")):
        pair = _texts(each, f"impossible[{index}]")
        if len(pair) != 2:  # noqa: PLR2004 - a pair
            raise ModelError(f"impossible[{index}] is no pair of a state and an event")
        yield pair[0], pair[1]
