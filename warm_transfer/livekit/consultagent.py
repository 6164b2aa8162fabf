"""The agent that talks to the human, and its three tools.

The tools exist on this agent only; nothing the caller says, types or presses reaches them. They
post an event and return, because a tool that waited for the engine's verdict would be waited for
by the release of its own session. Connecting is first checked against the human's own words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livekit.agents import Agent, function_tool
from livekit.agents.llm import ToolFlag

from warm_transfer.events import Event, Facts, On
from warm_transfer.livekit.consent import Consent
from warm_transfer.livekit.legs import Legs

__all__ = ["ConsultAgent"]


class ConsultAgent(Agent):
    """Talks to the human, and passes their decision on.

    Args:
        legs: whom to tell.
        consent: whether the human has agreed.
        standing: where the transfer stands, when it is not there for the human to decide.
        options: arguments of ``Agent``.
    """

    def __init__(
        self, legs: Legs, consent: Consent, standing: Callable[[], str | None], **options: Any
    ) -> None:
        options.setdefault("instructions", "")
        super().__init__(**options)
        self._legs = legs
        self._consent = consent
        self._standing = standing

    @function_tool(flags=ToolFlag.IGNORE_ON_ENTER)
    async def connect_to_caller(self) -> str | None:
        """Called when the human has agreed to talk to the caller now."""
        refusal = await self._consent.refusal()
        answer = self._standing() or refusal
        if refusal is None:
            self._say(On.CONSULT_ACCEPTED, Facts(via="tool"))
        return answer

    @function_tool(flags=ToolFlag.IGNORE_ON_ENTER)
    async def decline_transfer(self, reason: str) -> str | None:
        """Called when the human has said that they do not want to take the call.

        Args:
            reason: in a few words, why the human does not take the call
        """
        answer = self._standing()
        self._say(On.CONSULT_DECLINED, Facts(words=reason))
        return answer

    @function_tool(flags=ToolFlag.IGNORE_ON_ENTER)
    async def voicemail_detected(self) -> str | None:
        """Called when a machine has answered, and only after its greeting has been heard."""
        answer = self._standing()
        self._say(On.VOICEMAIL_DETECTED, Facts(via="tool"))
        return answer

    def _say(self, name: On, facts: Facts) -> None:
        self._legs.post(Event(name, facts))
