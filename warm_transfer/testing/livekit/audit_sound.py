"""The invariants about sound: who may hear whom, who must, and what the caller waits with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import inf

from warm_transfer.policy import TransferPolicy
from warm_transfer.states import HELD, State
from warm_transfer.testing.livekit.audit_times import RELEASE_S
from warm_transfer.testing.livekit.course import Course
from warm_transfer.testing.livekit.ears import Heard
from warm_transfer.testing.livekit.phones import At
from warm_transfer.testing.livekit.play import CALLER, CALLER_ROOM, Result

__all__ = [
    "FAST_LEAK_S",
    "FAST_S",
    "LEAK_S",
    "MUSIC_S",
    "OPENING_S",
    "SOUNDS",
    "TOGETHER_S",
    "TOLD_S",
]

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

TOGETHER_S = 1.2
"""How long after a merge both hear each other at the latest: 0.3 s over a bridge, and a leg that
moves asks for its tracks anew (``docs/limits.md``; a seed takes up to twice the measured times)."""

STARTING_S = 1.0
"""How long after the agent's last words the hold audio is heard: published and subscribed."""

MUSIC_S = 0.5
"""How long the hold audio may be away while the caller waits, or be heard when they wait no more:
a mute reaches the server, and a track that is not fed is concealed for 0.3 s."""

Span = tuple[float, float]


def _nothing_crosses(course: Course) -> Iterator[str]:
    result = course.result
    for heard in course.caller:
        early = _apart(course, heard)
        if heard.tag == "briefing" or (heard.tag == "human" and early):
            yield f"3 nothing crosses: the caller heard {heard.tag} at {heard.from_s:.3f}"
    # Who is with the caller hears the end of the hold audio; a relay carries voices only.
    moves = result.world.cloud or _shares(result)
    for heard in course.human:
        early = _apart(course, heard)
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


def _apart(course: Course, heard: Heard) -> bool:
    """Whether something was heard before the merge or after its end that may not be then."""
    until_s = inf if course.merging_s is None else course.merging_s
    if heard.from_s < until_s and _leaked(course, heard, heard.from_s, min(heard.to_s, until_s)):
        return True
    back_s = max(heard.from_s, _parted_s(course))
    return back_s < heard.to_s and _leaked(course, heard, back_s, heard.to_s)


def _parted_s(course: Course) -> float:
    """From when on the two that were to be merged, or had been, hear each other no more."""
    if not course.given_back or course.over_s is None:
        return inf
    result = course.result
    # Where something goes wrong, the undoing of the merge is tried until the transfer is closed.
    done_s = course.over_s if course.calm else result.began_s + result.took_s
    return done_s + RELEASE_S


def _leaked(course: Course, heard: Heard, from_s: float, until_s: float) -> bool:
    """Whether there is no excuse for its having been heard then; only a shared room has any."""
    result = course.result
    if not _shares(result) or heard.tag not in ("caller", "human"):
        return True
    if any(open_s <= from_s and until_s <= shut_s for open_s, shut_s in _open(result)):
        return False
    return not (_answered_fast(result, heard) and until_s - from_s < FAST_LEAK_S)


def _open(result: Result) -> Iterator[Span]:
    """When gates were open, or could not be shut."""
    world = result.world
    yield from ((from_s, from_s + for_s + LEAK_S) for from_s, for_s in world.stalls_s)
    for from_s in world.returns_s:
        to_s = from_s + LEAK_S
        # Whoever stands still, or is not told, shuts them later: but only what they were late for.
        for late_s, for_s in sorted((*world.stalls_s, *world.late_news_s)):
            if late_s <= to_s and from_s <= late_s + for_s:
                to_s = max(to_s, late_s + for_s + LEAK_S)
        yield from_s, to_s


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


def _merged_hear_each_other(course: Course) -> Iterator[str]:
    merged_s = course.merged_s
    if merged_s is None or not course.calm:
        return
    end_s = course.result.world.now_s if course.over_s is None else course.over_s
    if end_s <= merged_s + TOGETHER_S:
        return
    for who, whom in _voices(course.result):
        spans = _spans(course.heard(who), whom)
        if not any(from_s <= merged_s + TOGETHER_S and merged_s < to_s for from_s, to_s in spans):
            yield f"8 merged they hear each other: the {who} heard no {whom} after {merged_s:.3f}"


def _voices(result: Result) -> Iterator[tuple[str, str]]:
    """Who is to hear whom; some phones send nothing."""
    if any(call.phone.voice for call in result.sdk.switchboard.calls):
        yield "caller", "human"
    yield "human", "caller"


def _caller_waits_with_music(course: Course) -> Iterator[str]:
    if not course.calm:
        return
    held = [at_s for at_s, state in course.result.states if state in HELD]
    ends = (at_s for at_s, state in course.result.states if held and state not in HELD)
    until_s = next((at_s for at_s in ends if at_s > held[0]), None)
    silent_s = _silent_s(course.result)
    if until_s is None or silent_s is None:
        return
    last_s = silent_s + STARTING_S
    for from_s, to_s in (*_spans(course.caller, "music"), (until_s, until_s)):
        if min(from_s, until_s) > last_s + MUSIC_S:
            yield f"2 the hold audio is heard: there was none from {last_s:.3f} on"
            return
        last_s = max(last_s, to_s)


def _silent_s(result: Result) -> float | None:
    """When the agent had spoken its last words; None if it was never switched off."""
    for at_s, switch, on in result.host.session.output.log:
        if switch == "output.audio" and not on:
            return at_s
    return None


def _the_music_ends(course: Course) -> Iterator[str]:
    waited_s = course.over_s if course.merged_s is None else course.merged_s
    if waited_s is None or not course.calm:
        return
    for _, to_s in _spans(course.caller, "music"):
        if to_s > waited_s + MUSIC_S:
            yield f"2 the hold audio ends: it was heard until {to_s:.3f}, not {waited_s:.3f}"


def _spans(heard: Iterable[Heard], tag: str) -> list[Span]:
    return [(each.from_s, each.to_s) for each in heard if each.tag == tag]


def _no_silence_behind_the_agent(course: Course) -> Iterator[str]:
    result = course.result
    if result.host.job_ended_s is None or result.outcome is None:
        return
    # From its decision on nobody watches, however long the leaving takes.
    ended = (at_s for at_s, state in result.states if state is State.ENDED)
    left_s = next(ended, result.host.job_ended_s)
    merged_s = left_s if course.merged_s is None else course.merged_s
    heard_s = max(left_s, merged_s + OPENING_S)
    if _unseen(result, left_s) or _unseen(result, heard_s) or _parts(result, left_s, heard_s):
        return
    for who, whom in _voices(result):
        spans = _spans(course.heard(who), whom)
        if not any(from_s <= heard_s and left_s < to_s + TOLD_S for from_s, to_s in spans):
            yield f"12 no silence behind the agent: the {who} heard no {whom} then"


def _parts(result: Result, from_s: float, to_s: float) -> bool:
    """Whether one of the two hung up in this time, as far as the agent could know."""
    people = {CALLER, *(call.request.participant_identity for call in result.sdk.switchboard.calls)}
    left = (at_s for at_s, who in result.world.left_s if who in people)
    return any(from_s - TOLD_S <= at_s < to_s for at_s in left)


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


SOUNDS: tuple[Callable[[Course], Iterator[str]], ...] = (
    _nothing_crosses,
    _merged_hear_each_other,
    _caller_waits_with_music,
    _the_music_ends,
    _no_silence_behind_the_agent,
)
"""The checks."""
