from __future__ import annotations

import pytest

from fsm_diagrams.errors import BlockError
from fsm_diagrams.request import Request
from fsm_diagrams.views import View


def test_the_words_of_a_block_are_those_of_the_command_line() -> None:
    assert Request.parse("render a.b:C --format mermaid --view full") == Request(
        "a.b:C", "mermaid", View.FULL
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("draw a.b:C", "'draw' is no command"),
        ("render", "TARGET"),
        ("render a.b:C --format gif", "invalid choice: 'gif'"),
        ("render a.b:C --colour red", "unrecognized arguments"),
        ("render 'a.b:C", "No closing quotation"),
    ],
)
def test_other_words_are_refused_without_leaving_the_program(words: str, said: str) -> None:
    with pytest.raises(BlockError, match=said):
        Request.parse(words)
