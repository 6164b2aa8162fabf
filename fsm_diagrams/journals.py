"""Recorded runs of a machine, read from a journal: one JSON object a line.

A line needs ``event``, ``before`` and ``after``; a state of a machine with parallel states is a
list of names. The rest may be absent, so that any program can write one:

==============  ===================================================================
``transfer``    which run it is of; without it the file is one run
``seq``         the number of the line in its run, rising by one
``t_s``         seconds since the run began
``row``         the id of the row that was taken; found by the ends when absent
``guard``       the condition of the row, where the ends leave a choice
``handling``    ``row``, ``ignored`` or ``stale``
``effects``     what was started: names, or objects with a ``name``
``table``       the version of the machine
``v``           the version of the line format, 1
==============  ===================================================================

The journal of a warm transfer has all of these but ``guard``. What does not fit is an error that
names the line: a count over a broken journal would be wrong without showing it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsm_diagrams.errors import JournalError
from fsm_diagrams.model import Edge, Machine

__all__ = ["Recorded", "read_journal", "table_of", "transfers"]

_VERSION = 1
_HANDLINGS = ("row", "ignored", "stale")
#: No run lasts for ever, and what is larger cannot even be shown.
_SECONDS_MAX = 1e9


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line: an event came, and this is what the machine did."""

    transfer: str
    seq: int
    t_s: float | None
    """Seconds since the run began; None when the journal does not say."""
    event: str
    befores: tuple[str, ...]
    afters: tuple[str, ...]
    handling: str
    """``row``, ``ignored`` or ``stale``."""
    row: str
    """The `Edge.id` of the row that was taken; empty when none was, or no machine is known."""
    effects: tuple[str, ...]
    why: str = ""
    """The reason of an ignored event, where the journal gives one."""
    facts: tuple[tuple[str, str], ...] = ()
    """What the journal says of the event beyond its name."""
    line: int = 0
    """The number of the line in its file, counted from 1."""

    @property
    def before(self) -> str:
        """The state before, as text."""
        return " + ".join(self.befores)

    @property
    def after(self) -> str:
        """The state after, as text."""
        return " + ".join(self.afters)


def read_journal(path: str | Path, machine: Machine | None = None) -> tuple[Recorded, ...]:
    """Read a journal file, and compare it with the machine it is of.

    Args:
        path: the file, in UTF-8.
        machine: whose journal it is; with None no row is looked up.

    Raises:
        JournalError: it cannot be read, has no lines, a line is broken, lines are missing, or it
            is of another machine. Names the file and the line.
    """
    reader = _Reader(machine)
    lines = tuple(_lines(_read(path), str(path), reader))
    if not lines:
        raise JournalError(f"{path}: has no lines")
    return lines


def table_of(path: str | Path) -> str:
    """The version of the machine that a journal names in its first line; empty when it does not.

    Raises:
        JournalError: it cannot be read, or that line is broken.
    """
    first = next((raw for raw in _read(path).split("\n") if raw.strip()), "{}")
    try:
        return _text(_object(first), "table", "")
    except _Broken as error:
        raise JournalError(f"{path}:1: {error}") from error


def transfers(lines: tuple[Recorded, ...]) -> dict[str, tuple[Recorded, ...]]:
    """The lines of each run, by its name."""
    found: dict[str, list[Recorded]] = {}
    for line in lines:
        found.setdefault(line.transfer, []).append(line)
    return {name: tuple(run) for name, run in found.items()}


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or 'cannot be read'}") from error
    except ValueError as error:
        raise JournalError(f"{path}: is no text file") from error


def _lines(text: str, name: str, reader: _Reader) -> Iterator[Recorded]:
    # Only a line feed ends a line: other line ends of Unicode may stand in a text.
    for number, raw in enumerate(text.split("\n"), 1):
        if not raw.strip():
            continue
        try:
            yield reader.read(raw, number)
        except _Broken as error:
            raise JournalError(f"{name}:{number}: {error}") from error


class _Broken(Exception):
    """What is wrong with a line."""


