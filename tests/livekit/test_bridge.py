"""The SIP bridge by itself, and whole transfers with it on a server where it is set up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from livekit import api, rtc

from tests.livekit.bench import HUMAN, ROOM, Bench, assert_joined
from warm_transfer.livekit.bridge import SipBridge, token_of
from warm_transfer.livekit.bridge_objects import BridgeObjects
from warm_transfer.livekit.preflight import forget
from warm_transfer.outcome import Reason
from warm_transfer.states import State
from warm_transfer.testing.livekit.audit import audit
from warm_transfer.testing.livekit.faults import Fault, Faults, How
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.play import CALLER_ROOM, Result, Stage, play
from warm_transfer.testing.livekit.sdk import SimSdk

S, R = State, Reason

NEAR, FAR = "wt-bridge-bench", "sip_wt-bridge"
DIAL = "sip.create_sip_participant"
YES = "human answers after 4 s, says yes after 6 s"
EXHAUSTED = api.ServerError("unavailable", "cpu exhausted", status=503)


@pytest.fixture(autouse=True)
def _nothing_is_remembered_of_the_server() -> Iterator[None]:
    forget(SimSdk.url)
    yield
    forget(SimSdk.url)


class Stand:
    """A caller, a human in the consult room, and a bridge that can be built between them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.world = bench.stage.world
        self.bridge = SipBridge()
        self.broke: list[BaseException | None] = []

    @classmethod
    async def set_up(cls, *, bridge: bool = True) -> Stand:
        bench = await Bench.set_up()
        if bridge:
            bench.stage.world.trunks.set_up_bridge()
        await bench.join_consult()
        bench.human_joins()
        await asyncio.sleep(1.0)
        return cls(bench)

    async def merge(self) -> str:
        return await self.bridge.merge(self.bench.legs, self.broke.append)

    async def unmerge(self) -> None:
        await self.bridge.unmerge(self.bench.legs)

    def ends(self) -> list[str]:
        places = ((CALLER_ROOM, NEAR), (ROOM, FAR))
        return [who for room, who in places if self.world.member(room, who) is not None]

    def hears(self, who: str) -> frozenset[str]:
        return self.world.ears.hears(who)

    async def finish(self) -> None:
        await self.unmerge()
        self.bench.legs.at_end.close()
        await self.bench.finish()


@pytest.mark.asyncio
async def test_both_hear_each_other_and_both_ends_are_marked_and_bounded() -> None:
    stand = await Stand.set_up()
    assert "not verified" in await stand.merge()
    assert stand.ends() == [NEAR, FAR]
    await asyncio.sleep(0.5)
    assert stand.hears("caller") == {"human"}
    assert stand.hears("human") == {"caller"}
    (bridge,) = stand.bench.stage.sdk.switchboard.bridges
    assert bridge.request.participant_attributes["wt.role"] == "bridge"
    assert bridge.request.max_call_duration.seconds == stand.bench.legs.policy.call_limit_s
    near = stand.world.member(CALLER_ROOM, NEAR)
    assert near is not None
    # The token is a secret, and everybody in the room can read the attributes of a leg.
    assert ROOM.removeprefix("wt_") not in str(near.attributes)
    assert await stand.bridge.health(stand.bench.legs)
    await stand.finish()


@pytest.mark.asyncio
async def test_it_is_undone_by_removing_one_participant() -> None:
    stand = await Stand.set_up()
    await stand.merge()
    for _ in range(2):
        await stand.unmerge()
    await asyncio.sleep(0.2)
    assert stand.ends() == []
    assert stand.hears("caller") == stand.hears("human") == frozenset()
    assert stand.world.member(ROOM, HUMAN) is not None
    assert not await stand.bridge.health(stand.bench.legs)
    assert stand.broke == []
    await stand.finish()


@pytest.mark.asyncio
async def test_a_bridge_that_was_confirmed_by_a_look_alone_is_watched() -> None:
    stand = await Stand.set_up()
    merging = asyncio.ensure_future(stand.merge())
    while len(stand.ends()) < 2:  # noqa: ASYNC110 - watching from outside
        await asyncio.sleep(0.01)
    # Its limit, in a transfer; then it is looked at.
    merging.cancel()
    await asyncio.wait([merging])
    await asyncio.sleep(1.0)
    for _ in range(2):
        assert await stand.bridge.health(stand.bench.legs)
    near = stand.world.member(CALLER_ROOM, NEAR)
    assert near is not None
    stand.world.leave(near, rtc.DisconnectReason.CLIENT_INITIATED)
    await asyncio.sleep(1.0)
    assert len(stand.broke) == 1
    await stand.finish()


@pytest.mark.asyncio
async def test_a_bridge_that_could_not_be_removed_at_first_is_removed_later_too() -> None:
    stand = await Stand.set_up()
    await stand.merge()
    faults = stand.world.faults
    asked = faults.calls["room.remove_participant"]
    faults.plan["room.remove_participant", asked + 1] = Fault(How.FAILS)
    with pytest.raises(ConnectionError):
        await stand.unmerge()
    asked = faults.calls["room.remove_participant"]
    await stand.unmerge()
    # What an absent server has not found may come about after the first one that went well.
    assert faults.calls["room.remove_participant"] == asked + 3
    await stand.finish()


