import asyncio
from typing import Any

import pytest
from livekit import api, rtc

from warm_transfer.livekit.bridge_objects import BRIDGE_NUMBER, find_bridge
from warm_transfer.testing.livekit.bridge import Bridge
from warm_transfer.testing.livekit.phones import At
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.server import Member
from warm_transfer.testing.livekit.service import SimApi
from warm_transfer.testing.livekit.world import World

from .meeting import Told, in_room

pytestmark = pytest.mark.asyncio
Reason = rtc.DisconnectReason
SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
NEAR, FAR = "wt-bridge-1", f"sip_{BRIDGE_NUMBER}"
TOKEN = "token"  # noqa: S105 - nothing is behind it


class Rooms:
    """The caller in one room, the human in the other, and a bridge that can be built."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sdk = SimSdk(world)
        self.api: SimApi = self.sdk.api()
        self.caller = self._leg("call", "caller", "caller")
        self.human = self._leg(f"wt_{TOKEN}", "human-1", "human")

    @classmethod
    async def set_up(cls, *, seed: int | None = None) -> "Rooms":
        rooms = cls(World(bridge=True, seed=seed))
        await asyncio.sleep(1)
        return rooms

    def _leg(self, room: str, identity: str, ear: str) -> Member:
        leg = self.world.join(room, identity, kind=SIP, ear=ear)
        self.world.publish(leg, identity, tag=ear)
        return leg

    @property
    def trunk(self) -> str:
        return next(each for each in self.world.trunks.outbound if each != "ST_x")

    def request(self, **more: Any) -> api.CreateSIPParticipantRequest:
        known: dict[str, Any] = {
            "room_name": "call",
            "participant_identity": NEAR,
            "sip_trunk_id": self.trunk,
            "sip_call_to": TOKEN,
            "wait_until_answered": True,
            "participant_attributes": {"wt.role": "bridge"},
        }
        request = api.CreateSIPParticipantRequest(**{**known, **more})
        request.ringing_timeout.seconds = 5
        return request

    async def dial(self, **more: Any) -> float:
        """Build it; returns how long the request took."""
        before_s = self.world.now_s
        await self.api.sip.create_sip_participant(self.request(**more))
        return self.world.now_s - before_s

    async def bridged(self, **more: Any) -> Bridge:
        await self.dial(**more)
        await asyncio.sleep(1)
        return self.bridge

    @property
    def bridge(self) -> Bridge:
        return self.sdk.switchboard.bridges[-1]

    def hears(self, who: str) -> frozenset[str]:
        return self.world.ears.hears(who)

    @property
    def bridged_rooms(self) -> set[tuple[str, str]]:
        return {
            (room, identity)
            for room, identity in (("call", NEAR), (f"wt_{TOKEN}", FAR))
            if self.world.member(room, identity) is not None
        }

    async def nothing_is_left(self, within_s: float = 0.2) -> None:
        await asyncio.sleep(within_s)
        assert self.bridged_rooms == set()
        assert not self.world.left().phones
        assert self.hears("caller") == self.hears("human") == frozenset()


BOTH = {("call", NEAR), (f"wt_{TOKEN}", FAR)}


async def test_it_is_answered_and_both_hear_each_other_as_fast_as_measured() -> None:
    # facts 0.3: answered 0.08 s after the API call, both hear 0.40 to 0.42 s after it
    rooms = await Rooms.set_up()
    before_s = rooms.world.now_s
    assert await rooms.dial() == pytest.approx(0.08, abs=0.01)
    await asyncio.sleep(1)
    for listener, voice in (("caller", "human"), ("human", "caller")):
        (heard,) = rooms.world.heard(listener)
        assert heard.tag == voice
        assert 0.40 <= heard.from_s - before_s <= 0.42


async def test_it_adds_as_much_one_way_as_measured() -> None:
    # facts 0.3: +80 to 95 ms one way
    rooms = await Rooms.set_up()
    await rooms.bridged()
    said_s = rooms.world.now_s
    rooms.world.set_tag(next(iter(rooms.caller.tracks.values())), "a word")
    await asyncio.sleep(1)
    heard = next(each for each in rooms.world.heard("human") if each.tag == "a word")
    assert 0.08 <= heard.from_s - said_s <= 0.095


async def test_the_other_end_is_a_leg_as_inbound_calls_have_it() -> None:
    # facts A.4 (e); livekit/protocol sip/sip.go, EvaluateDispatchRule
    rooms = await Rooms.set_up()
    consult, call = await in_room(rooms.world, f"wt_{TOKEN}"), await in_room(rooms.world, "call")
    came = [Told(room, "participant_connected", "track_subscribed") for room in (consult, call)]
    await rooms.bridged()
    far, near = consult.remote_participants[FAR], call.remote_participants[NEAR]
    assert (far.kind, near.kind) == (SIP, SIP)
    assert far.name == f"Phone {BRIDGE_NUMBER}"
    assert far.attributes["sip.callStatus"] == near.attributes["sip.callStatus"] == "active"
    assert far.attributes["sip.trunkPhoneNumber"] == near.attributes["sip.phoneNumber"] == TOKEN
    assert far.attributes["sip.phoneNumber"] == BRIDGE_NUMBER
    assert far.attributes["wt.role"] == near.attributes["wt.role"] == "bridge"
    assert far.attributes["sip.callID"] != near.attributes["sip.callID"]
    assert [told.names for told in came] == [["participant_connected", "track_subscribed"]] * 2


async def test_it_carries_everything_that_is_not_limited() -> None:
    # facts A.4: the bridge carries everything in the room, music and briefing included
    rooms = await Rooms.set_up()
    for name, sound in (("call", "music"), (f"wt_{TOKEN}", "briefing")):
        rooms.world.publish(rooms.world.join(name, f"agent-{sound}"), sound, tag=sound)
    await rooms.bridged()
    assert rooms.hears("human") == {"briefing", "caller", "music"}
    assert rooms.hears("caller") == {"briefing", "human", "music"}


async def test_track_permissions_keep_music_and_briefing_off_the_bridge() -> None:
    # facts A.4: with only the permissions set 0 TTS frames at the caller, 0 music at the human
    rooms = await Rooms.set_up()
    for name, sound, whom in (
        ("call", "music", "caller"),
        (f"wt_{TOKEN}", "briefing", "human-1"),
    ):
        agent = rooms.world.join(name, f"agent-{sound}")
        rooms.world.publish(agent, sound, tag=sound)
        rooms.world.permit(agent, {whom: None})
    await rooms.bridged()
    assert rooms.hears("human") == {"briefing", "caller"}
    assert rooms.hears("caller") == {"human", "music"}


async def test_a_key_crosses_both_ways_once() -> None:
    # facts A.4: DTMF passes both ways across the bridge, no echo
    rooms = await Rooms.set_up()
    await rooms.bridged()
    rooms.world.press(rooms.human, "1")
    rooms.world.press(rooms.caller, "2")
    await asyncio.sleep(1)
    assert rooms.world.digits_at("caller") == "1"
    assert rooms.world.digits_at("human") == "2"


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("end", ["near", "far"])
async def test_removing_one_end_takes_the_other_one_down(end: str, seed: int | None) -> None:
    # facts A.4: undo = remove the bridge participant
    rooms = await Rooms.set_up(seed=seed)
    bridge = await rooms.bridged()
    assert rooms.bridged_rooms == BOTH
    room, identity = ("call", NEAR) if end == "near" else (f"wt_{TOKEN}", FAR)
    who = api.RoomParticipantIdentity(room=room, identity=identity)
    await rooms.api.room.remove_participant(who)
    await rooms.nothing_is_left()
    assert bridge.at is At.OVER
    assert rooms.world.member("call", "caller") is not None
    assert rooms.world.member(f"wt_{TOKEN}", "human-1") is not None


@pytest.mark.parametrize("room", ["call", f"wt_{TOKEN}"])
async def test_a_deleted_room_takes_its_end_and_the_other_one(room: str) -> None:
    rooms = await Rooms.set_up()
    other = await in_room(rooms.world, f"wt_{TOKEN}" if room == "call" else "call")
    told = Told(other, "participant_disconnected")
    await rooms.bridged()
    rooms.world.delete_room(room)
    await rooms.nothing_is_left()
    (gone,) = told.arguments("participant_disconnected")
    assert gone.disconnect_reason == Reason.CLIENT_INITIATED
    assert gone.attributes["sip.callStatus"] == "hangup"


async def test_it_ends_with_its_longest_duration() -> None:
    # facts A.4 (a): measured 4 s limit, both ends gone at 4.1 s
    rooms = await Rooms.set_up()
    request = rooms.request()
    request.max_call_duration.seconds = 4
    await rooms.api.sip.create_sip_participant(request)
    await asyncio.sleep(3.9)
    assert rooms.bridged_rooms == BOTH
    await rooms.nothing_is_left()


async def test_it_ends_with_the_longest_duration_of_the_inbound_trunk() -> None:
    rooms = await Rooms.set_up()
    (trunk,) = rooms.world.trunks.inbound.values()
    trunk.max_call_duration.seconds = 3
    await rooms.dial()
    await asyncio.sleep(2.9)
    assert rooms.bridged_rooms == BOTH
    await rooms.nothing_is_left()


async def test_it_outlives_caller_and_human_and_is_counted_as_left_behind() -> None:
    # facts A.4 (a): zombie bridge, caller BYE did not end the human
    rooms = await Rooms.set_up()
    rooms.world.keep()
    await rooms.bridged()
    rooms.world.leave(rooms.caller, Reason.CLIENT_INITIATED)
    await asyncio.sleep(60)
    assert rooms.world.member(f"wt_{TOKEN}", "human-1") is rooms.human
    left = rooms.world.left()
    assert left.phones == ("bridge talking",)
    assert f"call/{NEAR}" in left.participants
    assert f"wt_{TOKEN}/{FAR}" in left.participants
    assert "call" in rooms.world.rooms


async def test_after_a_restart_of_the_server_it_carries_again_by_itself() -> None:
    # facts A.4: bridged audio back both ways at +5.0 s, the dialog never dropped
    rooms = await Rooms.set_up()
    bridge = await rooms.bridged()
    restarted_s = rooms.world.now_s
    rooms.world.restart()
    await asyncio.sleep(10)
    for listener, voice in (("caller", "human"), ("human", "caller")):
        first, again = rooms.world.heard(listener)
        assert {first.tag, again.tag} == {voice}
        assert first.to_s - restarted_s < 0.1
        assert again.from_s - restarted_s == pytest.approx(5.0, abs=0.03)
    assert bridge.at is At.TALKING
    # facts 0.5: the status goes backwards
    assert bridge.leg is not None
    assert bridge.end is not None
    assert bridge.leg.attributes["sip.callStatus"] == "dialing"
    assert bridge.end.attributes["sip.callStatus"] == "ringing"


async def test_a_limit_holds_on_the_bridge_through_a_restart() -> None:
    # facts A.4: also across a restart; the agent comes back later, with its permissions
    rooms = await Rooms.set_up()
    room = await in_room(rooms.world, "call")
    permission = rtc.ParticipantTrackPermission(participant_identity="caller", allow_all=True)
    room.local_participant.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[permission]
    )
    source = rooms.sdk.audio_source()
    source.set_tag("music")
    await room.local_participant.publish_track(rooms.sdk.audio_track("hold", source))
    await rooms.bridged()
    rooms.world.restart()
    await room.lose_signal(6.0)
    await asyncio.sleep(2)
    assert rooms.hears("caller") == {"human", "music"}
    assert "music" not in {each.tag for each in rooms.world.heard("human")}


async def test_a_second_bridge_into_the_same_room_puts_the_first_one_out() -> None:
    # facts A.4 (b); the other end is "sip_<number>" for both, so the newer one wins
    rooms = await Rooms.set_up()
    first = await rooms.bridged()
    second = await rooms.bridged(participant_identity="wt-bridge-2")
    assert (first.at, second.at) == (At.OVER, At.TALKING)
    assert rooms.hears("caller") == {"human"}
    assert rooms.hears("human") == {"caller"}


async def test_two_bridges_are_an_echo() -> None:
    # facts A.4 (b): double bridge = feedback loop
    rooms = await Rooms.set_up()
    (inbound,) = rooms.world.trunks.inbound.values()
    inbound.allowed_numbers.append("another")
    await rooms.bridged()
    await rooms.bridged(participant_identity="wt-bridge-2", sip_number="another")
    assert rooms.hears("caller") == {"caller", "human"}
    assert rooms.hears("human") == {"caller", "human"}
    rooms.world.press(rooms.human, "1")
    await asyncio.sleep(3600)
    assert 10 < len(rooms.world.digits_at("human")) < 2000


async def test_a_call_over_an_unknown_trunk_is_not_found() -> None:
    rooms = await Rooms.set_up()
    with pytest.raises(api.ServerError) as caught:
        await rooms.dial(sip_trunk_id="ST_unknown")
    assert (caught.value.code, caught.value.status) == ("not_found", 404)
    assert rooms.bridged_rooms == set()


async def test_a_wrong_token_comes_out_in_a_room_where_nobody_is_and_rings() -> None:
    # facts: an inbound call is not answered until another participant's track is in its room
    rooms = await Rooms.set_up()
    dialling = asyncio.create_task(rooms.dial(sip_call_to="wrong"))
    await asyncio.sleep(1)
    end = rooms.world.member("wt_wrong", FAR)
    assert end is not None
    assert end.attributes["sip.callStatus"] == "ringing"
    with pytest.raises(api.ServerError, match="timed out") as caught:
        await dialling
    assert not isinstance(caught.value, api.SipCallError)
    assert rooms.world.now_s == pytest.approx(6.1, abs=0.1)
    await rooms.nothing_is_left()
    assert rooms.world.member("wt_wrong", FAR) is None


async def test_the_other_end_waits_for_somebody_to_be_heard() -> None:
    rooms = await Rooms.set_up()
    agent = rooms.world.join("wt_late", "agent", kind=rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)
    dialling = asyncio.create_task(rooms.dial(sip_call_to="late"))
    await asyncio.sleep(1)
    assert not dialling.done()
    rooms.world.publish(agent, "voice")
    assert await dialling == pytest.approx(1.1, abs=0.1)


async def test_nothing_that_is_set_up_wrongly_lets_a_call_in() -> None:
    rooms = await Rooms.set_up()
    (inbound,) = rooms.world.trunks.inbound.values()
    inbound.auth_password = "another"  # noqa: S105 - of a simulated trunk
    with pytest.raises(api.ServerError) as caught:
        await rooms.dial()
    # facts 5.3, 401/407: the `auth` sentinels are failed_precondition, without a SIP status
    assert (caught.value.code, caught.value.status) == ("failed_precondition", 412)
    assert not isinstance(caught.value, api.SipCallError)
    rooms.world.trunks.inbound["ST_any"] = api.SIPInboundTrunkInfo(sip_trunk_id="ST_any")
    with pytest.raises(api.SipCallError) as refused:
        await rooms.dial()
    assert refused.value.sip_status_code == 503
    rooms.world.trunks.inbound.clear()
    before_s = rooms.world.now_s
    with pytest.raises(api.ServerError, match="timed out"):
        await rooms.dial()
    assert rooms.world.now_s - before_s == pytest.approx(5.1, abs=0.1)
    await rooms.nothing_is_left()


async def test_an_invite_that_nobody_answers_is_given_up_after_32_seconds() -> None:
    # RFC 3261, timer B
    rooms = await Rooms.set_up()
    rooms.world.trunks.rules.clear()
    request = rooms.request()
    request.ringing_timeout.seconds = 60
    before_s = rooms.world.now_s
    with pytest.raises(api.ServerError, match="timed out"):
        await rooms.api.sip.create_sip_participant(request)
    assert rooms.world.now_s - before_s == pytest.approx(32.1, abs=0.1)


async def test_a_room_that_is_full_keeps_the_other_end_out() -> None:
    rooms = await Rooms.set_up()
    rooms.world.rooms[f"wt_{TOKEN}"].max_participants = 1
    with pytest.raises(api.ServerError):
        await rooms.dial()
    await rooms.nothing_is_left()


async def test_an_end_removed_while_it_rings_ends_the_request() -> None:
    rooms = await Rooms.set_up()
    dialling = asyncio.create_task(rooms.dial(sip_call_to="wrong"))
    await asyncio.sleep(1)
    rooms.world.delete_room("wt_wrong")
    with pytest.raises(api.ServerError):
        await dialling
    await rooms.nothing_is_left()


async def test_a_restarting_server_loses_the_request_and_not_the_bridge() -> None:
    rooms = await Rooms.set_up()
    dialling = asyncio.create_task(rooms.dial())
    await asyncio.sleep(0.06)
    rooms.bridge.start_over()
    rooms.world.restart()
    with pytest.raises(ConnectionError):
        await dialling
    await asyncio.sleep(10)
    assert rooms.hears("caller") == {"human"}


async def test_what_is_set_up_is_what_the_library_looks_for() -> None:
    rooms = await Rooms.set_up()
    client: Any = rooms.api
    found = await find_bridge(client)
    assert found is not None
    assert (found.trunk_id, found.number) == (rooms.trunk, BRIDGE_NUMBER)
    assert found.room_of(TOKEN) == f"wt_{TOKEN}"
    without: Any = SimSdk(World()).api()
    assert await find_bridge(without) is None
