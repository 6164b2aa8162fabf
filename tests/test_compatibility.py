"""What ``docs/compatibility.md`` promises, held against what is there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.live.server import VERSION as SERVER
from tests.sources import PACKAGES, ROOT
from warm_transfer import Event, JournalError, On, Transfer
from warm_transfer.journal import VERSION, read, replay, to_line

PAGE = (ROOT / "docs/compatibility.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def supported() -> dict[str, str]:
    section = PAGE.partition("## Versions\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| (\w[\w-]+) \| (.+) \|$", section, re.MULTILINE))


def test_the_versions_are_those_that_are_installed_with_us() -> None:
    requires = [re.split(r"(?=>=)", each, maxsplit=1) for each in PROJECT["dependencies"]]
    expected = {name: f"`{versions}`" for name, versions in requires}
    expected["Python"] = f"`{PROJECT['requires-python']}`"
    found = supported()
    assert found.pop("livekit-server").startswith(SERVER)
    assert found == expected


def test_the_packages_are_typed() -> None:
    for package in PACKAGES:
        assert (ROOT / package / "py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_commands_are_those_that_are_installed() -> None:
    assert set(PROJECT["scripts"]) == set(
        re.findall(r"commands `([\w-]+)` and `([\w-]+)`", PAGE)[0]
    )


def test_the_page_speaks_of_files_that_exist() -> None:
    for path in re.findall(r"`((?:warm_transfer|tests)/[\w/.]+\.py)`", PAGE):
        assert (ROOT / path).is_file(), path
    for page in re.findall(r"\]\((\w+\.md)\)", PAGE):
        assert (ROOT / "docs" / page).is_file(), page


# The journal.


def written(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "journal.jsonl"
    transfer, lines = Transfer("t"), []
    for at_s, name in enumerate((On.TRANSFER_REQUESTED, On.CALLER_HELD, On.CALLER_HUNG_UP)):
        step = transfer.receive(Event(name), float(at_s))
        lines.append(json.dumps({**to_line(step, transfer, 0.0), **changes}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_reader_ignores_what_it_does_not_know(tmp_path: Path) -> None:
    lines = read(written(tmp_path, weather="fine", more={"of": ["it"]}))
    assert len(list(replay(lines))) == len(lines) == 3


def test_a_line_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="version"):
        read(written(tmp_path, v=VERSION + 1))


def test_a_journal_of_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="of table"):
        list(replay(read(written(tmp_path, table="0123456789ab"))))
