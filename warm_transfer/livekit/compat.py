"""Everything that touches a private name of livekit-agents.

``tests/livekit/test_private_names.py`` says what each of them is relied on for and finds those
used elsewhere; ``test_compat.py`` beside it breaks at an upgrade, before a call does.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections import deque
from collections.abc import Generator
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, AgentTask, BackgroundAudioPlayer, get_job_context
from livekit.agents.voice import agent as _agent
from livekit.agents.voice.agent_activity import _AgentActivityContextVar
from livekit.rtc import AudioSource, AudioStream
from livekit.rtc._ffi_client import FfiClient
from livekit.rtc._proto import ffi_pb2

from warm_transfer.livekit.backlog import Backlog

__all__ = [
    "FrameworkAwait",
    "HoldAudioPlayer",
    "StraightSource",
    "VoiceStream",
    "complete_outside_speech",
    "current_activity",
    "deletes_room_on_close",
    "is_closing",
    "pass_task_mark",
    "server_url",
    "take_tools",
]


class HoldAudioPlayer(BackgroundAudioPlayer):
    """A background player with a track of its own name, which takes only that track away.

    The stock player unpublishes by the name ``background_audio``, and so takes the application's
    own background track when there is one. It looks its track up by name because a full reconnect
    changes the sid; a name of our own keeps that right.
    """

    def __init__(self, track_name: str) -> None:
        super().__init__()
        self._own_name = track_name

    async def _publish_track(self) -> None:
        if self.publication is not None:
            return
        track = rtc.LocalAudioTrack.create_audio_track(self._own_name, self._audio_source)
        options = self._track_publish_options or rtc.TrackPublishOptions()
        self.publication = await self._room.local_participant.publish_track(track, options)

    async def aclose(self) -> None:
        """Close; may be called again after it was cut off half-way, which the stock one forgets."""
        await super().aclose()
        await self._audio_mixer.aclose()
        await self._audio_source.aclose()

    def _find_publication_by_name(self, name: str) -> rtc.LocalTrackPublication | None:
        del name
        if not self._room.isconnected():
            # In a room that is gone, unpublishing does not return; there is nothing to take away.
            return None
        return super()._find_publication_by_name(self._own_name)


class VoiceStream(AudioStream):
    """A stream that counts what it drops, knows how late a frame is, and wakes for its own only.

    The stock stream is woken by every frame of every stream in the process: twenty relays would
    cost as much as four hundred.
    """

    def __init__(self, track: rtc.Track, *, capacity: int, **options: Any) -> None:
        super().__init__(track, capacity=capacity, **options)
        self._queue: Any = Backlog(capacity)
        handle = self._ffi_handle.handle

        def is_own(event: Any) -> bool:
            # Called by the SDK's thread the moment the frame is there, however busy the loop is.
            own = bool(event.audio_stream_event.stream_handle == handle)
            if own:
                self._queue.arrived()
            return own

        events = FfiClient.instance.queue
        before = self._ffi_queue
        self._ffi_queue = events.subscribe(asyncio.get_running_loop(), filter_fn=is_own)
        events.unsubscribe(before)

    @property
    def dropped(self) -> int:
        """How many frames the loop came too late for."""
        return int(self._queue.dropped)

    @property
    def lag_s(self) -> float:
        """How long the last frame waited for the loop, or one dropped before it, in seconds."""
        return float(self._queue.lag_s)


class StraightSource(AudioSource):
    """A source without a queue, which does not wait for the SDK to say that it has a frame.

    The stock source listens to every event of the process while it waits; with ten relays in one
    process that is most of what the loop does. The SDK copies the samples before the request
    returns (rust-sdks ``livekit-ffi/src/server/audio_source.rs``).
    """

    def __init__(self, sample_rate: int, num_channels: int) -> None:
        super().__init__(sample_rate, num_channels, queue_size_ms=0)
        self._sent: deque[int] = deque(maxlen=100)
        self._refusals = FfiClient.instance.queue.subscribe(
            asyncio.get_running_loop(), filter_fn=_is_refusal
        )

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Pass a frame on.

        Raises:
            RuntimeError: the SDK has refused an earlier one.
        """
        while not self._refusals.empty():
            refused = self._refusals.get_nowait().capture_audio_frame
            if refused.async_id in self._sent:
                raise RuntimeError(refused.error)
        if self._ffi_handle.disposed:
            return
        request = ffi_pb2.FfiRequest()
        request.capture_audio_frame.source_handle = self._ffi_handle.handle
        request.capture_audio_frame.buffer.CopyFrom(frame._proto_info())  # noqa: SLF001 - as below
        answer = FfiClient.instance.request(request)
        self._sent.append(answer.capture_audio_frame.async_id)

    async def aclose(self) -> None:
        """Close; safe to repeat."""
        FfiClient.instance.queue.unsubscribe(self._refusals)
        await super().aclose()


def _is_refusal(event: Any) -> bool:
    return bool(event.capture_audio_frame.error)


def pass_task_mark(task: asyncio.Task[Any]) -> None:
    """Let an inner task await an ``AgentTask`` as the current task may.

    livekit-agents allows an inline task only in tasks that carry its mark.
    """
    _agent._pass_through_activity_task_info(task)  # noqa: SLF001 - the purpose of this module


def complete_outside_speech(task: AgentTask[Any], result: object) -> None:
    """Complete an ``AgentTask`` without writing the result into the awaiting tool's speech.

    ``complete`` stores the result in the speech handle of the current context; the engine's tasks
    inherit the context of the tool that awaits the transfer.
    """
    if not task.done():
        contextvars.Context().run(task.complete, result)


def server_url() -> str | None:
    """The address the running job's room is on; None outside a job.

    The job may have been given another address than ``LIVEKIT_URL`` (regions of the cloud).
    """
    context = get_job_context(required=False)
    url = context._info.url if context is not None else ""  # noqa: SLF001 - as above
    return url or os.environ.get("LIVEKIT_URL")


def current_activity() -> tuple[AgentSession[Any], Agent] | None:
    """The session and the agent in whose tool or hook the current code runs; None elsewhere."""
    activity = _AgentActivityContextVar.get(None)
    return None if activity is None else (activity.session, activity.agent)


def deletes_room_on_close(session: AgentSession[Any]) -> bool:
    """Whether a session was started with ``delete_room_on_close``; False if that is not known."""
    options = getattr(session.room_io, "_options", None)
    return bool(getattr(options, "delete_room_on_close", False))


def is_closing(session: AgentSession[Any]) -> bool:
    """Whether a session is about to close, and so cancels the tasks it has."""
    return session._closing  # noqa: SLF001 - as above


def take_tools(agent: Agent) -> list[Any]:
    """Take the tools away that an agent's class was found to have, and return them.

    Tools of the task would be tools of the caller's session: the held caller could talk a model
    into using them.
    """
    taken, agent._tools = agent._tools, []  # noqa: SLF001 - as above
    return taken


class FrameworkAwait:
    """Awaits an ``AgentTask`` as livekit-agents does, for a subclass that overrides the await."""

    def __init__(self, task: AgentTask[Any]) -> None:
        self._task = task

    def __await__(self) -> Generator[None, None, Any]:
        return AgentTask.__await__(self._task)
