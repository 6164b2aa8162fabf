"""Tells a drawn transfer as Python, so that it can become a test, and a journal as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum

from livekit import api

from warm_transfer.testing.clauses import parts_given
from warm_transfer.testing.livekit.sim.running import Ran

__all__ = ["in_python", "in_words"]


def in_python(what: object) -> str:
    """An expression that makes it again; what is as by default is left out."""
    match what:
        case Enum():
            return f"{type(what).__name__}.{what.name}"
        case api.ServerError():
            return f"api.ServerError({what.code!r}, {what.message!r}, status={what.status})"
        case Mapping():
            items = (f"{in_python(key)}: {in_python(value)}" for key, value in what.items())
            return f"{{{', '.join(items)}}}"
        case tuple():
            inside = ", ".join(in_python(each) for each in what)
            return f"({inside},)" if len(what) == 1 else f"({inside})"
        case _:
            return _of_parts(what)


def _of_parts(what: object) -> str:
    if is_dataclass(what) and not isinstance(what, type):
        given = (f"{name}={in_python(part)}" for name, part in parts_given(what))
        return f"{type(what).__name__}({', '.join(given)})"
    return repr(what)


def in_words(ran: Ran) -> str:
    """What came of a transfer: its journal, the faults it met, and what is wrong."""
    lines = list(ran.journal)
    lines += [f"fault: {met.kind} of {met.name} in {met.state}" for met in ran.met]
    lines += [f"WRONG: {problem}" for problem in ran.problems]
    lines.append(f"seed {ran.seed}: {ran.outcome}, {ran.reason}, ends as {ran.final}")
    return "\n".join(lines)
