from __future__ import annotations

from pathlib import Path

import pytest

from fsm_diagrams.blocks import Document, find_blocks
from fsm_diagrams.errors import BlockError

OPEN = "<!-- fsm-diagrams: render warm_transfer.table:TABLE --format matrix -->"
CLOSE = "<!-- /fsm-diagrams -->"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(f"before\n\n{OPEN}\nold\n{CLOSE}\n\nafter\n")
    return path


def test_a_stale_block_is_found_and_named(page: Path) -> None:
    document = Document.read(page)
    assert [change.block.line for change in document.stale] == [3]
    diff = document.diff()
    assert f"{page}:3 render warm_transfer.table:TABLE --format matrix" in diff
    assert "\n-old\n" in diff


def test_a_written_document_is_up_to_date_and_the_rest_is_untouched(page: Path) -> None:
    Document.read(page).renewed().write()
    assert Document.read(page).stale == ()
    text = page.read_text()
    assert text.startswith(f"before\n\n{OPEN}\n|")
    assert text.endswith(f"\n{CLOSE}\n\nafter\n")


def test_one_changed_character_in_a_block_is_stale(page: Path) -> None:
    Document.read(page).renewed().write()
    page.write_text(page.read_text().replace("**holding**", "**dialing**", 1))
    assert len(Document.read(page).stale) == 1


def test_line_endings_stay_as_they_are(page: Path) -> None:
    page.write_bytes(page.read_bytes().replace(b"\n", b"\r\n"))
    Document.read(page).renewed().write()
    data = page.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert Document.read(page).stale == ()


def test_several_blocks_are_renewed_each_in_its_place(page: Path) -> None:
    page.write_text(page.read_text() * 3)
    Document.read(page).renewed().write()
    document = Document.read(page)
    assert (len(document.blocks), len(document.stale)) == (3, 0)
    assert page.read_text().count("before\n") == 3


@pytest.mark.parametrize("fence", ["```", "~~~~", "  ```"])
def test_markers_in_a_code_fence_are_text(fence: str) -> None:
    lines = (fence, OPEN, "```inner", CLOSE, fence.strip(), OPEN, "```", CLOSE, CLOSE)
    with pytest.raises(BlockError, match="page:9: closes a block"):
        list(find_blocks(lines, "page"))
    assert [block.first for block in find_blocks(lines[:-1], "page")] == [5]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((OPEN, "x"), "page:1: the block is never closed"),
        ((CLOSE,), "page:1: closes a block"),
        ((OPEN, OPEN, CLOSE), "page:2: the block of line 1 is open"),
        (("<!-- fsm_diagrams: render a:b -->",), "page:1: is no marker"),
        (("<!--fsm-diagrams: render a:b-->",), "page:1: is no marker"),
        (("  " + OPEN,), "page:1: is no marker"),
        ((OPEN, "<!--/fsm-diagrams-->"), "page:2: is no marker"),
    ],
)
def test_a_marker_that_is_none_is_named_by_its_line(lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(BlockError, match=said):
        list(find_blocks(lines, "page"))


def test_a_block_that_cannot_be_rendered_is_named_by_its_line(page: Path) -> None:
    page.write_text(page.read_text().replace(":TABLE", ":NOTHING"))
    with pytest.raises(BlockError, match=r"page\.md:3: .*has no 'NOTHING'"):
        Document.read(page)


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BlockError, match="No such file"):
        Document.read(tmp_path / "none.md")
    (tmp_path / "latin.md").write_bytes(b"\xff\xfe")
    with pytest.raises(BlockError, match="cannot be read"):
        Document.read(tmp_path / "latin.md")
