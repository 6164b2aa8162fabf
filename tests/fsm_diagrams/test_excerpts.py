from __future__ import annotations

from fsm_diagrams.excerpts import only
from fsm_diagrams.from_transitions import from_transitions
from tests.fsm_diagrams.foreign import regions
from tests.fsm_diagrams.machines import door


def test_an_excerpt_has_its_rows_and_the_states_of_these_and_the_start() -> None:
    row = next(edge for edge in door().edges if edge.id == "shut x BURNT")
    part = only(door(), [row])
    assert part.edges == (row,)
    assert part.events == ("BURNT",)
    assert [state.name for state in part.states] == ["open", "shut", "gone"]
    part = only(door(), [])
    assert [state.name for state in part.states] == ["open"]
    assert (part.ignored, part.impossible, part.groups) == ((), (), ())


def test_a_nested_state_brings_those_around_it_and_no_start_that_is_left_out() -> None:
    machine = from_transitions(regions())
    part = only(machine, [], ["on_sound_loud"])
    names = [state.name for state in part.states]
    assert names == ["off", "on", "on_sound", "on_sound_loud"]
    assert part.state_named["on"].initial == ("on_sound",)
    assert part.state_named["on_sound"].initial == ()
