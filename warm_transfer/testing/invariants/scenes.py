"""Promises about the core's state and the world together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from warm_transfer.effects import Do
from warm_transfer.policy import Carrier
from warm_transfer.states import DELIVERED, FINAL, HELD, State
from warm_transfer.testing.model import Flights, Leg, Music, Phase, Room, World

__all__ = ["SCENES", "Scene"]


@dataclass(frozen=True, slots=True)
class Scene:
    """The core's state, the world, and what is in flight."""

    state: State
    world: World
    flights: Flights
    carrier: Carrier

    @property
    def quiet(self) -> bool:
        """Whether nothing is in flight."""
        return not self.flights

    def flying(self, name: Do) -> bool:
        """Whether an effect is in flight, or behind."""
        return any(each.name is name for each in self.flights)

    @property
    def lives_on(self) -> bool:
        """A merged call that does not need the agent, left to itself."""
        left = self.world.caller and (not self.world.agent or self.flying(Do.LEAVE_CALL))
        return self.state is State.ENDED and left and self.carrier is not Carrier.AGENT


def the_callers_input_is_off_while_held(scene: Scene) -> Iterator[str]:
    """The agent does not hear the caller while held or merged."""
    if scene.state in HELD | {State.MERGED} and scene.world.input_on:
        yield f"{scene.state} with the caller's input on"


def the_held_caller_hears_music(scene: Scene) -> Iterator[str]:
    """Once nothing is in flight, a held caller hears hold audio, or it was tried, and no agent."""
    if scene.state in HELD and scene.quiet:
        if scene.world.music is Music.OFF:
            yield f"{scene.state} in silence"
        if scene.world.output_on:
            yield f"{scene.state} with the agent audible"


def the_human_is_told(scene: Scene) -> Iterator[str]:
    """Once nothing is in flight, a human who has to decide is in a room with a speaking agent."""
    if scene.state is State.BRIEFING and scene.quiet:
        if scene.world.room is not Room.OPEN:
            yield f"the consult room is {scene.world.room}"
        if not scene.world.briefing:
            yield "nobody briefs"


def music_and_agent_do_not_mix(scene: Scene) -> Iterator[str]:
    """Hold audio plays to nobody who has the agent back, but until its stop has run again."""
    world = scene.world
    if world.music is Music.ON and world.input_on and not scene.flying(Do.STOP_HOLD_AUDIO):
        yield "hold audio plays while the agent listens"


def no_briefing_reaches_the_caller(scene: Scene) -> Iterator[str]:
    """The legs are never joined while the consult agent may speak."""
    if scene.world.joined and scene.world.briefing:
        yield "joined with the briefing on"


def no_leg_is_left_up_after_the_end(scene: Scene) -> Iterator[str]:
    """After the end, or with the caller gone, a leg that is up is being hung up."""
    world = scene.world
    up = world.leg in (Leg.RINGING, Leg.ANSWERED)
    over = scene.state in FINAL or not world.caller
    if up and over and not scene.lives_on and not scene.flying(Do.HANG_UP_CONSULT):
        yield f"the leg is {world.leg} in {scene.state}"


def nothing_is_left(scene: Scene) -> Iterator[str]:
    """When all is quiet after the end, no room, no leg, no sound and no join is left."""
    world = scene.world
    if scene.state not in FINAL or not scene.quiet:
        return
    if world.room is Room.OPEN and not (scene.lives_on and scene.carrier is Carrier.BRIDGE):
        yield "the consult room is open"
    if world.prepared and not scene.lives_on:
        yield "what was prepared for the merge is left"
    if world.briefing:
        yield "the consult agent may speak"
    if world.music is not Music.OFF and world.caller:
        yield f"hold audio is {world.music}"
    if world.joined and not scene.lives_on:
        yield "the legs are joined"


def the_caller_is_back_with_the_agent(scene: Scene) -> Iterator[str]:
    """When all is quiet after the end, a caller who has an agent has it as before."""
    world = scene.world
    if scene.state not in FINAL - {State.ENDED} or not scene.quiet:
        return
    if world.caller and world.agent and not (world.input_on and world.output_on):
        yield f"{scene.state}: input {world.input_on}, output {world.output_on}"


def an_ended_call_is_over(scene: Scene) -> Iterator[str]:
    """When a merged call has ended and all is quiet, the caller's room is gone."""
    if scene.state is State.ENDED and scene.quiet and scene.world.caller and not scene.lives_on:
        yield "the caller is left alone in the room"


def merged_means_they_talk(scene: Scene) -> Iterator[str]:
    """When all is quiet in a merged call, the two hear each other and the agent may announce."""
    world = scene.world
    if scene.state is not State.MERGED or not scene.quiet:
        return
    if not world.joined or world.leg is not Leg.ANSWERED:
        yield f"joined {world.joined}, the leg is {world.leg}"
    if world.music is not Music.OFF:
        yield f"hold audio is {world.music}"
    if not world.output_on:
        yield "the caller cannot hear an announcement"
    if scene.carrier is Carrier.SERVER and world.room is Room.OPEN:
        yield "the consult room is still open"


def nobody_is_left_in_silence(scene: Scene) -> Iterator[str]:
    """In a call that lives on without the agent, caller and human hear each other."""
    if scene.lives_on and scene.quiet and not scene.world.joined:
        yield "nobody carries the sound"


def the_agent_goes_last(scene: Scene) -> Iterator[str]:
    """An agent that leaves has delivered the outcome, and its hold audio is silent."""
    going = any(e.name is Do.LEAVE_CALL and e.phase is not Phase.WAITING for e in scene.flights)
    if going and scene.world.delivered == 0:
        yield "goes before the outcome has arrived"
    if going and scene.world.music is Music.ON and not scene.flying(Do.STOP_HOLD_AUDIO):
        yield "goes with the hold audio on"


def the_outcome_arrives_once(scene: Scene) -> Iterator[str]:
    """The application gets the outcome once: not twice, and not never."""
    if scene.world.delivered > 1:
        yield "delivered twice"
    if scene.quiet and scene.state in DELIVERED | FINAL and scene.world.delivered == 0:
        yield "never delivered"


def something_can_go_on(scene: Scene) -> Iterator[str]:
    """What is in flight is never all waiting for one another."""
    if scene.flights and all(e.phase in (Phase.WAITING, Phase.BEHIND) for e in scene.flights):
        yield "everything in flight waits"


SceneInvariant = Callable[[Scene], Iterator[str]]

SCENES: tuple[SceneInvariant, ...] = (
    the_callers_input_is_off_while_held,
    the_held_caller_hears_music,
    the_human_is_told,
    music_and_agent_do_not_mix,
    no_briefing_reaches_the_caller,
    no_leg_is_left_up_after_the_end,
    nothing_is_left,
    the_caller_is_back_with_the_agent,
    an_ended_call_is_over,
    merged_means_they_talk,
    nobody_is_left_in_silence,
    the_agent_goes_last,
    the_outcome_arrives_once,
    something_can_go_on,
)
"""What is true of who hears whom, and of what is left behind."""
