"""The SIP bridge: the SIP service calls itself, and that call joins the two rooms.

One end is a leg in the caller's room, the other comes out in the consult room, whose name is the
called user: ``wt_<token>``. Each end passes on everything it hears, so what the agent says is kept
from both by track permissions. The token is good for this transfer only, and is not a new one for
a second merge: it is in the name of the room. A second bridge cannot come about, because its ends
have the identities of the first, and the server puts out whoever has the identity of a newcomer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from livekit import api, rtc

from warm_transfer.livekit.arrival import can_be_heard, comes_true
from warm_transfer.livekit.bridge_objects import BridgeObjects
from warm_transfer.livekit.faults import refusal
from warm_transfer.livekit.lane import Broke
from warm_transfer.livekit.legs import Doubt, Legs, look_away, unless
from warm_transfer.livekit.preflight import bridge_at
from warm_transfer.livekit.presence import Presence
from warm_transfer.livekit.sdk import Room
from warm_transfer.livekit.signals import ROLE
from warm_transfer.livekit.whereabouts import members_of
from warm_transfer.policy import Carrier

__all__ = ["SipBridge", "comes_out_in", "token_of"]

_SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP

#: 96 random bits at least: whoever knows the token and the password could join the consult.
_TOKEN = re.compile(r"[0-9a-f]{24,}")

#: While the request has not ended, the leg may be in the room or not be there yet.
_SWEEP_S = 0.05

_UNVERIFIED = "not verified: that sound runs through the bridge, for nobody tells"


def token_of(bridge: BridgeObjects, room: str) -> str:
    """The user to call so that the other end comes out in a room.

    Raises:
        ValueError: no call comes out there, or anybody could guess it.
    """
    token = room.removeprefix(bridge.room_of(""))
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"the consult room is not named {bridge.room_of('<token>')}")
    return token


def comes_out_in(room: str) -> bool:
    """Whether a bridge of any prefix could come out in a room of that name."""
    prefix, _, token = room.rpartition("_")
    return bool(prefix) and _TOKEN.fullmatch(token) is not None


class SipBridge:
    """The merge strategy ``sip_bridge``.

    Args:
        bridge: the bridge to use; the one that is found at the server unless given.
    """

    name = "sip_bridge"
    carrier = Carrier.BRIDGE

    def __init__(self, bridge: BridgeObjects | None = None) -> None:
        self._bridge = bridge
        self._dials: list[asyncio.Task[bool]] = []
        """The requests for a bridge, of repairs too; until they have ended one may come about."""
        self._rings_until_s = float("inf")
        self._doubt = Doubt()
        self._undone = asyncio.Event()
        self._limited = False
        self._legs: Legs | None = None
        self._broke: Broke | None = None
        self._watches: list[Presence] = []

    async def prepare(self, legs: Legs) -> None:
        """Keep the briefing for the human, and find the bridge."""
        self._limit(legs)
        await self._found(legs)

    async def merge(self, legs: Legs, broke: Broke) -> str:
        """Build the bridge; returns when both ends have been answered and can be heard."""
        self._forget()
        self._broke = broke
        self._undone = asyncio.Event()
        self._limit(legs)
        await unless(self._undone, self._build(legs))
        if self._undone.is_set():
            raise ConnectionAbortedError
        self._watch(legs)
        return _UNVERIFIED

    async def unmerge(self, legs: Legs) -> None:
        """Take the bridge down, by its end in the caller's room, and lift what was limited."""
        self._undone.set()
        self._forget()
        if self._dials:
            await self._sweep(legs)
            self._dials = []
        # Not before the bridge is gone: the human would hear the agent talk to the caller again.
        self._lift(legs)

    async def health(self, legs: Legs) -> bool:
        """Whether the bridge stands, says the server; if it does not say, what the agent sees."""
        stands = await self._is_there(legs)
        if stands and not self._watches and not self._undone.is_set():
            # A merge that was cut off before its end has not come to this.
            self._watch(legs)
        return stands

    async def _is_there(self, legs: Legs) -> bool:
        try:
            with_caller, with_human = await asyncio.gather(
                members_of(legs, legs.caller_room.name), members_of(legs, legs.consult_name)
            )
        except Exception as error:  # noqa: BLE001 - what we see ourselves is what is left
            legs.log.debug("bridge not looked for", detail=type(error).__name__)
            return self._stands(legs)
        near = with_caller.get(_identity(legs))
        far = [each for each in with_human.values() if each.attributes.get(ROLE) == "bridge"]
        here = legs.caller_identity in with_caller and legs.human_identity in with_human
        return here and near is not None and bool(far)

    # Building it.

    async def _found(self, legs: Legs) -> BridgeObjects:
        if self._bridge is None:
            limit_s = legs.policy.api_timeout_s
            self._bridge = await bridge_at(legs.sdk.url, legs.api, limit_s)
        if self._bridge is None:
            raise LookupError("no bridge is set up: `warm-transfer bridge setup`")
        return self._bridge

    async def _build(self, legs: Legs) -> None:
        bridge = await self._found(legs)
        consult = legs.consult_room
        if consult is None:
            raise LookupError("there is no consult room")
        await _check_present(legs, consult)

        def stands() -> bool:
            return self._stands(legs)

        if stands():
            return
        rooms, policy = (legs.caller_room, consult), legs.policy
        dialled = _dial(legs, bridge)
        self._dials.append(dialled)
        self._rings_until_s = asyncio.get_running_loop().time() + _ring_s(legs)
        arrives = asyncio.ensure_future(comes_true(stands, policy.merge_timeout_s, *rooms))
        try:
            await asyncio.wait([dialled, arrives], return_when=asyncio.FIRST_COMPLETED)
            if not stands():
                dialled.result()
            while not await comes_true(stands, policy.look_timeout_s, *rooms):
                await _check_present(legs, consult)
                if await _is_missing(legs, legs.caller_room.name, _identity(legs)):
                    raise TimeoutError("the bridge has not come about")
        finally:
            arrives.cancel()
            await asyncio.wait([arrives])

    def _stands(self, legs: Legs) -> bool:
        """Whether both ends can be heard and are answered, as the agent sees it."""
        consult = legs.consult_room
        if consult is None:
            return False
        others = [each for each in _others(legs, consult) if can_be_heard(consult, each)]
        near = legs.caller_room.remote_participants.get(_identity(legs))
        if near is None or not others or not can_be_heard(legs.caller_room, near.identity):
            return False
        # After a server restart an answered leg says "dialing" again (facts 0.5); but one that is
        # still there when nothing rings any more has been answered.
        rung_out = asyncio.get_running_loop().time() > self._rings_until_s
        return rung_out or near.attributes.get("sip.callStatus") == "active"

    # Watching it.

    def _watch(self, legs: Legs) -> None:
        """Tell once when either end has gone; the other one goes with it."""
        broke = self._broke
        assert broke is not None

        def gone(reason: str | None) -> None:
            self._forget()
            broke(ConnectionError(f"the bridge is gone: {reason}"))

        consult = legs.consult_room
        ends = [(legs.caller_room, _identity(legs))]
        if consult is not None:
            ends += [(consult, each) for each in _others(legs, consult)]
        # A lost room is told by whoever watches the people in it.
        self._watches = [
            Presence(room, who, gone, lambda _: None, policy=legs.policy) for room, who in ends
        ]
        # When the job ends the bridge stays, and so would the listeners.
        legs.at_end.callback(self._forget)

    def _forget(self) -> None:
        watches, self._watches = self._watches, []
        for each in watches:
            each.close()

    # Keeping what the agent says off it.

    def _limit(self, legs: Legs) -> None:
        """What the agent sends is for those who are there now, and not for the bridge."""
        consult, room = legs.consult_room, legs.caller_room
        if consult is not None and consult.isconnected():
            _only_for(consult, [legs.human_identity])
        if not self._limited:
            self._limited = True
            # Who comes later is to hear the agent as well; all but the bridge.
            room.on("participant_connected", self._on_joined)
            legs.at_end.callback(room.off, "participant_connected", self._on_joined)
        self._legs = legs
        self._limit_again()

    def _on_joined(self, _: object) -> None:
        try:
            self._limit_again()
        except Exception as error:  # noqa: BLE001 - the limit before holds: who has come hears no agent
            if self._legs is not None:
                self._legs.log.warning("limit not widened", detail=type(error).__name__)

    def _limit_again(self) -> None:
        legs = self._legs
        if legs is None or not legs.caller_room.isconnected():
            return
        present = set(legs.caller_room.remote_participants)
        people = {legs.caller_identity, *present} - {_identity(legs), legs.human_identity}
        _only_for(legs.caller_room, sorted(people))

    def _lift(self, legs: Legs) -> None:
        if not self._limited:
            return
        legs.caller_room.off("participant_connected", self._on_joined)
        for room in (legs.caller_room, legs.consult_room):
            if room is not None and room.isconnected():
                # The SDK does not tell what it was; this is what it is unless somebody sets it.
                room.local_participant.set_track_subscription_permissions(
                    allow_all_participants=True
                )
        self._limited = False

    # Taking it down.

    async def _sweep(self, legs: Legs) -> None:
        """Remove our end until the requests have ended: before it is there, nobody finds it."""
        self._doubt.begin(legs)
        while pending := [each for each in self._dials if not each.done()]:
            try:
                await _remove(legs)
            except Exception as error:  # noqa: BLE001 - given up, the other end would come out later
                # in a room that has been deleted, and make it again.
                legs.log.warning("bridge removed again", detail=type(error).__name__)
            await asyncio.wait(pending, timeout=_SWEEP_S)
        await self._doubt.remove(_remove(legs))
        said = all(
            not each.cancelled() and (each.exception() is not None or each.result())
            for each in self._dials
        )
        await self._doubt.repeat(lambda: _remove(legs), also=not said or legs.out_of_touch)


