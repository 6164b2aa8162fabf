"""What may happen next around the core, as guarded assignments in Promela.

Each effect in flight goes on well, fails, reports late or twice, or is never chosen again; people,
applications and servers do what they like. Written anew, not from `warm_transfer.testing.model`:
two descriptions of one world are compared by what each reaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.quality.promela.words import any_of, one_of
from warm_transfer.effects import OVERTAKES, RELEASES, Do
from warm_transfer.events import On

__all__ = [
    "ABLE",
    "PHASES",
    "SILENT",
    "THINGS",
    "WORLD",
    "Move",
    "Slot",
    "moves_of",
    "news",
    "slots",
]

PHASES = ("NOT", "WAITING", "RUNNING", "HALFWAY", "BEHIND", "REPEATING", "LIMBO")
"""How far an effect has come. BEHIND: it ran while its start was in flight, and runs again; LIMBO:
it has returned without knowing, and what it asked for may still come about."""

WORLD = {
    "input_on": 1,
    "output_on": 1,
    "music": 2,
    "caller": 1,
    "agent": 1,
    "room": 2,
    "leg": 3,
    "speaks": 1,
    "prepared": 1,
    "joined": 1,
    "delivered": 2,
}
"""What is true outside the core, each with its largest value."""

ABLE = ("RUNNING", "HALFWAY", "REPEATING", "LIMBO")
"""The phases in which an effect can go on."""

SILENT = RELEASES | {Do.NOTIFY_CONSULT, Do.DELIVER_OUTCOME}
"""Effects that report nothing when they do well."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for an effect in flight. Only a merge has several: one a strategy, one a repair."""

    effect: Do
    number: int | None = None

    @property
    def name(self) -> str:
        return self.effect.value if self.number is None else f"{self.effect}_{self.number}"

    @property
    def phase(self) -> str:
        """The variable that holds its phase."""
        return f"p_{self.name}"

    @property
    def begun(self) -> str:
        """Whether such an effect has been started at all."""
        return f"started_{self.effect}" if self.number is None else f"joins > {self.number}"

    @property
    def newest(self) -> str:
        """Whether it is the newest of its name."""
        return self.begun if self.number is None else f"joins == {self.number + 1}"


@dataclass(frozen=True, slots=True)
class Move:
    """The next thing that may happen: when it can, what it changes, and what the core is told."""

    what: str
    when: str
    sets: tuple[str, ...] = ()
    event: On | None = None
    slot: Slot | None = None
    goes_on: bool = False
    """Whether an effect in flight goes on, rather than only reporting."""


def slots(strategies: int) -> tuple[Slot, ...]:
    """A slot for each effect, and for as many merges as a transfer can start."""
    merges = tuple(Slot(Do.MERGE_LEGS, number) for number in range(strategies + 1))
    return tuple(Slot(each) for each in Do if each is not Do.MERGE_LEGS) + merges


def _running(slot: Slot) -> str:
    return f"{slot.phase} == RUNNING"


def _halfway(slot: Slot) -> str:
    return f"{slot.phase} == HALFWAY"


def _limbo(slot: Slot) -> str:
    return f"{slot.phase} == LIMBO"


def _able(slot: Slot) -> str:
    return one_of(slot.phase, ABLE)


