"""A merge that is asked for twice in one transfer joins once, whatever carries the sound."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest

from warm_transfer.effects import Effect
from warm_transfer.livekit.merge import Merge
from warm_transfer.livekit.preflight import forget
from warm_transfer.livekit.signals import ROLE
from warm_transfer.ports import StateChange
from warm_transfer.states import State
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.audit import audit
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.play import CALLER_ROOM, Result, Stage, play
from warm_transfer.testing.livekit.sdk import SimSdk

LINE = "human answers after 4 s, says yes after 6 s; caller hangs up 20 s after the merge"
TALKING_S = 10.0

JOINS = {
    "relay": None,  # it takes the lanes down and opens them anew
    "sip_bridge": "sip.create_sip_participant",
    "move": "room.move_participant",
    "shared_room": "room.connect",
}
"""The call of the seam that joins, which is not to be made again."""


@dataclass
class Talk:
    """What there was while the two talked."""

    tracks: Counter[str]
    """The agent's, in either room, by what they carry."""
    ends: Counter[str]
    """The ends of bridges, by room."""
    people: Counter[str]
    """Who is with the caller."""
    hears: dict[str, frozenset[str]]


def look(stage: Stage) -> Talk:
    rooms = stage.world.rooms
    members = [each for room in rooms.values() for each in room.members.values()]
    carried = [track.name for each in members for track in each.tracks.values()]
    return Talk(
        tracks=Counter(name.rpartition("-")[0] for name in carried if name.startswith("relay-")),
        ends=Counter(
            "caller" if each.room.name == CALLER_ROOM else "consult"
            for each in members
            if each.attributes.get(ROLE) == "bridge"
        ),
        people=Counter(
            each.identity.partition("-")[0]
            for each in members
            if each.room.name == CALLER_ROOM and each.attributes.get(ROLE) != "bridge"
        ),
        hears={who: stage.world.ears.hears(who) for who in ("caller", "human")},
    )


def played(strategy: str) -> tuple[Result, Talk]:
    with clock.runner() as runner:
        return runner.run(_played(strategy))


async def _played(strategy: str) -> tuple[Result, Talk]:
    told = scenario(LINE)
    told = replace(
        told,
        merge=(strategy,),
        server=replace(told.server, moves=strategy == "move"),
        caller=replace(told.caller, by_phone=True),
    )
    forget(SimSdk.url)
    stage, seen = Stage(told), list[Talk]()
    if strategy == "sip_bridge":
        stage.world.trunks.set_up_bridge()

    def on_change(change: StateChange) -> None:
        if change.after is State.MERGED:
            stage.world.loop.call_later(TALKING_S, lambda: seen.append(look(stage)))

    result = await play(told, stage=stage, on_state_change=on_change)
    assert audit(result) == ()
    (talk,) = seen
    return result, talk


def again(monkeypatch: pytest.MonkeyPatch, cut_off_after_s: float | None) -> None:
    """Let MERGE_LEGS be done once more, after it has been done or has been cut off."""
    whole = Merge.merge

    async def twice(self: Merge, effect: Effect) -> None:
        first = asyncio.ensure_future(whole(self, effect))
        if cut_off_after_s is not None:
            await asyncio.sleep(cut_off_after_s)
            first.cancel()
        await asyncio.wait([first])
        await whole(self, effect)

    monkeypatch.setattr(Merge, "merge", twice)


def once(strategy: str) -> dict[str, Any]:
    """What there is of a strategy while the two talk."""
    return {
        "tracks": {"relay-human": 1, "relay-caller": 1} if strategy == "relay" else {},
        "ends": {"caller": 1, "consult": 1} if strategy == "sip_bridge" else {},
        "with the caller": {"agent": 1, "caller": 1}
        | ({"human": 1} if strategy in ("move", "shared_room") else {}),
    }


def found(talk: Talk) -> dict[str, Any]:
    return {"tracks": talk.tracks, "ends": talk.ends, "with the caller": talk.people}


@pytest.mark.parametrize("strategy", JOINS)
def test_a_merge_is_seen_once_when_it_is_made_once(strategy: str) -> None:
    _, talk = played(strategy)
    assert found(talk) == once(strategy)


@pytest.mark.parametrize("strategy", JOINS)
def test_a_merge_that_is_repeated_joins_once(
    strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _ = played(strategy)
    again(monkeypatch, None)
    result, talk = played(strategy)
    assert found(talk) == once(strategy)
    assert "human" in talk.hears["caller"]
    assert "caller" in talk.hears["human"]
    call = JOINS[strategy]
    if call is not None:
        assert result.world.faults.calls[call] == plain.world.faults.calls[call] > 0


@pytest.mark.parametrize("cut_off_after_s", [0.0, 0.005, 0.03, 0.09, 0.2])
@pytest.mark.parametrize("strategy", JOINS)
def test_a_merge_that_was_cut_off_and_is_repeated_joins_once(
    strategy: str, cut_off_after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    again(monkeypatch, cut_off_after_s)
    _, talk = played(strategy)
    assert found(talk) == once(strategy)
    assert "human" in talk.hears["caller"]
    assert "caller" in talk.hears["human"]