def _identity(legs: Legs) -> str:
    """Of the end in the caller's room; fixed, so that there are never two."""
    return f"wt-bridge-{legs.transfer_id}"


def _others(legs: Legs, consult: Room) -> list[str]:
    """The legs in the consult room that are not the human's: the other end, while there is one."""
    people: Mapping[str, rtc.RemoteParticipant] = consult.remote_participants
    return [who for who, each in people.items() if each.kind == _SIP and who != legs.human_identity]


async def _check_present(legs: Legs, consult: Room) -> None:
    """Do nothing if there is anybody to be joined."""
    caller, human = legs.caller_identity, legs.human_identity
    for room, name, who in (
        (legs.caller_room, legs.caller_room.name, caller),
        (consult, legs.consult_name, human),
    ):
        if room.connection_state == rtc.ConnectionState.CONN_RECONNECTING:
            continue
        # A room that we have lost for good shows whoever was there, and may have been deleted.
        lost = not room.isconnected()
        gone = await _is_missing(legs, name, who) if lost else who not in room.remote_participants
        if gone:
            raise LookupError(f"{who} is not there")


async def _is_missing(legs: Legs, room: str, who: str) -> bool:
    """Whether somebody is not there, says the server; one that restarts does not say."""
    try:
        return who not in await members_of(legs, room)
    except Exception as error:  # noqa: BLE001 - the merge clock bounds how often this is asked
        legs.log.debug("members not looked for", detail=type(error).__name__)
        return False


