from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fsm_diagrams.views import View
from tests.diagrams.__main__ import stale, write
from tests.diagrams.pages import pages
from warm_transfer.testing.scenario import SCENARIOS

WANTED = {"a.md": "one\n", "deep/b.md": "two\n"}


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


def test_there_is_a_page_and_a_picture_for_every_scenario(made: dict[str, str]) -> None:
    names = {f"scenarios/{name}.{ending}" for name in SCENARIOS for ending in ("md", "svg")}
    assert set(made) == names | {"index.md", "matrix.md", *(f"{view}.svg" for view in View)}
    for name, scenario in SCENARIOS.items():
        assert "```mermaid\nsequenceDiagram\n" in made[f"scenarios/{name}.md"]
        assert f"(scenarios/{name}.md)" in made["index.md"]
        assert scenario.description


def test_every_picture_is_xml_and_small(made: dict[str, str]) -> None:
    for name, text in made.items():
        if name.endswith(".svg"):
            ET.fromstring(text)  # noqa: S314 - our own
            assert len(text.encode()) < 40_000, name


def test_made_again_they_are_the_same(made: dict[str, str]) -> None:
    assert pages() == made


def test_what_differs_is_missing_or_left_over_is_stale(tmp_path: Path) -> None:
    write(WANTED, tmp_path)
    assert stale(WANTED, tmp_path) == []
    (tmp_path / "a.md").write_text("other\n")
    (tmp_path / "deep" / "b.md").unlink()
    (tmp_path / "deep" / "old.svg").write_text("")
    assert stale(WANTED, tmp_path) == ["a.md", "deep/b.md", "deep/old.svg"]
    write(WANTED, tmp_path)
    assert stale(WANTED, tmp_path) == []
    assert not (tmp_path / "deep" / "old.svg").exists()
