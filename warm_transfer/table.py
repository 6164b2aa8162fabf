"""The table: every row of a warm transfer, and every ignored or impossible pair.

Everything that decides the behaviour of a transfer is in this file. An adapter that needs an
``if`` about a state is asking for a row here. `table_rules` checks the table when the package is
imported; the diagrams in ``docs/`` are drawn from it; the tests walk all of it.

Reading a row: in *source*, on *event*, go to *target* and start the effects in order. Rows whose
target is their source stay; they keep the running clock unless they start one.
"""

from __future__ import annotations

from collections.abc import Iterator

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.outcome import Reason
from warm_transfer.rows import MAPPED, Guard, Ignored, Keep, Row, Table, Wait
from warm_transfer.states import FINAL, State

__all__ = ["BACK", "OFF", "TABLE"]

S = State

OFF = (Do.STOP_HOLD_AUDIO, Do.HANG_UP_CONSULT, Do.CLOSE_CONSULT, Do.DELIVER_OUTCOME)
"""Give everything back; there is nobody to hand the caller to."""

BACK = (*OFF, Do.RESUME_CALLER)
"""Give everything back and the caller to the agent."""

UNDO = (Do.UNMERGE_LEGS,)
TELL = (Do.NOTIFY_CONSULT,)

BEFORE_MERGE = (S.HOLDING, S.DIALING, S.BRIEFING)

#: Every way out of a merged call through us; idempotent where there is nothing to give back.
HANG_UP_ALL = (Do.UNMERGE_LEGS, Do.HANG_UP_CONSULT, Do.CLOSE_CONSULT)
END = (*HANG_UP_ALL, Do.END_CALL)
RETURN = (*HANG_UP_ALL, Do.RESUME_CALLER)


def _idle() -> Iterator[Row]:
    yield Row(
        S.IDLE,
        On.TRANSFER_REQUESTED,
        S.HOLDING,
        (Do.HOLD_CALLER, Do.PLAY_HOLD_AUDIO, Do.OPEN_CONSULT),
        start=Wait.HOLD,
    )
    # Between the request and its first turn anybody may leave; nothing has been acquired yet.
    only = (Do.DELIVER_OUTCOME,)
    yield Row(S.IDLE, On.CALLER_HUNG_UP, S.ABANDONED, only, reason=Reason.CALLER_LEFT)
    yield Row(S.IDLE, On.CALLER_ROOM_LOST, S.FAILED, only, reason=Reason.CALLER_ROOM_LOST)
    yield Row(S.IDLE, On.APP_CANCELLED, S.CANCELLED, only, reason=Reason.APP_CANCELLED)
    yield Row(S.IDLE, On.SESSION_CLOSED, S.CANCELLED, only, reason=Reason.SESSION_CLOSED)
    yield Row(S.IDLE, On.JOB_SHUTTING_DOWN, S.CANCELLED, only, reason=Reason.JOB_SHUTDOWN)


def _holding() -> Iterator[Row]:
    # HOLD_CALLER is synchronous: the dial leaves in the same turn, and nobody is rung while the
    # caller is still on air.
    yield Row(S.HOLDING, On.CALLER_HELD, S.DIALING, (Do.DIAL_CONSULT,), start=Wait.RING)
    yield Row(S.HOLDING, On.DEADLINE_PASSED, S.FAILED, BACK, reason=Reason.HOLD_FAILED)


def _dialing() -> Iterator[Row]:
    yield Row(S.DIALING, On.CONSULT_RANG, S.DIALING)
    # The consult room may still be on its way; START_BRIEFING waits for it inside the decision
    # deadline, so the answer is never lost to a slow room.
    # While the human listens there is time to get the merge ready.
    brief = (Do.START_BRIEFING, Do.PREPARE_MERGE)
    yield Row(S.DIALING, On.CONSULT_ANSWERED, S.BRIEFING, brief, start=Wait.DECISION)
    yield Row(S.DIALING, On.CONSULT_REFUSED, S.FAILED, BACK, reason=MAPPED)
    yield Row(S.DIALING, On.DEADLINE_PASSED, S.FAILED, BACK, reason=Reason.NO_ANSWER)
    # A dial whose fate is unknown is hung up and never dialled again: two phones would ring.
    yield Row(S.DIALING, On.DIAL_UNCERTAIN, S.FAILED, BACK, reason=Reason.DIAL_UNCERTAIN)
    # Answered and gone before the answer was reported.
    yield Row(S.DIALING, On.CONSULT_HUNG_UP, S.FAILED, BACK, reason=Reason.HUMAN_LEFT)


