"""The SDK of the simulated world: what `warm_transfer.livekit.sdk.Sdk` asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from warm_transfer.testing.livekit.humans import Human
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.player import SimAudioFile, SimHoldPlayer
from warm_transfer.testing.livekit.rooms import SimRoom, make_token
from warm_transfer.testing.livekit.service import SimApi
from warm_transfer.testing.livekit.sessions import SimConsultSession
from warm_transfer.testing.livekit.sound import (
    SimAudioSource,
    SimAudioStream,
    SimLocalTrack,
    SimRemoteTrack,
)
from warm_transfer.testing.livekit.switchboard import Switchboard
from warm_transfer.testing.livekit.world import World

__all__ = ["SimSdk"]


class SimSdk:
    """Makes the SDK's objects on a simulated server.

    Args:
        world: the server.
        phones: what the phone of each destination does, call by call; ``""`` is any destination.
        humans: who is on the line, consult session by consult session; the last one goes on.
    """

    url = "ws://simulated"

    def __init__(
        self,
        world: World,
        *,
        phones: Mapping[str, Sequence[Phone]] | None = None,
        humans: Sequence[Human] = (),
    ) -> None:
        self.world = world
        self.switchboard = Switchboard(world, phones)
        self._humans = list(humans) or [Human()]
        self.consult_sessions: list[SimConsultSession] = []
        self.rooms: list[SimRoom] = []

    def room(self) -> SimRoom:
        """A room that is not connected yet."""
        room = SimRoom(self.world)
        self.rooms.append(room)
        return room

    def api(self) -> SimApi:
        """A client of its own."""
        return SimApi(self.world, self.switchboard)

    def token(self, room: str, identity: str, ttl_s: float) -> str:
        """A token for one room."""
        return make_token(room, identity, "agent", self.world.now_s + ttl_s)

    def consult_session(self, options: Mapping[str, Any]) -> SimConsultSession:
        """A session that will talk to the next human."""
        human = self._humans.pop(0) if len(self._humans) > 1 else self._humans[0]
        session = SimConsultSession(self.world, human, dict(options))
        self.consult_sessions.append(session)
        return session

    def hold_player(self, track_name: str) -> SimHoldPlayer:
        """A player on a track of this name."""
        return SimHoldPlayer(self.world, track_name)

    def audio_file(self, path: str, *, skip_s: float) -> SimAudioFile:
        """A file that is played."""
        del skip_s
        return SimAudioFile(self.world, path)

    def audio_stream(self, track: SimRemoteTrack, *, capacity: int) -> SimAudioStream:
        """The frames of a subscribed track."""
        # A constructor that fails has made nothing.
        self.world.faults.call_now("stream.open", lambda: None)
        return SimAudioStream(self.world, track, capacity)

    def audio_source(self) -> SimAudioSource:
        """A source of frames."""
        return SimAudioSource(self.world)

    def audio_track(self, name: str, source: Any) -> SimLocalTrack:
        """A track fed by a source."""
        return SimLocalTrack(self.world, name, source)
