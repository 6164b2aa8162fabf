"""The invariants of a whole simulated transfer: what must be true of it however it went.

`audit` looks at the journal, the hearing log, the phones, the switches and what is left, and says
which invariant is broken. The numbers are those of the design's list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from warm_transfer.errors import JournalError
from warm_transfer.events import ACCEPTANCES
from warm_transfer.journal import replay
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import HELD, State
from warm_transfer.testing.livekit.ears import Heard
from warm_transfer.testing.livekit.phones import At
from warm_transfer.testing.livekit.play import AGENT, CALLER_ROOM, Result

__all__ = [
    "FAST_LEAK_S",
    "FAST_S",
    "LEAK_S",
    "OPENING_S",
    "RELEASE_S",
    "TOLD_S",
    "audit",
    "audit_world",
]

RELEASE_S = 1.0
"""A ringing phone is cancelled within a second of the caller's hang-up."""

LEAK_S = 1.0
"""In a shared room, how long after the server's restart, a leg's reconnect or a stall of the agent
caller and human may hear each other before the merge (``docs/shared-room.md``); nowhere else."""

TOLD_S = 0.03
"""How long the agent may not have been told yet that somebody has hung up."""

FAST_S, FAST_LEAK_S = 0.45, 0.3
"""In a shared room, a phone that answers so soon after its leg has joined may be heard for so long,
until its gate is shut (``docs/shared-room.md``; a seed takes up to twice the measured times)."""

OPENING_S = 0.25
"""How long after a merge without the agent the two hear each other: some 120 ms in a shared room
(``docs/shared-room.md``; a seed takes up to twice that). The agent may be gone by then."""

_NOBODY_THERE = frozenset(
    {Reason.CALLER_LEFT, Reason.CALLER_ROOM_LOST, Reason.SESSION_CLOSED, Reason.JOB_SHUTDOWN}
)


def audit(result: Result) -> tuple[str, ...]:
    """Every broken invariant, in words; empty when all hold."""
    return (*audit_world(result), *_replays(result))


def audit_world(result: Result) -> tuple[str, ...]:
    """The same without the replay of the journal, for those who replay it themselves."""
    return tuple(problem for check in _CHECKS for problem in check(result))


def _one_outcome(result: Result) -> Iterator[str]:
    found = len(result.host.outcomes)
    if found != 1:
        yield f"1 one outcome: {found} were delivered"
    if not result.closed:
        yield "6 every run ends: the transfer never closed"


def _caller_is_given_back(result: Result) -> Iterator[str]:
    session, outcome = result.host.session, result.outcome
    if outcome is None or session.closed or outcome.reason in _NOBODY_THERE:
        return
    wanted_input = result.state is State.RETURNED or not outcome.merged
    if session.input.audio_enabled != wanted_input:
        yield f"2 input as it was: audio is {session.input.audio_enabled} in {result.state}"
    if not all(session.output.all().values()):
        yield f"2 output as it was: {session.output.all()} in {result.state}"


def _caller_is_heard_by_nobody_while_held(result: Result) -> Iterator[str]:
    for (from_s, state), (to_s, _) in pairwise((*result.states, (float("inf"), result.state))):
        if state not in HELD:
            continue
        for at_s, switch, on in result.host.session.input.log:
            if on and from_s <= at_s < to_s:
                yield f"2 input off while held: {switch} went on at {at_s:.3f}"


def _nothing_crosses(result: Result) -> Iterator[str]:
    merging = next((at for at, state in result.states if state is State.MERGING), None)
    for heard in result.world.heard("caller"):
        early = _early(result, heard, merging)
        if heard.tag == "briefing" or (heard.tag == "human" and early):
            yield f"3 nothing crosses: the caller heard {heard.tag} at {heard.from_s:.3f}"
    # Who is with the caller hears the end of the hold audio; a relay carries voices only.
    moves = result.world.cloud or _shares(result)
    for heard in result.world.heard("human"):
        early = _early(result, heard, merging)
        carries = moves or _unlimited(result, heard)
        if (heard.tag == "music" and (early or not carries)) or (heard.tag == "caller" and early):
            yield f"3 nothing crosses: the human heard {heard.tag} at {heard.from_s:.3f}"


def _unlimited(result: Result, heard: Heard) -> bool:
    """Whether a bridge carried it while the agent could not limit who hears its tracks.

    It can not while its own connection is away, and is not waited for: the human has said yes and
    hears the end of the hold audio.
    """
    return any(
        lost_s <= heard.from_s and heard.to_s <= lost_s + away_s + LEAK_S
        for lost_s, away_s in result.world.away_s
        if result.world.trunks.rules
    )


