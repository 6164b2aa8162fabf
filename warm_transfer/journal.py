"""The journal: one line for each step, in one format for every tool, written before the effects.

A journal is enough to say afterwards what happened and why, and to run the same events through a
table again: `replay` does, and finds the first step that differs. Personal data is masked when a
line is made, not when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import IO, Any

from warm_transfer.errors import InvalidArgument, JournalError, UnexpectedEvent
from warm_transfer.events import NO_FACTS, Event, Facts, On
from warm_transfer.logs import mask
from warm_transfer.policy import Carrier, Plan, Strategy, TransferPolicy
from warm_transfer.rows import Table
from warm_transfer.table import TABLE
from warm_transfer.transfer import Step, Transfer

__all__ = ["VERSION", "FileJournal", "MemoryJournal", "read", "replay", "to_line"]

VERSION = 1
"""The version of the line format."""

_FACTS = tuple(each.name for each in fields(Facts))


class MemoryJournal:
    """Keeps the lines in a list."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def write(self, line: Mapping[str, object]) -> None:
        """Keep one line."""
        self.lines.append(dict(line))


class FileJournal:
    """Appends the lines to a file, one JSON object each, flushed one by one.

    Several transfers may share a file; a line says which transfer it is of.

    Raises:
        JournalError: the file cannot be opened for writing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = self.path.open("a", encoding="utf-8")
        except OSError as error:
            problem = f"cannot be written: {error.strerror or error}"
            raise JournalError(str(path), problem) from error

    def write(self, line: Mapping[str, object]) -> None:
        """Append one line and flush it, so that a killed process leaves whole lines."""
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def to_line(step: Step, transfer: Transfer, began_s: float) -> dict[str, object]:
    """The journal line of a step.

    Args:
        step: the step.
        transfer: whose it is.
        began_s: the time of the transfer's first event, so that times count from there.
    """
    deadline = step.deadline
    return {
        "v": VERSION,
        "table": transfer.table.version,
        "transfer": transfer.id,
        "seq": step.seq,
        "t_s": round(step.at_s - began_s, 6),
        "attempt": step.attempt,
        "event": step.event.name.value,
        "payload": _payload(step, transfer),
        "before": step.before.value,
        "after": step.after.value,
        "handling": step.handling.value,
        "row": _row(step),
        "effects": _effects(step),
        "deadline_s": round(deadline.at_s - began_s, 6) if deadline else None,
    }


def _payload(step: Step, transfer: Transfer) -> dict[str, object]:
    event = step.event
    payload: dict[str, object] = {}
    for name in _FACTS:
        value = getattr(event.facts, name)
        if value is None:
            continue
        if name == "words":
            value = f"<{len(value)} characters>"
        elif name == "cause":
            value = type(value).__name__
        payload[name] = mask(value) if isinstance(value, str) else value
    if event.effect is not None:
        payload["of"] = event.effect
    if event.attempt is not None:
        payload["attempt"] = event.attempt
    if event.name is On.TRANSFER_REQUESTED:
        payload["plan"] = _plan(transfer)
    return payload


def _plan(transfer: Transfer) -> dict[str, object]:
    """What guards depend on besides the events, so that a journal replays by itself."""
    return {
        "strategies": [
            {"name": each.name, "carrier": each.carrier.value} for each in transfer.plan.strategies
        ],
        "on_human_left": transfer.policy.on_human_left,
        "after_merge": transfer.policy.after_merge,
    }


def read(path: str | Path) -> list[dict[str, Any]]:
    """Read a journal file.

    Raises:
        JournalError: the file cannot be read, or a line is no journal line; names the line.
    """
    lines: list[dict[str, Any]] = []
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise JournalError(str(path), error.strerror or "cannot be read") from error
    except ValueError as error:
        raise JournalError(str(path), "is no text file") from error
    for number, raw in enumerate(text.splitlines(), 1):
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise JournalError(f"{path}:{number}", "is not JSON") from error
        if not isinstance(line, dict) or line.get("v") != VERSION:
            raise JournalError(f"{path}:{number}", f"is no journal line of version {VERSION}")
        wrong = next((key for key, kinds in _KINDS.items() if not _is(line, key, kinds)), None)
        if wrong is not None:
            raise JournalError(f"{path}:{number}", f"has no usable `{wrong}`")
        lines.append(line)
    return lines


_TEXT, _COUNT, _SECONDS = (str,), (int,), (int, float)
#: No transfer lasts for ever, and what is larger cannot even be shown.
_SECONDS_MAX = 1e9
_KINDS: Mapping[str, tuple[type, ...]] = {
    "table": _TEXT,
    "transfer": _TEXT,
    "seq": _COUNT,
    "t_s": _SECONDS,
    "attempt": _COUNT,
    "event": _TEXT,
    "payload": (dict,),
    "before": _TEXT,
    "after": _TEXT,
    "handling": _TEXT,
    "row": (str, NoneType),
    "effects": (list,),
    "deadline_s": (int, float, NoneType),
}


def _is(line: Mapping[str, Any], key: str, kinds: tuple[type, ...]) -> bool:
    value = line.get(key)
    if key not in line or not isinstance(value, kinds) or isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return abs(value) < _SECONDS_MAX
    if isinstance(value, dict):
        return all(isinstance(item, _PAYLOAD.get(name, object)) for name, item in value.items())
    if isinstance(value, list):
        return all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in value)
    return True


#: What is known of a payload; a later version may have more in it.
_PAYLOAD: Mapping[str, type] = {
    **dict.fromkeys(_FACTS, str),
    "of": int,
    "attempt": int,
    "sip_status": int,
    "plan": dict,
}


def replay(lines: Iterable[Mapping[str, Any]], table: Table = TABLE) -> Iterator[Step]:
    """Run the events of one transfer's journal through a table again.

    Yields:
        The steps, which have the recorded states, rows and effects.

    Raises:
        JournalError: the journal is of another table, or a step differs; names the transfer, and
            the line counted from its first.
    """
    kept = list(lines)
    transfer: Transfer | None = None
    for number, line in enumerate(kept, 1):
        # Of the transfer, because other transfers may stand between the lines of a file.
        where = f"transfer {line['transfer']}, line {number}"
        if line["table"] != table.version:
            raise JournalError(where, f"is of table {line['table']}, not {table.version}")
        if line["seq"] != number:
            raise JournalError(where, f"is step {line['seq']} of the transfer, not {number}")
        transfer = transfer or _transfer_for(kept, table)
        try:
            step = transfer.receive(_event(line), line["t_s"])
        except (UnexpectedEvent, ValueError) as error:
            raise JournalError(where, f"cannot be replayed: {error}") from error
        _compare(where, line, step)
        yield step


def _compare(where: str, line: Mapping[str, Any], step: Step) -> None:
    if (step.before, step.after) != (line["before"], line["after"]):
        recorded = f"{line['before']} to {line['after']}"
        raise JournalError(where, f"went {recorded}, now {step.before} to {step.after}")
    if step.handling != line["handling"]:
        raise JournalError(where, f"was handled as {line['handling']}, now {step.handling}")
    if _row(step) != line["row"]:
        raise JournalError(where, f"took {line['row']}, now {_row(step)}")
    if _effects(step) != line["effects"]:
        raise JournalError(where, "started other effects than now")


def _row(step: Step) -> str | None:
    """What decided: the row's id, or the reason for which the event was ignored."""
    if step.row is not None:
        return step.row.id
    return step.ignored.name if step.ignored is not None else None