class _Ways:
    """The ways of one effect to go on."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot

    def returns(self, when: str, event: On | None, *sets: str) -> Move:
        """It returns; a release that overtook a start stays, to run again behind it."""
        phase = self.slot.phase
        left = "NOT"
        if self.slot.effect in OVERTAKES:
            first = one_of(phase, ("RUNNING", "HALFWAY"))
            left = f"({first} && OVERTOOK_{self.slot.effect} -> BEHIND : NOT)"
        return self._move("returns", when, event, f"{phase} = {left}", *sets, goes_on=True)

    def goes(self, when: str, phase: str, event: On | None, *sets: str) -> Move:
        """It goes on to another phase."""
        goes = f"{self.slot.phase} = {phase}"
        return self._move(f"goes {phase}", when, event, goes, *sets, goes_on=True)

    def says(self, when: str, event: On, *sets: str) -> Move:
        """It reports and goes on as it was."""
        return self._move("reports", when, event, *sets)

    def _move(
        self, how: str, when: str, event: On | None, *sets: str, goes_on: bool = False
    ) -> Move:
        return Move(f"{self.slot.name} {how}", when, sets, event, self.slot, goes_on)


def moves_of(slot: Slot) -> Iterator[Move]:
    """Everything an effect in flight, or one that has returned, may do next."""
    ways = _Ways(slot)
    if slot.effect in SILENT:
        when = one_of(slot.phase, ("RUNNING", "REPEATING"))
        yield ways.returns(when, None, *_DONE.get(slot.effect, ()))
        if slot.effect in RELEASES:
            # It is tried again, and may fail any number of times.
            tried = one_of(slot.phase, ("RUNNING", "BEHIND", "REPEATING"))
            yield ways.says(tried, On.RELEASE_FAILED)
        return
    yield from _ON_ITS_WAY[slot.effect](ways, slot)
    for event, when in _LATE.get(slot.effect, ()):
        yield ways.says(f"{slot.newest} && {slot.phase} == NOT && {when}", event)
    if slot.effect in _TWICE:
        yield ways.says(_halfway(slot), _TWICE[slot.effect])


THINGS: tuple[frozenset[Do], ...] = (
    frozenset({Do.NOTIFY_CONSULT, Do.DELIVER_OUTCOME}),
    frozenset({Do.PREPARE_MERGE, Do.MERGE_LEGS, Do.LOOK_AT_ROOMS, Do.UNMERGE_LEGS}),
    frozenset({Do.DIAL_CONSULT, Do.HANG_UP_CONSULT}),
    frozenset({Do.OPEN_CONSULT, Do.START_BRIEFING, Do.STOP_BRIEFING, Do.CLOSE_CONSULT}),
    frozenset(
        {
            Do.HOLD_CALLER,
            Do.PLAY_HOLD_AUDIO,
            Do.STOP_HOLD_AUDIO,
            Do.RESUME_CALLER,
            Do.RESUME_OUTPUT,
            Do.AWAIT_LAST_WORDS,
            Do.LEAVE_CALL,
            Do.END_CALL,
        }
    ),
)
"""What effects act on: what was said, the merge, the leg, the consult room, the caller's sound."""

_DONE: dict[Do, tuple[str, ...]] = {
    Do.STOP_HOLD_AUDIO: ("music = OFF",),
    Do.CLOSE_CONSULT: (
        "room = (room == OPEN -> CLOSED : room)",
        "speaks = 0",
        # Who sits in the caller's room does not notice.
        "joined = (carrier == C_server -> joined : 0)",
    ),
    Do.HANG_UP_CONSULT: (
        "joined = (leg == RINGING || leg == ANSWERED -> 0 : joined)",
        "leg = (leg == RINGING || leg == ANSWERED -> GONE : leg)",
    ),
    Do.UNMERGE_LEGS: ("joined = 0", "prepared = 0"),
    Do.RESUME_CALLER: ("input_on = 1", "output_on = 1"),
    Do.RESUME_OUTPUT: ("output_on = 1",),
    Do.LEAVE_CALL: ("agent = 0",),
    Do.END_CALL: ("caller = 0", "joined = 0"),
    Do.DELIVER_OUTCOME: ("delivered = (delivered < 2 -> delivered + 1 : 2)",),
}


def _hold(ways: _Ways, slot: Slot) -> Iterator[Move]:
    yield ways.returns(_able(slot), On.CALLER_HOLD_FAILED)
    yield ways.goes(_running(slot), "HALFWAY", On.CALLER_HELD)
    yield ways.returns(_halfway(slot), None, "output_on = 0")


def _play(ways: _Ways, slot: Slot) -> Iterator[Move]:
    yield ways.returns(_running(slot), None, "music = ON")
    yield ways.returns(_running(slot), On.HOLD_AUDIO_FAILED, "music = TRIED")
    # The player may die at any time.
    died = "music = (music == ON -> TRIED : music)"
    yield ways.says(slot.begun, On.HOLD_AUDIO_FAILED, died)


