from typing import Any

import pytest

from warm_transfer.errors import InvalidArgument
from warm_transfer.testing.livekit.humans import Human, Line


@pytest.mark.parametrize(
    ("line", "tool"),
    [
        (Line("yes", 1.0), ("connect_to_caller", {})),
        (Line("no", 1.0, "in a meeting"), ("decline_transfer", {"reason": "in a meeting"})),
        (Line("no", 1.0), ("decline_transfer", {"reason": "not now"})),
        (Line("voicemail", 1.0), ("voicemail_detected", {})),
        (Line("nothing", 1.0), (None, {})),
    ],
)
def test_a_line_names_the_tool_that_a_model_calls(line: Line, tool: tuple[str | None, Any]) -> None:
    assert line.tool() == tool


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Line("yes", 1.0), "Yes, put them through."),
        (Line("yes", 1.0, "Go on."), "Go on."),
        (Line("nothing", 1.0), ""),
        (Line("nothing", 1.0, "Hello?"), "Hello?"),
    ],
)
def test_a_line_is_said_in_words(line: Line, words: str) -> None:
    assert line.utterance == words


def test_a_human_may_change_their_mind() -> None:
    assert Human("yes", 2.0, then=(Line("no", 3.0),)).lines == (Line("yes", 2.0), Line("no", 3.0))


@pytest.mark.parametrize("values", [("maybe", 1.0), ("yes", -1.0)])
def test_a_line_that_cannot_be_is_refused(values: tuple[Any, float]) -> None:
    with pytest.raises(InvalidArgument):
        Line(*values)
