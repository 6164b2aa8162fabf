import pytest
from livekit.agents import llm

from warm_transfer.livekit.prompts import data_lines
from warm_transfer.testing.livekit.judge import SimJudge

pytestmark = pytest.mark.asyncio
YES = "Yes, put them through."


@pytest.mark.parametrize(
    ("said", "answer"),
    [([YES], "yes"), (["Hello?", YES], "yes"), ([YES, "No, wait."], "no"), (["Yes?"], "no")],
)
async def test_what_was_said_last_decides(said: list[str], answer: str) -> None:
    judge = SimJudge([YES])
    question = llm.ChatContext.empty()
    question.add_message(role="system", content="Has the colleague agreed?")
    question.add_message(role="user", content="\n".join(data_lines({"said": w} for w in said)))
    assert (await judge.chat(chat_ctx=question).collect()).text == answer
    assert judge.asked == [question]
