from __future__ import annotations

import re

import pytest

from fsm_diagrams.mermaid_text import ids, in_role, label, names_of, title, torn
from fsm_diagrams.views import View, picture
from tests.fsm_diagrams.machines import HOSTILE, door


def _ids(*names: str) -> list[str]:
    return list(ids((("state", name), name) for name in names).values())


def test_a_safe_name_is_its_own_id() -> None:
    assert _ids("holding", "ended", "A_1") == ["holding", "ended", "A_1"]


def test_every_hostile_name_gets_a_safe_id_of_its_own() -> None:
    found = _ids(*HOSTILE)
    assert len(set(found)) == len(HOSTILE)
    for one in found:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", one)
        assert one.lower() not in {"end", "state", "constructor", "direction"}


def test_a_made_id_never_takes_the_name_of_a_state() -> None:
    assert _ids("on hold", "s_on_hold", "on-hold") == ["s_on_hold_2", "s_on_hold", "s_on_hold_3"]


def test_names_that_mermaid_makes_itself_are_avoided() -> None:
    assert _ids("root_start", "box_end") == ["s_root", "s_box"]


def test_two_roles_may_have_the_same_name() -> None:
    found = ids([(("state", "legend"), "legend"), (("legend", "box"), "legend")])
    assert found["state", "legend"] == "legend"
    assert found["legend", "box"] != "legend"


def test_a_picture_wants_its_states_names_and_two_more_for_each_group() -> None:
    assert dict(names_of(picture(door(), View.STATES))) == {
        ("state", "open"): "open",
        ("state", "shut"): "shut",
        ("state", "gone"): "gone",
        ("box", "there"): "box_there",
        ("any", "there"): "any_there",
    }


def test_a_name_in_a_role_wants_both_as_its_id() -> None:
    assert list(in_role("start", ["a b"])) == [(("start", "a b"), "start_a b")]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_label_is_one_line_without_a_character_of_the_grammar(name: str) -> None:
    plain = re.sub(r"#\d+;|<br>", "", label(name))
    assert not re.search(r'["\n:;{}<>`*#%|~$&\\-]', plain)
    assert not re.search(r"direction\s", plain)


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.strip() and "\n" not in name])
def test_a_label_decodes_to_its_name(name: str) -> None:
    assert re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label(name)) == name


def test_snake_case_stays_readable() -> None:
    assert label("CALLER_HUNG_UP [call ends]") == "CALLER_HUNG_UP [call ends]"
    assert label("_x_") == "#95;x#95;"


def test_a_line_that_must_not_wrap_has_no_space() -> None:
    assert label("a b", wrap=False) == "a#160;b"


def test_a_title_is_one_quoted_line() -> None:
    assert title('a "b"\n---') == '"a \\"b\\"\\n---"'


@pytest.mark.parametrize(
    ("text", "torn_at"),
    [("C:\\new", 3), ("$$$", 1), ("fa:fa-bell", 3), ("x fab:fa-x", 6), ("a\\b $ fa: n", 0)],
)
def test_what_a_flowchart_takes_for_more_than_text_is_torn(text: str, torn_at: int) -> None:
    first = torn(label(text)).split("<wbr>")[0]
    shown = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), first)
    assert shown == (text[:torn_at] or text)
