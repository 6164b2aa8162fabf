"""What the adapters of one transfer share: who is where, and whom to tell."""

from __future__ import annotations

from dataclasses import dataclass

from livekit import rtc

from warm_transfer.livekit.host import Host
from warm_transfer.livekit.sdk import Api, Room, Sdk
from warm_transfer.logs import BoundLog
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Post

__all__ = ["Legs", "microphone_of"]


@dataclass(slots=True)
class Legs:
    """The rooms, identities and services of one transfer."""

    transfer_id: str
    sdk: Sdk
    api: Api
    policy: TransferPolicy
    host: Host
    caller_room: Room
    caller_identity: str
    consult_name: str
    """The name of the consult room: unguessable, without the caller's number."""
    human_identity: str
    """The identity of the human's leg in this attempt."""
    post: Post
    log: BoundLog
    consult_room: Room | None = None
    """The consult room while the agent is in it."""

    @property
    def consult_connected(self) -> bool:
        """Whether the agent's connection to the consult room stands."""
        return self.consult_room is not None and self.consult_room.isconnected()


def microphone_of(room: Room, identity: str) -> rtc.RemoteTrackPublication | None:
    """The publication that carries a participant's voice; None while there is none.

    By its source and not "the first audio track": a participant may have several.
    """
    participant = room.remote_participants.get(identity)
    if participant is None:
        return None
    publication: rtc.RemoteTrackPublication
    for publication in participant.track_publications.values():
        if publication.source == rtc.TrackSource.SOURCE_MICROPHONE:
            return publication
    return None
