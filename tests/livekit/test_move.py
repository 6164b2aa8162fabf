"""The move by itself, and whole transfers with it on a server that can move participants."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from livekit import api, rtc

from tests.livekit.bench import HUMAN, ROOM, Bench, assert_joined
from warm_transfer.events import On
from warm_transfer.livekit.move import Move
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.livekit.audit import audit
from warm_transfer.testing.livekit.faults import Fault, Faults, How
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.play import CALLER_ROOM, Result, play
from warm_transfer.testing.livekit.server import Member

pytestmark = pytest.mark.asyncio
S, R = State, Reason

YES = "server can move; human answers after 4 s, says yes after 6 s"
ASK = ("room.move_participant", 1)


def broke(_: BaseException | None) -> None:
    raise AssertionError("nothing breaks")


async def briefed(*, cloud: bool = True) -> tuple[Bench, Member]:
    bench = await Bench.set_up()
    bench.stage.world.cloud = cloud
    await bench.join_consult()
    human = bench.human_joins()
    await asyncio.sleep(1.0)
    return bench, human


def asked(bench: Bench) -> int:
    return bench.stage.world.faults.calls["room.move_participant"]


# The strategy by itself.


async def test_it_returns_when_the_human_has_arrived_and_both_hear_each_other() -> None:
    bench, human = await briefed()
    detail = await Move().merge(bench.legs, broke)
    assert human.room.name == CALLER_ROOM
    assert "not verified" in detail
    await asyncio.sleep(0.1)
    assert "human" in bench.stage.world.ears.hears("caller")
    assert "caller" in bench.stage.world.ears.hears("human")
    await bench.finish()


async def test_a_second_merge_moves_nobody_again() -> None:
    bench, _ = await briefed()
    move = Move()
    await move.merge(bench.legs, broke)
    await move.merge(bench.legs, broke)
    assert asked(bench) == 1
    await bench.finish()


async def test_what_is_undone_is_moved_back_and_heard_by_the_agent() -> None:
    bench, human = await briefed()
    move = Move()
    await move.merge(bench.legs, broke)
    for _ in range(2):
        await move.unmerge(bench.legs)
    assert human.room.name == ROOM
    assert asked(bench) == 2
    assert "human" not in bench.stage.world.ears.hears("caller")
    assert not await move.health(bench.legs)
    assert bench.names == []
    await bench.finish()


async def test_without_a_merge_there_is_nothing_to_undo_and_no_request() -> None:
    bench, _ = await briefed()
    move = Move()
    await move.prepare(bench.legs)
    before = bench.stage.world.faults.calls.copy()
    await move.unmerge(bench.legs)
    assert bench.stage.world.faults.calls == before
    await bench.finish()


async def test_without_a_consult_room_nobody_is_moved_back() -> None:
    bench, human = await briefed()
    move = Move()
    await move.merge(bench.legs, broke)
    assert bench.legs.consult_room is not None
    await bench.legs.consult_room.disconnect()
    await move.unmerge(bench.legs)
    assert human.room.name == CALLER_ROOM
    assert asked(bench) == 1
    await bench.finish()


async def test_an_undoing_waits_for_the_request_that_is_under_way() -> None:
    bench, human = await briefed()
    bench.stage.world.faults = Faults({ASK: Fault(How.HANGS_AFTER)})
    move = Move()
    merging = asyncio.ensure_future(move.merge(bench.legs, broke))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await move.unmerge(bench.legs)
    with pytest.raises(ConnectionAbortedError):
        await merging
    # Before the undoing looked where the human was, the request had done its work.
    assert asked(bench) == 2
    assert human.room.name == ROOM
    await bench.finish()


@pytest.mark.parametrize(
    "error",
    [
        api.ServerError("unknown", "not implemented", status=500),
        api.ServerError(
            "unknown", "participant client version does not support moving", status=500
        ),
        api.ServerError("permission_denied", "no destinationRoom grant", status=403),
        api.ServerError("invalid_argument", "destination room is the source room", status=400),
    ],
)
async def test_a_server_that_will_not_move_fails_the_merge_at_once(error: api.ServerError) -> None:
    bench, human = await briefed()
    bench.stage.world.faults = Faults({ASK: Fault(How.FAILS, error)})
    began_s = bench.now_s
    with pytest.raises(api.ServerError, match=error.message):
        await Move().merge(bench.legs, broke)
    assert bench.now_s - began_s < 0.1
    assert bench.legs.at_rest.is_set()
    assert human.room.name == ROOM
    await bench.finish()


@pytest.mark.parametrize(
    "error",
    [
        api.ServerError("deadline_exceeded", "request timed out", status=408),
        api.ServerError("not_found", "participant does not exist", status=404),
        api.ServerError("unavailable", "no response from servers", status=503),
        TimeoutError(),
        ConnectionError("lost"),
    ],
)
async def test_an_answer_that_says_nothing_is_settled_by_the_arrival(error: Exception) -> None:
    bench, human = await briefed()
    bench.stage.world.faults = Faults({ASK: Fault(How.FAILS_AFTER, error)})
    began_s = bench.now_s
    await Move().merge(bench.legs, broke)
    assert bench.now_s - began_s < 0.2
    assert human.room.name == CALLER_ROOM
    await bench.finish()


async def test_who_does_not_come_leaves_the_merge_uncertain_within_the_look() -> None:
    bench, human = await briefed()
    bench.stage.world.faults = Faults({ASK: Fault(How.FAILS, ConnectionError("lost"))})
    began_s = bench.now_s
    with pytest.raises(TimeoutError):
        await Move().merge(bench.legs, broke)
    assert bench.now_s - began_s == pytest.approx(bench.legs.policy.look_timeout_s, abs=0.1)
    assert human.room.name == ROOM
    await bench.finish()


async def test_a_departure_while_they_are_moved_is_no_hang_up_until_they_are_at_rest() -> None:
    bench, _ = await briefed()
    seen: list[bool] = []
    assert bench.legs.consult_room is not None
    bench.legs.consult_room.on(
        "participant_disconnected", lambda _: seen.append(bench.legs.at_rest.is_set())
    )
    await Move().merge(bench.legs, broke)
    assert seen == [False]
    assert bench.legs.at_rest.is_set()
    await bench.finish()


@pytest.mark.parametrize(("given_up_s", "requests"), [(0.001, 1), (0.0035, 2)])
async def test_a_human_is_not_moved_back_into_a_room_that_is_given_up(
    given_up_s: float, requests: int
) -> None:
    bench, _ = await briefed()
    move = Move()
    await move.merge(bench.legs, broke)
    began_s = bench.stage.world.now_s
    undoing = asyncio.create_task(move.unmerge(bench.legs))
    await asyncio.sleep(given_up_s)
    assert bench.legs.consult_room is not None
    await bench.legs.consult_room.disconnect()
    # One who is on the way is not waited for: nobody would see them come.
    await asyncio.wait([undoing], timeout=TransferPolicy().release_timeout_s)
    assert undoing.done()
    assert (undoing.exception() is None) == (requests == 1)
    assert asked(bench) == requests
    assert bench.stage.world.now_s - began_s < 0.1
    # As the runner does; the request may still be on its way.
    await move.unmerge(bench.legs)
    assert asked(bench) == requests
    await bench.finish()


async def test_a_caller_who_is_gone_fails_the_merge() -> None:
    bench, _ = await briefed()
    assert bench.stage.caller is not None
    bench.stage.world.leave(bench.stage.caller, rtc.DisconnectReason.CLIENT_INITIATED)
    await asyncio.sleep(0.1)
    move = Move()
    with pytest.raises(LookupError):
        await move.merge(bench.legs, broke)
    assert not await move.health(bench.legs)
    await bench.finish()


async def test_a_muted_human_has_arrived_as_well() -> None:
    bench, human = await briefed()
    bench.stage.world.mute(next(iter(human.tracks.values())), muted=True)
    await Move().merge(bench.legs, broke)
    assert bench.stage.world.member(CALLER_ROOM, HUMAN) is human
    await bench.finish()


# Whole transfers.


async def transfer(
    line: str, *, alone: bool = False, faults: dict[tuple[str, int], Fault] | None = None
) -> Result:
    told = scenario(f"{YES}; {line}" if line else YES)
    merge: Any = (Move(),) if alone else (Move(), "relay")
    return await play(replace(told, faults=faults or {}), merge=merge)


def end(result: Result) -> tuple[State, Reason, str | None]:
    assert result.outcome is not None
    assert audit(result) == ()
    return result.outcome.result, result.outcome.reason, result.outcome.strategy


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
        "agent reconnects while briefing",
        "agent reconnects while merging",
        "agent reconnects 5 s after the merge",
        "server restarts while briefing",
        "server restarts while merging",
        "server restarts 5 s after the merge",
        "job shuts down 5 s after the merge",
        "policy lets the agent leave; human hangs up 20 s after the merge",
    ],
)
async def test_a_transfer_merges_by_moving_and_leaves_nothing(line: str) -> None:
    result = await transfer(line)
    assert end(result) == (S.MERGED, R.ACCEPTED, "move")
    assert_joined(result)


async def test_a_human_who_hangs_up_in_the_callers_room_gives_the_caller_back() -> None:
    result = await transfer("human hangs up 9 s after the merge; policy returns the caller")
    assert result.state is S.RETURNED


@pytest.mark.parametrize("how", ["0.001", "0.004", "0.02", "0.03"])
async def test_a_caller_who_leaves_while_merging_leaves_nobody_behind(how: str) -> None:
    result = await transfer(f"caller hangs up {how} s after the yes")
    assert end(result)[0] in (S.ABANDONED, S.MERGED)


@pytest.mark.parametrize("how", ["0.001", "0.004", "0.02", "0.03"])
async def test_a_human_who_leaves_on_the_way_is_told_as_such(how: str) -> None:
    result = await transfer(f"human hangs up {how} s after the yes", alone=True)
    assert end(result) == (S.FAILED, R.HUMAN_LEFT, "move")
    # Once for the human to come, once for the look at the rooms.
    assert result.seconds[S.MERGING] <= 2 * TransferPolicy().look_timeout_s


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("how", [How.FAILS_AFTER, How.HANGS_AFTER, How.LATE, How.TWICE])
async def test_a_lost_answer_is_a_move_all_the_same(how: How, alone: bool) -> None:
    result = await transfer("", alone=alone, faults={ASK: Fault(how)})
    assert end(result) == (S.MERGED, R.ACCEPTED, "move")
    assert result.seconds[S.MERGING] < 0.1


@pytest.mark.parametrize("how", [How.FAILS, How.HANGS])
async def test_a_lost_request_falls_to_the_relay(how: How) -> None:
    result = await transfer("", faults={ASK: Fault(how)})
    assert end(result) == (S.MERGED, R.ACCEPTED, "relay")


async def test_a_server_that_cannot_move_costs_no_time() -> None:
    told = scenario("human answers after 4 s, says yes after 6 s")
    result = await play(told, merge=(Move(), "relay"))
    assert end(result) == (S.MERGED, R.ACCEPTED, "relay")
    assert result.seconds[S.MERGING] < 0.2


async def test_a_human_who_was_moved_when_the_merge_was_given_up_is_moved_back() -> None:
    # The server says no, and has done it.
    refused = api.ServerError("unknown", "not implemented", status=500)
    result = await transfer("", faults={ASK: Fault(How.FAILS_AFTER, refused)})
    assert end(result) == (S.MERGED, R.ACCEPTED, "relay")
    assert result.world.faults.calls["room.move_participant"] == 2


async def test_a_pending_cancel_counts_when_the_move_fails() -> None:
    told = replace(scenario("human answers after 4 s, says yes after 6 s"), faults={})
    app = scenario("human answers after 4 s, says yes after 6 s; app cancels 0.001 s after the yes")
    result = await play(replace(told, app=app.app), merge=(Move(),))
    assert end(result)[:2] == (S.CANCELLED, R.APP_CANCELLED)


@pytest.mark.parametrize("seed", range(20))
async def test_it_is_so_with_every_latency(seed: int) -> None:
    result = await play(scenario(YES), merge=(Move(), "relay"), seed=seed)
    assert end(result) == (S.MERGED, R.ACCEPTED, "move")
    assert [line["event"] for line in result.journal].count(On.MERGE_CONFIRMED) == 1
    assert result.seconds[S.MERGING] < 0.2
