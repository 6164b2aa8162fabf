from __future__ import annotations

import textwrap

import pytest

from tests.examples.adapt import adapted, difference

BEFORE = textwrap.dedent("""\
    from livekit.agents import AgentSession
    from livekit.agents.beta.workflows import GetEmailTask, WarmTransferTask, WorkflowInstructions
    from livekit.plugins import noise_cancellation, silero
    from livekit.plugins.turn_detector.multilingual import MultilingualModel


    def start():
        return AgentSession(
            vad=silero.VAD.load(),
            llm="vendor/model",  # a comment
            userdata={"llm": "kept"},
            turn_detection=MultilingualModel(
                unlikely_threshold=0.1,
            ),
        ), Options(
            noise_cancellation=noise_cancellation.BVC(),
        )
    """)
AFTER = textwrap.dedent("""\
    from livekit.agents import AgentSession
    from livekit.agents.beta.workflows import GetEmailTask
    from warm_transfer import WarmTransferTask, WorkflowInstructions
    from tests.examples import offline


    def start():
        return AgentSession(
            **offline.models(),
            userdata={"llm": "kept"},
        ), Options(
            noise_cancellation=None,
        )
    """)


def test_the_import_and_the_models_are_changed_and_nothing_else() -> None:
    assert adapted(BEFORE) == AFTER


def test_an_application_without_us_is_left_as_it_is() -> None:
    source = "from livekit.agents import Agent\n\nagent = Agent(llm='kept', instructions='')\n"
    assert adapted(source) == source
    assert difference(source, adapted(source)) == "\n"


@pytest.mark.parametrize("sign", ["-", "+"])
def test_the_difference_has_every_line_that_was_changed(sign: str) -> None:
    shown = difference(BEFORE, AFTER)
    lines, others = (BEFORE, AFTER) if sign == "-" else (AFTER, BEFORE)
    for line in lines.splitlines():
        if line not in others.splitlines():
            assert f"{sign}{line}\n" in shown