@pytest.mark.asyncio
async def test_without_anything_to_undo_there_is_no_request() -> None:
    stand = await Stand.set_up()
    before = stand.world.faults.calls.copy()
    await stand.unmerge()
    assert stand.world.faults.calls == before
    await stand.bench.finish()


@pytest.mark.asyncio
async def test_a_second_merge_builds_no_second_bridge() -> None:
    stand = await Stand.set_up()
    await stand.merge()
    await stand.merge()
    assert len(stand.bench.stage.sdk.switchboard.bridges) == 1
    await stand.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize(("room", "end"), [(CALLER_ROOM, NEAR), (ROOM, FAR)])
async def test_either_end_that_goes_breaks_it_once_and_it_can_be_built_again(
    room: str, end: str
) -> None:
    stand = await Stand.set_up()
    await stand.merge()
    await asyncio.sleep(1.0)
    member = stand.world.member(room, end)
    assert member is not None
    stand.world.leave(member, rtc.DisconnectReason.PARTICIPANT_REMOVED)
    await asyncio.sleep(1.0)
    assert len(stand.broke) == 1
    await stand.merge()
    await asyncio.sleep(0.5)
    assert stand.hears("caller") == {"human"}
    await stand.finish()


@pytest.mark.asyncio
async def test_it_is_not_built_again_into_a_consult_room_that_has_been_deleted() -> None:
    stand = await Stand.set_up()
    await stand.merge()
    await stand.bench.legs.api.room.delete_room(api.DeleteRoomRequest(room=ROOM))
    await asyncio.sleep(0.1)
    begun_s = asyncio.get_running_loop().time()
    with pytest.raises(LookupError, match=HUMAN):
        await stand.merge()
    assert asyncio.get_running_loop().time() - begun_s < 0.1
    assert len(stand.bench.stage.sdk.switchboard.bridges) == 1
    await stand.finish()


@pytest.mark.asyncio
async def test_what_the_agent_says_is_kept_off_it_and_who_comes_later_hears_the_agent() -> None:
    stand = await Stand.set_up()
    stand.bench.stage.session.say("hold", seconds=3.0)
    await stand.merge()
    other = stand.world.join(CALLER_ROOM, "other", ear="other")
    await asyncio.sleep(1.0)
    assert stand.hears("human") == {"caller"}
    assert "agent" in stand.hears("other")
    assert other.joined
    await stand.unmerge()
    agent = stand.bench.stage.room.local_participant.member
    await asyncio.sleep(0.1)
    assert agent.permissions is None
    await asyncio.sleep(3.0)
    await stand.finish()


@pytest.mark.asyncio
async def test_the_agent_is_limited_in_both_rooms_before_anything_is_dialled() -> None:
    stand = await Stand.set_up()
    await stand.bridge.prepare(stand.bench.legs)
    await asyncio.sleep(0.1)
    consult = stand.bench.legs.consult_room
    assert consult is not None
    assert stand.bench.stage.room.local_participant.member.permissions == {"caller": None}
    assert consult.local_participant.member.permissions == {HUMAN: None}
    assert stand.bench.stage.sdk.switchboard.bridges == []
    await stand.finish()


@pytest.mark.asyncio
async def test_a_bridge_that_outlived_a_restart_is_known_as_soon_as_the_agent_is_back() -> None:
    # Its ends say "dialing" and "ringing" again, and the answer to the request was lost.
    result = await transfer("server restarts while merging", alone=True)
    assert end(result) == (S.MERGED, R.ACCEPTED, "sip_bridge")
    assert result.seconds[S.MERGING] < 6.5


@pytest.mark.asyncio
async def test_a_limit_that_cannot_be_set_keeps_the_bridge_from_being_built() -> None:
    stand = await Stand.set_up()
    fault = {("room.set_track_subscription_permissions", 0): Fault(How.FAILS)}
    stand.world.faults = Faults(fault)
    with pytest.raises(ConnectionError):
        await stand.merge()
    assert stand.ends() == []
    stand.world.faults = Faults()
    await stand.finish()


@pytest.mark.asyncio
async def test_a_limit_that_cannot_be_widened_keeps_to_who_was_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stand = await Stand.set_up()
    stand.bench.stage.session.say("hold", seconds=3.0)
    await stand.merge()
    fault = {("room.set_track_subscription_permissions", 0): Fault(How.FAILS)}
    stand.world.faults = Faults(fault)
    stand.world.join(CALLER_ROOM, "other", ear="other")
    await asyncio.sleep(1.0)
    assert stand.hears("other") == {"caller", "human"}
    assert stand.hears("human") == {"caller"}
    assert [each.getMessage() for each in caplog.records] == ["limit not widened"]
    stand.world.faults = Faults()
    await stand.unmerge()
    await asyncio.sleep(3.0)
    await stand.finish()


@pytest.mark.asyncio
async def test_a_server_without_a_bridge_fails_the_merge() -> None:
    stand = await Stand.set_up(bridge=False)
    with pytest.raises(LookupError, match="bridge setup"):
        await stand.merge()
    await stand.finish()


