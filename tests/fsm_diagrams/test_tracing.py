from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from fsm_diagrams.errors import JournalError
from fsm_diagrams.from_table import OWN_TARGET, lifelines
from fsm_diagrams.journals import Recorded, read_journal
from fsm_diagrams.overlay import Look
from fsm_diagrams.sources import load
from fsm_diagrams.tracing import one_run, path_of, sequence
from tests.fsm_diagrams.judges import mermaid_sees
from tests.fsm_diagrams.machines import HOSTILE, door
from tests.fsm_diagrams.test_coverage import LINES
from warm_transfer import Event, Facts, On, Transfer
from warm_transfer.journal import FileJournal, to_line

ARROW = re.compile(r"    (\w+)(->>|--x|-\))(\w+): (.*)")


def transfer_journal(path: Path) -> Path:
    """A transfer whose phone is busy, written by the journal of the library."""
    transfer, journal = Transfer("t-1"), FileJournal(path)
    events = (
        (0.0, Event(On.TRANSFER_REQUESTED)),
        (0.1, Event(On.CALLER_HELD)),
        (0.2, Event(On.CALLER_HELD)),
        (1.5, Event(On.CONSULT_REFUSED, Facts(sip_status=486, sip_phrase="Busy Here"))),
    )
    for at_s, event in events:
        journal.write(to_line(transfer.receive(event, at_s), transfer, 0.0))
    journal.close()
    return path


def _run(tmp_path: Path) -> tuple[Recorded, ...]:
    return read_journal(transfer_journal(tmp_path / "t.jsonl"), load(OWN_TARGET))


def _arrows(text: str) -> list[tuple[str, ...]]:
    return [found.groups() for line in text.splitlines() if (found := ARROW.fullmatch(line))]


def test_events_and_effects_stand_on_their_lifelines_with_their_times(tmp_path: Path) -> None:
    text = sequence(_run(tmp_path), lifelines(load(OWN_TARGET)))
    arrows = _arrows(text)
    assert ("p_agent", "->>", "p_agent", "0.000 s TRANSFER_REQUESTED") in arrows
    assert ("p_agent", "-)", "p_caller", "0.000 s HOLD_CALLER") in arrows
    assert ("p_agent", "-)", "p_server", "0.100 s DIAL_CONSULT") in arrows
    assert ("p_server", "->>", "p_agent", "1.500 s CONSULT_REFUSED (486, Busy Here)") in arrows
    assert ("p_agent", "-)", "p_caller", "1.500 s RESUME_CALLER") in arrows
    names = re.findall(r"(actor|participant) \w+ as (\w+)", text)
    assert names == [
        ("actor", "caller"),
        ("participant", "agent"),
        ("actor", "human"),
        ("participant", "server"),
    ]


def test_what_changed_nothing_ends_in_a_cross_and_says_why(tmp_path: Path) -> None:
    text = sequence(_run(tmp_path), lifelines(load(OWN_TARGET)))
    said = "0.200 s CALLER_HELD ignored: already known"
    assert ("p_agent", "--x", "p_agent", said) in _arrows(text)


def test_every_line_and_effect_is_one_arrow_and_every_state_one_note(tmp_path: Path) -> None:
    run = _run(tmp_path)
    text = sequence(run, lifelines(load(OWN_TARGET)))
    assert len(_arrows(text)) == len(run) + sum(len(line.effects) for line in run)
    notes = re.findall(r"Note over p_agent: (.*)", text)
    assert notes == ["idle", "holding", "dialing", "failed"]


def test_any_machine_has_a_world_and_itself() -> None:
    text = sequence(LINES, title="a; b")
    assert "    title a#59; b\n" in text
    assert ("p_world", "->>", "p_machine", "BURNT") in _arrows(text)


def test_no_name_breaks_out_of_its_line() -> None:
    lines = [replace(LINES[0], event=name, befores=(name,), afters=(name,)) for name in HOSTILE]
    text = sequence(lines)
    assert len(text.splitlines()) == 1 + 2 + 1 + len(HOSTILE)
    said = "".join(said for _, _, _, said in _arrows(text))
    assert not set(re.sub(r"#\d+;", "", said)) & set("#;<>{}\"'%`|*")


def test_a_name_that_reads_as_an_instruction_is_a_name() -> None:
    text = sequence([replace(LINES[1], event="wrap: it")])
    assert ("p_world", "->>", "p_machine", "wrap#58; it") in _arrows(text)


def test_the_path_has_the_rows_taken_and_says_when(tmp_path: Path) -> None:
    part, paint = path_of(load(OWN_TARGET), _run(tmp_path))
    assert [edge.id for edge in part.edges] == [
        "idle x TRANSFER_REQUESTED",
        "holding x CALLER_HELD",
        "dialing x CONSULT_REFUSED",
    ]
    assert paint.edges["dialing x CONSULT_REFUSED"] == Look("added", text="step 4 at 1.500 s")
    assert [state.name for state in part.states] == ["idle", "holding", "dialing", "failed"]
    assert set(paint.states) == {"failed"}


def test_a_row_taken_twice_names_both_steps() -> None:
    _, paint = path_of(door(), LINES)
    assert paint.edges["open x PUSHED [wind]"].text == "step 2, step 3"


def test_one_run_is_chosen_by_name() -> None:
    lines = (*LINES, *(replace(line, transfer="u") for line in LINES))
    assert {line.transfer for line in one_run(lines, "u")} == {"u"}
    assert one_run(LINES) == LINES
    with pytest.raises(JournalError, match="holds 2 transfers; choose with --transfer: t, u"):
        one_run(lines)
    with pytest.raises(JournalError, match="no transfer 'v' in it; there are t, u"):
        one_run(lines, "v")


def test_real_mermaid_shows_every_name_as_it_is() -> None:
    names = [*HOSTILE, "wrap: x", "nowrap:x", "participant a", "loop", "activate a", "Note over b"]
    lines = [replace(LINES[1], event=name) for name in names]
    (seen,) = mermaid_sees([sequence(lines, title="end; %% x")])
    said = [" ".join(text.split()) for text in seen["messages"]]
    assert said == [" ".join(name.split()) for name in names]
