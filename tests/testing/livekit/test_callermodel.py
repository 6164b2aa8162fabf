from __future__ import annotations

import asyncio

from livekit.agents import llm

from warm_transfer.testing.livekit.callermodel import CUE, SimCallerModel


@llm.function_tool
async def a_tool() -> None:
    """Whatever."""


async def answer(model: SimCallerModel, words: str) -> tuple[str, list[str]]:
    context = llm.ChatContext()
    context.add_message(role="user", content=words)
    text, calls = "", []
    async with model.chat(chat_ctx=context, tools=[a_tool]) as stream:
        async for chunk in stream:
            if chunk.delta is not None:
                text += chunk.delta.content or ""
                calls += [call.name for call in chunk.delta.tool_calls]
    return text, calls


def test_it_uses_the_tool_at_the_cue_only() -> None:
    async def run() -> None:
        model = SimCallerModel("a_tool", {}, [])
        assert await answer(model, "Hello.") == ("ok", [])
        assert await answer(model, CUE) == ("", ["a_tool"])
        assert model.heard == ["Hello.", CUE]

    asyncio.run(run())
