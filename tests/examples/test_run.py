"""The application of the migration guide, with the change that the guide prints."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from livekit.agents.utils import is_given

from tests.examples.__main__ import main
from tests.examples.adapt import adapted, difference
from tests.examples.run import SCENARIOS, run
from tests.sources import ROOT
from warm_transfer.livekit.task import WarmTransferTask

GUIDE = (ROOT / "docs/migration.md").read_text(encoding="utf-8")
NOT_GIVEN = "\N{EN DASH}"
PARAMETERS = inspect.signature(WarmTransferTask).parameters


def block(name: str) -> str:
    """The code block behind a marker in the guide."""
    found = re.search(rf"<!-- example: {name} -->\n```\w+\n(.*?)```\n", GUIDE, re.DOTALL)
    assert found is not None, f"the guide has no block {name!r}"
    return found[1]


BEFORE = block("before")
AFTER = adapted(BEFORE)


def test_the_guide_prints_the_difference_with_which_its_application_runs() -> None:
    assert block("difference") == difference(BEFORE, AFTER)


def test_the_difference_is_the_import_and_what_names_models() -> None:
    lines = [line[1:] for line in difference(BEFORE, AFTER).splitlines() if line[:1] in ("-", "+")]
    expected = r"import|offline|llm=|stt=|tts=|noise_cancellation"
    assert [line for line in lines if not re.search(expected, line)] == []
    assert "from warm_transfer import WarmTransferTask" in lines


@pytest.mark.asyncio
async def test_a_human_who_says_yes_talks_to_the_caller_when_the_session_is_closed() -> None:
    told = await run(AFTER, SCENARIOS["merged"])
    assert (told.rung, told.together, told.closed) == (1, True, True)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("busy", "could not dial human agent: busy, SIP 486 Busy Here"),
        ("declined", "human agent declined to connect: in a meeting"),
        ("no answer", "could not dial human agent: no answer"),
    ],
)
async def test_a_caller_who_is_not_put_through_is_with_the_agent_who_knows_why(
    name: str, words: str
) -> None:
    told = await run(AFTER, SCENARIOS[name])
    assert (told.rung, told.together, told.alone, told.closed) == (1, False, True, False)
    assert told.to_model[-1].startswith(words)


def test_a_file_is_run_from_the_command_line(tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "application.py"
    path.write_text(BEFORE, encoding="utf-8")
    assert main([str(path)]) == 0
    printed = capsys.readouterr().out
    assert block("difference") in printed
    assert [line for line in SCENARIOS if f"ok  {line}: " in printed] == list(SCENARIOS)


def test_an_application_that_does_not_transfer_is_told_wrong(tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "application.py"
    idle = BEFORE.replace("await WarmTransferTask(", "await nothing(")
    path.write_text(idle, encoding="utf-8")
    assert main([str(path)]) == len(SCENARIOS)
    assert "WRONG  merged" in capsys.readouterr().out


# The table of options.


def rows() -> dict[str, str]:
    section = GUIDE.partition("## Every option")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", section, re.MULTILINE)
    assert len(found) == len(dict(found)), "an argument twice"
    return dict(found)


def test_the_guide_has_every_argument_in_order() -> None:
    assert list(rows()) == list(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_guide_has_the_default(name: str) -> None:
    default = PARAMETERS[name].default
    assert rows()[name] == (f"`{default!r}`" if is_given(default) else NOT_GIVEN)
