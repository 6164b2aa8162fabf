"""The page as text, and the page in a browser: clicked, filtered, played, dark."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from fsm_diagrams.from_table import from_table
from fsm_diagrams.html import html
from fsm_diagrams.journals import read_journal
from fsm_diagrams.model import Edge, Machine, State
from fsm_diagrams.overlay import Look, Paint
from tests.fsm_diagrams.browser import Page, needs_chromium, opened
from tests.fsm_diagrams.drawn import machines
from tests.fsm_diagrams.foreign import big, documented
from tests.fsm_diagrams.machines import HOSTILE, door, hostile
from warm_transfer.journal import FileJournal
from warm_transfer.table import TABLE
from warm_transfer.testing.scenario import SCENARIOS, run

OURS = from_table(TABLE)
#: Text that would be a script, an attribute or the end of one, wherever it was let out.
ATTACKS = (
    "</script><script>window.hurt = 1</script>",
    "<img src=x onerror='window.hurt = 1'>",
    "\"><svg onload='window.hurt = 1'>",
    "' onfocus='window.hurt = 1' autofocus='",
    "<!--<script>",
    "\N{LINE SEPARATOR}]]>&lt;b&gt;${window.hurt = 1}",
)


def _attack() -> Machine:
    states = [State(name, label=name) for name in ATTACKS]
    edges = [
        Edge(a, a, b, guard=a, effects=(b,), reason=a, notes=(b,), clock=a)
        for a, b in zip(ATTACKS, [*ATTACKS[1:], ATTACKS[0]], strict=True)
    ]
    return Machine.of(ATTACKS[0], states, ATTACKS, [ATTACKS[0]], edges, version=ATTACKS[1])


KNOWN_ATTRIBUTES = {
    "aria-hidden",
    "aria-label",
    "aria-pressed",
    "charset",
    "class",
    "content",
    "cx",
    "cy",
    "d",
    "data-arrow",
    "data-group",
    "data-state",
    "disabled",
    "height",
    "hidden",
    "http-equiv",
    "id",
    "lang",
    "max",
    "min",
    "name",
    "placeholder",
    "points",
    "r",
    "role",
    "rx",
    "tabindex",
    "text-anchor",
    "type",
    "value",
    "viewbox",
    "width",
    "x",
    "y",
}


class _Markup(HTMLParser):
    """The names of the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def _data(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_our_page_is_small_and_the_same_each_time() -> None:
    assert html(OURS) == html(from_table(TABLE))
    assert len(html(OURS).encode()) < 300_000


def test_the_page_names_no_place_to_load_anything_from() -> None:
    page = html(OURS).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|\bsrc=|@import|url\(", page)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    assert re.sub(r"sha256-[\w+/=]{44}", "DIGEST", policy[1]).split("; ") == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "script-src 'DIGEST'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_the_page_holds_every_row_with_all_it_says() -> None:
    data = _data(html(OURS))
    found = [
        (
            data["states"][row["source"]]["text"],
            data["events"][row["event"]],
            data["states"][row["target"]]["text"],
            row.get("guard", ""),
            tuple(row.get("effects", ())),
            row.get("clock", ""),
            row.get("reason", ""),
            tuple(row.get("notes", ())),
        )
        for row in data["rows"]
    ]
    assert found == [
        (e.source, e.event, e.target, e.guard, e.effects, e.clock, e.reason, e.notes)
        for e in OURS.edges
    ]
    assert len(data["ignored"]) == len(OURS.ignored)
    assert len(data["impossible"]) == len(OURS.impossible)


@pytest.mark.parametrize("machine", [hostile(), _attack()], ids=["hostile", "attack"])
def test_no_name_becomes_markup(machine: Machine) -> None:
    page = html(machine)
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    found = _Markup()
    found.feed(page)
    assert not found.tags & {"img", "b", "iframe", "object", "embed"}
    assert not [name for name in found.attributes if name.startswith("on") or name == "autofocus"]
    assert [state["text"] for state in _data(page)["states"]] == [s.text for s in machine.states]


@given(machines())
@settings(max_examples=60, deadline=None)
def test_a_page_holds_exactly_any_machine_and_two_scripts(machine: Machine) -> None:
    page = html(machine)
    data = _data(page)
    assert [state["text"] for state in data["states"]] == [each.text for each in machine.states]
    assert [data["events"][row["event"]] for row in data["rows"]] == [
        edge.event for edge in machine.edges
    ]
    shown = Counter(row for arrow in data["arrows"] for row in arrow)
    moves = [number for number, edge in enumerate(machine.edges) if not edge.internal]
    assert shown == Counter(moves)
    found = _Markup()
    found.feed(page)
    assert page.count("<script") == 2
    assert found.attributes <= KNOWN_ATTRIBUTES


def test_a_review_is_in_the_page() -> None:
    paint = Paint({"shut x BURNT": Look("removed", text="gone")}, meaning={"removed": "was there"})
    page = html(door(), paint)
    assert _data(page)["rows"][-1]["look"] == "was there gone"
    assert "was there</li>" in page


# In a browser.

pytest_page = pytest.mark.xdist_group("chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "merged.jsonl"
    journal = FileJournal(path)
    run(SCENARIOS["merged"], seed=1, journal=journal)
    journal.close()
    return path


def _open(browser: Page, tmp_path: Path, text: str) -> Page:
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    browser.seen.clear()
    browser.open(path)
    return browser


def _state(name: str) -> str:
    return f'[data-state="{[state.name for state in OURS.states].index(name)}"]'


def _view(page: Page) -> list[float]:
    text = page.run("document.getElementById('drawing').getAttribute('viewBox')")
    return [float(each) for each in text.split()]


@needs_chromium
@pytest_page
def test_a_click_on_a_state_shows_its_rows(browser: Page, tmp_path: Path) -> None:
    page = _open(browser, tmp_path, html(OURS))
    page.click(_state("briefing"))
    assert page.text("#rows h2") == "briefing"
    cards = page.run("[...document.querySelectorAll('#rows .card')].map(each => each.innerText)")
    rows = [edge for edge in OURS.edges if edge.source == "briefing"]
    for edge, card in zip(rows, cards, strict=False):
        assert edge.event in card
        assert ("stays" if edge.internal else edge.target) in card
        for word in (edge.guard, edge.clock, edge.reason, *edge.effects):
            assert word in card
    told = page.text("#rows")
    ignored = [each for each in OURS.ignored if each.state == "briefing"]
    assert f"Ignored ({len(ignored)})" in told
    for each in ignored:
        assert each.reason in told
    assert f"Rows ({len(rows)})" in told
    page.click("#rows .card .link")
    assert page.text("#rows h2") == rows[0].target
    assert page.requests() == [(tmp_path / "page.html").as_uri()]
    assert page.complaints() == []


@needs_chromium
@pytest_page
def test_a_filter_leaves_the_arrows_of_its_event(browser: Page, tmp_path: Path) -> None:
    page = _open(browser, tmp_path, html(OURS))
    page.run("document.getElementById('find').value = 'voicemail'")
    page.run("document.getElementById('find').dispatchEvent(new Event('input'))")
    shown = "[...document.querySelectorAll('#events button')].filter(b => b.offsetParent).length"
    assert page.run(shown) == 1
    page.click("#events button:not([hidden])")
    lit = page.run("document.querySelectorAll('.arrow[data-arrow]:not(.dim)').length")
    assert lit == 1
    rows = [edge for edge in OURS.edges if edge.event == "VOICEMAIL_DETECTED"]
    assert page.run("document.querySelectorAll('#rows .card').length") == len(rows)
    page.click("#all-events")
    assert page.run("document.querySelectorAll('.dim').length") == 0
    assert page.complaints() == []


@needs_chromium
@pytest_page
def test_a_journal_is_played_step_by_step(browser: Page, tmp_path: Path, merged: Path) -> None:
    lines = read_journal(merged, OURS)
    page = _open(browser, tmp_path, html(OURS, journal=lines))
    now = "[...document.querySelectorAll('.state.now')].map(each => +each.dataset.state)"
    names = [state.name for state in OURS.states]
    assert [names[index] for index in page.run(now)] == [lines[0].before]
    for number, line in enumerate(lines, 1):
        page.click("#next")
        assert [names[index] for index in page.run(now)] == [line.after]
        assert page.text("#told").startswith(f"Step {number} of {len(lines)}")
        assert line.event in page.text("#told")
        taken = page.run("[...document.querySelectorAll('.card.taken')].map(e => +e.dataset.row)")
        rows = [edge.id for edge in OURS.edges]
        assert [rows[index] for index in taken] == ([line.row] if line.row else [])
    assert page.run("document.getElementById('next').disabled")
    page.click("#previous")
    assert [names[index] for index in page.run(now)] == [lines[-2].after]
    page.run("document.getElementById('step').value = '3'")
    page.run("document.getElementById('step').dispatchEvent(new Event('input'))")
    assert page.text("#told").startswith("Step 3 of")
    assert page.complaints() == []


@needs_chromium
@pytest_page
def test_play_goes_on_by_itself_until_the_end(browser: Page, tmp_path: Path, merged: Path) -> None:
    lines = read_journal(merged, OURS)[:2]
    page = _open(browser, tmp_path, html(OURS, journal=lines))
    page.click("#play")
    assert page.text("#play") == "Pause"
    page.run(
        "new Promise(done => { const look = () => document.getElementById('next').disabled"
        " ? done() : setTimeout(look, 50); look(); })"
    )
    assert page.text("#told").startswith("Step 2 of 2")
    assert page.text("#play") == "Play"


@needs_chromium
@pytest_page
def test_light_and_dark_follow_the_reader_and_then_the_switch(
    browser: Page, tmp_path: Path
) -> None:
    page = _open(browser, tmp_path, html(OURS))
    back = "getComputedStyle(document.body).backgroundColor"
    page.prefer("light")
    assert page.run(back) == "rgb(255, 255, 255)"
    page.prefer("dark")
    assert page.run(back) == "rgb(20, 24, 29)"
    page.click("#theme")
    assert page.run(back) == "rgb(255, 255, 255)"
    page.prefer("light")


@needs_chromium
@pytest_page
def test_the_drawing_is_moved_and_zoomed_by_mouse_keys_and_touch(
    browser: Page, tmp_path: Path
) -> None:
    page = _open(browser, tmp_path, html(OURS))
    start = _view(page)
    x, y = page.place("#drawing")
    page.drag(x, y, 50, 30)
    moved = _view(page)
    assert moved[0] < start[0]
    assert moved[1] < start[1]
    assert page.run("document.querySelectorAll('.chosen').length") == 0
    page.wheel(x, y, -100)
    assert _view(page)[2] < moved[2]
    page.click("#fit")
    assert _view(page) == start
    page.run("document.getElementById('drawing').focus()")
    page.key("ArrowRight")
    page.key("+", "+")
    assert _view(page)[0] > start[0]
    assert _view(page)[2] < start[2]
    page.key("0", "0")
    assert _view(page) == start
    page.touch([(x - 40, y), (x + 40, y)], [(x - 80, y), (x + 80, y)])
    assert _view(page)[2] < start[2] * 0.7
    page.click("#zoom-out")
    assert page.complaints() == []


@needs_chromium
@pytest_page
def test_a_keyboard_reaches_every_state_and_opens_it(browser: Page, tmp_path: Path) -> None:
    page = _open(browser, tmp_path, html(door()))
    page.run("document.getElementById('drawing').focus()")
    names = set()
    for _ in range(12):
        page.key("Tab")
        page.key("Enter")
        if page.run("!!document.activeElement.closest('#drawing')"):
            names.add(page.text("#rows h2"))
    assert {"open", "shut", "gone"} <= names
    silent = """[...document.querySelectorAll('button, input, select, [role=button]')].filter(
        each => !(each.textContent.trim() || each.getAttribute('aria-label'))).length"""
    assert page.run(silent) == 0


@needs_chromium
@pytest_page
@pytest.mark.parametrize("machine", [hostile(), _attack()], ids=["hostile", "attack"])
def test_no_name_runs_as_a_script(browser: Page, tmp_path: Path, machine: Machine) -> None:
    page = _open(browser, tmp_path, html(machine))
    for index in range(len(machine.states)):
        node = f"document.querySelector('[data-state=\"{index}\"]')"
        page.run(f"{node}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
        assert page.run("document.querySelector('#rows h2').textContent") == (
            machine.states[index].text
        )
    assert page.run("window.hurt") is None
    assert page.run("document.scripts.length") == 2
    assert page.complaints() == []
    assert len(page.requests()) == 1


@needs_chromium
@pytest_page
def test_nothing_in_a_journal_runs_as_a_script(browser: Page, tmp_path: Path) -> None:
    machine, path = _attack(), tmp_path / "attack.jsonl"
    steps = [
        {"transfer": run, "event": edge.event, "before": edge.source, "after": edge.target}
        | {"effects": [*ATTACKS]}
        for run in ATTACKS
        for edge in machine.edges
    ]
    path.write_text("".join(f"{json.dumps(step)}\n" for step in steps), encoding="utf-8")
    page = _open(browser, tmp_path, html(machine, journal=read_journal(path, machine)))
    for index, name in enumerate(ATTACKS):
        page.run(f"document.getElementById('run').value = '{index}'")
        page.run("document.getElementById('run').dispatchEvent(new Event('change'))")
        assert page.run("document.getElementById('run').selectedOptions[0].textContent") == name
        page.click("#next")
        assert machine.edges[0].event in page.text("#told")
        assert ", ".join(ATTACKS) in page.text("#told")
    assert page.run("document.querySelectorAll('#player img, #player svg').length") == 0
    assert page.run("window.hurt") is None
    assert page.complaints() == []
    assert len(page.requests()) == 1


@needs_chromium
@pytest_page
def test_a_name_that_turns_the_direction_is_shown_without(browser: Page, tmp_path: Path) -> None:
    name = "gnp\N{RIGHT-TO-LEFT OVERRIDE}"
    page = _open(browser, tmp_path, html(Machine.of("", [State(name)], [name], [name], [])))
    page.click('[data-state="0"]')
    for place in ("#rows h2", "#events button", '[data-state="0"] text'):
        assert page.text(place) == "gnp\N{REPLACEMENT CHARACTER}"


@needs_chromium
@pytest_page
def test_a_chosen_state_leaves_its_own_arrows_lit(browser: Page, tmp_path: Path) -> None:
    machine = big()
    page = _open(browser, tmp_path, html(machine))
    page.click('[data-state="0"]')
    own = [edge for edge in machine.edges if "step_00" in {edge.source, edge.target}]
    ends = {(edge.source, edge.target) for edge in own}
    lit = "document.querySelectorAll('.arrow[data-arrow]:not(.dim)').length"
    assert page.run(lit) == len(ends) < 20
    assert page.run("document.querySelectorAll('.arrow.dim').length") > 200
    assert page.text("#rows h2") == "step_00"


@needs_chromium
@pytest_page
def test_a_large_machine_begins_at_a_size_that_can_be_read(browser: Page, tmp_path: Path) -> None:
    page = _open(browser, tmp_path, html(big()))
    box = page.run("document.querySelector('[data-state=\"0\"]').getBoundingClientRect().toJSON()")
    seen = page.run("document.getElementById('drawing').getBoundingClientRect().toJSON()")
    assert box["width"] > 40
    assert seen["left"] < box["left"] < box["right"] < seen["right"]
    assert seen["top"] < box["top"] < box["bottom"] < seen["bottom"]
    start = _view(page)
    page.click("#fit")
    assert _view(page)[2] > 2 * start[2]


@needs_chromium
@pytest_page
def test_a_drag_that_begins_on_a_state_chooses_nothing(browser: Page, tmp_path: Path) -> None:
    page = _open(browser, tmp_path, html(OURS))
    page.drag(*page.place(_state("briefing")), 50, 30)
    assert page.run("document.querySelectorAll('.chosen').length") == 0
    page.click(_state("briefing"))
    assert page.run("document.querySelectorAll('.state.chosen').length") == 1


@needs_chromium
@pytest_page
@pytest.mark.parametrize(
    "machine", [OURS, hostile(), big(), *documented()], ids=lambda machine: machine.name
)
def test_every_text_fits_its_box(browser: Page, tmp_path: Path, machine: Machine) -> None:
    page = _open(browser, tmp_path, html(machine))
    wide = page.run("""[...document.querySelectorAll('#drawing text')].filter(text => {
        const box = text.closest('g').querySelector('rect')?.getBBox();
        return box && text.getBBox().width > box.width - 4;
    }).map(text => text.textContent)""")
    assert wide == []


def test_the_hostile_names_are_all_in_the_page() -> None:
    assert [state["text"] for state in _data(html(hostile()))["states"]] == list(HOSTILE)
