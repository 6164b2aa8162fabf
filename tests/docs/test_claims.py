"""What pages promise in words, tried out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from livekit import api
from livekit.agents import Agent, function_tool

from warm_transfer import InvalidArgument, Reason, State, WarmTransferTask
from warm_transfer.events import Facts
from warm_transfer.outcome import REASONS_OF, reason_of_refusal
from warm_transfer.testing.application import Told, run_agent

ROOT = Path(__file__).resolve().parents[2]
FIRST = re.compile(r"```python\n(from livekit\.agents import Agent.*?)```", re.DOTALL)
YES = "human answers after 4 s, says yes after 6 s"
TOOL = "transfer_to_human"
TEXTS = (
    *ROOT.glob("*.md"),
    *(each for name in ("docs", "examples") for each in (ROOT / name).rglob("*.md")),
    *(each for name in ("warm_transfer", "fsm_diagrams") for each in (ROOT / name).rglob("*.py")),
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_nobody_is_told_to_install_by_a_name_that_is_somebody_elses() -> None:
    asked = re.compile(r"pip install (-\S+ )*['\"]?warm[-_]transfer")
    told = [each for each in TEXTS if asked.search(each.read_text(encoding="utf-8"))]
    assert not told


@pytest.mark.parametrize("name", ["README.md", "docs/index.md"])
def test_the_first_example_joins_the_two_and_says_nothing_into_their_call(name: str) -> None:
    (source,) = FIRST.findall(read(name))
    namespace: dict[str, Any] = {}
    trunk = source.replace("ST_abcdef", "ST_x")
    assert trunk != source
    exec(compile(trunk, name, "exec"), namespace)  # noqa: S102 - the page's own block
    told = run_agent(lambda: namespace["FrontDesk"](instructions="Help."), YES, tool=TOOL)
    assert told.together
    assert len(told.heard) == 1, "the model was asked for a transfer, and to go on after it"


@pytest.mark.asyncio
async def test_a_dialer_is_given_a_destination_that_is_checked() -> None:
    class Rings:
        async def dial(self, request: object) -> None: ...
        async def hang_up(self, request: object) -> None: ...

    assert "`sip_call_to` is: it is checked" in read("docs/howto/custom-dialer.md").replace(
        "\n", " "
    )
    with pytest.raises(InvalidArgument, match="sip_call_to"):
        WarmTransferTask(dialer=Rings())
    WarmTransferTask("+15105550123", dialer=Rings())


def by_trunk(trunk: str) -> Told:
    class Support(Agent):
        def __init__(self) -> None:
            super().__init__(instructions="Help.")

        @function_tool
        async def transfer_to_human(self) -> None:
            """Called when the caller wants a person."""
            await WarmTransferTask("+15105550123", sip_trunk_id=trunk, chat_ctx=self.chat_ctx)

    return run_agent(Support, YES, tool=TOOL)


def test_the_simulated_server_has_the_trunk_that_pages_name_and_no_other() -> None:
    for name in ("docs/testing.md", "docs/tutorial.md"):
        words = " ".join(read(name).split())
        assert "The simulated server has one trunk, `ST_x`:" in words, name
        assert "Any other ends as `rejected`." in words, name
    assert by_trunk("ST_x").together
    outcome = by_trunk("ST_abcdef").outcome
    assert outcome is not None
    assert outcome.reason is Reason.REJECTED


def test_the_file_of_the_tutorial_runs_and_logs_what_the_page_says(tmp_path: Path) -> None:
    agent, tried, *_ = re.findall(r"```python\n(.*?)```", read("docs/tutorial.md"), re.DOTALL)
    file = tmp_path / "transfer.py"
    file.write_text(agent + "\n\n" + tried, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - the page's own blocks
        [sys.executable, str(file)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["ToolError while executing tool"] * 3
    assert "to the model, here three times." in " ".join(read("docs/tutorial.md").split())


def test_the_dispatch_rule_of_the_example_asks_for_the_agent_of_the_example() -> None:
    (rule,) = re.findall(r"```json\n(.*?)```", read("examples/README.md"), re.DOTALL)
    (named,) = re.findall(r'agent_name="(\w+)"', read("examples/agent.py"))
    asked = ParseDict(json.loads("{" + rule + "}"), api.SIPDispatchRuleInfo())
    assert [each.agent_name for each in asked.room_config.agents] == [named]


def test_everything_that_the_await_raises_is_told_who_changes_over() -> None:
    listed = str(WarmTransferTask.__doc__).partition("Raises:")[2]
    raised = set(re.findall(r"^ +(\w+): by the await", listed, re.MULTILINE))
    assert len(raised) > 3
    text = read("docs/migration.md").partition("## What comes back")[2].partition("\n## ")[0]
    assert {each for each in raised if f"`{each}`" not in text} == set()


def test_what_is_public_of_the_kit_is_there_and_names_what_pages_import() -> None:
    line = (
        read("docs/compatibility.md").partition("- `warm_transfer.testing.")[2].partition("- ")[0]
    )
    public = set(re.findall(r"(?:^|`\.)(\w+)`", line.removeprefix("`"))) | {"explorer"}
    for each in public:
        import_module(f"warm_transfer.testing.{each}")
    pages = "".join(each.read_text(encoding="utf-8") for each in (ROOT / "docs").rglob("*.md"))
    shown = set(re.findall(r"from warm_transfer\.testing\.(\w+)", pages))
    shown |= set(re.findall(r"from warm_transfer\.testing import (\w+)", pages))
    assert shown <= public


def failures() -> dict[str, str]:
    """What the page says of each reason of a failure."""
    text = read("docs/topics/failures.md").partition("## Why it failed")[2]
    return dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", text, re.MULTILINE))


def test_every_reason_of_a_failure_has_its_line() -> None:
    assert set(failures()) == {each.value for each in REASONS_OF[State.FAILED]}


def test_every_refusal_has_the_reason_that_the_page_says() -> None:
    for status in (*range(400, 500), *range(600, 700)):
        reason = reason_of_refusal(Facts(sip_status=status))
        named = {name for name, words in failures().items() if re.search(rf"\b{status}\b", words)}
        # What no line names is what one line says of all others.
        assert named <= {reason.value}, status
        assert named or reason is Reason.REJECTED, status
    assert "any other 4xx or 6xx" in failures()["rejected"]


def test_a_redirect_and_an_error_of_a_server_are_unreachable() -> None:
    assert re.findall(r"\dxx", failures()["unreachable"]) == ["3xx", "5xx"]
    for status in (*range(300, 400), *range(500, 600)):
        assert reason_of_refusal(Facts(sip_status=status)) is Reason.UNREACHABLE


def test_attributes_of_the_leg_are_told_where_privacy_is() -> None:
    found = re.search(
        r"^\| participant attributes \|([^|]*)\|",
        read("docs/topics/privacy.md"),
        re.MULTILINE,
    )
    assert found is not None
    ours = set(re.findall(r'"wt\.(\w+)":', read("warm_transfer/livekit/dial.py")))
    assert ours == {"id", "attempt", "role"}
    assert all(each in found[1] for each in ours)
