"""The scenes in the simulated world: the same people and server, a virtual clock, either side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.compare.facts import Facts, Run, run_of, words_of
from tests.compare.scenes import LIMIT_S, SCENES
from tests.holes.call import CALLER, Call, call_on
from tests.holes.hole import Side
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.phones import At, Phone

__all__ = ["PLAYS", "Play", "play"]

TICK_S = 0.001
"""How often somebody looks; a thousandth of a virtual second."""
RING_S = 4.0
TALK_S = 2.0
"""How long the briefing has gone on when something ends it."""
MERGE_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Play:
    """What goes on in a scene; the script returns in the moment that ends the transfer."""

    script: Callable[[Call, Facts], Awaitable[None]]
    phone: Phone = field(default_factory=lambda: Phone(answers_after_s=3.0))
    hangs_up_s: float | None = None
    """So long after they hear each other the caller hangs up."""
    ours: dict[str, Any] = field(default_factory=dict)
    """What is given to our task alone."""


async def _refused(call: Call, facts: Facts) -> None:
    del facts
    await call.until(lambda: call.phone_is(At.REFUSED))


async def _rung_out(call: Call, facts: Facts) -> None:
    if await call.until(lambda: facts.dialled_s is not None):
        await asyncio.sleep((facts.dialled_s or 0.0) + RING_S - call.world.now_s)


async def _briefed(call: Call) -> None:
    await call.until_briefing()
    await asyncio.sleep(TALK_S)


async def _declines(call: Call, facts: Facts) -> None:
    del facts
    await _briefed(call)
    call.human_says("no")


async def _mailbox(call: Call, facts: Facts) -> None:
    del facts
    await _briefed(call)
    call.human_says("voicemail")


async def _caller_leaves_ringing(call: Call, facts: Facts) -> None:
    del facts
    await call.until_ringing()
    call.caller_leaves()


async def _caller_leaves_briefing(call: Call, facts: Facts) -> None:
    del facts
    await _briefed(call)
    call.caller_leaves()


async def _merging(call: Call) -> None:
    await _briefed(call)
    call.breaks({})
    call.human_says("yes")
    await call.until(lambda: call.joins > 0, MERGE_WITHIN_S)


async def _caller_leaves_merging(call: Call, facts: Facts) -> None:
    del facts
    await _merging(call)
    call.caller_leaves()


async def _human_leaves_briefing(call: Call, facts: Facts) -> None:
    del facts
    await _briefed(call)
    call.human_hangs_up()


async def _human_leaves_merging(call: Call, facts: Facts) -> None:
    del facts
    await _merging(call)
    call.human_hangs_up()


async def _session_closed(call: Call, facts: Facts) -> None:
    del facts
    await _briefed(call)
    call.closing = asyncio.create_task(call.session.aclose())  # type: ignore[attr-defined]


async def _await_cancelled(call: Call, facts: Facts) -> None:
    del facts
    await _briefed(call)
    call.app_gives_up()


async def _accepts(call: Call, facts: Facts) -> None:
    del facts
    await _briefed(call)
    call.human_says("yes")


PLAYS: dict[str, Play] = {
    "busy": Play(_refused, Phone(refuses_with=486, refuses_after_s=1.0)),
    "no-answer": Play(_rung_out, Phone()),
    "decline": Play(_declines),
    "voicemail": Play(_mailbox),
    "caller-leaves-ringing": Play(_caller_leaves_ringing),
    "caller-leaves-briefing": Play(_caller_leaves_briefing),
    "caller-leaves-merging": Play(_caller_leaves_merging),
    "human-leaves-briefing": Play(_human_leaves_briefing),
    "human-leaves-merging": Play(_human_leaves_merging),
    "session-closed": Play(_session_closed),
    "await-cancelled": Play(_await_cancelled),
    "accepted": Play(_accepts, hangs_up_s=TALK_S, ours={"merge": "move"}),
}


def play(scene_id: str, side: Side) -> Run:
    """Play a scene on a fresh virtual clock."""
    return run_of(SCENES[scene_id], clock.run(_play(PLAYS[scene_id], side)))


async def _play(told: Play, side: Side) -> Facts:
    facts = Facts()
    async with call_on(side, phone=told.phone, ours=told.ours, ringing_timeout=RING_S) as call:
        _note_entry(call, facts)
        call.ask()
        await told.script(call, facts)
        facts.decided_s = call.world.now_s
        await _watch(call, facts, told.hangs_up_s)
        _look_back(call, facts)
    return facts


def _note_entry(call: Call, facts: Facts) -> None:
    """Note when the await begins and when the dial arrives; the clock stands still between
    making a task and awaiting it."""
    make, ring = call.make, call.sdk.switchboard.call

    def made() -> Any:
        facts.entered_s = call.world.now_s
        return make()

    def rung(request: Any) -> Any:
        facts.dialled_s = facts.dialled_s or call.world.now_s
        return ring(request)

    call.make = made  # type: ignore[method-assign]
    call.sdk.switchboard.call = rung  # type: ignore[method-assign]


async def _watch(call: Call, facts: Facts, hangs_up_s: float | None) -> None:
    """Look every tick what has come, until it would be too late."""
    assert facts.decided_s is not None
    while call.world.now_s <= facts.decided_s + LIMIT_S:
        await asyncio.sleep(TICK_S)
        now_s = call.world.now_s
        if facts.released_s is None and not call.phones_busy:
            facts.released_s = now_s
        if facts.call_over_s is None and not call.caller.joined:
            facts.call_over_s = now_s
        if facts.back_s is None and _back(call):
            facts.back_s = now_s
        if facts.heard_s is None and call.bridged:
            facts.heard_s = now_s
        if hangs_up_s is not None and facts.hung_up_s is None and _talked(facts, now_s, hangs_up_s):
            facts.hung_up_s = now_s
            call.caller_leaves()


def _talked(facts: Facts, now_s: float, long_s: float) -> bool:
    """Whether caller and human have talked for so long."""
    return facts.heard_s is not None and now_s >= facts.heard_s + long_s


def _back(call: Call) -> bool:
    """Whether the caller's agent is there again, can be heard, and listens.

    After a success the application leaves the caller to the human, whether there is one or not.
    """
    session = call.session
    mine = session._started and session.current_agent is call.agent
    return (
        mine
        and call.caller.joined
        and not call.merged
        and session.input.audio_enabled
        and session.output.transcription_enabled
    )


def _look_back(call: Call, facts: Facts) -> None:
    heard = call.world.ears.heard(CALLER, call.world.now_s)
    facts.music_s = next((each.from_s for each in heard if each.tag == "music"), None)
    if call.got:
        facts.returned_s = call.got_at_s[0]
        got = call.got[0]
        facts.told = words_of(got) if isinstance(got, BaseException) else type(got).__name__
    facts.left = [
        f"{kind} {len(names)}" for kind, names in asdict(call.world.left()).items() if names
    ]
