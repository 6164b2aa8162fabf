"""A machine with every group, and every state that has others inside, as one box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from fsm_diagrams.model import Group, Kind, Machine, State

__all__ = ["boxes", "collapsed"]

#: Characters; a box that would name its states in more says how many there are.
_TOLD_MAX = 80


def boxes(machine: Machine) -> list[Group]:
    """The groups that can be boxes: of states at the top, each in one box only."""
    boxed: set[str] = set()
    found = []
    for group in machine.groups:
        states = set(group.states)
        if not states & boxed and all(machine.state_named[s].parent is None for s in states):
            found.append(group)
            boxed |= states
    return found


def collapsed(machine: Machine) -> Machine:
    """The machine with boxes for its groups; the rows within a box are gone.

    The rows that are left keep their ids, so that what a review paints still finds them.
    """
    states, box = _states(machine)
    alone = {name for name, count in Counter(box.values()).items() if count == 1}
    edges = [replace(it, source=box[it.source], target=box[it.target]) for it in machine.edges]
    return Machine.of(
        machine.name,
        states,
        machine.events,
        tuple(dict.fromkeys(box[name] for name in machine.initial)),
        [
            edge
            for edge, row in zip(edges, machine.edges, strict=True)
            if edge.internal or edge.source != edge.target or edge.source in alone
        ],
        version=machine.version,
    )


def _states(machine: Machine) -> tuple[list[State], dict[str, str]]:
    """The boxes and the states that are in none, and by each state's name where it is drawn."""
    home = {name: group for group in boxes(machine) for name in group.states}
    taken = set(machine.state_named)
    named: dict[str, str] = {}
    found: list[State] = []
    box: dict[str, str] = {}
    for state in machine.children(None):
        group = home.get(state.name)
        if group is None:
            found.append(_shut(machine, state))
            box |= dict.fromkeys(machine.inside(state.name), state.name)
            continue
        if group.name not in named:
            named[group.name] = _free(group.name, taken)
            found.append(_box(machine, group, named[group.name]))
        box |= dict.fromkeys(machine.inside(state.name), named[group.name])
    return found, box


def _box(machine: Machine, group: Group, name: str) -> State:
    states = [machine.state_named[each] for each in group.states]
    final = all(state.final for state in states)
    return State(name, label=_told(group.label, states), kind=_most(states), final=final)


def _shut(machine: Machine, state: State) -> State:
    """A state with nothing inside any more, which is told in its name."""
    children = machine.children(state.name)
    if not children:
        return state
    inside = set(machine.inside(state.name))
    within = [leaf for leaf in machine.leaves if leaf.name in inside]
    told = _told(state.text, children)
    return replace(state, label=told, kind=_most(within), initial=())


def _told(label: str, states: Sequence[State]) -> str:
    # The further lines of a state's label are about it, such as what is done on entry.
    names = ", ".join(state.text.partition("\n")[0] for state in states)
    short = len(label) + len(names) <= _TOLD_MAX
    return f"{label}: {names if short else f'{len(states)} states'}"


def _most(states: Iterable[State]) -> Kind:
    """The kind that most of them have; of two that are as many, the first."""
    return Counter(state.kind for state in states).most_common(1)[0][0]


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name