def _effects(step: Step) -> list[dict[str, object]]:
    return [{"id": effect.id, "name": effect.name.value} for effect in step.effects]


def _transfer_for(lines: Sequence[Mapping[str, Any]], table: Table) -> Transfer:
    # The plan stands with the request, which other events may have come before.
    plans = (line["payload"]["plan"] for line in lines if "plan" in line["payload"])
    plan = next(plans, None)
    name = lines[0]["transfer"]
    if plan is None:
        return Transfer(name, table=table)
    try:
        strategies = tuple(
            Strategy(each["name"], Carrier(each["carrier"])) for each in plan["strategies"]
        )
        policy = TransferPolicy(
            on_human_left=plan["on_human_left"], after_merge=plan["after_merge"]
        )
        return Transfer(name, policy=policy, plan=Plan(strategies=strategies), table=table)
    except (KeyError, TypeError, ValueError, InvalidArgument) as error:
        raise JournalError(f"transfer {name}", "has no usable plan") from error


def _event(line: Mapping[str, Any]) -> Event:
    payload = dict(line["payload"])
    known = {name: payload[name] for name in _FACTS if name in payload and name != "cause"}
    facts = Facts(**known)
    return Event(
        On(line["event"]),
        NO_FACTS if facts == NO_FACTS else facts,
        attempt=payload.get("attempt"),
        effect=payload.get("of"),
    )
