"""What stands under ``docs/diagrams``: the table in four ways, and every scenario as it ran."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fsm_diagrams import load, one_run, path_of, read_journal, render, sequence
from fsm_diagrams.from_table import lifelines
from fsm_diagrams.journals import Recorded
from fsm_diagrams.markdown import escape
from fsm_diagrams.model import Machine
from fsm_diagrams.plain_svg import plain_svg
from fsm_diagrams.views import View
from warm_transfer.journal import FileJournal
from warm_transfer.testing.scenario import SCENARIOS, run

__all__ = ["TARGET", "pages"]

TARGET = "warm_transfer.table:TABLE"
#: One seed for all: what is simulated with it is the same to the byte.
SEED = 1

_MADE = "<!-- Made by `make diagrams`; what is changed here is lost. -->"


def pages() -> dict[str, str]:
    """The text of every file, by its path under ``docs/diagrams``."""
    machine = load(TARGET)
    found = {
        "overview.svg": plain_svg(machine, View.OVERVIEW),
        "states.svg": plain_svg(machine, View.STATES),
        "full.svg": plain_svg(machine, View.FULL),
        "matrix.md": f"{_MADE}\n\n# The table as a matrix\n\n{render(machine, 'matrix')}",
        "index.md": _index(machine),
    }
    for name, lines in _runs(machine):
        part, paint = path_of(machine, lines)
        named = replace(paint, title=f"{machine.name}: {name}")
        found[f"scenarios/{name}.svg"] = plain_svg(part, View.FULL, named)
        found[f"scenarios/{name}.md"] = _scenario(machine, name, lines)
    return found


def _runs(machine: Machine) -> Iterator[tuple[str, tuple[Recorded, ...]]]:
    """Every scenario and its one run in the simulated world, from the journal it writes."""
    with tempfile.TemporaryDirectory() as folder:
        for name, scenario in SCENARIOS.items():
            path = Path(folder) / f"{name}.jsonl"
            journal = FileJournal(path)
            run(scenario, seed=SEED, journal=journal)
            journal.close()
            yield name, one_run(read_journal(path, machine))


def _scenario(machine: Machine, name: str, lines: tuple[Recorded, ...]) -> str:
    drawn = sequence(lines, lifelines(machine), title=name)
    return f"""{_MADE}

# {name}

{escape(SCENARIOS[name].description)}

```mermaid
{drawn}```

Its way through the table:

![the path of {name}]({name}.svg)
"""


def _index(machine: Machine) -> str:
    listed = "\n".join(
        f"- [{name}](scenarios/{name}.md): {escape(scenario.description)}"
        for name, scenario in SCENARIOS.items()
    )
    return f"""{_MADE}

# Diagrams of a transfer

Of the table of version `{machine.version}`. [All rows in one picture](full.svg), and
[every pair in a matrix](matrix.md).

## From above

What has no outcome yet is one box.

![the outcomes of a transfer and the events that lead there](overview.svg)

## State by state

![the states of a transfer and the events between them](states.svg)

## One run of each scenario

Each was run in the simulated world and drawn from its journal.

{listed}

```{{toctree}}
:hidden:
:glob:

matrix
scenarios/*
```
"""
