from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from fsm_diagrams.from_table import from_table
from fsm_diagrams.model import Edge, Machine, State
from fsm_diagrams.overlay import Look, Paint
from fsm_diagrams.plain_svg import drawing_style, plain_svg
from fsm_diagrams.views import View, picture
from tests.fsm_diagrams.foreign import big, documented
from tests.fsm_diagrams.machines import HOSTILE, door, hostile
from tests.fsm_diagrams.processes import printed
from warm_transfer.table import TABLE

OURS = from_table(TABLE)
SVG = "{http://www.w3.org/2000/svg}"


def _texts(svg: str) -> str:
    # Our own text, and no entities are declared in it.
    root = ET.fromstring(svg)  # noqa: S314
    return " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize(
    "machine", [OURS, door(), hostile(), big(), *documented()], ids=lambda machine: machine.name
)
def test_it_is_xml_with_every_state(machine: Machine, view: View) -> None:
    svg = plain_svg(machine, view)
    ET.fromstring(svg)  # noqa: S314 - as above
    assert svg.count('data-state="') == len(picture(machine, view).machine.states)


def test_every_event_and_condition_of_our_table_can_be_read() -> None:
    seen = re.sub(r"\s+", " ", _texts(plain_svg(OURS)))
    for edge in OURS.edges:
        assert edge.event in seen
        assert re.sub(r"\s+", " ", edge.guard) in seen


def test_hostile_names_are_only_ever_text() -> None:
    svg = plain_svg(hostile())
    texts = re.sub(r"\s+", "", _texts(svg))
    for name in HOSTILE:
        assert re.sub(r"\s+", "", name) in texts
    assert "<b>" not in svg


def test_what_xml_cannot_hold_is_replaced() -> None:
    name = "a\0b\ufffec"
    svg = plain_svg(Machine.of(name, [State(name)], [name], [name], [Edge(name, name, name)]))
    svg.encode()
    assert "a\ufffdb\ufffdc" in _texts(svg)


def test_the_same_bytes_in_another_process() -> None:
    program = (
        "import sys; from fsm_diagrams import load; from fsm_diagrams.plain_svg import plain_svg;"
        "sys.stdout.write(plain_svg(load('warm_transfer.table:TABLE')))"
    )
    assert printed(program) == plain_svg(OURS)


def test_the_colours_of_a_review_are_on_its_rows_and_in_the_legend() -> None:
    paint = Paint(
        {"open x PUSHED [no wind]": Look("removed", dashed=True)},
        meaning={"removed": "no longer there"},
        title="two doors",
    )
    svg = plain_svg(door(), paint=paint)
    assert svg.count('<g class="arrow l-removed dashed" data-arrow') == 1
    assert '<tspan class="l-removed">PUSHED [no wind]</tspan>' in svg
    assert "no longer there" in _texts(svg)
    assert "two doors" in _texts(svg)


def test_an_arrow_of_rows_that_differ_colours_its_lines_only() -> None:
    edges = [Edge("a", "x", "b", id="ax"), Edge("a", "y", "b", id="ay")]
    machine = Machine.of("", [State("a"), State("b")], ["x", "y"], ["a"], edges)
    svg = plain_svg(machine, paint=Paint({"ax": Look("added")}))
    assert 'class="arrow" data-arrow' in svg
    assert '<tspan class="l-added">x</tspan>' in svg


def test_a_picture_has_a_dark_dress_too() -> None:
    svg = plain_svg(door())
    assert "@media (prefers-color-scheme: dark)" in svg
    assert drawing_style(dark=True) in svg
    assert drawing_style(dark=True) != drawing_style()


def test_a_style_in_a_page_reaches_only_its_own_place() -> None:
    for rule in drawing_style(dark=True, within=":root.dark svg").splitlines():
        for selector in rule.split("{")[0].split(","):
            assert selector.strip().startswith(":root.dark svg ")


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_what_is_behind_it(*, dark: bool) -> None:
    rules = drawing_style(dark=dark)
    fills = dict(re.findall(r"^\.(k-\w+) > rect \{ fill: (#\w{6})", rules, re.MULTILINE))
    texts = dict(re.findall(r"^\.(k-\w+) > text \{ fill: (#\w{6})", rules, re.MULTILINE))
    page = re.search(r"\.page \{ fill: (#\w{6})", rules)
    assert page
    pairs = [(fills[kind], texts[kind]) for kind in fills]
    pairs += [(page[1], each) for each in re.findall(r"text \.l-\w+ \{ fill: (#\w{6})", rules)]
    assert len(pairs) == 10
    for back, front in pairs:
        low, high = sorted((_luminance(back), _luminance(front)))
        # 4.5 is what WCAG 2.2 asks of text (1.4.3).
        assert (high + 0.05) / (low + 0.05) >= 4.5, (back, front)