def _briefing() -> Iterator[Row]:
    for event in (On.CONSULT_ACCEPTED, On.APP_ACCEPTED):
        yield Row(S.BRIEFING, event, S.MERGING, (Do.STOP_BRIEFING,), start=Wait.MERGE)
    back = UNDO + BACK
    yield Row(S.BRIEFING, On.CONSULT_DECLINED, S.DECLINED, back, reason=Reason.DECLINED)
    yield Row(S.BRIEFING, On.VOICEMAIL_DETECTED, S.VOICEMAIL, back, reason=Reason.VOICEMAIL)
    yield Row(S.BRIEFING, On.CONSULT_HUNG_UP, S.FAILED, back, reason=Reason.HUMAN_LEFT)
    # Silence is no consent: the human who says neither yes nor no is told and let go.
    yield Row(S.BRIEFING, On.DEADLINE_PASSED, S.FAILED, TELL + back, reason=Reason.NO_DECISION)


def _before_the_merge() -> Iterator[Row]:
    """What ends holding, dialing and briefing alike; only in briefing is there anyone to tell."""
    for state in BEFORE_MERGE:
        undo = UNDO if state is S.BRIEFING else ()
        tell = TELL + undo if state is S.BRIEFING else ()
        back, off = tell + BACK, tell + OFF
        yield Row(state, On.APP_CANCELLED, S.CANCELLED, back, reason=Reason.APP_CANCELLED)
        yield Row(state, On.APP_DECLINED, S.DECLINED, back, reason=Reason.DECLINED)
        yield Row(state, On.HOLD_LIMIT_PASSED, S.FAILED, back, reason=Reason.HOLD_LIMIT)
        yield Row(state, On.SESSION_CLOSED, S.CANCELLED, off, reason=Reason.SESSION_CLOSED)
        yield Row(state, On.JOB_SHUTTING_DOWN, S.CANCELLED, off, reason=Reason.JOB_SHUTDOWN)
        yield Row(state, On.CALLER_HUNG_UP, S.ABANDONED, off, reason=Reason.CALLER_LEFT)
        yield Row(state, On.CALLER_ROOM_LOST, S.FAILED, off, reason=Reason.CALLER_ROOM_LOST)
        # Hold music is best effort: the adapter sends silence frames instead, because a leg that
        # gets no RTP may be dropped (livekit/sip issue 812).
        yield Row(state, On.HOLD_AUDIO_FAILED, state)
        yield Row(state, On.CONSULT_OPENED, state)
        lost = Reason.CONSULT_UNAVAILABLE
        yield Row(state, On.CONSULT_OPEN_FAILED, S.FAILED, undo + BACK, reason=lost)
        yield Row(state, On.CONSULT_ROOM_LOST, S.FAILED, undo + BACK, reason=lost)
        # The input is off, but the output could not be: the agent would talk over the hold.
        yield Row(state, On.CALLER_HOLD_FAILED, S.FAILED, back, reason=Reason.HOLD_FAILED)
        # The consult session may die before anybody answered; then nobody is rung for nothing.
        yield Row(state, On.BRIEFING_FAILED, S.FAILED, back, reason=Reason.BRIEFING_FAILED)


