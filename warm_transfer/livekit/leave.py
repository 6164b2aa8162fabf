"""Leaving a merged call that goes on without the agent: AWAIT_LAST_WORDS and LEAVE_CALL."""

from __future__ import annotations

import asyncio
import contextlib

from warm_transfer.effects import Effect
from warm_transfer.events import Event, On
from warm_transfer.livekit.legs import Legs, Lost, unless
from warm_transfer.livekit.sdk import CallerSession

__all__ = ["Leave", "until_quiet"]

#: While a tool of the application runs, the agent is thinking (livekit-agents `AgentState`).
_BUSY = frozenset({"thinking", "speaking"})


class Leave:
    """AWAIT_LAST_WORDS and LEAVE_CALL."""

    def __init__(self, legs: Legs) -> None:
        self._legs = legs
        self._closing: asyncio.Task[None] | None = None

    async def hear_out(self, effect: Effect) -> None:
        """Report when the agent has nothing more to say, or no room to say it in."""
        legs = self._legs
        with Lost(legs.caller_room) as lost, contextlib.suppress(ConnectionAbortedError):
            await unless(lost, until_quiet(legs.host.session, legs.policy.leave_quiet_s))
        legs.post(Event(On.AGENT_HEARD_OUT, effect=effect.id))

    async def leave(self) -> None:
        """Close the session, leave the room, end the job; safe to repeat.

        The session gets half the time of a release, for it waits for running tools; then the
        agent goes all the same, and the session is waited for in the next try.
        """
        legs = self._legs
        share_s = legs.policy.release_timeout_s / 2
        closing = self._close_session()
        try:
            await asyncio.wait([closing], timeout=share_s)
            async with asyncio.timeout(share_s):
                await legs.caller_room.disconnect()
        finally:
            legs.host.end_job()
        if not closing.done() or closing.cancelled():
            raise TimeoutError
        closing.result()

    def _close_session(self) -> asyncio.Task[None]:
        """Close in a task of its own, which goes on: what is cut off stays half closed for good."""
        closing = self._closing
        if closing is None or _failed(closing):
            name = f"warm-transfer {self._legs.transfer_id} session closing"
            closing = asyncio.get_running_loop().create_task(self._closed(), name=name)
            # Looked at, so that nobody reports an error after the last try as forgotten.
            closing.add_done_callback(_failed)
            # The job is ending by then, and takes the session with it.
            self._legs.at_end.callback(closing.cancel)
            self._closing = closing
        return closing

    async def _closed(self) -> None:
        policy = self._legs.policy
        # About as long as all tries of the release together.
        async with asyncio.timeout(policy.release_timeout_s * policy.release_attempts_max):
            await self._legs.host.session.aclose()


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def until_quiet(session: CallerSession, quiet_s: float) -> None:
    """Return when the agent has neither spoken nor been about to for `quiet_s` seconds.

    Also when the session closes. Unbounded: the application may talk for ever.
    """
    changed, closed = asyncio.Event(), asyncio.Event()

    def note(_: object) -> None:
        changed.set()

    def close(_: object) -> None:
        closed.set()
        changed.set()

    listeners = (("agent_state_changed", note), ("close", close))
    for event, listener in listeners:
        session.on(event, listener)
    try:
        while not closed.is_set():
            changed.clear()
            speech = session.current_speech
            speaks = speech is not None and not speech.done()
            if speaks:
                # The end of a speech that has not been heard changes no state.
                speech.add_done_callback(note)
            busy = speaks or session.agent_state in _BUSY
            try:
                async with asyncio.timeout(None if busy else quiet_s):
                    await changed.wait()
            except TimeoutError:
                return
    finally:
        for event, listener in listeners:
            session.off(event, listener)