def _open(ways: _Ways, slot: Slot) -> Iterator[Move]:
    yield ways.returns(_able(slot), On.CONSULT_OPENED, "room = OPEN")
    # Whatever the error says, the room may be there, or still come about.
    yield ways.returns(_running(slot), On.CONSULT_OPEN_FAILED, "room = OPEN")
    yield ways.goes(_running(slot), "LIMBO", On.CONSULT_OPEN_FAILED)
    yield ways.returns(_limbo(slot), None)


def _dial(ways: _Ways, slot: Slot) -> Iterator[Move]:
    running, halfway, limbo = _running(slot), _halfway(slot), _limbo(slot)
    yield ways.says(f"{running} && leg == NO_LEG", On.CONSULT_RANG, "leg = RINGING")
    yield ways.goes(running, "HALFWAY", On.CONSULT_ANSWERED, "leg = ANSWERED")
    yield ways.returns(running, On.CONSULT_REFUSED, "leg = GONE")
    yield ways.goes(running, "LIMBO", On.DIAL_UNCERTAIN)
    yield ways.returns(halfway, None)
    yield ways.returns(halfway, On.CONSULT_REFUSED)
    yield ways.returns(halfway, On.DIAL_UNCERTAIN)
    yield ways.returns(limbo, On.CONSULT_ANSWERED, "leg = ANSWERED")
    yield ways.returns(limbo, None, "leg = GONE")


def _start_briefing(ways: _Ways, slot: Slot) -> Iterator[Move]:
    yield ways.returns(_running(slot), None)
    yield ways.returns(_running(slot), On.BRIEFING_FAILED)


def _stop_briefing(ways: _Ways, slot: Slot) -> Iterator[Move]:
    # Silent first; the consult session may take longer to close.
    yield ways.goes(_running(slot), "HALFWAY", On.BRIEFING_STOPPED, "speaks = 0")
    yield ways.returns(_halfway(slot), None, "speaks = 0")
    yield ways.returns(f"{slot.phase} == REPEATING", On.BRIEFING_STOPPED, "speaks = 0")
    yield ways.returns(_able(slot), On.BRIEFING_FAILED)


def _prepare(ways: _Ways, slot: Slot) -> Iterator[Move]:
    yield ways.returns(_running(slot), None, "prepared = 1")


def _merge(ways: _Ways, slot: Slot) -> Iterator[Move]:
    can = "caller && leg == ANSWERED"
    yield ways.goes(f"{_running(slot)} && {can}", "HALFWAY", None, "joined = 1")
    yield ways.returns(_running(slot), On.MERGE_FAILED)
    yield ways.goes(_running(slot), "LIMBO", On.MERGE_UNCERTAIN)
    # Joined, whatever it says of it.
    yield ways.returns(_halfway(slot), On.MERGE_CONFIRMED)
    yield ways.returns(_halfway(slot), On.MERGE_FAILED)
    yield ways.returns(_halfway(slot), On.MERGE_UNCERTAIN)
    yield ways.returns(_limbo(slot), None)
    yield ways.returns(f"{_limbo(slot)} && {can}", On.MERGE_CONFIRMED, "joined = 1")


def _look(ways: _Ways, slot: Slot) -> Iterator[Move]:
    yield ways.goes(f"{_running(slot)} && joined", "HALFWAY", None)
    yield ways.returns(_halfway(slot), On.MERGE_CONFIRMED)
    yield ways.returns(_able(slot), On.MERGE_FAILED)


def _last_words(ways: _Ways, slot: Slot) -> Iterator[Move]:
    yield ways.returns(_running(slot), On.AGENT_HEARD_OUT)


_ON_ITS_WAY = {
    Do.HOLD_CALLER: _hold,
    Do.PLAY_HOLD_AUDIO: _play,
    Do.OPEN_CONSULT: _open,
    Do.DIAL_CONSULT: _dial,
    Do.START_BRIEFING: _start_briefing,
    Do.STOP_BRIEFING: _stop_briefing,
    Do.PREPARE_MERGE: _prepare,
    Do.MERGE_LEGS: _merge,
    Do.LOOK_AT_ROOMS: _look,
    Do.AWAIT_LAST_WORDS: _last_words,
}

