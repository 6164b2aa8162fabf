"""Merge strategies by who carries the sound: falling from one to the next, and outliving us."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Literal

import pytest
from livekit import rtc

from warm_transfer.livekit.legs import Legs
from warm_transfer.outcome import Reason
from warm_transfer.policy import Carrier, TransferPolicy
from warm_transfer.ports import StateChange
from warm_transfer.states import State
from warm_transfer.testing.livekit.play import CALLER, CALLER_ROOM, Result, Stage, play
from warm_transfer.testing.scenario import scenario

Broke = Callable[[BaseException | None], None]
Does = Literal["joins", "fails", "fails half-way", "hangs", "hangs half-way"]

Reasons = rtc.DisconnectReason
UNMERGE_S, JOIN_S = 0.7, 0.3
HAPPY = "human answers after 3 s, says yes after 2 s"
ORDERS = [*itertools.permutations(Carrier)]
BAD: tuple[Does, ...] = ("fails", "fails half-way", "hangs", "hangs half-way")


class Wires:
    """What joins the legs at the moment, and what was done in order."""

    def __init__(self) -> None:
        self.joined: list[str] = []
        self.most = 0
        self.log: list[tuple[str, str]] = []

    def join(self, name: str) -> None:
        self.joined.append(name)
        self.most = max(self.most, len(self.joined))


class Scripted:
    """A strategy that does what the test says, on the wires that it shares with the others."""

    def __init__(self, wires: Wires, carrier: Carrier, does: Does) -> None:
        self.name = f"by {carrier}"
        self.carrier = carrier
        self.stands = False
        self._wires = wires
        self._does = does

    async def prepare(self, legs: Legs) -> None:
        del legs
        self._wires.log.append((self.name, "prepare"))

    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        del legs, broke
        self._wires.log.append((self.name, "merge"))
        await asyncio.sleep(JOIN_S)
        if self._does in ("fails", "hangs"):
            await self._go_wrong()
        self._wires.join(self.name)
        if self._does.endswith("half-way"):
            await self._go_wrong()
        return None

    async def _go_wrong(self) -> None:
        if self._does.startswith("hangs"):
            await asyncio.get_running_loop().create_future()
        raise RuntimeError(f"{self.name} cannot")

    async def unmerge(self, legs: Legs) -> None:
        del legs
        if self.name in self._wires.joined:
            await asyncio.sleep(UNMERGE_S)
            self._wires.joined.remove(self.name)
            self._wires.log.append((self.name, "unmerge"))

    async def health(self, legs: Legs) -> bool:
        del legs
        return self.stands


async def fall(
    order: tuple[Carrier, ...], bad: Does, line: str = HAPPY, *, last: Does = "joins"
) -> tuple[Wires, Result]:
    wires = Wires()
    does: list[Does] = [bad] * (len(order) - 1) + [last]
    strategies = [Scripted(wires, each, how) for each, how in zip(order, does, strict=True)]
    return wires, await play(scenario(line), merge=strategies)


@pytest.mark.asyncio
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
async def test_the_next_begins_when_the_one_before_is_wholly_undone(
    order: tuple[Carrier, ...], bad: Does
) -> None:
    wires, result = await fall(order, bad)
    assert result.outcome is not None
    assert result.outcome.strategy == f"by {order[-1]}"
    assert wires.most == 1
    tried = [name for name, what in wires.log if what == "merge"]
    assert tried == [f"by {each}" for each in order]
    assert [each for each in wires.log if each[1] == "prepare"] == [(tried[0], "prepare")]
    if bad.endswith("half-way"):
        undone = [wires.log.index((name, "unmerge")) for name in tried[:-1]]
        begun = [wires.log.index((name, "merge")) for name in tried[1:]]
        assert all(before < after for before, after in zip(undone, begun, strict=True))
    assert result.closed
    assert not result.left, result.left
    assert wires.joined == []


@pytest.mark.asyncio
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("app cancels while merging", Reason.APP_CANCELLED),
        ("app declines while merging", Reason.DECLINED),
        ("caller hangs up while merging", Reason.CALLER_LEFT),
        ("session closes while merging", Reason.SESSION_CLOSED),
    ],
)
async def test_a_wish_that_waits_keeps_the_next_from_beginning(
    wish: str, reason: Reason, bad: Does
) -> None:
    wires, result = await fall(tuple(Carrier), bad, f"{HAPPY}; {wish}")
    assert result.outcome is not None
    assert result.outcome.reason is reason
    assert sum(what == "merge" for _, what in wires.log) == 1
    assert wires.joined == []
    assert not result.left, result.left


@pytest.mark.asyncio
@pytest.mark.parametrize("bad", ["fails", "fails half-way"])
async def test_a_wish_during_the_second_is_followed_when_that_fails_too(bad: Does) -> None:
    wires, result = await fall(tuple(Carrier), bad, f"{HAPPY}; app cancels 0.5 s after the yes")
    assert result.outcome is not None
    assert result.outcome.reason is Reason.APP_CANCELLED
    assert sum(what == "merge" for _, what in wires.log) == 2
    assert wires.joined == []


@pytest.mark.asyncio
@pytest.mark.parametrize("bad", BAD)
async def test_with_none_left_the_caller_is_back_and_nothing_is_joined(bad: Does) -> None:
    wires, result = await fall(tuple(Carrier), bad, last=bad)
    assert result.outcome is not None
    assert result.outcome.reason is Reason.MERGE_FAILED
    assert result.host.session.input.audio_enabled
    assert wires.joined == []
    assert not result.left, result.left


@pytest.mark.asyncio
async def test_all_strategies_together_take_no_longer_than_their_limits() -> None:
    policy = TransferPolicy()
    _, result = await fall(tuple(Carrier), "hangs", last="hangs")
    each_s = policy.merge_timeout_s + policy.look_timeout_s
    assert result.seconds[State.MERGING] <= 3 * each_s + 1.0


# A merged call that goes on without the agent.


async def outlive(carrier: Carrier, line: str) -> tuple[Result, dict[str, set[str]]]:
    """Play a merge to its end; who is in which room a second after the transfer has ended."""
    told = scenario(line)
    stage, there = Stage(told), dict[str, set[str]]()

    async def look(change: StateChange) -> None:
        if change.after is State.ENDED:
            await asyncio.sleep(1.0)
            there.update((each.name, set(each.members)) for each in stage.world.rooms.values())

    strategy = Scripted(Wires(), carrier, "joins")
    return await play(told, stage=stage, merge=[strategy], on_state_change=look), there


def effects_at_the_end(result: Result) -> list[str]:
    (line,) = (each for each in result.journal if each["after"] != each["before"] == "merged")
    return [each["name"] for each in line["effects"]]


@pytest.mark.asyncio
@pytest.mark.parametrize("event", ["job shuts down", "agent loses the caller room"])
async def test_a_bridged_call_keeps_both_rooms_and_the_agent_leaves_the_consult_room(
    event: str,
) -> None:
    line = f"{HAPPY}; {event} 5 s after the merge; policy call limit 200 s"
    result, there = await outlive(Carrier.BRIDGE, f"{line}; caller hangs up 60 s after the merge")
    assert effects_at_the_end(result) == []
    (consult,) = (members for name, members in there.items() if name != CALLER_ROOM)
    (human,) = consult
    assert human.startswith("human-agent-sip-")
    assert CALLER in there[CALLER_ROOM]
    assert result.closed
    # Nobody tells the human that the caller has gone: the limit of the leg does.
    assert not result.left, result.left


@pytest.mark.asyncio
async def test_a_relayed_call_ends_with_the_job() -> None:
    line = f"{HAPPY}; job shuts down 5 s after the merge"
    result, there = await outlive(Carrier.AGENT, line)
    assert {"HANG_UP_CONSULT", "END_CALL"} <= set(effects_at_the_end(result))
    assert there == {}
    assert not result.left, result.left


@pytest.mark.asyncio
@pytest.mark.parametrize("stands", [True, False])
async def test_a_bridge_without_our_connection_is_looked_at(stands: bool) -> None:
    told = scenario(f"{HAPPY}; caller hangs up 30 s after the merge")
    stage = Stage(told)

    async def lose(change: StateChange) -> None:
        if change.after is State.MERGED:
            await asyncio.sleep(2.0)
            (room,) = stage.sdk.rooms
            stage.world.leave(room.local_participant.member, Reasons.PARTICIPANT_REMOVED)

    strategy = Scripted(Wires(), Carrier.BRIDGE, "joins")
    strategy.stands = stands
    result = await play(told, stage=stage, merge=[strategy], on_state_change=lose)
    looked = next(each for each in result.journal if each["event"] == "CONSULT_ROOM_LOST")
    assert [each["name"] for each in looked["effects"]] == ["LOOK_AT_ROOMS"]
    last = next(each for each in result.journal if each["after"] == "ended")
    assert last["event"] == ("CALLER_HUNG_UP" if stands else "MERGE_FAILED")
    assert not result.left, result.left
