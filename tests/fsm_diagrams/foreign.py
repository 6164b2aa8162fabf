"""Machines of `transitions` to draw: three that its documentation describes, and a big one.

The first three are written after what the documentation of transitions 0.9.3 tells: matter that
changes its phase, a person who needs coffee (nested), and two regions at once (parallel).
"""

from __future__ import annotations

from typing import Any

from transitions import Machine
from transitions.extensions import HierarchicalMachine

from fsm_diagrams.from_transitions import from_transitions
from fsm_diagrams.model import Edge, Kind, State
from fsm_diagrams.model import Machine as Drawn

MATTER: dict[str, Any] = {
    "states": ["solid", "liquid", "gas", {"name": "plasma", "on_enter": "shine"}],
    "initial": "liquid",
    "name": "matter",
    "transitions": [
        {"trigger": "melt", "source": "solid", "dest": "liquid", "before": "make_hissing_noises"},
        {"trigger": "evaporate", "source": "liquid", "dest": "gas", "conditions": "is_hot"},
        {"trigger": "evaporate", "source": "liquid", "dest": None, "unless": "is_hot"},
        ["sublimate", "solid", "gas"],
        ["ionize", "gas", "plasma"],
        ["shake", ["solid", "liquid"], "="],
        ["freeze", "*", "solid"],
    ],
}

COFFEE: dict[str, Any] = {
    "states": [
        "standing",
        "walking",
        {"name": "caffeinated", "children": ["dithering", "running"], "initial": "dithering"},
    ],
    "initial": "standing",
    "name": "coffee",
    "transitions": [
        ["walk", "standing", "walking"],
        ["stop", "walking", "standing"],
        ["drink", ["standing", "walking"], "caffeinated"],
        ["walk", "caffeinated_dithering", "caffeinated_running"],
        ["relax", "caffeinated", "standing"],
    ],
}

REGIONS: dict[str, Any] = {
    "states": [
        "off",
        {
            "name": "on",
            "parallel": [
                {
                    "name": "light",
                    "children": ["dark", "bright"],
                    "initial": "dark",
                    "transitions": [["press", "dark", "bright"], ["press", "bright", "dark"]],
                },
                {
                    "name": "sound",
                    "children": ["silent", "loud", {"name": "broken", "final": True}],
                    "initial": "silent",
                    "transitions": [["press", "silent", "loud"], ["crash", "loud", "broken"]],
                },
            ],
        },
    ],
    "initial": "off",
    "name": "regions",
    "transitions": [["plug", "off", "on"], ["pull", "on", "off"]],
}


def matter(machine_class: type[Any] = Machine, **options: Any) -> Any:
    return machine_class(**MATTER, **options)


def coffee(machine_class: type[Any] = HierarchicalMachine, **options: Any) -> Any:
    return machine_class(**COFFEE, **options)


def regions(machine_class: type[Any] = HierarchicalMachine, **options: Any) -> Any:
    return machine_class(**REGIONS, **options)


def documented() -> list[Drawn]:
    """The three, read."""
    return [from_transitions(made()) for made in (matter, coffee, regions)]


def big(states: int = 60, rows: int = 300) -> Drawn:
    """A machine like a long order process: most rows go one step on, the others anywhere."""
    names = [f"step_{number:02}" for number in range(states)]
    events = [f"EVENT_{number:02}" for number in range(rows // states * 2)]
    edges: list[Edge] = []
    for number in range(rows):
        source, turn = number % states, number // states
        target = source + 1 if turn == 0 else (source * 7 + turn * 13) % states
        event = events[turn * 2 + source % 2]
        edges.append(Edge(names[source], event, names[target % states], effects=("NOTE_IT",)))
    return Drawn.of(
        "big",
        [
            State(
                name,
                kind=Kind.WAITING if number % 3 else Kind.ORDINARY,
                final=number == states - 1,
            )
            for number, name in enumerate(names)
        ],
        events,
        [names[0]],
        edges,
    )
