from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import jwt
import pytest
from livekit import api, rtc
from livekit.agents import AgentSession, BackgroundAudioPlayer

from warm_transfer.livekit import sdk
from warm_transfer.livekit.compat import HoldAudioPlayer
from warm_transfer.livekit.sdk import LiveKitSdk
from warm_transfer.testing.livekit.participants import SimLocalParticipant
from warm_transfer.testing.livekit.player import SimHoldPlayer
from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.service import SimRoomService
from warm_transfer.testing.livekit.sessions import SimConsultSession
from warm_transfer.testing.livekit.sip_service import SimSipService
from warm_transfer.testing.livekit.sound import SimAudioSource, SimAudioStream

T = TypeVar("T")
KEY, SECRET = "key", "a secret of at least thirty-two characters"

LIVE = LiveKitSdk("ws://127.0.0.1:7880", KEY, SECRET)


def in_loop(work: Callable[[], T]) -> T:
    async def run() -> T:
        return work()

    return asyncio.run(run())


# The token for the consult room.


def test_the_token_admits_to_one_room_without_any_administration() -> None:
    claims = api.TokenVerifier(KEY, SECRET).verify(LIVE.token("wt-1", "agent", 60.0))
    assert claims.identity == "agent"
    assert claims.kind == "agent"
    video = claims.video
    assert video is not None
    assert video.room_join is True
    assert video.room == "wt-1"
    for grant in ("room_create", "room_list", "room_record", "room_admin", "ingress_admin"):
        assert not getattr(video, grant), grant
    assert not video.destination_room
    assert not video.hidden
    assert not video.recorder
    assert claims.sip is None or not (claims.sip.admin or claims.sip.call)
    assert claims.inference is None or not claims.inference.perform


@pytest.mark.parametrize("ttl_s", [30.0, 120.0])
def test_the_token_is_short_lived(ttl_s: float) -> None:
    raw = jwt.decode(LIVE.token("wt-1", "agent", ttl_s), SECRET, algorithms=["HS256"])
    assert raw["exp"] - raw["nbf"] == pytest.approx(ttl_s, abs=1.0)


def test_a_token_of_another_secret_is_refused() -> None:
    other = LiveKitSdk("ws://127.0.0.1:7880", KEY, SECRET[::-1])
    with pytest.raises(jwt.InvalidSignatureError):
        api.TokenVerifier(KEY, SECRET).verify(other.token("wt-1", "agent", 60.0))


# What it makes.


def test_the_client_never_replays_a_dial() -> None:
    async def make() -> bool:
        client: Any = LIVE.api()
        on = client._failover if hasattr(client, "_failover") else client.sip._client._failover
        await client.aclose()
        return bool(on)

    assert asyncio.run(make()) is False


def test_it_makes_rooms_sessions_and_players_of_the_sdk() -> None:
    assert LIVE.url == "ws://127.0.0.1:7880"
    assert isinstance(in_loop(LIVE.room), rtc.Room)
    assert isinstance(in_loop(lambda: LIVE.consult_session({"vad": None})), AgentSession)
    player = in_loop(lambda: LIVE.hold_player("hold"))
    assert isinstance(player, HoldAudioPlayer)
    assert isinstance(player, BackgroundAudioPlayer)


def test_frames_of_ten_milliseconds_pass_straight_through() -> None:
    async def make() -> tuple[Any, Any]:
        source = LIVE.audio_source()
        track = LIVE.audio_track("relay", source)
        # A frame of 10 ms is taken without waiting for a queue.
        await source.capture_frame(rtc.AudioFrame.create(sdk.SAMPLE_RATE_HZ, 1, 480))
        # That there is no queue shows in 20 ms, which do not pass at all; the next frame tells.
        await source.capture_frame(rtc.AudioFrame.create(sdk.SAMPLE_RATE_HZ, 1, 960))
        refused: Any = source
        async with asyncio.timeout(5):
            event = await refused._refusals.get()
        refused._refusals.put_nowait(event)
        with pytest.raises(RuntimeError, match="10ms frames"):
            await source.capture_frame(rtc.AudioFrame.create(sdk.SAMPLE_RATE_HZ, 1, 480))
        await source.aclose()
        return source, track

    source, track = asyncio.run(make())
    assert source.sample_rate == sdk.SAMPLE_RATE_HZ
    assert source.num_channels == 1
    assert track.name == "relay"
    assert sdk.FRAME_MS == 10


# The simulated objects have what the adapters use, as the real ones have it.

SEAM: list[tuple[type[Any], type[Any], type[Any]]] = [
    (sdk.Room, rtc.Room, SimRoom),
    (sdk.LocalParticipant, rtc.LocalParticipant, SimLocalParticipant),
    (sdk.RoomService, api.room_service.RoomService, SimRoomService),
    (sdk.SipService, api.sip_service.SipService, SimSipService),
    (sdk.ConsultSession, AgentSession, SimConsultSession),
    (sdk.HoldPlayer, BackgroundAudioPlayer, SimHoldPlayer),
    (sdk.AudioSource, rtc.AudioSource, SimAudioSource),
    (sdk.AudioStream, rtc.AudioStream, SimAudioStream),
    (sdk.Sdk, LiveKitSdk, SimSdk),
]


def _own(cls: type[Any]) -> dict[str, Any]:
    return {
        name: member
        for name, member in vars(cls).items()
        if callable(member) and (not name.startswith("_") or name == "__aiter__")
    }


@pytest.mark.parametrize(("protocol", "real", "simulated"), SEAM)
def test_real_and_simulated_take_the_arguments_of_the_seam(
    protocol: type[Any], real: type[Any], simulated: type[Any]
) -> None:
    for name, asked in _own(protocol).items():
        for each in (real, simulated):
            found = getattr(each, name)
            assert callable(found), (each, name)
            # Called with the same names as the protocol declares.
            parameters = inspect.signature(asked).parameters.values()
            signature = inspect.signature(found)
            positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
            named = {p.name: None for p in parameters if p.kind is p.KEYWORD_ONLY}
            signature.bind(*positional, **named)


def test_the_options_of_a_session_are_the_sdks_own() -> None:
    with pytest.raises(TypeError):
        in_loop(lambda: LIVE.consult_session({"no such option": 1}))
