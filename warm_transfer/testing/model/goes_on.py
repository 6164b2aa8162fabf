"""How an effect in flight goes on: well, with its failure, halfway, or without knowing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from warm_transfer.effects import RELEASES, Do
from warm_transfer.events import On
from warm_transfer.testing.model.flights import Flight, Phase
from warm_transfer.testing.model.scene import Move, Scene
from warm_transfer.testing.model.world import Leg, Music, Room, released

__all__ = ["going_on"]

_SILENT = RELEASES | {Do.NOTIFY_CONSULT, Do.DELIVER_OUTCOME}
"""Effects that say nothing when they do well."""

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


def going_on(scene: Scene) -> Iterator[Move]:
    """What the effects in flight do next."""
    silent_seen = False
    for each in _next(scene):
        if each.name in _SILENT:
            if not silent_seen:
                silent_seen = True
                yield _silent(scene, each)
            continue
        yield from _OF[each.name](scene, each)


def _next(scene: Scene) -> list[Flight]:
    """What can go on. After the end one thing after the other is cleared away."""
    able = [e for e in scene.flights if e.phase not in (Phase.WAITING, Phase.BEHIND)]
    if not scene.final or not able:
        return able
    first = min(_THING[each.name] for each in able)
    return [each for each in able if _THING[each.name] == first]


def _silent(scene: Scene, flight: Flight) -> Move:
    world = released(flight.name, scene.world, scene.around.carrier)
    return scene.returns(flight, None, world)


def _hold(scene: Scene, flight: Flight) -> Iterator[Move]:
    yield scene.returns(flight, On.CALLER_HOLD_FAILED, scene.world)
    if flight.phase is Phase.RUNNING:
        yield scene.goes(flight, Phase.HALFWAY, On.CALLER_HELD, scene.world)
    else:
        yield scene.returns(flight, None, scene.world._replace(output_on=False))


def _play(scene: Scene, flight: Flight) -> Iterator[Move]:
    yield scene.returns(flight, None, scene.world._replace(music=Music.ON))
    tried = scene.world._replace(music=Music.TRIED)
    yield scene.returns(flight, On.HOLD_AUDIO_FAILED, tried)


def _open(scene: Scene, flight: Flight) -> Iterator[Move]:
    opened = scene.world._replace(room=Room.OPEN)
    yield scene.returns(flight, On.CONSULT_OPENED, opened)
    if flight.phase is Phase.LIMBO:
        yield scene.returns(flight, None, scene.world)
    else:
        # Whatever the error says, the room may be there.
        yield scene.returns(flight, On.CONSULT_OPEN_FAILED, opened)
        yield scene.goes(flight, Phase.LIMBO, On.CONSULT_OPEN_FAILED, scene.world)


def _dial(scene: Scene, flight: Flight) -> Iterator[Move]:
    answered = scene.world._replace(leg=Leg.ANSWERED)
    gone = scene.world._replace(leg=Leg.GONE)
    if flight.phase is Phase.LIMBO:
        yield scene.returns(flight, On.CONSULT_ANSWERED, answered)
        yield scene.returns(flight, None, gone)
    elif flight.phase is Phase.RUNNING:
        if scene.world.leg in (Leg.NONE, Leg.RINGING):
            # A phone rings again, or is said to.
            ringing = scene.world._replace(leg=Leg.RINGING)
            yield scene.news(On.CONSULT_RANG, ringing, flight.id)
        yield scene.goes(flight, Phase.HALFWAY, On.CONSULT_ANSWERED, answered)
        yield scene.returns(flight, On.CONSULT_REFUSED, gone)
        yield scene.goes(flight, Phase.LIMBO, On.DIAL_UNCERTAIN, scene.world)
    else:
        # The leg said so first; what the request says afterwards is known.
        yield scene.returns(flight, None, scene.world)
        yield scene.returns(flight, On.CONSULT_REFUSED, scene.world)
        yield scene.returns(flight, On.DIAL_UNCERTAIN, scene.world)


def _start_briefing(scene: Scene, flight: Flight) -> Iterator[Move]:
    yield scene.returns(flight, None, scene.world)
    yield scene.returns(flight, On.BRIEFING_FAILED, scene.world)


def _stop_briefing(scene: Scene, flight: Flight) -> Iterator[Move]:
    silent = scene.world._replace(briefing=False)
    if flight.phase is Phase.RUNNING:
        # Silent first; the consult session may take longer to close.
        yield scene.goes(flight, Phase.HALFWAY, On.BRIEFING_STOPPED, silent)
    elif flight.phase is Phase.HALFWAY:
        yield scene.returns(flight, None, silent)
    else:
        yield scene.returns(flight, On.BRIEFING_STOPPED, silent)
    yield scene.returns(flight, On.BRIEFING_FAILED, scene.world, how=" (failed)")


def _prepare(scene: Scene, flight: Flight) -> Iterator[Move]:
    yield scene.returns(flight, None, scene.world._replace(prepared=True))


def _merge(scene: Scene, flight: Flight) -> Iterator[Move]:
    can = scene.world.caller and scene.world.leg is Leg.ANSWERED
    joined = scene.world._replace(joined=True)
    if flight.phase is Phase.HALFWAY:
        # Joined, and whatever it says of it now.
        yield scene.returns(flight, On.MERGE_CONFIRMED, scene.world)
        yield scene.returns(flight, On.MERGE_FAILED, scene.world)
        yield scene.returns(flight, On.MERGE_UNCERTAIN, scene.world)
    elif flight.phase is Phase.LIMBO:
        yield scene.returns(flight, None, scene.world)
        if can:
            yield scene.returns(flight, On.MERGE_CONFIRMED, joined)
    else:
        if can:
            yield scene.goes(flight, Phase.HALFWAY, None, joined)
        yield scene.returns(flight, On.MERGE_FAILED, scene.world)
        yield scene.goes(flight, Phase.LIMBO, On.MERGE_UNCERTAIN, scene.world)


def _look(scene: Scene, flight: Flight) -> Iterator[Move]:
    if flight.phase is Phase.HALFWAY:
        yield scene.returns(flight, On.MERGE_CONFIRMED, scene.world)
    elif scene.world.joined:
        yield scene.goes(flight, Phase.HALFWAY, None, scene.world)
    yield scene.returns(flight, On.MERGE_FAILED, scene.world)


def _last_words(scene: Scene, flight: Flight) -> Iterator[Move]:
    yield scene.returns(flight, On.AGENT_HEARD_OUT, scene.world)


_OF: Mapping[Do, Callable[[Scene, Flight], Iterator[Move]]] = {
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