def _merging() -> Iterator[Row]:
    here = S.MERGING
    undo_back, undo_off = UNDO + BACK, UNDO + OFF
    # No briefing tail may cross, so the legs are joined only after the briefing has stopped.
    yield Row(here, On.BRIEFING_STOPPED, here, (Do.MERGE_LEGS,))
    yield from _merge_confirmed()
    # The commit point: what would cancel waits until the merge is known; a merge that succeeds
    # overtakes it. A closed session is remembered beside: then there is nobody to return to.
    for event in (On.APP_CANCELLED, On.CONSULT_DECLINED, On.APP_DECLINED, On.VOICEMAIL_DETECTED):
        yield Row(here, event, here, keep=(Keep.PENDING,))
    yield Row(here, On.SESSION_CLOSED, here, keep=(Keep.SESSION_GONE,))

    yield from _merge_lost(On.MERGE_FAILED)
    yield Row(
        here,
        On.MERGE_FAILED,
        here,
        (Do.UNMERGE_LEGS, Do.MERGE_LEGS),
        Guard.STRATEGY_LEFT,
        start=Wait.MERGE,
        keep=(Keep.NEXT_STRATEGY,),
    )
    yield Row(
        here,
        On.DEADLINE_PASSED,
        here,
        (Do.LOOK_AT_ROOMS,),
        Guard.NOT_LOOKED,
        start=Wait.LOOK,
        keep=(Keep.LOOKED,),
    )
    # After the second deadline nothing else is tried: an unsettled merge may still come about.
    yield from _merge_lost(On.DEADLINE_PASSED)

    # With `move` the departure from the consult room *is* the merge, so look before deciding.
    yield Row(here, On.CONSULT_HUNG_UP, here, (Do.LOOK_AT_ROOMS,), keep=(Keep.HUMAN_GONE,))
    for event in (On.MERGE_UNCERTAIN, On.MERGE_BROKE, On.CONSULT_ROOM_LOST):
        yield Row(here, event, here, (Do.LOOK_AT_ROOMS,))
    # The caller's hang-up does not wait: there is nobody left to merge with.
    yield Row(here, On.CALLER_HUNG_UP, S.ABANDONED, undo_off, reason=Reason.CALLER_LEFT)
    yield Row(here, On.CALLER_ROOM_LOST, S.FAILED, undo_off, reason=Reason.CALLER_ROOM_LOST)
    yield Row(here, On.JOB_SHUTTING_DOWN, S.FAILED, undo_off, reason=Reason.JOB_SHUTDOWN)
    # The application can accept before the consult room is there.
    yield Row(here, On.CONSULT_OPENED, here)
    lost = Reason.CONSULT_UNAVAILABLE
    yield Row(here, On.CONSULT_OPEN_FAILED, S.FAILED, undo_back, reason=lost)
    # Only from STOP_BRIEFING: who cannot be silenced cannot be merged.
    yield Row(here, On.BRIEFING_FAILED, S.FAILED, undo_back, reason=Reason.BRIEFING_FAILED)
    yield Row(here, On.HOLD_AUDIO_FAILED, here)
    # One strategy could not be undone before the next one; the release is repeated at the end.
    yield Row(here, On.RELEASE_FAILED, here)


def _merge_confirmed() -> Iterator[Row]:
    """The legs are joined: what goes on depends on what carries the sound, and on the policy."""
    # With a relay or a bridge the sound runs through both rooms, which must stay open, whatever the
    # policy says; a bridge does not notice when one of its two calls has ended, so the agent does.
    # Output comes back so that the application can still say something; input stays off, because
    # an agent must not answer into the merged call.
    done = (Do.STOP_HOLD_AUDIO, Do.DELIVER_OUTCOME, Do.RESUME_OUTPUT)
    for guard, then in (
        (Guard.RELAYED, ()),
        (Guard.BRIDGED, ()),
        (Guard.DIRECT_STAYS, (Do.CLOSE_CONSULT,)),
        (Guard.DIRECT_LEAVES, (Do.CLOSE_CONSULT, Do.AWAIT_LAST_WORDS)),
    ):
        yield Row(
            S.MERGING,
            On.MERGE_CONFIRMED,
            S.MERGED,
            done + then,
            guard,
            start=Wait.CALL,
            reason=Reason.ACCEPTED,
            keep=(Keep.SETTLED,),
        )


