"""What looks wrong in a machine without running it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from fsm_diagrams.model import Edge, Kind, Machine
from fsm_diagrams.walk import Config, Walker

__all__ = ["Finding", "Flaw", "findings"]


class Flaw(StrEnum):
    """The kinds of findings."""

    UNREACHABLE = "unreachable state"
    """No sequence of events leads there."""
    TRAP = "trap"
    """A state that is not final and from which no final state can be reached any more; in a
    machine without final states, one that cannot be left."""
    LEFT = "final state is left"
    """A row leads out of a final state."""
    SHADOWED = "shadowed row"
    """An earlier row of its pair is always taken instead."""
    NONDETERMINISTIC = "nondeterministic rows"
    """Two rows of a pair have the same condition and different results."""
    NO_CLOCK = "waiting state without a clock"
    """A row enters a waiting state from one that does not wait, and starts no clock."""
    UNHANDLED = "event never handled"
    """No state has a row for it."""
    UNDECIDED = "undecided pair"
    """The machine says of other pairs that they are ignored or impossible, and nothing of this."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that looks wrong, and where."""

    flaw: Flaw
    where: str
    """The state, event, row or pair."""
    why: str

    @property
    def text(self) -> str:
        """The finding in one line."""
        return f"{self.flaw}: {self.where}: {self.why}"


def findings(machine: Machine) -> tuple[Finding, ...]:
    """Everything that looks wrong, by kind, then in the order of the machine."""
    walker = Walker(machine)
    found = [
        *_unreachable(walker),
        *_traps(walker),
        *_left(machine),
        *_rows(machine),
        *_clocks(machine),
        *_unhandled(machine),
        *_undecided(walker),
    ]
    order = list(Flaw)
    return tuple(sorted(found, key=lambda finding: order.index(finding.flaw)))


def _reached(walker: Walker) -> set[str]:
    leaves = {leaf for config in walker.reached for leaf in config}
    return {name for leaf in leaves for name in walker.ancestors(leaf)}


def _unreachable(walker: Walker) -> Iterator[Finding]:
    reached = _reached(walker)
    for state in walker.machine.states:
        if state.name not in reached:
            into = [e for e in walker.machine.edges if e.target == state.name != e.source]
            why = f"only from {_list(e.source for e in into)}" if into else "no row leads there"
            yield Finding(Flaw.UNREACHABLE, state.name, why)


def _traps(walker: Walker) -> Iterator[Finding]:
    machine = walker.machine
    finals = {state.name for state in machine.states if state.final}
    onward = {c: {move.after for _, move in walker.moves(c)} - {c} for c in walker.reached}

    def good(config: Config) -> bool:
        if finals:
            return bool(finals & {n for leaf in config for n in walker.ancestors(leaf)})
        return bool(onward[config])

    safe = {config for config in onward if good(config)}
    grew = bool(finals)
    while grew:
        more = {config for config, after in onward.items() if config not in safe and after & safe}
        safe |= more
        grew = bool(more)
    why = "no final state can be reached from it" if finals else "no row leaves it"
    trapped = sorted(set(onward) - safe, key=lambda config: _place(machine, config))
    yield from (Finding(Flaw.TRAP, " + ".join(config), why) for config in trapped)


def _place(machine: Machine, config: Config) -> list[int]:
    names = list(machine.state_named)
    return [names.index(name) for name in config]


def _left(machine: Machine) -> Iterator[Finding]:
    for edge in machine.edges:
        # A nested final state ends the state around it, which may go on.
        if machine.state_named[edge.source].final and not edge.internal:
            yield Finding(Flaw.LEFT, edge.id, f"leads to {edge.target}")


def _rows(machine: Machine) -> Iterator[Finding]:
    """The rows of each pair against those that are asked before them."""
    for rows in machine.by_pair.values():
        for index, row in enumerate(rows):
            before = rows[:index]
            same = next((each for each in before if each.guard == row.guard), None)
            always = next((each for each in before if not each.guard), None)
            if same is not None and _result(same) != _result(row):
                under = f"under {row.guard!r}" if row.guard else "without a condition"
                why = f"{under} to {same.target} and to {row.target}; the first is taken"
                yield Finding(Flaw.NONDETERMINISTIC, row.id, why)
            elif same is not None:
                yield Finding(Flaw.SHADOWED, row.id, f"{same.id!r} says the same before it")
            elif always is not None:
                why = f"{always.id!r} comes before it and has no condition"
                yield Finding(Flaw.SHADOWED, row.id, why)


def _result(edge: Edge) -> tuple[object, ...]:
    return edge.target, edge.internal, edge.effects, edge.clock, edge.reason, edge.notes


def _clocks(machine: Machine) -> Iterator[Finding]:
    waiting = {state.name for state in machine.states if state.kind is Kind.WAITING}
    for edge in machine.edges:
        enters = edge.target in waiting and edge.source not in waiting
        if enters and not edge.clock:
            yield Finding(Flaw.NO_CLOCK, edge.target, f"{edge.id!r} starts none")
    # A state may bring its clock along, as a Timeout state of `transitions` does: then every row
    # into it names it, and only the start is left to look at.
    clocked = {edge.target for edge in machine.edges if edge.clock}
    for name in machine.initial:
        if name in waiting and name not in clocked:
            yield Finding(
                Flaw.NO_CLOCK, name, "the machine starts in it, and no row starts a clock"
            )


def _unhandled(machine: Machine) -> Iterator[Finding]:
    handled = {edge.event for edge in machine.edges}
    for event in machine.events:
        if event not in handled:
            yield Finding(Flaw.UNHANDLED, event, "no state has a row for it")


def _undecided(walker: Walker) -> Iterator[Finding]:
    machine = walker.machine
    if not (machine.ignored or machine.impossible):
        return
    decided = machine.by_pair.keys() | machine.why_ignored.keys() | set(machine.impossible)
    for state in machine.states:
        for event in machine.events:
            around = walker.ancestors(state.name)
            if not any((name, event) in decided for name in around):
                why = "neither handled nor ignored nor impossible"
                yield Finding(Flaw.UNDECIDED, f"{state.name} x {event}", why)


def _list(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
