"""The side that awaits a transfer: the task in an agent session, or a scenario in a test."""

from __future__ import annotations

from typing import Protocol

from warm_transfer.livekit.sdk import CallerSession
from warm_transfer.outcome import TransferOutcome

__all__ = ["Host"]


class Host(Protocol):
    """What the adapters need of whoever awaits the transfer."""

    @property
    def session(self) -> CallerSession:
        """The session that talks to the caller."""
        ...

    async def speech_ended(self) -> None:
        """Return when the agent's last words are out and the hold may be heard."""
        ...

    def complete(self, outcome: TransferOutcome) -> None:
        """Take the outcome; begins the hand-back to the agent. Called at most once."""
        ...

    async def handed_back(self) -> None:
        """Return when the agent is current again, or never will be."""
        ...

    def end_job(self) -> None:
        """Ask the job to end, if there is one: the agent has left the call. Safe to repeat."""
        ...