def _early(result: Result, heard: Heard, merging_s: float | None) -> bool:
    """Whether something was heard before the merge that may not be heard then."""
    if merging_s is not None and heard.from_s >= merging_s:
        return False
    until_s = heard.to_s if merging_s is None else min(heard.to_s, merging_s)
    world = result.world
    hampered_s = sum(for_s for _, for_s in (*world.stalls_s, *world.late_news_s))
    open_s = [(from_s, from_s + LEAK_S + hampered_s) for from_s in world.returns_s]
    open_s += [(from_s, from_s + for_s + LEAK_S) for from_s, for_s in world.stalls_s]
    leaks = any(from_s <= heard.from_s and until_s <= to_s for from_s, to_s in open_s)
    voices = heard.tag in ("caller", "human")
    fast = _answered_fast(result, heard) and until_s - heard.from_s < FAST_LEAK_S
    return not (_shares(result) and voices and (leaks or fast))


def _answered_fast(result: Result, heard: Heard) -> bool:
    """Whether it was the first sound of a phone that answers at once."""
    for call in result.sdk.switchboard.calls:
        called_s, answered_s = call.when(At.CALLED), call.when(At.TALKING)
        if called_s is None or answered_s is None or answered_s - called_s >= FAST_S:
            continue
        if 0.0 <= heard.from_s - answered_s < FAST_LEAK_S:
            return True
    return False


def _shares(result: Result) -> bool:
    """Whether the human was dialled into the caller's room."""
    return any(call.request.room_name == CALLER_ROOM for call in result.sdk.switchboard.calls)


def _merged_by_acceptance(result: Result) -> Iterator[str]:
    accepted = [
        line
        for line in result.journal
        if line["event"] in ACCEPTANCES and line["handling"] == "row"
    ]
    if any(state is State.MERGED for _, state in result.states) and not accepted:
        yield "4 merged only after an acceptance: there was none"


def _human_is_released(result: Result) -> Iterator[str]:
    for call in result.sdk.switchboard.calls:
        if call.busy:
            yield f"5 no phone for nobody: it is still {call.busy}"


def _one_dial(result: Result) -> Iterator[str]:
    # A request that the network replays is one request; the server then ends the first leg.
    dials = len({id(call.request) for call in result.sdk.switchboard.calls})
    if dials > 1:
        yield f"7 at most one dial: there were {dials}"


def _nothing_left(result: Result) -> Iterator[str]:
    if result.left:
        yield f"9 nothing left: {result.left}"


def _leaves_only_what_goes_on(result: Result) -> Iterator[str]:
    left_s, outcome = result.host.job_ended_s, result.outcome
    if left_s is None or outcome is None:
        return
    if outcome.after_merge != "leave":
        yield f"12 the agent stays: it left although it was to be {outcome.after_merge}"
    if result.host.delivered_s is None or result.host.delivered_s >= left_s:
        yield "12 the agent leaves last: the outcome came later"
    if result.world.member(CALLER_ROOM, AGENT) is not None:
        yield "12 the agent leaves: it is still in the call"
    # From its decision on nobody watches, however long the leaving takes.
    left_s = next((at_s for at_s, state in result.states if state is State.ENDED), left_s)
    if _unseen(result, left_s):
        return
    merged_s = next((at_s for at_s, state in result.states if state is State.MERGED), left_s)
    heard_s = max(left_s, merged_s + OPENING_S)
    for who, whom in (("caller", "human"), ("human", "caller")):
        if whom == "human" and not any(call.phone.voice for call in result.sdk.switchboard.calls):
            continue
        heard = [each for each in result.world.heard(who) if each.tag == whom]
        if not any(each.from_s <= heard_s and left_s < each.to_s + TOLD_S for each in heard):
            yield f"12 no silence behind the agent: the {who} heard no {whom} then"


def _unseen(result: Result, at_s: float) -> bool:
    """Whether somebody may have gone, or be away, without the agent knowing.

    The server tells nobody of a leg that is away; an agent that is away itself is told of a hang-up
    when it is back and the grace is over; and news may be late.
    """
    grace_s = TransferPolicy().reconnect_grace_s
    world = result.world
    unseen = (*world.absent_s, *world.stalls_s, *world.late_news_s)
    gone = [(from_s, for_s + LEAK_S) for from_s, for_s in unseen]
    gone += [(lost_s, for_s + grace_s) for lost_s, for_s in world.away_s]
    return any(lost_s <= at_s <= lost_s + for_s for lost_s, for_s in gone)


def _replays(result: Result) -> Iterator[str]:
    try:
        for _ in replay(result.journal):
            pass
    except JournalError as error:
        yield f"11 the journal replays: {error}"


_CHECKS: tuple[Callable[[Result], Iterator[str]], ...] = (
    _one_outcome,
    _caller_is_given_back,
    _caller_is_heard_by_nobody_while_held,
    _nothing_crosses,
    _merged_by_acceptance,
    _human_is_released,
    _one_dial,
    _nothing_left,
    _leaves_only_what_goes_on,
)