def _merge_lost(event: On) -> Iterator[Row]:
    """A merge that did not come about: what was pending decides, then what is left."""
    back, off = UNDO + BACK, UNDO + OFF
    for guard, target, effects, reason in (
        (Guard.PENDING_CLOSED, S.CANCELLED, off, Reason.SESSION_CLOSED),
        (Guard.PENDING_CANCELLED, S.CANCELLED, back, Reason.APP_CANCELLED),
        (Guard.PENDING_DECLINED, S.DECLINED, back, Reason.DECLINED),
        (Guard.PENDING_VOICEMAIL, S.VOICEMAIL, back, Reason.VOICEMAIL),
        (Guard.HUMAN_GONE, S.FAILED, back, Reason.HUMAN_LEFT),
        (Guard.NOTHING_LEFT, S.FAILED, back, Reason.MERGE_FAILED),
    ):
        yield Row(S.MERGING, event, target, effects, guard, reason=reason)


def _merged() -> Iterator[Row]:
    here = S.MERGED
    yield Row(here, On.CALLER_HUNG_UP, S.ENDED, END)
    yield Row(here, On.CONSULT_HUNG_UP, S.RETURNED, RETURN, Guard.RETURNS)
    yield Row(here, On.CONSULT_HUNG_UP, S.ENDED, END, Guard.ENDS)
    # A relay can lose its footing in a reconnect; it is set up once more before it counts.
    yield Row(
        here,
        On.MERGE_BROKE,
        here,
        (Do.MERGE_LEGS,),
        Guard.FIRST_BREAK,
        keep=(Keep.BROKE, Keep.SETTLED),
    )
    yield Row(here, On.MERGE_BROKE, S.RETURNED, RETURN, Guard.RETURNS)
    yield Row(here, On.MERGE_BROKE, S.ENDED, END, Guard.ENDS)
    # Repaired: the call goes on without the agent again, and one that was to leave still does.
    words, whole = (Do.AWAIT_LAST_WORDS,), (Keep.REPAIRED,)
    yield Row(here, On.MERGE_CONFIRMED, here, (), Guard.RELAYED)
    yield Row(here, On.MERGE_CONFIRMED, here, (), Guard.DIRECT_STAYS, keep=whole)
    settled = (*whole, Keep.SETTLED)
    yield Row(here, On.MERGE_CONFIRMED, here, (), Guard.BRIDGED, keep=settled)
    yield Row(here, On.MERGE_CONFIRMED, here, words, Guard.DIRECT_LEAVES, keep=settled)
    for event in (On.MERGE_FAILED, On.MERGE_UNCERTAIN):
        yield Row(here, event, S.RETURNED, RETURN, Guard.RETURNS)
        yield Row(here, event, S.ENDED, END, Guard.ENDS)
    yield Row(here, On.CONSULT_ROOM_LOST, here, (), Guard.DIRECT)
    # Ours or everybody's: a bridge stands without our connection, but not without the room.
    doubted = (Keep.DOUBTED,)
    yield Row(here, On.CONSULT_ROOM_LOST, here, (Do.LOOK_AT_ROOMS,), Guard.BRIDGED, keep=doubted)
    yield Row(here, On.CONSULT_ROOM_LOST, S.RETURNED, RETURN, Guard.RELAYED_RETURNS)
    yield Row(here, On.CONSULT_ROOM_LOST, S.ENDED, END, Guard.RELAYED_ENDS)
    yield Row(here, On.SESSION_CLOSED, here, keep=(Keep.SESSION_GONE,))
    # Without a relay both legs, and a bridge between them, live on under `max_call_duration`;
    # nobody needs the agent, unless a broken merge is being repaired or a doubtful one is looked
    # at: an end is better than two people in silence.
    for event in (On.JOB_SHUTTING_DOWN, On.CALLER_ROOM_LOST):
        yield Row(here, event, S.ENDED, END, Guard.NEEDED)
        yield Row(here, event, S.ENDED, (), Guard.NOT_NEEDED)
    # By policy, and not from a broken merge; when that is repaired the agent is heard out again.
    # From its leaving on nobody watches the call.
    yield Row(here, On.AGENT_HEARD_OUT, here, (), Guard.STAYS)
    yield Row(here, On.AGENT_HEARD_OUT, S.ENDED, (Do.LEAVE_CALL,), Guard.LEAVES)
    yield Row(here, On.DEADLINE_PASSED, S.ENDED, END)
    # The music did not stop or the consult session did not close: an orphan risk, not an end.
    yield Row(here, On.RELEASE_FAILED, here)


