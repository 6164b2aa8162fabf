from __future__ import annotations

import pytest

from fsm_diagrams.console import DIFFERENT, DONE, ERROR, say, warn
from fsm_diagrams.errors import DiagramError


def test_an_error_goes_to_standard_error_and_outranks_a_difference(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("fine")
    assert warn(DiagramError("broken")) == ERROR
    assert capsys.readouterr() == ("fine\n", "fsm-diagrams: broken\n")
    assert DONE < DIFFERENT < ERROR
