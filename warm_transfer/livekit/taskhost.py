"""The `Host` port on an agent task: what the engine sees of the side that awaits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from livekit.agents import Agent, AgentSession, get_job_context

from warm_transfer.livekit.legs import look_away
from warm_transfer.outcome import TransferOutcome

__all__ = ["TaskHost"]


class TaskHost:
    """One await of a task in the caller's session.

    Args:
        session: the caller's session.
        agent: whose tool or hook awaits.
        complete: completes the task; called from the loop, in no task's context.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        agent: Agent,
        complete: Callable[[TransferOutcome], None],
    ) -> None:
        self._session = session
        self.agent = agent
        self._complete = complete
        self.speech_over = asyncio.Event()
        """Set when the agent's last words are out."""
        self.back = asyncio.Event()
        """Set when the agent is current again, or never will be."""
        self.switched = asyncio.Event()
        """Set when somebody has put another agent in the agent's place."""
        self._decided = asyncio.Event()

    @property
    def session(self) -> AgentSession[Any]:
        """The session that talks to the caller."""
        return self._session

    async def speech_ended(self) -> None:
        """Return when the agent's last words are out."""
        await self.speech_over.wait()

    def complete(self, outcome: TransferOutcome) -> None:
        """Take the outcome; begins the hand-back to the agent."""
        self._decided.set()
        asyncio.get_running_loop().call_soon(self._complete, outcome)

    async def handed_back(self) -> None:
        """Return when the agent is current again, or never will be."""
        await self.back.wait()

    async def decided_behind_a_switch(self) -> None:
        """Return when there is an outcome and, the agent being switched, nobody to await it."""
        await self.switched.wait()
        # A merge that is under way decides for itself, and is bounded by its own clocks.
        await self._decided.wait()

    def end_job(self) -> None:
        """Ask the job to end, if there is one: the agent has left the call."""
        context = get_job_context(required=False)
        if context is not None:
            context.shutdown("warm transfer: the agent has left the call")

    def take_back(self, inner: asyncio.Task[Any]) -> None:
        """The framework's await is over, also behind a cancelled one: the agent is back."""
        self.back.set()
        look_away(inner)