#: What an effect that has returned may report late, or once more, and when that can be.
_LATE: dict[Do, tuple[tuple[On, str], ...]] = {
    Do.HOLD_CALLER: ((On.CALLER_HELD, "true"), (On.CALLER_HOLD_FAILED, "true")),
    Do.OPEN_CONSULT: ((On.CONSULT_OPENED, "true"), (On.CONSULT_OPEN_FAILED, "true")),
    Do.DIAL_CONSULT: (
        (On.CONSULT_RANG, "true"),
        (On.CONSULT_ANSWERED, "true"),
        (On.CONSULT_REFUSED, "true"),
        (On.DIAL_UNCERTAIN, "true"),
    ),
    Do.START_BRIEFING: ((On.BRIEFING_FAILED, "true"),),
    Do.STOP_BRIEFING: ((On.BRIEFING_STOPPED, "!speaks"),),
    Do.MERGE_LEGS: (
        (On.MERGE_CONFIRMED, "joined"),
        (On.MERGE_FAILED, "!joined"),
        (On.MERGE_UNCERTAIN, "!joined"),
    ),
    Do.LOOK_AT_ROOMS: ((On.MERGE_CONFIRMED, "joined"), (On.MERGE_FAILED, "!joined")),
    Do.AWAIT_LAST_WORDS: ((On.AGENT_HEARD_OUT, "true"),),
}

#: What an effect that is halfway has reported, and may report again.
_TWICE = {
    Do.HOLD_CALLER: On.CALLER_HELD,
    Do.DIAL_CONSULT: On.CONSULT_ANSWERED,
    Do.STOP_BRIEFING: On.BRIEFING_STOPPED,
}


def news(places: tuple[Slot, ...]) -> Iterator[Move]:
    """What people, applications and servers do of their own accord.

    After the end the world is watched as it is; late news is only handed to the core.
    """
    for each in _news(places):
        if each.sets:
            yield Move(each.what, f"!OVER && {each.when}", each.sets, each.event)
            yield Move(each.what, f"OVER && {each.when}", (), each.event)
        else:
            yield each


def _news(places: tuple[Slot, ...]) -> Iterator[Move]:
    def told(event: On, when: str, *sets: str) -> Move:
        return Move("news", when, sets, event)

    for event in (On.TRANSFER_REQUESTED, On.APP_ACCEPTED, On.APP_DECLINED, On.APP_CANCELLED):
        yield told(event, "true")
    yield told(On.CALLER_HUNG_UP, "true", "caller = 0", "joined = 0")
    silent = "joined = (carrier == C_agent -> 0 : joined)"
    yield told(On.CALLER_ROOM_LOST, "true", "agent = 0", silent)
    yield told(On.SESSION_CLOSED, "true", "agent = 0")
    yield told(On.JOB_SHUTTING_DOWN, "true", "agent = 0")
    opened = Slot(Do.OPEN_CONSULT).begun
    for event in (
        On.CONSULT_ACCEPTED,
        On.CONSULT_DECLINED,
        On.VOICEMAIL_DETECTED,
        On.BRIEFING_FAILED,
    ):
        yield told(event, opened)
    lost = "joined = (room == OPEN && carrier != C_server -> 0 : joined)"
    closed = "room = (room == OPEN -> CLOSED : room)"
    yield told(On.CONSULT_ROOM_LOST, opened, lost, closed)
    # Only our own connection: the bridge stands.
    yield told(On.CONSULT_ROOM_LOST, f"{opened} && joined && carrier == C_bridge")
    dialled = Slot(Do.DIAL_CONSULT).begun
    yield told(On.CONSULT_HUNG_UP, dialled, "leg = GONE", "joined = 0")
    # A merge by moving shows as a departure.
    merges = [each for each in places if each.effect is Do.MERGE_LEGS]
    moving = any_of(one_of(each.phase, ("RUNNING", "HALFWAY")) for each in merges)
    yield told(On.CONSULT_HUNG_UP, f"{dialled} && carrier == C_server && {moving}")
    yield told(On.MERGE_BROKE, "joins > 0", "joined = 0")
    yield told(On.DEADLINE_PASSED, "clock")
    yield told(On.HOLD_LIMIT_PASSED, "hold_clock")
