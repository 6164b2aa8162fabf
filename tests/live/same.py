"""Compares a live journal with that of the same scenario in the simulated world.

They must be the same up to times and ids. Three things are no difference: which of two steps comes
first that change nothing and depend on how fast the phone and the room are; by which of its signs
a merged call learns that its own agent leaves; and what is ignored after the end, which tells how
the application went on and not how the transfer went.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from warm_transfer.events import On
from warm_transfer.journal import read
from warm_transfer.states import FINAL, State
from warm_transfer.testing.scenario import SCENARIOS, run

__all__ = ["differences"]

_EITHER_ORDER = (On.CONSULT_OPENED, On.CONSULT_RANG)
_AGENT_LEAVES = (On.CALLER_ROOM_LOST, On.JOB_SHUTTING_DOWN)
"""The framework leaves the room and calls the shutdown callbacks within milliseconds of each other.
The relay's streams may end before both, which looks like a break for as long."""


def differences(name: str, journal: Path, merge: str = "auto") -> list[str]:
    """What is different in the simulated world, line by line; empty when nothing is."""
    told = SCENARIOS[name]
    if merge != "auto":
        told = replace(told, merge=(merge,), caller=replace(told.caller, by_phone=True))
    live, simulated = _steps(read(journal)), _steps(run(told).journal)
    lines = difflib.unified_diff(simulated, live, lineterm="", n=0)
    return [
        f"the simulated world differs: {line}"
        for line in lines
        if not line.startswith(("---", "+++", "@@"))
    ]


def _steps(journal: Iterable[Mapping[str, Any]]) -> list[str]:
    steps: list[str] = []
    for line in journal:
        if line["handling"] != "row" and State(line["before"]) in FINAL:
            continue
        effects = " ".join(effect["name"] for effect in line["effects"])
        step = f"{line['event']}: {line['before']} to {line['after']}, {line['row']}, {effects}"
        if State(line["before"]) is State.MERGED and line["event"] in _AGENT_LEAVES:
            step = step.replace(line["event"], " or ".join(_AGENT_LEAVES))
            if steps[-1].startswith(On.MERGE_BROKE):
                del steps[-1]
        if steps and _swapped(steps[-1], step):
            steps.insert(-1, step)
        else:
            steps.append(step)
    return steps


def _swapped(before: str, after: str) -> bool:
    first, second = _EITHER_ORDER
    return before.startswith(second) and after.startswith(first)
