"""A pure model of the world around the core: the caller, the consult leg, effects in flight.

What the explorer walks. No asyncio, no LiveKit: a configuration of the world is a tuple, and a
move is the next thing that may happen in it. The order between effects is the runner's and comes
from `warm_transfer.effects`: an effect waits for what stands in ``AFTER``; a release does not wait
for a start in flight, it runs at once and again when that start has returned.

Where the model is stricter or coarser than the real thing, it says so:

* A start that has not begun when its release comes never begins.
* A merge or a look waits for an earlier unmerge *and* its repetition, or that would undo the new
  merge.
* A report is taken before what waited for its effect begins.
* Releases, notices and deliveries report nothing when they do well and act on different things,
  so their completions are walked in one order; everything else happens in every order.
* After the end the core changes no more, and what is left to do to different things (the merge,
  the leg, the consult room, the caller's sound) is walked one thing after the other.
* A release that fails is tried again; ``RELEASE_FAILED`` may come any number of times meanwhile.
* An effect that never returns is one that is never chosen; the clocks go on without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum, StrEnum
from typing import NamedTuple

from warm_transfer.effects import AFTER, OVERTAKES, RELEASES, Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import FINAL, State

__all__ = [
    "Flight",
    "Leg",
    "Move",
    "Music",
    "Phase",
    "Room",
    "Surroundings",
    "World",
    "launch",
    "moves",
]


class Leg(StrEnum):
    """The human's leg."""

    NONE = "none"
    RINGING = "ringing"
    ANSWERED = "answered"
    GONE = "gone"


class Room(StrEnum):
    """The consult room."""

    NONE = "none"
    OPEN = "open"
    CLOSED = "closed"


class Music(StrEnum):
    """The hold audio."""

    OFF = "off"
    ON = "on"
    TRIED = "tried"


class World(NamedTuple):
    """What is true outside the core."""

    input_on: bool = True
    """Whether the agent hears the caller."""
    output_on: bool = True
    """Whether the caller hears the agent."""
    music: Music = Music.OFF
    caller: bool = True
    """Whether the caller is on the line; a deleted room has no caller."""
    agent: bool = True
    """Whether there is a session, a job and a room in which the caller can be given back."""
    room: Room = Room.NONE
    leg: Leg = Leg.NONE
    briefing: bool = False
    """Whether the consult agent may speak."""
    prepared: bool = False
    """Whether a merge has been prepared, which may have changed who may hear whom."""
    joined: bool = False
    """Whether caller and human hear each other."""
    delivered: int = 0
    """How often an outcome has reached the application."""


class Phase(IntEnum):
    """How far an effect in flight has come."""

    WAITING = 0
    """Not begun: something it comes after is in flight."""
    RUNNING = 1
    HALFWAY = 2
    """It has done its work, or part of it, and has not returned: the caller's input is off; the
    phone has been answered; the briefing is silent; the legs are joined; the rooms were seen
    joined."""
    BEHIND = 3
    """A release that ran while its start was in flight, and will run again."""
    REPEATING = 4
    """That second run."""
    LIMBO = 5
    """It has returned without knowing, and what it asked for may still come about."""


class Flight(NamedTuple):
    """One effect in flight."""

    id: int
    name: Do
    phase: Phase


Flights = tuple[Flight, ...]


class Move(NamedTuple):
    """The next thing that may happen: a report or news for the core, or nothing it sees."""

    event: On | None
    effect: int | None
    flights: Flights
    world: World
    what: str


class Surroundings(NamedTuple):
    """What the model has to know of the core to say what can happen next."""

    state: State
    carrier: Carrier
    """Who carries the sound of the strategy in use."""
    newest: tuple[tuple[Do, int], ...]
    """The newest effect of each name that reports."""


#: Effects that say nothing when they do well.
SILENT = RELEASES | {Do.NOTIFY_CONSULT, Do.DELIVER_OUTCOME}

REPEATED = frozenset(OVERTAKES)

EARLY = frozenset(
    {
        Do.HOLD_CALLER,
        Do.PLAY_HOLD_AUDIO,
        Do.OPEN_CONSULT,
        Do.DIAL_CONSULT,
        Do.START_BRIEFING,
        Do.PREPARE_MERGE,
    }
)
"""The starts that normally have returned when the legs are joined."""