def _final() -> Iterator[Row]:
    """Final states change no more; what comes late is hung up again.

    After a merge nothing comes late for the first time: a repeated report of the room would close
    it under a bridge that lives on in it.
    """
    again = (Do.HANG_UP_CONSULT, Do.CLOSE_CONSULT)
    for state in sorted(FINAL, key=list(S).index):
        yield Row(state, On.RELEASE_FAILED, state)
        if state not in AFTER_MERGED:
            yield Row(state, On.CONSULT_OPENED, state, (Do.CLOSE_CONSULT,))
            yield Row(state, On.CONSULT_ANSWERED, state, again)
            yield Row(state, On.MERGE_CONFIRMED, state, UNDO + again)


AFTER_MERGED = frozenset({S.ENDED, S.RETURNED})

_ROWS = tuple(
    row
    for part in (_idle, _holding, _dialing, _briefing, _before_the_merge, _merging, _merged, _final)
    for row in part()
)

_DIAL_REPORTS = (On.CONSULT_RANG, On.CONSULT_ANSWERED, On.CONSULT_REFUSED, On.DIAL_UNCERTAIN)
_SAID_BY_HUMAN = (On.CONSULT_ACCEPTED, On.CONSULT_DECLINED, On.VOICEMAIL_DETECTED)
_MERGE_REPORTS = (On.MERGE_CONFIRMED, On.MERGE_FAILED, On.MERGE_UNCERTAIN, On.MERGE_BROKE)
_ACCEPTED = (On.CONSULT_ACCEPTED, On.APP_ACCEPTED)
_CLOCKS = (On.DEADLINE_PASSED, On.HOLD_LIMIT_PASSED)

_ENDS = tuple(state for state in S if state in FINAL)
_UNDECIDED = (S.HOLDING, S.DIALING, S.BRIEFING, S.MERGING)

