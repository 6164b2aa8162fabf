"""Who awaits a transfer in the simulated world: `warm_transfer.livekit.host.Host`."""

from __future__ import annotations

import asyncio

from warm_transfer.outcome import TransferOutcome
from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.sessions import SimCallerSession
from warm_transfer.testing.livekit.world import World

__all__ = ["SimHost"]


class SimHost:
    """Stands for the task in the caller's session.

    Args:
        session: the caller's session.
    """

    def __init__(self, session: SimCallerSession) -> None:
        self._session = session
        self._world: World = session.room_io.room.world
        self.outcomes: list[TransferOutcome] = []
        """What was delivered; more than one is a fault of the engine."""
        self.delivered = asyncio.Event()
        self.agent_back = asyncio.Event()
        self.delivered_s: float | None = None
        """When the outcome was delivered, in the world's time."""
        self.job_ended_s: float | None = None
        """When the job was asked to end because the agent has left the call."""

    @property
    def session(self) -> SimCallerSession:
        """The caller's session."""
        return self._session

    async def speech_ended(self) -> None:
        """Return when the agent's last words are out."""
        speech = self._session.voice.current
        if speech is not None:
            await speech.wait_for_playout()

    def complete(self, outcome: TransferOutcome) -> None:
        """Take the outcome; the agent is current again a moment later (integration 2)."""
        self.outcomes.append(outcome)
        self.delivered.set()
        self.delivered_s = self._world.now_s
        self._world.after(latency.HAND_BACK_S, self.agent_back.set)

    def leave(self) -> None:
        """The session has closed: nobody will come back, and whoever waits may go on."""
        self.agent_back.set()

    async def handed_back(self) -> None:
        """Return when the agent is current again, or never will be."""
        await self.agent_back.wait()

    def end_job(self) -> None:
        """Take note that the job is to end; a repetition changes nothing."""
        if self.job_ended_s is None:
            self.job_ended_s = self._world.now_s
