"""The seam to the LiveKit SDK: what the adapters use of it, under the SDK's own method names.

`LiveKitSdk` passes through to livekit and livekit-agents; `warm_transfer.testing.livekit` has a
simulated implementation. The adapters use only these protocols, so they run unchanged on both.
Request and option objects (``livekit.api`` messages, ``RoomOptions``) are the SDK's own.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, Protocol, cast

from livekit import api, rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice.room_io import RoomOptions

from warm_transfer.livekit import audiofile
from warm_transfer.livekit.compat import HoldAudioPlayer, StraightSource, VoiceStream

__all__ = [
    "Api",
    "AudioFile",
    "AudioSource",
    "AudioStream",
    "CallerSession",
    "ConsultSession",
    "HoldPlayer",
    "LiveKitSdk",
    "Participant",
    "Room",
    "Sdk",
]

Listener = Callable[..., None]


class Participant(Protocol):
    """``rtc.RemoteParticipant``."""

    @property
    def identity(self) -> str: ...
    @property
    def kind(self) -> int: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...
    @property
    def track_publications(self) -> Mapping[str, Any]: ...
    @property
    def disconnect_reason(self) -> int | None: ...


class LocalParticipant(Protocol):
    """``rtc.LocalParticipant``."""

    @property
    def identity(self) -> str: ...
    @property
    def track_publications(self) -> Mapping[str, Any]: ...

    async def publish_track(self, track: Any, options: Any = ...) -> Any: ...
    async def unpublish_track(self, track_sid: str) -> None: ...
    def set_track_subscription_permissions(
        self,
        *,
        allow_all_participants: bool,
        participant_permissions: list[rtc.ParticipantTrackPermission] | None = ...,
    ) -> None: ...
    async def publish_data(
        self,
        payload: bytes | str,
        *,
        reliable: bool = ...,
        destination_identities: list[str] = ...,
        topic: str = ...,
    ) -> None: ...
    async def publish_dtmf(self, *, code: int, digit: str) -> None: ...


class Room(Protocol):
    """``rtc.Room``.

    Events beside those of the connection: ``participant_connected``, ``participant_disconnected``,
    ``participant_attributes_changed``, ``track_published``, ``track_subscribed``,
    ``track_unsubscribed``, ``data_received`` (``rtc.DataPacket``), ``sip_dtmf_received``
    (``rtc.SipDTMF``), and ``moved`` when the server has put ourselves into another room.
    """

    @property
    def name(self) -> str: ...
    @property
    def local_participant(self) -> Any: ...
    @property
    def remote_participants(self) -> Mapping[str, Any]: ...
    @property
    def connection_state(self) -> int: ...

    def isconnected(self) -> bool: ...
    def on(self, event: Any, callback: Listener) -> Any: ...
    def off(self, event: Any, callback: Listener) -> None: ...
    async def connect(self, url: str, token: str, options: Any = ...) -> None: ...
    async def disconnect(self) -> None: ...


class RoomService(Protocol):
    """``api.LiveKitAPI().room``."""

    async def create_room(self, create: api.CreateRoomRequest) -> Any: ...
    async def delete_room(self, delete: api.DeleteRoomRequest) -> Any: ...
    async def list_rooms(self, list: api.ListRoomsRequest) -> Any: ...  # noqa: A002
    async def remove_participant(self, remove: api.RoomParticipantIdentity) -> Any: ...
    async def list_participants(self, list: api.ListParticipantsRequest) -> Any: ...  # noqa: A002
    async def get_participant(self, get: api.RoomParticipantIdentity) -> Any: ...
    async def move_participant(self, move: api.MoveParticipantRequest) -> None: ...
    async def update_participant(self, update: api.UpdateParticipantRequest) -> Any: ...
    async def update_subscriptions(self, update: api.UpdateSubscriptionsRequest) -> Any: ...


class SipService(Protocol):
    """``api.LiveKitAPI().sip``."""

    async def create_sip_participant(
        self, create: api.CreateSIPParticipantRequest, *, timeout: float | None = ...
    ) -> Any: ...
    async def list_outbound_trunk(self, list: api.ListSIPOutboundTrunkRequest) -> Any: ...  # noqa: A002
    async def list_inbound_trunk(self, list: api.ListSIPInboundTrunkRequest) -> Any: ...  # noqa: A002
    async def list_dispatch_rule(self, list: api.ListSIPDispatchRuleRequest) -> Any: ...  # noqa: A002
    async def create_outbound_trunk(self, create: api.CreateSIPOutboundTrunkRequest) -> Any: ...
    async def create_inbound_trunk(self, create: api.CreateSIPInboundTrunkRequest) -> Any: ...
    async def create_dispatch_rule(self, create: api.CreateSIPDispatchRuleRequest) -> Any: ...
    async def delete_trunk(self, delete: api.DeleteSIPTrunkRequest) -> Any: ...
    async def delete_dispatch_rule(self, delete: api.DeleteSIPDispatchRuleRequest) -> Any: ...


class Api(Protocol):
    """``api.LiveKitAPI``."""

    @property
    def room(self) -> Any: ...
    @property
    def sip(self) -> Any: ...

    async def aclose(self) -> None: ...


class AudioInput(Protocol):
    """``AgentSession.input``."""

    @property
    def audio(self) -> Any: ...
    @property
    def video(self) -> Any: ...
    @property
    def audio_enabled(self) -> bool: ...
    @property
    def video_enabled(self) -> bool: ...
    def set_audio_enabled(self, enable: bool) -> None: ...
    def set_video_enabled(self, enable: bool) -> None: ...


class AudioOutput(Protocol):
    """``AgentSession.output``."""

    @property
    def audio(self) -> Any: ...
    @property
    def video(self) -> Any: ...
    @property
    def transcription(self) -> Any: ...
    @property
    def audio_enabled(self) -> bool: ...
    @property
    def video_enabled(self) -> bool: ...
    @property
    def transcription_enabled(self) -> bool: ...
    def set_audio_enabled(self, enabled: bool) -> None: ...
    def set_video_enabled(self, enabled: bool) -> None: ...
    def set_transcription_enabled(self, enabled: bool) -> None: ...


class CallerSession(Protocol):
    """The ``AgentSession`` that talks to the caller."""

    @property
    def input(self) -> Any: ...
    @property
    def output(self) -> Any: ...
    @property
    def agent_state(self) -> str: ...
    @property
    def current_speech(self) -> Any: ...

    def aclose(self) -> Coroutine[Any, Any, None]: ...
    def on(self, event: Any, callback: Listener) -> Any: ...
    def off(self, event: Any, callback: Listener) -> None: ...


class Speech(Protocol):
    """``SpeechHandle``."""

    async def wait_for_playout(self) -> None: ...


class ConsultSession(Protocol):
    """The ``AgentSession`` that talks to the human."""

    @property
    def input(self) -> Any: ...
    @property
    def output(self) -> Any: ...
    @property
    def llm(self) -> Any: ...
    @property
    def tts(self) -> Any: ...

    async def start(self, agent: Agent, *, room: Any, room_options: Any, record: bool) -> Any: ...
    def say(self, text: str, *, allow_interruptions: bool, add_to_chat_ctx: bool) -> Speech: ...
    def generate_reply(self, *, instructions: str, tool_choice: Any) -> Speech: ...
    def interrupt(self, *, force: bool = ...) -> Any: ...
    async def aclose(self) -> None: ...
    def on(self, event: Any, callback: Listener) -> Any: ...
    def off(self, event: Any, callback: Listener) -> None: ...


class HoldPlayer(Protocol):
    """``BackgroundAudioPlayer``."""

    async def start(self, *, room: Any) -> None: ...
    def play(self, audio: Any, *, loop: bool = ...) -> Any: ...
    def aclose(self) -> Coroutine[Any, Any, None]: ...


class AudioFile(Protocol):
    """The sound of a file for ever, an async iterator of frames (`warm_transfer`'s own)."""

    def __aiter__(self) -> AsyncIterator[Any]: ...
    async def __anext__(self) -> Any: ...
    def close(self) -> None: ...


class AudioStream(Protocol):
    """``rtc.AudioStream``: the frames of one subscribed track."""

    @property
    def dropped(self) -> int: ...
    @property
    def lag_s(self) -> float: ...
    def __aiter__(self) -> AsyncIterator[Any]: ...
    async def aclose(self) -> None: ...


class AudioSource(Protocol):
    """``rtc.AudioSource``: the frames of one track of ours."""

    async def capture_frame(self, frame: Any) -> None: ...
    def clear_queue(self) -> None: ...
    async def aclose(self) -> None: ...


class Sdk(Protocol):
    """Makes the SDK's objects."""

    def room(self) -> Room:
        """A room that is not connected yet (``rtc.Room()``)."""
        ...

    def api(self) -> Api:
        """A client of the server's API of its own, without fail-over: a dial is never replayed."""
        ...

    def token(self, room: str, identity: str, ttl_s: float) -> str:
        """A token with which the agent joins one room, and nothing else."""
        ...

    @property
    def url(self) -> str:
        """The server's address for rooms."""
        ...

    def consult_session(self, options: Mapping[str, Any]) -> ConsultSession:
        """An ``AgentSession(**options)``."""
        ...

    def hold_player(self, track_name: str) -> HoldPlayer:
        """A player whose track has this name, and which unpublishes only that track."""
        ...

    def audio_file(self, path: str, *, skip_s: float) -> AudioFile:
        """The frames of a file for ever, without so many seconds the first time.

        Its first frame is decoded from now on, not only when somebody asks for it.
        """
        ...

    def audio_stream(self, track: Any, *, capacity: int) -> AudioStream:
        """The frames of a subscribed track, 10 ms each, the oldest dropped beyond `capacity`.

        It counts what it has `dropped`, and says how long the last frame has waited: `lag_s`.
        """
        ...

    def audio_source(self) -> AudioSource:
        """A source that passes 10 ms frames straight through."""
        ...

    def audio_track(self, name: str, source: AudioSource) -> Any:
        """A local track fed by a source."""
        ...


SAMPLE_RATE_HZ = 48_000
FRAME_MS = 10


class LiveKitSdk:
    """The real SDK.

    Args:
        url: the server's address, as in ``LIVEKIT_URL``.
        api_key, api_secret: the credentials, as in the environment variables of livekit.
    """

    def __init__(self, url: str, api_key: str, api_secret: str) -> None:
        self._url = url
        self._key = api_key
        self._secret = api_secret

    @property
    def url(self) -> str:
        return self._url

    def room(self) -> Room:
        return cast("Room", rtc.Room())

    def api(self) -> Api:
        return cast("Api", api.LiveKitAPI(self._url, self._key, self._secret, failover=False))

    def token(self, room: str, identity: str, ttl_s: float) -> str:
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            can_publish=True,
            can_subscribe=True,
            can_publish_data=True,
            can_update_own_metadata=True,
        )
        token = api.AccessToken(self._key, self._secret).with_identity(identity)
        token = token.with_kind("agent").with_ttl(datetime.timedelta(seconds=ttl_s))
        return token.with_grants(grants).to_jwt()

    def consult_session(self, options: Mapping[str, Any]) -> ConsultSession:
        return cast("ConsultSession", AgentSession(**options))

    def hold_player(self, track_name: str) -> HoldPlayer:
        return cast("HoldPlayer", HoldAudioPlayer(track_name))

    def audio_file(self, path: str, *, skip_s: float) -> AudioFile:
        return audiofile.AudioFile(path, sample_rate_hz=SAMPLE_RATE_HZ, skip_s=skip_s)

    def audio_stream(self, track: Any, *, capacity: int) -> AudioStream:
        stream = VoiceStream(
            track,
            sample_rate=SAMPLE_RATE_HZ,
            num_channels=1,
            frame_size_ms=FRAME_MS,
            capacity=capacity,
        )
        return cast("AudioStream", stream)

    def audio_source(self) -> AudioSource:
        # Queue 0 passes frames straight through; 20 ms frames would not pass at all.
        return cast("AudioSource", StraightSource(SAMPLE_RATE_HZ, 1))

    def audio_track(self, name: str, source: AudioSource) -> Any:
        return rtc.LocalAudioTrack.create_audio_track(name, cast("rtc.AudioSource", source))


__all__ += ["RoomOptions"]
