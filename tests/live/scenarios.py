"""The scenarios, as data: who does what, and how it must end.

A person's steps are done one after the other; `After` and `Hears` wait for what that person's own
ear hears, never for a clock, so that a conversation is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.live.pilots import Pilot
from warm_transfer.outcome import Reason
from warm_transfer.states import State

__all__ = [
    "SABOTAGES",
    "SCENARIOS",
    "After",
    "HangUp",
    "Hears",
    "Mark",
    "Mute",
    "Refusal",
    "Reply",
    "Say",
    "Scenario",
    "Step",
    "Until",
    "Wait",
]


@dataclass(frozen=True, slots=True)
class Say:
    """Speak these words."""

    text: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Until:
    """Wait for a state of the transfer, or for its end."""

    state: State


@dataclass(frozen=True, slots=True)
class Hears:
    """Wait until this is heard; waiting in vain is a violation, and the show goes on."""

    pilot: Pilot
    within_s: float = 8.0


@dataclass(frozen=True, slots=True)
class After:
    """Wait until this has been heard and has ended."""

    pilot: Pilot
    within_s: float = 15.0
    quiet_s: float = 0.12


@dataclass(frozen=True, slots=True)
class Mark:
    """Send markers by which the delay to the other side is measured."""

    times: int = 4


@dataclass(frozen=True, slots=True)
class Mute:
    """Send silence from now on, without the pilot."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


Step = Say | Wait | Until | Hears | After | Mark | Mute | HangUp


@dataclass(frozen=True, slots=True)
class Refusal:
    """The phone does not answer: the dial ends with this SIP status."""

    sip_status: int
    sip_phrase: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a scripted model does when it has heard something."""

    hears: str
    """A piece of the last line of the person."""
    says: str = ""
    calls: str = ""
    """The tool it calls."""
    arguments: str = "{}"
    """What it calls it with, as JSON."""


PERSON = "I want to talk to a person."
HELLO = "Hello?"
YES = "Yes, put them through."
GREETING = "Hello. How can I help?"
BRIEFING = "A caller is waiting. Their parcel is late. Shall I put them through?"
SORRY = "I am sorry, nobody is free right now."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One way a transfer can go."""

    name: str
    result: State
    reason: Reason
    caller: tuple[Step, ...]
    """What the caller does; what they say before the hold must be `PERSON`."""
    human: tuple[Step, ...] = ()
    """What the human does from the answer on."""
    ring_s: float = 1.0
    refusal: Refusal | None = None
    """Given: refused after `ring_s`, nobody answers."""
    human_lines: tuple[str, ...] = (HELLO, YES)
    """What the scripted recogniser makes of each end of the human's speech, in order."""
    briefing: tuple[Reply, ...] = (
        Reply("Hello", says=BRIEFING),
        Reply("put them through", calls="connect_to_caller"),
    )
    """How the agent talks to the human."""
    policy: Mapping[str, float | str] = field(default_factory=dict)
    """Limits other than the harness's own."""
    limit_s: float = 45.0
    """How long the call may take in all."""


ASKS: tuple[Step, ...] = (After(Pilot.AGENT, within_s=30.0), Say(PERSON))
ACCEPTS: tuple[Step, ...] = (Wait(0.1), Say(HELLO), After(Pilot.BRIEFING), Say(YES))

_ALL = (
    Scenario(
        name="merged",
        result=State.MERGED,
        reason=Reason.ACCEPTED,
        caller=(
            *ASKS,
            Until(State.MERGED),
            Hears(Pilot.HUMAN),
            Say("Hello, this is about my parcel. It is late."),
            Mark(),
            Say("Thank you, good bye."),
            HangUp(),
        ),
        human=(
            *ACCEPTS,
            Until(State.MERGED),
            Hears(Pilot.CALLER),
            Say("Good morning, you are talking to a person now."),
            Mark(),
        ),
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}

SABOTAGES = ("human-muted", "relay-one-way", "music-left-on")
"""Faults put in on purpose, to show that the harness notices them."""