@pytest.mark.asyncio
async def test_a_service_that_takes_no_more_calls_fails_the_merge_at_once() -> None:
    stand = await Stand.set_up()
    stand.world.sip = "exhausted"
    began_s = stand.bench.now_s
    with pytest.raises(api.ServerError, match="cpu exhausted"):
        await stand.merge()
    await stand.unmerge()
    assert stand.bench.now_s - began_s < 0.1
    await stand.finish()


@pytest.mark.asyncio
async def test_the_call_limit_ends_a_bridge_that_nobody_watches() -> None:
    stand = await Stand.set_up()
    await stand.merge()
    stand.bench.legs.at_end.close()
    await asyncio.sleep(stand.bench.legs.policy.call_limit_s + 1.0)
    assert stand.ends() == []
    assert stand.broke == []
    await stand.finish()


@pytest.mark.parametrize("room", ["wt_abc", "call", "wt-" + 32 * "a", "wt_" + 32 * "A", "wt_"])
def test_only_an_unguessable_room_of_the_rule_can_be_called(room: str) -> None:
    bridge = BridgeObjects(trunk_id="ST_1")
    assert token_of(bridge, "wt_" + 24 * "a") == 24 * "a"
    with pytest.raises(ValueError, match="wt_<token>"):
        token_of(bridge, room)


# Whole transfers.


async def transfer(
    line: str = "",
    *,
    alone: bool = False,
    faults: dict[tuple[str, int], Fault] | None = None,
    seed: int | None = None,
    sip: str = "up",
) -> Result:
    told = replace(scenario(f"{YES}; {line}" if line else YES), faults=faults or {})
    stage = Stage(told, seed=seed)
    stage.world.trunks.set_up_bridge()
    stage.world.sip = sip
    merge: Any = (SipBridge(),) if alone else (SipBridge(), "relay")
    return await play(told, merge=merge, stage=stage)


def end(result: Result) -> tuple[State, Reason, str | None]:
    assert result.outcome is not None
    assert audit(result) == ()
    # Before the merge nothing leaks, and what the agent plays or says never passes the bridge.
    merging = [at_s for at_s, state in result.states if state is S.MERGING]
    for heard in result.world.heard("caller"):
        assert heard.tag != "briefing"
        assert heard.tag != "human" or heard.from_s >= merging[0]
    for heard in result.world.heard("human"):
        assert heard.tag not in ("music", "agent")
        assert heard.tag != "caller" or heard.from_s >= merging[0]
    return result.outcome.result, result.outcome.reason, result.outcome.strategy


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "line",
    [
        "",
        "caller calls by phone",
        "caller hangs up 9 s after the merge",
        "human hangs up 9 s after the merge",
        "human hangs up 9 s after the merge; policy returns the caller",
        "app cancels while merging",
        "session closes while merging",
        "agent says goodbye for 2 s",
        "agent reconnects while briefing",
        "agent reconnects while merging",
        "agent reconnects 5 s after the merge",
        "server restarts while briefing",
        "server restarts while merging",
        "server restarts 0.2 s after the yes",
        "server restarts 5 s after the merge",
        "job shuts down 5 s after the merge",
        "agent loses the caller room 5 s after the merge",
    ],
)
async def test_a_transfer_merges_by_the_bridge_and_leaves_nothing(line: str) -> None:
    result = await transfer(line)
    assert end(result) == (S.MERGED, R.ACCEPTED, "sip_bridge")
    assert_joined(result)


@pytest.mark.asyncio
@pytest.mark.parametrize("after", ["0.001", "0.008", "0.02", "0.05"])
@pytest.mark.parametrize("who", ["caller", "human"])
async def test_who_leaves_while_it_is_built_leaves_nothing_behind(who: str, after: str) -> None:
    result = await transfer(f"{who} hangs up {after} s after the yes")
    reasons = {"caller": R.CALLER_LEFT, "human": R.HUMAN_LEFT}
    assert end(result)[1] is reasons[who]


@pytest.mark.asyncio
@pytest.mark.parametrize("how", [How.FAILS_AFTER, How.HANGS_AFTER, How.LATE, How.TWICE])
async def test_a_lost_answer_is_a_bridge_all_the_same(how: How) -> None:
    result = await transfer(alone=True, faults={(DIAL, 2): Fault(how)})
    assert end(result) == (S.MERGED, R.ACCEPTED, "sip_bridge")
    assert result.seconds[S.MERGING] < 0.3


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", [Fault(How.FAILS), Fault(How.HANGS), Fault(How.FAILS, EXHAUSTED)])
async def test_a_request_that_fails_falls_to_the_relay(fault: Fault) -> None:
    result = await transfer(faults={(DIAL, 2): fault})
    assert end(result) == (S.MERGED, R.ACCEPTED, "relay")


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(20))
async def test_it_is_so_with_every_latency(seed: int) -> None:
    result = await transfer(seed=seed)
    assert end(result) == (S.MERGED, R.ACCEPTED, "sip_bridge")
