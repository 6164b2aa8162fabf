from __future__ import annotations

from dataclasses import replace

from fsm_diagrams.diff_report import diff_picture, diff_report
from fsm_diagrams.differences import Diff, diff
from fsm_diagrams.formats import FORMATS, render_bytes
from fsm_diagrams.model import Edge, Machine, State
from fsm_diagrams.overlay import Look
from fsm_diagrams.sources import load
from fsm_diagrams.views import View
from tests.fsm_diagrams.machines import door, hostile


def _new() -> Machine:
    rows = {edge.id: edge for edge in door().edges}
    del rows["shut x BURNT"]
    rows["open x BURNT"] = replace(rows["open x BURNT"], target="ash")
    stays = "open x PUSHED [wind]"
    rows[stays] = replace(rows[stays], effects=("SLAM",))
    new = Edge("shut", "PUSHED", "open", id="shut x PUSHED")
    states = [*door().states, State("ash", final=True)]
    return Machine.of("door", states, door().events, ["open"], [*rows.values(), new])


def _found() -> Diff:
    return diff(door(), _new())


def test_the_words_name_every_change() -> None:
    text = diff_report(_found()).text()
    for line in (
        "  shut x PUSHED -> open\n",
        "  shut x BURNT -> gone\n",
        "  open x BURNT: target gone -> ash\n",
        "  open x PUSHED [wind]: does also SLAM\n",
        "  open x KNOCKED: was ignored (useless), is unhandled\n",
        "  state ash: not there -> new\n",
        "Shortest sequence of events with another outcome:\n  BURNT\n",
        "  before: goes to gone; reason fire\n",
    ):
        assert line in text
    assert "1 row added, 1 row removed, 1 row retargeted, 1 row changed" in text


def test_no_difference_is_said_in_one_line() -> None:
    same = diff_report(diff(door(), door()))
    assert same.text() == "Changes of door: none; both are the same machine.\n"


def test_effects_in_another_order_are_said() -> None:
    def made(*effects: str) -> Machine:
        row = Edge("a", "E", "a", internal=True, effects=effects)
        return Machine.of("m", [State("a")], ["E"], ["a"], [row])

    text = diff_report(diff(made("X", "Y"), made("Y", "X"))).text()
    assert "a x E: effects in the order Y, X" in text
    assert "another outcome:\n  there is none" in text
    assert "a x E: no longer does X" in diff_report(diff(made("X", "Y"), made("Y"))).text()


def test_the_picture_has_both_machines_in_their_colours() -> None:
    both, paint = diff_picture(_found(), whole=True)
    assert paint is not None
    assert paint.edges == {
        "shut x PUSHED": Look("added", text="new"),
        "shut x BURNT (was)": Look("removed", dashed=True, text="gone"),
        "open x BURNT": Look("changed", text="other target"),
        "open x BURNT (was)": Look("removed", dashed=True, text="gone"),
        "open x PUSHED [wind]": Look("changed", text="other effects"),
    }
    assert paint.states == {"ash": Look("added", text="new")}
    assert len(both.edges) == len(_new().edges) + 2


def test_the_picture_leaves_out_what_is_the_same_and_says_so() -> None:
    part, paint = diff_picture(_found())
    assert paint is not None
    assert {edge.id for edge in part.edges} == set(paint.edges)
    assert paint.title == "door: 5 of 6 rows, the others are the same"


def test_a_state_that_is_gone_is_still_drawn() -> None:
    both, paint = diff_picture(diff(_new(), door()))
    assert paint is not None
    assert paint.states == {"ash": Look("removed", dashed=True, text="gone")}
    assert "ash" in both.state_named


def test_the_same_machine_is_drawn_without_paint() -> None:
    assert diff_picture(diff(door(), door())) == (door(), None)


def test_every_text_format_draws_a_diff_the_same_way_twice() -> None:
    old = load("warm_transfer.table:TABLE")
    new = replace(old, edges=tuple(old.edges[1:-1]))
    wild = replace(hostile(), edges=hostile().edges[1:])
    for one, other in ((door(), _new()), (old, new), (hostile(), wild)):
        machine, paint = diff_picture(diff(one, other))
        for name in ("flowchart", "dot", "html"):
            assert FORMATS[name].has_paint
            view = View.FULL if FORMATS[name].has_views else None
            drawn = render_bytes(machine, name, view, paint)
            assert drawn == render_bytes(machine, name, view, paint)
            assert b"gone" in drawn