#: Things that effects act on, in the order in which they are cleared away.
_THING = {
    name: place
    for place, names in enumerate(
        (
            (Do.NOTIFY_CONSULT, Do.DELIVER_OUTCOME),
            (Do.PREPARE_MERGE, Do.MERGE_LEGS, Do.LOOK_AT_ROOMS, Do.UNMERGE_LEGS),
            (Do.DIAL_CONSULT, Do.HANG_UP_CONSULT),
            (Do.OPEN_CONSULT, Do.START_BRIEFING, Do.STOP_BRIEFING, Do.CLOSE_CONSULT),
            (
                Do.HOLD_CALLER,
                Do.PLAY_HOLD_AUDIO,
                Do.STOP_HOLD_AUDIO,
                Do.RESUME_CALLER,
                Do.RESUME_OUTPUT,
                Do.AWAIT_LAST_WORDS,
                Do.LEAVE_CALL,
                Do.END_CALL,
            ),
        )
    )
    for name in names
}

_NONE: frozenset[Do] = frozenset()
_ONE_AT_A_TIME = RELEASES | {Do.LOOK_AT_ROOMS}
_OUT = frozenset({Phase.LIMBO})
_RETURNED = frozenset({Phase.BEHIND, Phase.REPEATING, Phase.LIMBO})


def launch(effects: tuple[tuple[int, Do], ...], flights: Flights) -> tuple[Flights, tuple[Do, ...]]:
    """Start the effects of a step, in order, and what has waited for nothing else.

    Returns the flights, and what has begun.
    """
    if effects:
        overtaken = frozenset().union(*(OVERTAKES.get(name, _NONE) for _, name in effects))
        # A second release of the same thing does the work of the first; a second look too.
        replaced = _ONE_AT_A_TIME & {name for _, name in effects}
        flights = (
            *(
                each
                for each in flights
                if each.name not in replaced
                and not (each.phase is Phase.WAITING and each.name in overtaken)
            ),
            *(Flight(number, name, Phase.WAITING) for number, name in effects),
        )
    begun, now = [], []
    for each in flights:
        phase = each.phase
        if phase is Phase.WAITING and not _waits(each, flights):
            phase = Phase.RUNNING
            begun.append(each.name)
        elif phase is Phase.BEHIND and not _overtook(each, flights):
            phase = Phase.REPEATING
        now.append(each if phase is each.phase else Flight(each.id, each.name, phase))
    return tuple(now), tuple(begun)


def _waits(flight: Flight, flights: Flights) -> bool:
    """Whether something it comes after is in flight; of its own release, the repetition too."""
    after = AFTER.get(flight.name, _NONE)
    return any(
        each.id < flight.id
        and each.name in after
        and each.phase
        not in (_OUT if flight.name in OVERTAKES.get(each.name, _NONE) else _RETURNED)
        for each in flights
    )


def _overtook(flight: Flight, flights: Flights) -> bool:
    starts = OVERTAKES[flight.name]
    return any(
        each.id < flight.id and each.name in starts and each.phase is not Phase.LIMBO
        for each in flights
    )


def begin(names: tuple[Do, ...], world: World) -> World:
    """What is different once effects have begun."""
    if Do.HOLD_CALLER in names:
        world = world._replace(input_on=False)  # synchronous
    if Do.STOP_HOLD_AUDIO in names:
        world = world._replace(music=Music.OFF)  # synchronous, but for a start in flight
    if Do.START_BRIEFING in names:
        world = world._replace(briefing=True)
    return world


def _released(name: Do, world: World, carrier: Carrier) -> World:  # noqa: PLR0911 - one arm each
    """What an effect that says nothing has done when it returns."""
    match name:
        case Do.STOP_HOLD_AUDIO:
            return world._replace(music=Music.OFF)
        case Do.CLOSE_CONSULT:
            room = Room.CLOSED if world.room is Room.OPEN else world.room
            # Who sits in the caller's room does not notice.
            joined = world.joined and carrier is Carrier.SERVER
            return world._replace(room=room, briefing=False, joined=joined)
        case Do.HANG_UP_CONSULT if world.leg in (Leg.RINGING, Leg.ANSWERED):
            return world._replace(leg=Leg.GONE, joined=False)
        case Do.UNMERGE_LEGS:
            return world._replace(joined=False, prepared=False)
        case Do.RESUME_CALLER:
            return world._replace(input_on=True, output_on=True)
        case Do.RESUME_OUTPUT:
            return world._replace(output_on=True)
        case Do.LEAVE_CALL:
            return world._replace(agent=False)
        case Do.END_CALL:
            return world._replace(caller=False, joined=False)
        case Do.DELIVER_OUTCOME:
            return world._replace(delivered=world.delivered + 1)
        case _:
            return world


