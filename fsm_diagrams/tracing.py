"""One recorded run, as a sequence diagram and as its path through the state diagram."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fsm_diagrams.errors import JournalError
from fsm_diagrams.excerpts import only
from fsm_diagrams.journals import Recorded, transfers
from fsm_diagrams.mermaid_text import ids
from fsm_diagrams.model import Machine
from fsm_diagrams.overlay import Look, Paint
from fsm_diagrams.unshown import shown

__all__ = ["Lifelines", "one_run", "path_of", "sequence"]


@dataclass(frozen=True)
class Lifelines:
    """Who takes part in the runs of a machine, and which arrow is whose."""

    names: tuple[str, ...]
    """From left to right."""
    own: str
    """The one in which the machine runs."""
    people: frozenset[str] = frozenset()
    """Those that are drawn as people."""
    events: Mapping[str, str] = field(default_factory=dict)
    """Who an event comes from; what is not named comes from the machine itself."""
    effects: Mapping[str, str] = field(default_factory=dict)
    """Whom an effect is for; what is not named stays with the machine."""


def one_run(lines: Sequence[Recorded], transfer: str | None = None) -> tuple[Recorded, ...]:
    """The lines of one run of a journal.

    Raises:
        JournalError: there are several and none was chosen, or there is none of that name.
    """
    runs = transfers(tuple(lines))
    if transfer is not None and transfer in runs:
        return runs[transfer]
    names = ", ".join(list(runs)[:5]) + (", ..." if len(runs) > 5 else "")  # noqa: PLR2004 - a few
    if transfer is not None:
        raise JournalError(f"there is no transfer {transfer!r} in it; there are {names}")
    if len(runs) != 1:
        raise JournalError(f"it holds {len(runs)} transfers; choose with --transfer: {names}")
    return next(iter(runs.values()))


def sequence(
    lines: Sequence[Recorded], lifelines: Lifelines | None = None, *, title: str = ""
) -> str:
    """A run as a Mermaid ``sequenceDiagram``, ending with a newline.

    Events are arrows to the machine, with the seconds since the run began; effects are arrows
    from it, started in the same instant; a note says each state that is entered. An event that
    changed nothing ends in a cross.

    Args:
        lines: the lines of one run, from `one_run`.
        lifelines: who takes part; without it an outer world and the machine.
        title: what stands above it.
    """
    return "\n".join(_Sequence(lines, lifelines, title).lines()) + "\n"


class _Sequence:
    def __init__(self, lines: Sequence[Recorded], lifelines: Lifelines | None, title: str) -> None:
        names = {name for line in lines for name in (line.event, *line.effects)}
        self._lifelines = lifelines or _world(lines)
        self._lines, self._title = lines, title
        self._ids = ids((("line", name), f"p_{name}") for name in self._lifelines.names)
        self._names = names

    def lines(self) -> Iterator[str]:
        yield "sequenceDiagram"
        if self._title:
            yield f"    title {_plain(self._title)}"
        for name in self._lifelines.names:
            kind = "actor" if name in self._lifelines.people else "participant"
            yield f"    {kind} {self._id(name)} as {_plain(name)}"
        for index, line in enumerate(self._lines):
            if index == 0:
                yield self._note(line.befores)
            yield from self._step(line)

    def _step(self, line: Recorded) -> Iterator[str]:
        own = self._lifelines.own
        sender = self._lifelines.events.get(line.event, own)
        taken = line.handling == "row"
        yield self._arrow(sender, "->>" if taken else "--x", own, _said(line), line.t_s)
        if set(line.befores) != set(line.afters):
            yield self._note(line.afters)
        for effect in line.effects:
            receiver = self._lifelines.effects.get(effect, own)
            yield self._arrow(own, "-)", receiver, effect, line.t_s)

    def _arrow(self, sender: str, arrow: str, receiver: str, text: str, t_s: float | None) -> str:
        time = f"{seconds(t_s)} " if t_s is not None else ""
        ends = f"{self._id(sender)}{arrow}{self._id(receiver)}"
        return f"    {ends}: {_plain(time + text)}"

    def _note(self, names: Sequence[str]) -> str:
        own = self._id(self._lifelines.own)
        return f"    Note over {own}: {_plain(' + '.join(names))}"

    def _id(self, name: str) -> str:
        return self._ids["line", name]


def seconds(t_s: float) -> str:
    """A time as it stands on an arrow."""
    return f"{t_s:.3f} s"


#: What a sequence diagram reads as text; all else is written as entity codes.
_PLAIN = re.compile(r"[\w .,:()\[\]/+-]")
#: With these words a text would say how it is to be wrapped, and lose them.
_WRAP = re.compile(r"\s*:?\s*(no)?wrap\b", re.IGNORECASE)
_LETTERS = re.compile(r"[\w ]")


def _plain(text: str) -> str:
    """A text on one line, whatever it holds."""
    if not text.strip():
        return "#160;"
    plain = _PLAIN if not _WRAP.match(text) else _LETTERS
    return "".join(char if plain.fullmatch(char) else f"#{ord(char)};" for char in shown(text))


def _world(lines: Sequence[Recorded]) -> Lifelines:
    """Two lines for any machine: what happens around it, and itself."""
    return Lifelines(
        ("world", "machine"),
        "machine",
        events={line.event: "world" for line in lines},
        effects={effect: "world" for line in lines for effect in line.effects},
    )


def _said(line: Recorded) -> str:
    """An event with what is known of it, and why it changed nothing when it did not."""
    facts = [value for name, value in line.facts if name in _TELLING]
    about = f" ({', '.join(facts)})" if facts else ""
    if line.handling == "row":
        return f"{line.event}{about}"
    why = line.why.lower().replace("_", " ")
    return f"{line.event}{about} {line.handling}{': ' + why if why else ''}"


#: The facts that say what happened; the others are for machines.
_TELLING = ("sip_status", "sip_phrase", "disconnect_reason", "strategy", "via")


def path_of(machine: Machine, lines: Sequence[Recorded]) -> tuple[Machine, Paint]:
    """The rows that a run took, as a machine of their own, and the order in which it took them.

    The machine keeps the states in which the run was; the paint puts the numbers of the steps
    and their times on the rows, and marks the states.
    """
    steps: dict[str, list[str]] = {}
    for line in lines:
        if line.row:
            time = f" at {seconds(line.t_s)}" if line.t_s is not None else ""
            steps.setdefault(line.row, []).append(f"step {line.seq}{time}")
    last = lines[-1].afters
    paint = Paint(
        edges={name: Look("added", text=", ".join(when)) for name, when in steps.items()},
        states={name: Look("added", text="the end") for name in last},
        meaning={"added": "taken, and when"},
        title=f"{machine.name}: {lines[0].transfer or 'one run'}",
    )
    return only(machine, tuple(e for e in machine.edges if e.id in steps)), paint