#: Ignored pairs in groups: the reason, the states, the events. A pair stands in one group only.
_IGNORED: tuple[tuple[Ignored, tuple[State, ...], tuple[On, ...]], ...] = (
    (Ignored.NOT_ASKED_YET, (S.IDLE,), (On.APP_ACCEPTED, On.APP_DECLINED)),
    # One request per transfer: the task guards it, a second delivery changes nothing.
    (Ignored.ALREADY_KNOWN, (*_UNDECIDED, S.MERGED, *_ENDS), (On.TRANSFER_REQUESTED,)),
    # The consult session is open before the answer, and a model may call its tools at any time.
    (Ignored.NOT_ANSWERED_YET, (S.HOLDING, S.DIALING), (*_SAID_BY_HUMAN, On.APP_ACCEPTED)),
    (Ignored.ALREADY_KNOWN, (S.DIALING, S.BRIEFING, S.MERGING, S.MERGED), (On.CALLER_HELD,)),
    (Ignored.ALREADY_KNOWN, (S.BRIEFING, S.MERGING, S.MERGED), _DIAL_REPORTS),
    # The caller is about to hear the human, and then the output is wanted.
    (Ignored.IN_HAND, (S.MERGING,), (*_ACCEPTED, On.CALLER_HOLD_FAILED)),
    (Ignored.MERGE_CLOCK_BOUNDS, (S.MERGING,), (On.HOLD_LIMIT_PASSED,)),
    # The outcome is out: the application's call returns False, a tool changes nothing.
    (
        Ignored.ALREADY_DECIDED,
        (S.MERGED, *_ENDS),
        (*_SAID_BY_HUMAN, On.APP_ACCEPTED, On.APP_DECLINED, On.APP_CANCELLED),
    ),
    (
        Ignored.ALREADY_KNOWN,
        (S.MERGED,),
        (
            On.CALLER_HOLD_FAILED,
            On.CONSULT_OPENED,
            On.CONSULT_OPEN_FAILED,
            On.BRIEFING_STOPPED,
            On.BRIEFING_FAILED,
        ),
    ),
    (Ignored.COURTESY_ONLY, (S.MERGED, *_ENDS), (On.HOLD_AUDIO_FAILED,)),
    (Ignored.RELEASE_REPEATS, _ENDS, (On.CALLER_HELD,)),
    (Ignored.RELEASE_REPEATS, (S.ENDED, S.RETURNED), (On.CONSULT_OPENED, On.MERGE_CONFIRMED)),
    (Ignored.ALREADY_DECIDED, (S.ENDED, S.RETURNED), (On.CONSULT_ANSWERED,)),
    # The call ended while the agent was being heard out.
    (Ignored.ALREADY_DECIDED, (S.ENDED,), (On.AGENT_HEARD_OUT,)),
    # What goes on after the end was set in motion by the end, or no longer matters.
    (
        Ignored.ALREADY_DECIDED,
        _ENDS,
        (
            On.SESSION_CLOSED,
            On.JOB_SHUTTING_DOWN,
            On.CALLER_HUNG_UP,
            On.CALLER_ROOM_LOST,
            On.CALLER_HOLD_FAILED,
            On.CONSULT_OPEN_FAILED,
            On.CONSULT_RANG,
            On.CONSULT_REFUSED,
            On.DIAL_UNCERTAIN,
            On.CONSULT_HUNG_UP,
            On.CONSULT_ROOM_LOST,
            On.BRIEFING_STOPPED,
            On.BRIEFING_FAILED,
            On.MERGE_FAILED,
            On.MERGE_UNCERTAIN,
            On.MERGE_BROKE,
        ),
    ),
)

#: Pairs that no late, doubled or stale delivery can produce: a report needs its effect to have
#: been started, and the runner makes a clock event only while that clock runs.
_IMPOSSIBLE: tuple[tuple[tuple[State, ...], tuple[On, ...]], ...] = (
    # Nothing has been started.
    (
        (S.IDLE,),
        (
            On.CALLER_HELD,
            On.CALLER_HOLD_FAILED,
            On.HOLD_AUDIO_FAILED,
            On.CONSULT_OPENED,
            On.CONSULT_OPEN_FAILED,
            *_SAID_BY_HUMAN,
            On.CONSULT_ROOM_LOST,
            On.BRIEFING_FAILED,
            *_CLOCKS,
        ),
    ),
    # Nobody has been dialled.
    ((S.IDLE, S.HOLDING), (*_DIAL_REPORTS, On.CONSULT_HUNG_UP)),
    # Nobody has accepted, and nothing has been given back.
    (
        (S.IDLE, S.HOLDING, S.DIALING, S.BRIEFING),
        (On.BRIEFING_STOPPED, *_MERGE_REPORTS, On.RELEASE_FAILED),
    ),
    # No agent leaves before a merge, nor when a policy may give the caller back to it.
    (
        tuple(state for state in S if state not in (S.MERGED, S.ENDED)),
        (On.AGENT_HEARD_OUT,),
    ),
    # The hold ended with the merge, and every clock with the end.
    ((S.MERGED,), (On.HOLD_LIMIT_PASSED,)),
    (_ENDS, _CLOCKS),
)

TABLE = Table(
    rows=_ROWS,
    ignored={
        (state, event): why
        for why, states, events in _IGNORED
        for state in states
        for event in events
    },
    impossible=frozenset(
        (state, event) for states, events in _IMPOSSIBLE for state in states for event in events
    ),
)
"""The table of a warm transfer."""
