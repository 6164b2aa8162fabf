"""What people, applications and servers do of their own accord, and what is told late or twice."""

from __future__ import annotations

from collections.abc import Iterator

from warm_transfer.effects import RELEASES, Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.testing.model.flights import Phase
from warm_transfer.testing.model.scene import Move, Scene
from warm_transfer.testing.model.world import Leg, Music, Room, World

__all__ = ["told"]

#: What an effect that is halfway has reported, and may report again.
_HALFWAY = {
    Do.HOLD_CALLER: On.CALLER_HELD,
    Do.DIAL_CONSULT: On.CONSULT_ANSWERED,
    Do.STOP_BRIEFING: On.BRIEFING_STOPPED,
}


def told(scene: Scene) -> Iterator[Move]:
    """All news."""
    yield from _news_of_people(scene)
    yield from _late(scene)
    yield from _from_flights(scene)


def _news_of_people(scene: Scene) -> Iterator[Move]:
    world = scene.world
    for event in (On.TRANSFER_REQUESTED, On.APP_ACCEPTED, On.APP_DECLINED, On.APP_CANCELLED):
        yield scene.news(event)
    # After the end the world is watched as it is; late news is only handed to the core.
    still = scene.final
    no_agent = world if still else world._replace(agent=False)
    relayed = scene.around.carrier is Carrier.AGENT
    broken = no_agent._replace(joined=False) if relayed else no_agent
    gone = world if still else world._replace(caller=False, joined=False)
    yield scene.news(On.CALLER_HUNG_UP, gone)
    yield scene.news(On.CALLER_ROOM_LOST, world if still else broken)
    yield scene.news(On.SESSION_CLOSED, no_agent)
    yield scene.news(On.JOB_SHUTTING_DOWN, no_agent)
    if Do.OPEN_CONSULT in scene.newest:
        yield scene.news(On.CONSULT_ACCEPTED)
        yield scene.news(On.CONSULT_DECLINED)
        yield scene.news(On.VOICEMAIL_DETECTED)
        yield scene.news(On.BRIEFING_FAILED)
        yield from _room_lost(scene)
    if Do.DIAL_CONSULT in scene.newest:
        yield from _human_leaves(scene)
    if Do.MERGE_LEGS in scene.newest:
        yield scene.news(On.MERGE_BROKE, world if still else world._replace(joined=False))


def _room_lost(scene: Scene) -> Iterator[Move]:
    world = scene.world
    if world.room is Room.OPEN and not scene.final:
        joined = world.joined and scene.around.carrier is Carrier.SERVER
        world = world._replace(room=Room.CLOSED, joined=joined)
    yield scene.news(On.CONSULT_ROOM_LOST, world)
    if scene.world.joined and scene.around.carrier is Carrier.BRIDGE:
        # Only our own connection: the bridge stands.
        yield scene.news(On.CONSULT_ROOM_LOST)


def _human_leaves(scene: Scene) -> Iterator[Move]:
    gone = scene.world if scene.final else scene.world._replace(leg=Leg.GONE, joined=False)
    yield scene.news(On.CONSULT_HUNG_UP, gone)
    if scene.moving:
        yield scene.news(On.CONSULT_HUNG_UP)


# Reports of effects that have returned: late, or a second time.


def _late(scene: Scene) -> Iterator[Move]:
    flying = {each.id for each in scene.flights}
    for name, number in scene.around.newest:
        if number in flying:
            continue
        for event in _late_reports(scene.world, name):
            yield scene.news(event, effect=number)
    if Do.PLAY_HOLD_AUDIO in scene.newest:
        music = Music.TRIED if scene.world.music is Music.ON else scene.world.music
        number = scene.newest[Do.PLAY_HOLD_AUDIO]
        yield scene.news(On.HOLD_AUDIO_FAILED, scene.world._replace(music=music), number)


def _from_flights(scene: Scene) -> Iterator[Move]:
    """Reports of effects in flight that change nothing outside: failures, and repetitions."""
    for each in scene.flights:
        if each.name in RELEASES and each.phase is not Phase.WAITING:
            yield scene.news(On.RELEASE_FAILED, effect=each.id)
        elif each.phase is Phase.HALFWAY and each.name in _HALFWAY:
            yield scene.news(_HALFWAY[each.name], effect=each.id)


def _late_reports(world: World, name: Do) -> tuple[On, ...]:  # noqa: PLR0911 - one arm each
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