class _Scene:
    """All moves of one configuration; lives for one expansion."""

    def __init__(self, around: Surroundings, flights: Flights, world: World) -> None:
        self.around = around
        self.flights = flights
        self.world = world
        self.newest = dict(around.newest)
        self.final = around.state in FINAL
        #: A merge by moving shows as a departure.
        self.moving = around.carrier is Carrier.SERVER and any(
            each.name is Do.MERGE_LEGS and each.phase in (Phase.RUNNING, Phase.HALFWAY)
            for each in flights
        )

    def moves(self, *, news: bool) -> Iterator[Move]:
        silent_seen = False
        for each in self._next():
            if each.name in SILENT:
                if not silent_seen:
                    silent_seen = True
                    yield self._silent(each)
                continue
            yield from _OF[each.name](self, each)
        if news:
            yield from self._news_of_people()
            yield from self._late()
            yield from self._from_flights()

    def _next(self) -> list[Flight]:
        """What can go on. After the end one thing after the other is cleared away."""
        able = [e for e in self.flights if e.phase not in (Phase.WAITING, Phase.BEHIND)]
        if not self.final or not able:
            return able
        first = min(_THING[each.name] for each in able)
        return [each for each in able if _THING[each.name] == first]

    # Ways for an effect to go on.

    def _silent(self, flight: Flight) -> Move:
        world = _released(flight.name, self.world, self.around.carrier)
        return self._returns(flight, None, world)

    def _returns(self, flight: Flight, event: On | None, world: World, *, how: str = "") -> Move:
        """The effect returns, with or without a report; a release may stay to run again."""
        again = (
            flight.phase in (Phase.RUNNING, Phase.HALFWAY)
            and flight.name in REPEATED
            and _overtook(flight, self.flights)
        )
        if again:
            behind = Flight(flight.id, flight.name, Phase.BEHIND)
            flights = tuple(behind if each is flight else each for each in self.flights)
        else:
            flights = tuple(each for each in self.flights if each is not flight)
        return Move(event, flight.id, flights, world, f"{flight.name} returns{how}")

    def _goes(self, flight: Flight, phase: Phase, event: On | None, world: World) -> Move:
        flights = tuple(
            Flight(each.id, each.name, phase) if each is flight else each for each in self.flights
        )
        what = f"{flight.name} goes {phase.name.lower()}"
        return Move(event, flight.id, flights, world, what)

    def _news(self, event: On, world: World | None = None, effect: int | None = None) -> Move:
        return Move(event, effect, self.flights, world or self.world, "news")

    def hold(self, flight: Flight) -> Iterator[Move]:
        yield self._returns(flight, On.CALLER_HOLD_FAILED, self.world)
        if flight.phase is Phase.RUNNING:
            yield self._goes(flight, Phase.HALFWAY, On.CALLER_HELD, self.world)
        else:
            yield self._returns(flight, None, self.world._replace(output_on=False))

    def play(self, flight: Flight) -> Iterator[Move]:
        yield self._returns(flight, None, self.world._replace(music=Music.ON))
        tried = self.world._replace(music=Music.TRIED)
        yield self._returns(flight, On.HOLD_AUDIO_FAILED, tried)

    def open(self, flight: Flight) -> Iterator[Move]:
        opened = self.world._replace(room=Room.OPEN)
        yield self._returns(flight, On.CONSULT_OPENED, opened)
        if flight.phase is Phase.LIMBO:
            yield self._returns(flight, None, self.world)
        else:
            # Whatever the error says, the room may be there.
            yield self._returns(flight, On.CONSULT_OPEN_FAILED, opened)
            yield self._goes(flight, Phase.LIMBO, On.CONSULT_OPEN_FAILED, self.world)

    def dial(self, flight: Flight) -> Iterator[Move]:
        answered = self.world._replace(leg=Leg.ANSWERED)
        gone = self.world._replace(leg=Leg.GONE)
        if flight.phase is Phase.LIMBO:
            yield self._returns(flight, On.CONSULT_ANSWERED, answered)
            yield self._returns(flight, None, gone)
        elif flight.phase is Phase.RUNNING:
            if self.world.leg is Leg.NONE:
                ringing = self.world._replace(leg=Leg.RINGING)
                yield self._news(On.CONSULT_RANG, ringing, flight.id)
            yield self._goes(flight, Phase.HALFWAY, On.CONSULT_ANSWERED, answered)
            yield self._returns(flight, On.CONSULT_REFUSED, gone)
            yield self._goes(flight, Phase.LIMBO, On.DIAL_UNCERTAIN, self.world)
        else:
            # The leg said so first; what the request says afterwards is known.
            yield self._returns(flight, None, self.world)
            yield self._returns(flight, On.CONSULT_REFUSED, self.world)
            yield self._returns(flight, On.DIAL_UNCERTAIN, self.world)

    def start_briefing(self, flight: Flight) -> Iterator[Move]:
        yield self._returns(flight, None, self.world)
        yield self._returns(flight, On.BRIEFING_FAILED, self.world)

    def stop_briefing(self, flight: Flight) -> Iterator[Move]:
        silent = self.world._replace(briefing=False)
        if flight.phase is Phase.RUNNING:
            # Silent first; the consult session may take longer to close.
            yield self._goes(flight, Phase.HALFWAY, On.BRIEFING_STOPPED, silent)
        elif flight.phase is Phase.HALFWAY:
            yield self._returns(flight, None, silent)
        else:
            yield self._returns(flight, On.BRIEFING_STOPPED, silent)
        yield self._returns(flight, On.BRIEFING_FAILED, self.world, how=" (failed)")

    def prepare(self, flight: Flight) -> Iterator[Move]:
        yield self._returns(flight, None, self.world._replace(prepared=True))

    def merge(self, flight: Flight) -> Iterator[Move]:
        can = self.world.caller and self.world.leg is Leg.ANSWERED
        joined = self.world._replace(joined=True)
        if flight.phase is Phase.HALFWAY:
            # Joined, and whatever it says of it now.
            yield self._returns(flight, On.MERGE_CONFIRMED, self.world)
            yield self._returns(flight, On.MERGE_FAILED, self.world)
            yield self._returns(flight, On.MERGE_UNCERTAIN, self.world)
        elif flight.phase is Phase.LIMBO:
            yield self._returns(flight, None, self.world)
            if can:
                yield self._returns(flight, On.MERGE_CONFIRMED, joined)
        else:
            if can:
                yield self._goes(flight, Phase.HALFWAY, None, joined)
            yield self._returns(flight, On.MERGE_FAILED, self.world)
            yield self._goes(flight, Phase.LIMBO, On.MERGE_UNCERTAIN, self.world)

    def look(self, flight: Flight) -> Iterator[Move]:
        if flight.phase is Phase.HALFWAY:
            yield self._returns(flight, On.MERGE_CONFIRMED, self.world)
        elif self.world.joined:
            yield self._goes(flight, Phase.HALFWAY, None, self.world)
        yield self._returns(flight, On.MERGE_FAILED, self.world)

    def last_words(self, flight: Flight) -> Iterator[Move]:
        yield self._returns(flight, On.AGENT_HEARD_OUT, self.world)

    # What people, applications and servers do of their own accord.

    def _news_of_people(self) -> Iterator[Move]:
        world = self.world
        for event in (On.TRANSFER_REQUESTED, On.APP_ACCEPTED, On.APP_DECLINED, On.APP_CANCELLED):
            yield self._news(event)
        # After the end the world is watched as it is; late news is only handed to the core.
        still = self.final
        no_agent = world if still else world._replace(agent=False)
        relayed = self.around.carrier is Carrier.AGENT
        broken = no_agent._replace(joined=False) if relayed else no_agent
        gone = world if still else world._replace(caller=False, joined=False)
        yield self._news(On.CALLER_HUNG_UP, gone)
        yield self._news(On.CALLER_ROOM_LOST, world if still else broken)
        yield self._news(On.SESSION_CLOSED, no_agent)
        yield self._news(On.JOB_SHUTTING_DOWN, no_agent)
        if Do.OPEN_CONSULT in self.newest:
            yield self._news(On.CONSULT_ACCEPTED)
            yield self._news(On.CONSULT_DECLINED)
            yield self._news(On.VOICEMAIL_DETECTED)
            yield self._news(On.BRIEFING_FAILED)
            yield from self._room_lost()
        if Do.DIAL_CONSULT in self.newest:
            yield from self._human_leaves()
        if Do.MERGE_LEGS in self.newest:
            yield self._news(On.MERGE_BROKE, world if still else world._replace(joined=False))

    def _room_lost(self) -> Iterator[Move]:
        world = self.world
        if world.room is Room.OPEN and not self.final:
            joined = world.joined and self.around.carrier is Carrier.SERVER
            world = world._replace(room=Room.CLOSED, joined=joined)
        yield self._news(On.CONSULT_ROOM_LOST, world)
        if self.world.joined and self.around.carrier is Carrier.BRIDGE:
            # Only our own connection: the bridge stands.
            yield self._news(On.CONSULT_ROOM_LOST)

    def _human_leaves(self) -> Iterator[Move]:
        gone = self.world if self.final else self.world._replace(leg=Leg.GONE, joined=False)
        yield self._news(On.CONSULT_HUNG_UP, gone)
        if self.moving:
            yield self._news(On.CONSULT_HUNG_UP)

    # Reports of effects that have returned: late, or a second time.

    def _late(self) -> Iterator[Move]:
        flying = {each.id for each in self.flights}
        for name, number in self.around.newest:
            if number in flying:
                continue
            for event in self._late_reports(name):
                yield self._news(event, effect=number)
        if Do.PLAY_HOLD_AUDIO in self.newest:
            music = Music.TRIED if self.world.music is Music.ON else self.world.music
            number = self.newest[Do.PLAY_HOLD_AUDIO]
            yield self._news(On.HOLD_AUDIO_FAILED, self.world._replace(music=music), number)

    def _from_flights(self) -> Iterator[Move]:
        """Reports of effects in flight that change nothing outside: failures, and repetitions."""
        for each in self.flights:
            if each.name in RELEASES and each.phase is not Phase.WAITING:
                yield self._news(On.RELEASE_FAILED, effect=each.id)
            elif each.phase is Phase.HALFWAY and each.name in _HALFWAY:
                yield self._news(_HALFWAY[each.name], effect=each.id)

    def _late_reports(self, name: Do) -> tuple[On, ...]:  # noqa: PLR0911 - one arm each
        world = self.world
        match name:
            case Do.HOLD_CALLER:
                return (On.CALLER_HELD, On.CALLER_HOLD_FAILED)
            case Do.OPEN_CONSULT:
                return (On.CONSULT_OPENED, On.CONSULT_OPEN_FAILED)
            case Do.DIAL_CONSULT:
                return (
                    On.CONSULT_RANG,
                    On.CONSULT_ANSWERED,
                    On.CONSULT_REFUSED,
                    On.DIAL_UNCERTAIN,
                )
            case Do.START_BRIEFING:
                return (On.BRIEFING_FAILED,)
            case Do.STOP_BRIEFING if not world.briefing:
                return (On.BRIEFING_STOPPED,)
            case Do.MERGE_LEGS | Do.LOOK_AT_ROOMS if world.joined:
                return (On.MERGE_CONFIRMED,)
            case Do.MERGE_LEGS:
                return (On.MERGE_FAILED, On.MERGE_UNCERTAIN)
            case Do.LOOK_AT_ROOMS:
                return (On.MERGE_FAILED,)
            case Do.AWAIT_LAST_WORDS:
                return (On.AGENT_HEARD_OUT,)
            case _:
                return ()


