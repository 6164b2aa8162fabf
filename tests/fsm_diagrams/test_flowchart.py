from __future__ import annotations

import re

from fsm_diagrams.flowchart import flowchart
from fsm_diagrams.from_table import from_table
from fsm_diagrams.overlay import COLOURS, Look, Paint
from fsm_diagrams.views import View, picture
from tests.fsm_diagrams.foreign import documented
from tests.fsm_diagrams.machines import door
from warm_transfer.table import TABLE

PAINT = Paint(
    edges={
        "shut x BURNT": Look("removed", dashed=True, text="gone"),
        "open x BURNT": Look("added"),
    },
    states={"shut": Look("changed")},
    meaning={"removed": "no longer there", "added": "new"},
)


def test_links_of_one_look_share_a_style_and_are_counted_from_the_first() -> None:
    text = flowchart(picture(door(), View.FULL, PAINT))
    links = [line for line in text.splitlines() if "-->" in line]
    styles = dict(re.findall(r"linkStyle ([\d,]+) stroke:(#\w+)", text))
    for numbers, colour in styles.items():
        for number in numbers.split(","):
            look = "gone" if colour == COLOURS["removed"] else ""
            assert (f"BURNT#160;(shut)#58;#160;{look}" in links[int(number)]) == bool(look)
    assert sorted(styles.values()) == sorted([COLOURS["removed"], COLOURS["added"]])
    assert f"stroke:{COLOURS['removed']},stroke-width:3px,stroke-dasharray:6 4" in text


def test_the_legend_tells_what_a_review_means() -> None:
    text = flowchart(picture(door(), View.FULL, PAINT))
    assert 'legend_removed("no longer there")' in text
    assert f"style legend_added fill:#fff,stroke:{COLOURS['added']}" in text
    assert f"style shut stroke:{COLOURS['changed']}" in text


def test_without_a_review_nothing_is_painted() -> None:
    assert "linkStyle" not in flowchart(picture(door(), View.FULL))


def test_final_states_have_double_sides() -> None:
    machine = from_table(TABLE)
    text = flowchart(picture(machine, View.STATES))
    finals = {state.name for state in machine.states if state.final}
    assert set(re.findall(r"    (\w+)\[\[", text)) == finals
    assert "double sides" in text


def test_nested_states_stand_in_their_parent() -> None:
    _, coffee, _ = documented()
    text = flowchart(picture(coffee, View.FULL))
    inside = text.partition("subgraph caffeinated")[2].partition("\n    end\n")[0]
    assert 'caffeinated_running("running"):::ordinary' in inside
    assert "from_caffeinated --> caffeinated_dithering" in inside
