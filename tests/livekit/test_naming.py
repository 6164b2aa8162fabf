from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.naming import (
    check_attributes,
    check_identity,
    check_name,
    check_room_name,
)

Check = Callable[[object], Any]
CHECKS: dict[str, Check] = {
    "participant_name": check_name,
    "human_identity": check_identity,
    "room_name": check_room_name,
}


@pytest.mark.parametrize("argument", CHECKS)
@pytest.mark.parametrize("value", ["a", "Frau Müller", "名前", "x" * 256, "ü" * 128, "a b/c:d"])
def test_a_usable_name_comes_back_unchanged(argument: str, value: str) -> None:
    assert CHECKS[argument](value) == value


@pytest.mark.parametrize("argument", CHECKS)
@pytest.mark.parametrize(
    "value",
    ["a\r\nb", "a\0", "\x7f", "a\u2028b", "\ud800", "x" * 257, "ü" * 129, 7, None, b"a", ["a"]],
    ids=repr,
)
def test_an_unusable_name_is_refused_and_not_repeated(argument: str, value: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        CHECKS[argument](value)
    assert caught.value.argument == argument
    assert "xxx" not in str(caught.value)


def test_only_the_display_name_may_be_empty() -> None:
    assert check_name("") == ""
    for check in (check_identity, check_room_name):
        with pytest.raises(InvalidArgument, match="is empty"):
            check("")


@pytest.mark.parametrize("value", [{}, {"team": "billing"}, {"team": ""}, {"k": "x" * 59_000}])
def test_usable_attributes_come_back_as_a_copy(value: dict[str, str]) -> None:
    checked = check_attributes(value)
    assert checked == value
    assert checked is not value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "team=billing",
        [("team", "billing")],
        {"": "empty name"},
        {7: "no name"},
        {"x" * 257: "long name"},
        {"bad\n": "name"},
        {"team": None},
        {"team": 7},
        {"team": "a\r\nb"},
        {"team": "\udfff"},
        {"k": "x" * 60_001},
        {f"k{number}": "x" * 900 for number in range(70)},
    ],
)
def test_unusable_attributes_are_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_attributes(value)
    assert caught.value.argument == "participant_attributes"
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["sip.callStatus", "sip.x", "lk.agent.state", "wt.id"])
def test_attributes_that_are_read_as_facts_are_refused(name: str) -> None:
    # With ``sip.callStatus: active`` nobody would wait for an answer.
    with pytest.raises(InvalidArgument, match="read as a fact"):
        check_attributes({name: "active"})
