"""A complete agent that hands its caller to a colleague, with models chosen by environment.

    python examples/agent.py dev

A model is a name of LiveKit's inference (``SUPPORT_LLM=openai/gpt-4.1-mini``), or a class that is
made without arguments (``SUPPORT_STT=livekit.plugins.deepgram:STT``); plugins read their own keys.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    JobContext,
    StopResponse,
    cli,
    function_tool,
)

from warm_transfer import (
    Reason,
    ServerUnusable,
    State,
    StateChange,
    TransferFailed,
    TransferPolicy,
    WarmTransferTask,
)

__all__ = ["Settings", "Support", "entrypoint", "server"]

log = logging.getLogger("support")

NEEDED = {
    "SUPPORT_PHONE": "the colleague's phone, such as +15105550123",
    "LIVEKIT_SIP_OUTBOUND_TRUNK": "the id of the trunk that rings it, ST_...",
    "SUPPORT_STT": "a recogniser, such as deepgram/nova-3",
    "SUPPORT_LLM": "a language model, such as openai/gpt-4.1-mini",
    "SUPPORT_TTS": "a voice, such as cartesia/sonic-3",
}
POLICY = TransferPolicy(ring_timeout_s=25.0, decision_timeout_s=60.0, on_human_left="return")
CALL_BACK = {Reason.BUSY, Reason.NO_ANSWER, Reason.NO_DECISION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says."""

    phone: str
    trunk_id: str
    stt: Any
    llm: Any
    tts: Any

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read all of it at once, so that everything that is missing is told at once.

        Raises:
            ValueError: a variable is missing, or names a model that is not there.
        """
        missing = [f"  {name}: {what}" for name, what in NEEDED.items() if not environ.get(name)]
        if missing:
            raise ValueError("the environment lacks\n" + "\n".join(missing))
        phone, trunk_id, *models = NEEDED
        stt, llm, tts = (_model(name, environ[name]) for name in models)
        return cls(phone=environ[phone], trunk_id=environ[trunk_id], stt=stt, llm=llm, tts=tts)


def _model(variable: str, name: str) -> Any:
    """A name of LiveKit's inference as it is; of ``package.module:Class``, the class made."""
    if "/" in name or ":" not in name:
        return name
    try:
        return resolve_name(name)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{variable}={name} cannot be used: {error}") from error


class Support(Agent):
    """Helps with orders, and puts the caller through to a colleague."""

    def __init__(self, phone: str, trunk_id: str) -> None:
        super().__init__(
            instructions="Help with orders, in short sentences. Offer a colleague when you cannot."
        )
        self._phone = phone
        self._trunk_id = trunk_id

    async def on_enter(self) -> None:
        """Speak first."""
        self.session.generate_reply(instructions="Greet the caller and ask what they need.")

    @function_tool
    async def transfer_to_human(self) -> str:
        """Called when the caller wants a person, and has agreed to be put through."""
        await self.session.say("One moment, I am calling a colleague.", allow_interruptions=False)
        try:
            await WarmTransferTask(
                self._phone,
                sip_trunk_id=self._trunk_id,
                chat_ctx=self.chat_ctx,
                policy=POLICY,
                on_state_change=self._changed,
            )
        except TransferFailed as error:
            return self._not_merged(error)
        # They talk now: a reply of the model would be spoken into their call.
        raise StopResponse

    def _not_merged(self, error: TransferFailed) -> str:
        outcome = error.outcome
        log.warning("not merged: %s", outcome.reason, extra={"transfer": outcome.transfer_id})
        if isinstance(error.__cause__, ServerUnusable):
            log.error("the set-up is at fault: %s", error.__cause__)
        if outcome.result is State.ABANDONED:
            # The caller is gone: there is nobody to speak to.
            raise StopResponse
        if outcome.reason in CALL_BACK:
            return "Nobody is free at the moment. Offer the caller to be called back."
        # Its words are written for a model: what happened, and what to do now.
        raise error

    def _changed(self, change: StateChange) -> None:
        if change.after is State.RETURNED:
            asked = "The colleague has hung up. Ask the caller whether there is anything else."
            self.session.generate_reply(instructions=asked)


server = AgentServer()


@server.rtc_session(agent_name="support")
async def entrypoint(ctx: JobContext) -> None:
    """One call."""
    settings = Settings.read(os.environ)
    session: AgentSession[None] = AgentSession(stt=settings.stt, llm=settings.llm, tts=settings.tts)
    await session.start(Support(settings.phone, settings.trunk_id), room=ctx.room)


if __name__ == "__main__":
    try:
        # Before the first call, and where plugins must be imported: in the main thread.
        Settings.read(os.environ)
    except ValueError as problem:
        raise SystemExit(str(problem)) from None
    cli.run_app(server)
