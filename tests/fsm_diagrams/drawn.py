"""Machines that hypothesis makes: any names, any nesting, any rows."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsm_diagrams.model import Edge, Kind, Machine, State
from tests.fsm_diagrams.machines import HOSTILE

_WORDS = ("end", "graph", "subgraph", "node", "digraph", "strict", "label_0", "start_0", "box_x")
_MARKS = (
    "ab_ 1:;#&<>\"'`{}[]()*-+%$~|\\/@.!?=^,\n\N{GRINNING FACE}\N{LATIN SMALL LETTER E WITH ACUTE}"
)
NAMES = st.one_of(
    st.sampled_from((*HOSTILE, *_WORDS, "")),
    st.text(_MARKS, max_size=8),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)


@st.composite
def machines(draw: st.DrawFn, *, names: st.SearchStrategy[str] = NAMES) -> Machine:
    """Any machine without groups, which only our own tables have."""
    chosen = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    parents: dict[str, str | None] = {}
    for name in chosen:
        parents[name] = draw(st.none() | st.sampled_from([*parents])) if parents else None
    children = {name: [each for each in chosen if parents[each] == name] for name in chosen}
    states = [
        State(
            name,
            label=draw(st.just("") | names),
            kind=draw(st.sampled_from(list(Kind))),
            final=draw(st.booleans()),
            parent=parents[name],
            initial=tuple(_some(draw, children[name])),
        )
        for name in chosen
    ]
    events = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    edges = draw(st.lists(_edges(chosen, events, names), max_size=8))
    return Machine.of(draw(names), states, events, _some(draw, chosen), edges)


def _some(draw: st.DrawFn, names: list[str]) -> list[str]:
    return draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []


@st.composite
def _edges(
    draw: st.DrawFn, states: list[str], events: list[str], names: st.SearchStrategy[str]
) -> Edge:
    source, internal = draw(st.sampled_from(states)), draw(st.booleans())
    return Edge(
        source,
        draw(st.sampled_from(events)),
        source if internal else draw(st.sampled_from(states)),
        guard=draw(st.just("") | names),
        effects=tuple(draw(st.lists(names, max_size=2))),
        internal=internal,
    )


def corpus(count: int) -> list[Machine]:
    """As many machines, the same ones every time."""
    found: list[Machine] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(machines())
    def collect(machine: Machine) -> None:
        found.append(machine)

    collect()
    return found
