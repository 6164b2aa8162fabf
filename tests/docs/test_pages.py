"""What the reference pages list, held against what is in the code."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import warm_transfer
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.transfer import Handling

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LEVELS = ("debug", "info", "warning", "error", "exception")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def logged() -> dict[str, tuple[str, set[str]]]:
    """Every event that the library logs, with its level and keys."""
    found: dict[str, tuple[str, set[str]]] = {}
    for path in sorted((ROOT / "warm_transfer").rglob("*.py")):
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            text = node.args[0] if node.args else None
            if node.func.attr in LEVELS and isinstance(text, ast.Constant):
                event = str(text.value).removesuffix(": %s")
                keys = {each.arg for each in node.keywords if each.arg}
                _, before = found.get(event, ("", set()))
                found[event] = (node.func.attr, keys | before)
    return found


def listed() -> dict[str, tuple[str, set[str]]]:
    """Every event of the page."""
    rows = re.findall(
        r"^\| `([^`]+)` \| (\w+) \|([^|]*)\|", page("reference/logs.md"), re.MULTILINE
    )
    return {event: (level, set(re.findall(r"`(\w+)`", keys))) for event, level, keys in rows}


def test_every_log_event_is_listed_with_its_level_and_its_keys() -> None:
    assert logged()
    assert listed() == logged()


def test_every_reason_is_explained() -> None:
    told = set(re.findall(r"`(\w+)`", page("topics/failures.md")))
    assert {each.value for each in Reason} <= told


def test_the_ways_a_step_is_handled_are_those_of_the_journal_page() -> None:
    row = re.findall(r"^\| `handling` \|(.+)\|$", page("howto/read-a-journal.md"), re.MULTILINE)
    assert re.findall(r"`(\w+)`:", row[0]) == [each.value for each in Handling]


def test_every_event_is_explained() -> None:
    told = re.findall(r"^\| `([A-Z_]+)` \|", page("reference/events.md"), re.MULTILINE)
    assert told == [each.value for each in warm_transfer.On]


def test_every_command_is_explained() -> None:
    text = page("reference/cli.md").partition("## fsm-diagrams")[2]
    told = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    commands = (ROOT / "fsm_diagrams/commands").glob("*.py")
    assert told == {each.stem for each in commands if each.stem != "__init__"}


def test_every_page_of_the_reference_names_only_what_is_public() -> None:
    named = set()
    for path in (DOCS / "reference").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r"autoclass:: warm_transfer\.(\w+)", text))
    assert named <= set(warm_transfer.__all__)


def test_every_public_name_has_its_place_in_the_reference() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md"))
    errors = "automodule:: warm_transfer.errors" in text
    named = set(re.findall(r"autoclass:: warm_transfer\.(\w+)", text))
    if "`warm_transfer.TABLE`" in text:  # a value, which is no class to document
        named.add("TABLE")
    missing = set(warm_transfer.__all__) - named
    if errors:
        missing -= set(warm_transfer.errors.__all__)
    assert missing == set()


def test_limits_that_pages_name_exist() -> None:
    known = {each.name for each in fields(TransferPolicy)}
    for path in DOCS.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"`(?:TransferPolicy\.)?(\w+_(?:timeout|limit|grace)_s)`", text))
        assert named <= known, path.name