#: What an effect that is halfway has reported, and may report again.
_HALFWAY = {
    Do.HOLD_CALLER: On.CALLER_HELD,
    Do.DIAL_CONSULT: On.CONSULT_ANSWERED,
    Do.STOP_BRIEFING: On.BRIEFING_STOPPED,
}

_OF = {
    Do.HOLD_CALLER: _Scene.hold,
    Do.PLAY_HOLD_AUDIO: _Scene.play,
    Do.OPEN_CONSULT: _Scene.open,
    Do.DIAL_CONSULT: _Scene.dial,
    Do.START_BRIEFING: _Scene.start_briefing,
    Do.STOP_BRIEFING: _Scene.stop_briefing,
    Do.PREPARE_MERGE: _Scene.prepare,
    Do.MERGE_LEGS: _Scene.merge,
    Do.LOOK_AT_ROOMS: _Scene.look,
    Do.AWAIT_LAST_WORDS: _Scene.last_words,
}


def moves(
    around: Surroundings, flights: Flights, world: World, *, news: bool = True
) -> Iterator[Move]:
    """Everything that may happen next, clocks apart; without news only what effects do."""
    return _Scene(around, flights, world).moves(news=news)


def late_by(flights: Flights) -> int:
    """How many effects from before the merge are still under way.

    The closing of a silent briefing counts beside another one only: it is on every path.
    """
    early = sum(each.name in EARLY and each.phase is not Phase.WAITING for each in flights)
    closing = any(e.name is Do.STOP_BRIEFING and e.phase is not Phase.RUNNING for e in flights)
    return early + (closing and early > 0)