def _only_for(room: Room, identities: list[str]) -> None:
    """Let only these subscribe to our tracks in a room, those to come included."""
    room.local_participant.set_track_subscription_permissions(
        allow_all_participants=False,
        participant_permissions=[
            rtc.ParticipantTrackPermission(participant_identity=each, allow_all=True)
            for each in identities
        ],
    )


async def _remove(legs: Legs) -> None:
    who = api.RoomParticipantIdentity(room=legs.caller_room.name, identity=_identity(legs))
    await legs.removed(legs.api.room.remove_participant(who))


def _dial(legs: Legs, bridge: BridgeObjects) -> asyncio.Task[bool]:
    """Let the SIP service call itself; never cancelled, for the call would come about all the same.

    Raises:
        ValueError: the consult room cannot be called.
    """
    request = _request(legs, bridge)
    name = f"warm-transfer {legs.transfer_id} bridge"
    dialled = asyncio.get_running_loop().create_task(_send(legs, request), name=name)
    dialled.add_done_callback(look_away)
    return dialled


def _request(legs: Legs, bridge: BridgeObjects) -> api.CreateSIPParticipantRequest:
    policy = legs.policy
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=bridge.trunk_id,
        sip_call_to=token_of(bridge, legs.consult_name),
        sip_number=bridge.number,
        room_name=legs.caller_room.name,
        participant_identity=_identity(legs),
        participant_name="bridge",
        participant_attributes={ROLE: "bridge", "wt.id": legs.transfer_id},
        # The called user is the secret; as a phone number everybody in the room could read it.
        hide_phone_number=True,
        wait_until_answered=True,
    )
    request.ringing_timeout.FromSeconds(_ring_s(legs))
    request.max_call_duration.FromMilliseconds(int(policy.call_limit_s * 1000))
    return request


def _ring_s(legs: Legs) -> int:
    """Whole seconds, and less than the request has: livekit-api adds two. It takes 0.1 s."""
    return max(1, int(legs.policy.api_timeout_s / 2))


async def _send(legs: Legs, request: api.CreateSIPParticipantRequest) -> bool:
    """Send the request; False if it is not known what has become of it.

    Raises:
        Exception: the server has said that there is no bridge.
    """
    limit_s = legs.policy.api_timeout_s
    try:
        async with asyncio.timeout(limit_s):
            await legs.api.sip.create_sip_participant(request, timeout=limit_s)
    except Exception as error:
        if refusal(error) is not None:
            raise
        # Whether it has come about, its ends tell.
        legs.log.warning("bridge uncertain", detail=type(error).__name__)
        return False
    return True
