"""The page of the comparison, written from what `make compare` has stored and from nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.compare.live import LIVE
from tests.compare.rows import Row, read_row
from tests.compare.scenes import LIMIT_S, SCENES, TIMES, Time
from tests.compare.verdict import FLOOR_MS, RULES, Shown, Spread, Verdict

__all__ = ["page"]

_INTRO = """\
# Comparison with livekit-agents' own warm transfer

Written by `make compare` from [comparison.json](comparison.json); do not edit. Measured on
{date} with livekit-agents {agents}, livekit-server {server}, Python {python}, {cores} cores.

Each row plays the same script on both sides: the **incumbent**, livekit-agents' unmodified
`WarmTransferTask`, and **ours**. {total}

## How it is measured

- **Holes** are the weak places found in the incumbent's code, H1 to H40 and H26b. Each is a script
  of `tests/holes`, played on both sides in the simulated world: real sessions and a real job of
  livekit-agents on a simulated server with a virtual clock. Those that need no fault inside the
  server or the SDK also show in the scenes, which name them.
- **Scenes** are played twice. *Simulated*: as the holes, one run, times in virtual milliseconds.
  *Real*: on a livekit-server with real audio, by the same front desk with the task class chosen;
  at least three runs of each side, taken in turns, medians. Both sides get the same models and
  ringing time, and play their own default hold audio: the same clip, which begins with 0.42 s of
  silence that ours leaves out. {own_music} give both a file that is loud from its first
  sample.
- **The SIP service** cannot be installed there. A recorder stands in front of the server, notes
  when each API request arrives, and answers the dials itself: a WebRTC participant of SIP kind
  joins, rings, answers and leaves with the attributes and errors of the real service. Everything
  else goes on to the server.
- **MoveParticipant** is not implemented by the open-source server, so there the incumbent's merge
  fails, as it does for everybody who hosts the server. In the scenes after the human's yes it is
  played a second time against a recorder that does move the participant (*moving server*);
  in the simulated world the server always can, and in `accepted` ours moves there as well.
- What an await gives is told with its first sentence, its typed reason in brackets, and its causes
  behind arrows. What is left behind in the simulated world is counted by kind: rooms, participants,
  tracks, phones, listeners, open sessions and players, tasks.
- What is owed has to come within {limit:g} s of what ends the transfer. The caller is back when
  they hear the agent's voice, which is known by a pilot tone (in the simulated world: when the
  agent can be heard and listens); the two hear each other when the later of them has heard the
  other in two frames of 20 ms running; hold music is heard when five frames of 20 ms running are
  not silent.

| time | from → to |
| --- | --- |
{times}

## Verdicts

| verdict | when |
| --- | --- |
{rules}

Noise is the widest spread of either side's runs, and at least {real:g} ms on the real server and
{simulated:g} ms in the simulated world. A row that is `behind` makes the command fail.
"""


def page(stored: Mapping[str, Any]) -> str:
    """Write the page."""
    rows = [read_row(row) for row in stored["rows"]]
    holes = [row for row in rows if row.id not in SCENES]
    simulated = [row for row in rows if row.id in SCENES and row.place == "simulated"]
    real = [row for row in rows if row.id in SCENES and row.place == "real"]
    parts = [_intro(stored, rows), _holes(holes)]
    parts.append(_scenes("Scenes in the simulated world", simulated, "virtual ms"))
    parts.append(_scenes("Scenes on the real server", real, "ms, median (least to most)"))
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _intro(stored: Mapping[str, Any], rows: Sequence[Row]) -> str:
    return _INTRO.format(
        **stored["setting"],
        total=_total(rows),
        limit=LIMIT_S,
        own_music=_names([name for name, live in LIVE.items() if live.own_music]),
        times=_lines((f"`{time}`", text) for time, text in TIMES.items()),
        rules=_lines((f"`{verdict}`", text) for verdict, text in RULES.items()),
        real=FLOOR_MS["real"],
        simulated=FLOOR_MS["simulated"],
    )


def _names(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _total(rows: Sequence[Row]) -> str:
    counts = Counter(row.verdict for row in rows)
    told = ", ".join(f"{counts[verdict]} `{verdict}`" for verdict in Verdict)
    return f"Of {len(rows)} rows: {told}."


def _holes(rows: Sequence[Row]) -> str:
    head = ("row", "what is feared", "the incumbent", "ours", "verdict")
    lines = [
        (row.id, row.title, _side(row.incumbent) or row.because, _side(row.ours), _verdict(row))
        for row in rows
    ]
    return f"## Holes\n\n{_table(head, lines)}"


def _scenes(title: str, rows: Sequence[Row], unit: str) -> str:
    head = ("row", "the incumbent", "ours", "verdict", "because")
    lines = [
        (_scene(row), _incumbent(row), _side(row.ours), _verdict(row), row.because) for row in rows
    ]
    times = ("row", *(f"`{time}`" for time in Time))
    timed = [(row.id, *(_times(row, time) for time in Time)) for row in rows]
    return (
        f"## {title}\n\n{_table(head, lines)}\n\n"
        f"Times, the incumbent's → ours ({unit}; empty: not asked in this row):\n\n"
        f"{_table(times, timed)}"
    )


def _scene(row: Row) -> str:
    holes = ", ".join(SCENES[row.id].holes)
    return f"**{row.id}** {row.title}" + (f" ({holes})" if holes else "")


def _incumbent(row: Row) -> str:
    said = _side(row.incumbent)
    return said if row.moving is None else f"{said}. Moving server: {_side(row.moving)}"


def _side(side: Shown | None) -> str:
    return "" if side is None else side.said


def _verdict(row: Row) -> str:
    return f"`{row.verdict}`"


def _times(row: Row, time: Time) -> str:
    if time not in row.ours.times_ms or row.incumbent is None:
        return ""
    theirs = _spread(row.incumbent.times_ms[time], row.place)
    if row.moving is not None and time is not Time.DIAL and time is not Time.MUSIC:
        theirs += f", moving {_spread(row.moving.times_ms[time], row.place)}"
    return f"{theirs} → {_spread(row.ours.times_ms[time], row.place)}"


def _spread(spread: Spread | None, place: str) -> str:
    if spread is None:
        return "never"
    if place == "simulated":
        return f"{spread.median:.0f}"
    return f"{spread.median:.0f} ({spread.least:.0f} to {spread.most:.0f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"{_lines([head, ['---'] * len(head)])}\n{_lines(rows)}"


def _lines(rows: Any) -> str:
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
        for row in rows
    )
