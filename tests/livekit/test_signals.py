from __future__ import annotations

import asyncio

import pytest
from livekit import api, rtc

from tests.livekit.bench import HUMAN, ROOM, Bench, effect
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.livekit.dial import Dial, DialOptions
from warm_transfer.livekit.signals import Signals
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import DialRequest
from warm_transfer.testing.livekit.play import DESTINATION
from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.server import Member

Reason = rtc.DisconnectReason
Kind = rtc.ParticipantKind
GRACE_S = TransferPolicy().reconnect_grace_s


class Silent:
    """A dialer that never hears back."""

    async def dial(self, request: DialRequest) -> None:
        del request
        await asyncio.get_running_loop().create_future()

    async def hang_up(self, request: DialRequest) -> None: ...


class Watch:
    """Signals on both rooms, with a dial under way."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.world = bench.stage.world
        self.dial = Dial(bench.legs, Silent(), DialOptions(destination=DESTINATION))
        self.signals = Signals(bench.legs, self.dial)
        self.dialling = asyncio.ensure_future(self.dial.dial(effect(Do.DIAL_CONSULT)))

    @classmethod
    async def set_up(cls) -> Watch:
        watch = cls(await Bench.set_up())
        await asyncio.sleep(0)
        return watch

    @classmethod
    async def with_consult(cls) -> Watch:
        watch = await cls.set_up()
        room = watch.bench.stage.sdk.room()
        watch.bench.legs.consult_room = room
        watch.signals.watch_consult(room)
        await room.connect("", watch.bench.stage.sdk.token(ROOM, "agent", 60.0))
        return watch

    @property
    def consult(self) -> SimRoom:
        return self.bench.stage.sdk.rooms[0]

    @property
    def caller(self) -> Member:
        assert self.bench.stage.caller is not None
        return self.bench.stage.caller

    def caller_leaves(self, reason: int = Reason.CLIENT_INITIATED) -> None:
        self.world.leave(self.caller, reason)

    async def finish(self) -> None:
        self.dialling.cancel()
        await asyncio.wait([self.dialling])
        await self.signals.aclose()


async def settle() -> None:
    await asyncio.sleep(1.0)


# The caller.


@pytest.mark.asyncio
async def test_a_caller_who_leaves_has_hung_up() -> None:
    watch = await Watch.set_up()
    watch.caller_leaves()
    await settle()
    (event,) = watch.bench.posted
    assert (event.name, event.facts.disconnect_reason) == (On.CALLER_HUNG_UP, "CLIENT_INITIATED")
    await watch.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize("reason", [*Reason.values(), 99])
async def test_every_reason_is_a_departure_also_one_without_a_name_yet(reason: int) -> None:
    watch = await Watch.set_up()
    watch.caller_leaves(reason)
    # Without a reason to, they may come back: see `Presence`.
    await asyncio.sleep(TransferPolicy().rejoin_grace_s)
    await settle()
    (event,) = watch.bench.posted
    assert event.name is On.CALLER_HUNG_UP
    known = Reason.Name(Reason.ValueType(reason)) if reason in Reason.values() else "REASON_99"
    assert event.facts.disconnect_reason == (known if reason else None)
    await watch.finish()


@pytest.mark.asyncio
async def test_the_agent_put_out_of_the_callers_room_has_lost_it() -> None:
    watch = await Watch.set_up()
    agent = watch.bench.stage.room.local_participant.member
    watch.world.leave(agent, Reason.PARTICIPANT_REMOVED)
    await settle()
    (event,) = watch.bench.posted
    assert (event.name, event.facts.disconnect_reason) == (
        On.CALLER_ROOM_LOST,
        "PARTICIPANT_REMOVED",
    )
    await watch.finish()


@pytest.mark.asyncio
async def test_a_look_finds_a_caller_who_was_gone_before() -> None:
    bench = await Bench.set_up()
    assert bench.stage.caller is not None
    bench.stage.world.leave(bench.stage.caller, Reason.CLIENT_INITIATED)
    await settle()
    watch = Watch(bench)
    watch.signals.look_at_caller()
    assert bench.names == [On.CALLER_HUNG_UP]
    await watch.finish()


@pytest.mark.asyncio
async def test_a_look_finds_a_room_that_was_lost_before() -> None:
    bench = await Bench.set_up()
    await bench.stage.room.disconnect()
    watch = Watch(bench)
    watch.signals.look_at_caller()
    assert bench.names == [On.CALLER_ROOM_LOST]
    await watch.finish()


@pytest.mark.asyncio
async def test_a_look_at_a_caller_who_is_there_finds_nothing() -> None:
    watch = await Watch.set_up()
    watch.signals.look_at_caller()
    assert watch.bench.posted == []
    await watch.finish()


@pytest.mark.asyncio
async def test_a_third_party_who_comes_speaks_and_leaves_makes_no_event() -> None:
    watch = await Watch.with_consult()
    watch.bench.human_joins(status="ringing")
    await settle()
    before = list(watch.bench.names)
    for room in ("call", ROOM):
        third = watch.world.join(room, "third", attributes={"sip.callStatus": "active"})
        watch.world.publish(third, "microphone")
        await settle()
        watch.world.set_attributes(third, {"sip.callStatus": "hangup"})
        await settle()
        watch.world.leave(third, Reason.CLIENT_INITIATED)
        await settle()
    assert watch.bench.names == before == [On.CONSULT_RANG]
    await watch.finish()


# A leg that is moved from room to room, and who else comes with a merge.


@pytest.mark.asyncio
async def test_a_human_who_is_moved_to_the_caller_has_not_hung_up_until_they_leave_there() -> None:
    watch = await Watch.with_consult()
    human = watch.bench.human_joins()
    await settle()
    before = list(watch.bench.names)
    watch.bench.legs.at_rest.clear()
    watch.world.move(human, "call")
    await settle()
    watch.bench.legs.at_rest.set()
    await settle()
    assert watch.bench.names == before
    watch.world.leave(human, Reason.CLIENT_INITIATED)
    await settle()
    (event,) = watch.bench.posted[len(before) :]
    assert (event.name, event.facts.disconnect_reason) == (On.CONSULT_HUNG_UP, "CLIENT_INITIATED")
    await watch.finish()


@pytest.mark.asyncio
async def test_a_human_who_is_moved_back_has_not_hung_up() -> None:
    watch = await Watch.with_consult()
    human = watch.bench.human_joins()
    await settle()
    before = list(watch.bench.names)
    watch.bench.legs.at_rest.clear()
    watch.world.move(human, "call")
    await settle()
    watch.world.move(human, ROOM)
    await settle()
    watch.bench.legs.at_rest.set()
    await settle()
    assert watch.bench.names == before
    await watch.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize("cleared", [True, False])
async def test_a_hang_up_during_a_move_is_told_when_the_move_is_over_or_takes_too_long(
    cleared: bool,
) -> None:
    watch = await Watch.with_consult()
    human = watch.bench.human_joins()
    await settle()
    watch.bench.posted.clear()
    watch.bench.legs.at_rest.clear()
    watch.world.leave(human, Reason.CLIENT_INITIATED)
    await settle()
    assert watch.bench.posted == []
    if cleared:
        watch.bench.legs.at_rest.set()
        await settle()
    else:
        await asyncio.sleep(TransferPolicy().merge_timeout_s)
    assert watch.bench.names == [On.CONSULT_HUNG_UP]
    await watch.finish()


@pytest.mark.asyncio
async def test_a_human_who_never_came_to_the_caller_is_not_missed_there_after_a_reconnect() -> None:
    watch = await Watch.with_consult()
    watch.bench.human_joins()
    await settle()
    before = list(watch.bench.names)
    await watch.bench.stage.room.lose_signal(8.0)
    await asyncio.sleep(2 * GRACE_S)
    assert watch.bench.names == before
    await watch.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize("moved_before", [True, False])
async def test_a_moved_human_who_has_gone_during_a_reconnect_is_missed(moved_before: bool) -> None:
    watch = await Watch.with_consult()
    human = watch.bench.human_joins()
    await settle()
    if moved_before:
        watch.world.move(human, "call")
        await settle()
    watch.bench.posted.clear()
    losing = asyncio.ensure_future(watch.bench.stage.room.lose_signal(8.0))
    await asyncio.sleep(4.0)
    if not moved_before:
        watch.world.move(human, "call")
        await losing
        await asyncio.sleep(2 * GRACE_S)
        watch.bench.posted.clear()
    watch.world.leave(human, Reason.CLIENT_INITIATED)
    await losing
    await asyncio.sleep(2 * GRACE_S)
    # An agent alone keeps no room, so the consult room may be gone by now as well.
    assert watch.bench.names.count(On.CONSULT_HUNG_UP) == 1
    await watch.finish()


@pytest.mark.asyncio
async def test_who_comes_with_a_merge_is_neither_the_human_nor_a_second_agent() -> None:
    watch = await Watch.with_consult()
    watch.bench.human_joins()
    await settle()
    before = list(watch.bench.names)
    for room in ("call", ROOM):
        for kind in (Kind.PARTICIPANT_KIND_SIP, Kind.PARTICIPANT_KIND_AGENT):
            role = {"wt.role": "bridge", "sip.callStatus": "active"}
            end = watch.world.join(room, "wt-bridge-bench", kind=kind, attributes=role)
            await settle()
            assert watch.world.member(room, "wt-bridge-bench") is end
            watch.world.leave(end, Reason.CLIENT_INITIATED)
            await settle()
    assert watch.bench.names == before
    await watch.finish()


# While the agent's own connection is being replaced.


@pytest.mark.asyncio
async def test_a_departure_that_only_the_reconnect_makes_is_none() -> None:
    watch = await Watch.with_consult()
    watch.bench.human_joins()
    await settle()
    before = list(watch.bench.names)
    gone: list[str] = []
    for room in (watch.bench.stage.room, watch.consult):
        room.on("participant_disconnected", lambda who: gone.append(who.identity))
    rooms = (watch.bench.stage.room, watch.consult)
    await asyncio.gather(*(room.lose_signal(12.0) for room in rooms))
    # The SDK has said that both are gone, though they are not.
    assert sorted(gone) == ["caller", HUMAN]
    await asyncio.sleep(2 * GRACE_S)
    assert watch.bench.names == before
    await watch.finish()


@pytest.mark.asyncio
async def test_who_has_really_gone_in_the_meantime_is_posted_after_the_grace() -> None:
    watch = await Watch.with_consult()
    human = watch.bench.human_joins()
    await settle()
    watch.bench.posted.clear()
    rooms = (watch.bench.stage.room, watch.consult)
    losing = asyncio.gather(*(room.lose_signal(8.0) for room in rooms))
    await asyncio.sleep(4.0)
    watch.caller_leaves()
    watch.world.leave(human, Reason.CLIENT_INITIATED)
    await losing
    back_s = watch.bench.now_s
    assert watch.bench.posted == []
    await asyncio.sleep(2 * GRACE_S)
    assert sorted(watch.bench.names) == [On.CALLER_HUNG_UP, On.CONSULT_HUNG_UP]
    assert watch.bench.posted_at_s[-1] - back_s == pytest.approx(GRACE_S, abs=0.1)
    await watch.finish()


@pytest.mark.asyncio
async def test_who_comes_back_within_the_grace_was_never_gone() -> None:
    watch = await Watch.with_consult()
    human = watch.bench.human_joins()
    await settle()
    watch.bench.posted.clear()
    losing = asyncio.ensure_future(watch.consult.lose_signal(3.0))
    await asyncio.sleep(2.0)
    watch.world.leave(human, Reason.SIGNAL_CLOSE)
    await losing
    await asyncio.sleep(GRACE_S / 2)
    watch.bench.human_joins()
    await asyncio.sleep(2 * GRACE_S)
    assert watch.bench.posted == []
    await watch.finish()


@pytest.mark.asyncio
async def test_a_reconnect_that_fails_for_good_is_a_lost_room() -> None:
    watch = await Watch.set_up()
    room = watch.bench.stage.room
    losing = asyncio.ensure_future(room.lose_signal(5.0))
    await asyncio.sleep(1.0)
    watch.world.leave(room.local_participant.member, Reason.STATE_MISMATCH)
    await losing
    await asyncio.sleep(2 * GRACE_S)
    assert watch.bench.names == [On.CALLER_ROOM_LOST]
    await watch.finish()


@pytest.mark.asyncio
async def test_nothing_is_looked_at_after_the_close() -> None:
    watch = await Watch.set_up()
    room = watch.bench.stage.room
    losing = asyncio.ensure_future(room.lose_signal(5.0))
    await asyncio.sleep(1.0)
    watch.caller_leaves()
    await losing
    await watch.finish()
    await asyncio.sleep(2 * GRACE_S)
    assert watch.bench.posted == []
    assert not watch.world.left().listeners


# The consult room.


@pytest.mark.asyncio
async def test_the_progress_of_the_leg_is_read_from_its_attributes() -> None:
    watch = await Watch.with_consult()
    leg = watch.bench.human_joins(status="dialing")
    for status in ("ringing", "active", "dialing", "active"):
        await settle()
        watch.world.set_attributes(leg, {"sip.callStatus": status})
    await settle()
    assert watch.bench.names == [On.CONSULT_RANG, On.CONSULT_ANSWERED]
    await watch.finish()


@pytest.mark.asyncio
async def test_attributes_of_others_and_other_attributes_are_no_progress() -> None:
    watch = await Watch.with_consult()
    leg = watch.bench.human_joins(status="")
    await settle()
    # The agent is told of its own attributes too.
    await watch.consult.local_participant.set_attributes({"sip.callStatus": "active"})
    watch.world.set_attributes(leg, {"sip.callTag": "active"})
    watch.world.set_attributes(watch.caller, {"sip.callStatus": "active"})
    await settle()
    assert watch.bench.posted == []
    await watch.finish()


@pytest.mark.asyncio
async def test_an_unanswered_leg_that_leaves_is_a_refusal_and_an_answered_one_a_hang_up() -> None:
    for status, name in (("ringing", On.CONSULT_REFUSED), ("active", On.CONSULT_HUNG_UP)):
        watch = await Watch.with_consult()
        leg = watch.bench.human_joins(status=status)
        await settle()
        watch.world.leave(leg, Reason.USER_REJECTED)
        await settle()
        event = watch.bench.posted[-1]
        assert (event.name, event.facts.disconnect_reason) == (name, "USER_REJECTED")
        await watch.finish()


@pytest.mark.asyncio
async def test_a_deleted_consult_room_is_lost() -> None:
    watch = await Watch.with_consult()
    watch.world.delete_room(ROOM)
    await settle()
    (event,) = watch.bench.posted
    assert (event.name, event.facts.disconnect_reason) == (On.CONSULT_ROOM_LOST, "ROOM_DELETED")
    await watch.finish()


@pytest.mark.asyncio
async def test_a_forgotten_consult_room_posts_nothing_more() -> None:
    watch = await Watch.with_consult()
    leg = watch.bench.human_joins(status="ringing")
    await settle()
    watch.bench.posted.clear()
    watch.signals.forget_consult()
    watch.signals.forget_consult()
    watch.world.set_attributes(leg, {"sip.callStatus": "active"})
    await settle()
    watch.world.delete_room(ROOM)
    await settle()
    assert watch.bench.posted == []
    assert not [each for each in watch.world.left().listeners if each.startswith(ROOM)]
    await watch.finish()


# A second AI.


@pytest.mark.asyncio
async def test_a_second_agent_in_the_consult_room_is_put_out_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = await Watch.with_consult()
    watch.bench.human_joins(status="ringing")
    other = watch.world.join(ROOM, "agent-2", kind=Kind.PARTICIPANT_KIND_AGENT)
    await settle()
    assert not other.joined
    assert other.disconnect_reason == Reason.PARTICIPANT_REMOVED
    # We ourselves and the human stay.
    assert watch.consult.isconnected()
    assert watch.world.member(ROOM, HUMAN) is not None
    assert "second agent in the consult room" in caplog.text
    await watch.finish()


@pytest.mark.asyncio
async def test_a_second_agent_that_was_there_before_us_is_put_out_too() -> None:
    watch = await Watch.set_up()
    other = watch.world.join(ROOM, "agent-2", kind=Kind.PARTICIPANT_KIND_AGENT)
    room = watch.bench.stage.sdk.room()
    watch.signals.watch_consult(room)
    await room.connect("", watch.bench.stage.sdk.token(ROOM, "agent", 60.0))
    watch.signals.look_at_consult()
    await settle()
    assert not other.joined
    await watch.finish()
    await room.disconnect()


@pytest.mark.asyncio
async def test_an_agent_in_the_callers_room_is_none_of_our_business() -> None:
    watch = await Watch.with_consult()
    other = watch.world.join("call", "agent-2", kind=Kind.PARTICIPANT_KIND_AGENT)
    await settle()
    assert other.joined
    await watch.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "error",
    [
        api.ServerError("unavailable", "down", status=503),
        ConnectionResetError("cut"),
        TimeoutError(),
        None,
    ],
)
async def test_a_second_agent_that_cannot_be_put_out_harms_nothing_else(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    watch = await Watch.with_consult()

    async def refuse(_who: api.RoomParticipantIdentity) -> None:
        if error is None:
            # Never answers.
            await asyncio.get_running_loop().create_future()
        else:
            raise error

    watch.bench.api.room.remove_participant = refuse
    watch.world.join(ROOM, "agent-2", kind=Kind.PARTICIPANT_KIND_AGENT)
    await asyncio.sleep(10.0)
    assert watch.bench.posted == []
    assert "could not be evicted" in caplog.text
    assert watch.signals._tasks == set()
    await watch.finish()


@pytest.mark.asyncio
async def test_a_close_waits_for_the_eviction_under_way() -> None:
    watch = await Watch.with_consult()
    watch.world.join(ROOM, "agent-2", kind=Kind.PARTICIPANT_KIND_AGENT)
    await asyncio.sleep(0.0125)
    assert len(watch.signals._tasks) == 1
    await watch.finish()
    assert watch.signals._tasks == set()
