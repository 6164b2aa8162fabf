"""What is true outside the core, and what effects change in it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from warm_transfer.effects import Do
from warm_transfer.policy import Carrier

__all__ = ["Leg", "Music", "Room", "World", "begin", "released"]


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


def begin(names: tuple[Do, ...], world: World) -> World:
    """What is different once effects have begun."""
    if Do.HOLD_CALLER in names:
        world = world._replace(input_on=False)  # synchronous
    if Do.STOP_HOLD_AUDIO in names:
        world = world._replace(music=Music.OFF)  # synchronous, but for a start in flight
    if Do.START_BRIEFING in names:
        world = world._replace(briefing=True)
    return world


def released(name: Do, world: World, carrier: Carrier) -> World:  # noqa: PLR0911 - one arm each
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
