from __future__ import annotations

import asyncio

import pytest
from livekit.agents import APIStatusError, llm

from warm_transfer.testing import clock
from warm_transfer.testing.livekit.scripted import Answer, ScriptedModel, last_text


class Parrot(ScriptedModel):
    """Says what was said last, or does it."""

    def answer(self, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None) -> Answer:
        said = last_text(chat_ctx)
        if said == "fail":
            raise APIStatusError("gone", status_code=401, retryable=False)
        return ("", ((said, "{}"), (said, '{"a": 1}'))) if tools else (said, ())


def context(*said: str) -> llm.ChatContext:
    made = llm.ChatContext.empty()
    for each in said:
        made.add_message(role="user", content=each)
    return made


@llm.function_tool
async def dance() -> None:
    """Whatever."""


def test_it_says_and_does_what_the_script_says() -> None:
    async def run() -> None:
        said = await Parrot().chat(chat_ctx=context("one", "two")).collect()
        assert (said.text, said.tool_calls) == ("two", [])
        done = await Parrot().chat(chat_ctx=context("dance"), tools=[dance]).collect()
        calls = [(each.name, each.arguments) for each in done.tool_calls]
        assert (done.text, calls) == ("", [("dance", "{}"), ("dance", '{"a": 1}')])
        assert len({each.call_id for each in done.tool_calls}) == 2

    clock.run(run())


def test_what_the_script_raises_the_stream_raises() -> None:
    async def run() -> None:
        stream = Parrot().chat(chat_ctx=context("fail"))
        with pytest.raises(APIStatusError):
            await stream.collect()

    clock.run(run())


def test_it_goes_on_for_a_while_after_a_tool_call() -> None:
    async def run() -> None:
        model, loop = Parrot(), asyncio.get_running_loop()
        model.lingers_s = 2.0
        await model.chat(chat_ctx=context("dance"), tools=[dance]).collect()
        assert loop.time() == 2.0
        await model.chat(chat_ctx=context("hello")).collect()
        assert loop.time() == 2.0

    clock.run(run())


def test_what_a_tool_has_returned_can_be_the_last_thing() -> None:
    made = context("hello")
    assert last_text(made) == "hello"
    made.items.append(llm.FunctionCallOutput(call_id="1", name="a", output="done", is_error=False))
    assert last_text(made) == "done"
    made.items.append(llm.FunctionCall(call_id="2", name="a", arguments="{}"))
    assert last_text(made) == last_text(llm.ChatContext.empty()) == ""