class _Reader:
    def __init__(self, machine: Machine | None) -> None:
        self._machine = machine
        self._edges = {edge.id: edge for edge in machine.edges} if machine else {}
        self._last: dict[str, Recorded] = {}

    def read(self, raw: str, number: int) -> Recorded:
        line = _object(raw)
        self._check_table(line)
        transfer = _text(line, "transfer", "")
        last = self._last.get(transfer)
        seq = _count(line, last)
        event = self._event(line)
        befores, afters = self._states(line, "before"), self._states(line, "after")
        if last is not None and set(befores) != set(last.afters):
            raise _Broken(
                f"begins in {' + '.join(befores)}, but line {last.line} of the same run ended "
                f"in {last.after}; lines are missing, or runs are mixed without a `transfer`"
            )
        edge = self._row(line, event, befores, afters)
        # Without a machine, what changed or did something was taken by some row of it.
        did = set(befores) != set(afters) or line.get("row") or line.get("effects")
        taken = edge is not None if self._machine else did
        found = Recorded(
            transfer=transfer,
            seq=seq,
            t_s=_seconds(line),
            event=event,
            befores=befores,
            afters=afters,
            handling=_handling(line, "row" if taken else "ignored"),
            row=edge.id if edge else "",
            effects=_effects(line),
            why=_text(line, "row", "") if line.get("handling") == "ignored" else "",
            facts=_facts(line),
            line=number,
        )
        self._last[transfer] = found
        return found

    def _check_table(self, line: Mapping[str, Any]) -> None:
        table = _text(line, "table", "")
        if self._machine and self._machine.version and table not in {"", self._machine.version}:
            raise _Broken(
                f"is of version {table} of its machine, and {self._machine.name!r} "
                f"is {self._machine.version}"
            )

    def _event(self, line: Mapping[str, Any]) -> str:
        event = _text(line, "event")
        if self._machine and event not in self._machine.events:
            raise _Broken(f"has the event {event!r}, which {self._machine.name!r} does not know")
        return event

    def _states(self, line: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = line.get(key)
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            raise _Broken(f"has no usable `{key}`")
        for name in names:
            if self._machine and name not in self._machine.state_named:
                raise _Broken(f"has the state {name!r}, which {self._machine.name!r} has not")
        return tuple(names)

    def _row(
        self,
        line: Mapping[str, Any],
        event: str,
        befores: tuple[str, ...],
        afters: tuple[str, ...],
    ) -> Edge | None:
        """The row that a line took, named by it or found by its ends."""
        handling = _handling(line, "row")
        if self._machine is None or handling != "row":
            if set(befores) != set(afters) and handling != "row":
                raise _Broken(f"is {handling}, and yet changes the state")
            return None
        name = _text(line, "row", "")
        if not name:
            return self._found(line, event, befores, afters)
        edge = self._edges.get(name)
        if edge is None:
            raise _Broken(f"has the row {name!r}, which {self._machine.name!r} has not")
        if edge not in self._fitting(event, befores, afters, [edge]):
            raise _Broken(f"does not fit its row {name!r}")
        return edge

    def _found(
        self,
        line: Mapping[str, Any],
        event: str,
        befores: tuple[str, ...],
        afters: tuple[str, ...],
    ) -> Edge | None:
        guard = _text(line, "guard", "")
        fitting = self._fitting(event, befores, afters, self._edges.values())
        named = [edge for edge in fitting if edge.guard == guard] if guard else fitting
        if len(named) == 1:
            return named[0]
        ends = f"from {' + '.join(befores)} on {event} to {' + '.join(afters)}"
        if len(named) > 1:
            raise _Broken(f"{len(named)} rows lead {ends}; say which by `row` or `guard`")
        if set(befores) != set(afters) or guard or line.get("handling") == "row":
            under = f" under {guard!r}" if guard else ""
            raise _Broken(f"no row leads {ends}{under}")
        return None

    def _fitting(
        self,
        event: str,
        befores: tuple[str, ...],
        afters: tuple[str, ...],
        edges: Any,
    ) -> list[Edge]:
        """The rows with these ends, but none that a row of a state inside surely comes before."""
        over, under = self._with_parents(befores), self._with_parents(afters)
        fitting = [
            edge
            for edge in edges
            if edge.event == event
            and edge.source in over
            and (set(befores) == set(afters) if edge.internal else edge.target in under)
        ]
        sure = {edge.source for edge in fitting if not edge.guard}
        return [edge for edge in fitting if not sure & self._within(edge.source)]

    def _with_parents(self, names: tuple[str, ...]) -> set[str]:
        """The states and all they are nested in."""
        assert self._machine is not None
        found: set[str] = set()
        for name in names:
            each: str | None = name
            while each is not None:
                found.add(each)
                each = self._machine.state_named[each].parent
        return found

    def _within(self, name: str) -> set[str]:
        """The states nested in one."""
        assert self._machine is not None
        return {*self._machine.inside(name)} - {name}


def _object(raw: str) -> Mapping[str, Any]:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _Broken("is not JSON") from error
    if not isinstance(line, dict):
        raise _Broken("is no JSON object")
    if line.get("v", _VERSION) != _VERSION:
        raise _Broken(f"is a journal line of version {line['v']!r}, and only {_VERSION} is known")
    return line


def _text(line: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = line.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise _Broken(f"has no usable `{key}`")
    return value


def _handling(line: Mapping[str, Any], default: str) -> str:
    handling = _text(line, "handling", default)
    if handling not in _HANDLINGS:
        raise _Broken(f"has the handling {handling!r}; there are {', '.join(_HANDLINGS)}")
    return handling


def _count(line: Mapping[str, Any], last: Recorded | None) -> int:
    following = last.seq + 1 if last else None
    seq = line.get("seq", following or 1)
    if not isinstance(seq, int) or isinstance(seq, bool):
        raise _Broken("has no usable `seq`")
    if following is not None and seq != following:
        raise _Broken(f"is step {seq} of its run, and {following} was to come")
    return seq


def _seconds(line: Mapping[str, Any]) -> float | None:
    value = line.get("t_s")
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) >= _SECONDS_MAX:
        raise _Broken("has no usable `t_s`")
    return float(value)


def _effects(line: Mapping[str, Any]) -> tuple[str, ...]:
    value = line.get("effects", [])
    if not isinstance(value, list):
        raise _Broken("has no usable `effects`")
    names = tuple(each.get("name") if isinstance(each, dict) else each for each in value)
    if not all(isinstance(name, str) for name in names):
        raise _Broken("has no usable `effects`")
    return tuple(str(name) for name in names)


def _facts(line: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The plain values of a payload; what is nested in it says nothing on an arrow."""
    payload = line.get("payload", {})
    if not isinstance(payload, dict):
        raise _Broken("has no usable `payload`")
    return tuple(
        (str(key), str(value)) for key, value in payload.items() if isinstance(value, str | int)
    )
