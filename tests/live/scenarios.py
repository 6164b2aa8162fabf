"""The scenarios, as data: who does what, and how it must end.

A person's steps are done one after the other; `After` and `Hears` wait for what that person's own
ear hears, never for a clock, so that a conversation is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.live.pilots import Pilot
from warm_transfer.outcome import Reason
from warm_transfer.states import State

__all__ = [
    "SABOTAGES",
    "SCENARIOS",
    "Act",
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


@dataclass(frozen=True, slots=True)
class Act:
    """What the application does by itself, `after_s` after the transfer has entered a state."""

    what: Literal["accept", "close-session", "cancel-await", "shut-down", "terminate"]
    at: State
    after_s: float = 0.0


PERSON = "I want to talk to a person."
HELLO = "Hello?"
YES = "Yes, please."
NO = "No, I am busy."
MAILBOX = "You have reached a mailbox."
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
        Reply("Yes, please", calls="connect_to_caller"),
    )
    """How the agent talks to the human."""
    app: Act | None = None
    policy: Mapping[str, float | str] = field(default_factory=dict)
    """Limits other than the harness's own."""
    drain_s: int = 5
    """How long the worker waits for its jobs after SIGTERM, before it shuts them down."""
    limit_s: float = 45.0
    """How long the call may take in all."""

    @property
    def terminated(self) -> bool:
        """Whether the worker gets SIGTERM in the call, so that it goes without being stopped."""
        return self.app is not None and self.app.what == "terminate"


ASKS: tuple[Step, ...] = (After(Pilot.AGENT, within_s=30.0), Say(PERSON))
GOES_WHEN_BACK: tuple[Step, ...] = (*ASKS, After(Pilot.AGENT, within_s=25.0), HangUp())
"""The caller who is told that nobody is free."""
GOES_WHEN_ALONE: tuple[Step, ...] = (*ASKS, Until(State.CANCELLED), Wait(0.5), HangUp())
"""The caller whose agent is gone, so that there is nobody to go back to."""
TALKS: tuple[Step, ...] = (
    *ASKS,
    Until(State.MERGED),
    Hears(Pilot.HUMAN),
    Say("Hello, this is about my parcel. It is late."),
    Mark(),
    Say("Thank you, good bye."),
)
GREETS: tuple[Step, ...] = (Wait(0.1), Say(HELLO))
ACCEPTS: tuple[Step, ...] = (*GREETS, After(Pilot.BRIEFING), Say(YES))
HELPS: tuple[Step, ...] = (
    Until(State.MERGED),
    Hears(Pilot.CALLER),
    Say("Good morning, you are talking to a person now."),
    Mark(),
)
NEVER_S = 60.0
"""A phone that rings for so long is not answered in any scenario."""

_ALL = (
    Scenario(
        name="merged",
        result=State.MERGED,
        reason=Reason.ACCEPTED,
        caller=(*TALKS, HangUp()),
        human=(*ACCEPTS, *HELPS),
    ),
    Scenario(
        name="decline",
        result=State.DECLINED,
        reason=Reason.DECLINED,
        caller=GOES_WHEN_BACK,
        human=(*GREETS, After(Pilot.BRIEFING), Say(NO)),
        human_lines=(HELLO, NO),
        briefing=(
            Reply("Hello", says=BRIEFING),
            Reply("busy", calls="decline_transfer", arguments='{"reason": "busy"}'),
        ),
    ),
    Scenario(
        name="voicemail",
        result=State.VOICEMAIL,
        reason=Reason.VOICEMAIL,
        caller=GOES_WHEN_BACK,
        human=(Say(MAILBOX),),
        human_lines=(MAILBOX,),
        briefing=(Reply("mailbox", calls="voicemail_detected"),),
    ),
    Scenario(
        name="no-answer",
        result=State.FAILED,
        reason=Reason.NO_ANSWER,
        caller=GOES_WHEN_BACK,
        ring_s=NEVER_S,
        policy={"ring_timeout_s": 4.0},
    ),
    Scenario(
        name="busy",
        result=State.FAILED,
        reason=Reason.BUSY,
        caller=GOES_WHEN_BACK,
        refusal=Refusal(486, "Busy Here"),
    ),
    Scenario(
        name="caller-leaves-ringing",
        result=State.ABANDONED,
        reason=Reason.CALLER_LEFT,
        caller=(*ASKS, Until(State.DIALING), Wait(1.5), HangUp()),
        ring_s=NEVER_S,
    ),
    Scenario(
        name="caller-leaves-briefing",
        result=State.ABANDONED,
        reason=Reason.CALLER_LEFT,
        caller=(*ASKS, Until(State.BRIEFING), Wait(2.5), HangUp()),
        human=(*GREETS, Until(State.MERGED)),
    ),
    Scenario(
        name="caller-leaves-merging",
        result=State.ABANDONED,
        reason=Reason.CALLER_LEFT,
        caller=(*ASKS, Until(State.MERGING), HangUp()),
        human=(*ACCEPTS, Until(State.MERGED)),
    ),
    Scenario(
        name="human-leaves-briefing",
        result=State.FAILED,
        reason=Reason.HUMAN_LEFT,
        caller=GOES_WHEN_BACK,
        human=(*GREETS, Hears(Pilot.BRIEFING), Wait(1.0), HangUp()),
    ),
    Scenario(
        name="human-leaves-merged",
        result=State.MERGED,
        reason=Reason.ACCEPTED,
        caller=(*TALKS, Wait(NEVER_S)),
        human=(*ACCEPTS, *HELPS, Wait(1.0), HangUp()),
    ),
    Scenario(
        name="caller-leaves-merged",
        result=State.MERGED,
        reason=Reason.ACCEPTED,
        caller=(*TALKS, HangUp()),
        human=(*ACCEPTS, *HELPS),
    ),
    Scenario(
        name="session-closed",
        result=State.CANCELLED,
        reason=Reason.SESSION_CLOSED,
        caller=GOES_WHEN_ALONE,
        human=(*GREETS, Until(State.MERGED)),
        app=Act("close-session", State.BRIEFING, 2.5),
    ),
    Scenario(
        name="await-cancelled",
        result=State.CANCELLED,
        reason=Reason.APP_CANCELLED,
        caller=GOES_WHEN_BACK,
        human=(*GREETS, Until(State.MERGED)),
        app=Act("cancel-await", State.BRIEFING, 2.5),
    ),
    Scenario(
        name="job-shutdown",
        result=State.CANCELLED,
        # The framework closes the session before it calls the shutdown callbacks of the job.
        reason=Reason.SESSION_CLOSED,
        caller=GOES_WHEN_ALONE,
        human=(*GREETS, Until(State.MERGED)),
        app=Act("shut-down", State.BRIEFING, 2.5),
    ),
    Scenario(
        name="sigterm",
        result=State.CANCELLED,
        reason=Reason.SESSION_CLOSED,
        caller=GOES_WHEN_ALONE,
        human=(*GREETS, Until(State.MERGED)),
        app=Act("terminate", State.BRIEFING, 2.5),
        drain_s=1,
    ),
    Scenario(
        name="sigterm-drains",
        result=State.MERGED,
        reason=Reason.ACCEPTED,
        caller=(*TALKS, HangUp()),
        human=(*ACCEPTS, *HELPS),
        app=Act("terminate", State.BRIEFING, 2.5),
        # Longer than the whole call: whoever ends it, it is not the worker.
        drain_s=60,
    ),
    Scenario(
        name="sigterm-drain-timeout",
        result=State.MERGED,
        reason=Reason.ACCEPTED,
        caller=(*TALKS, Wait(NEVER_S)),
        human=(*ACCEPTS, *HELPS, Wait(NEVER_S)),
        # Late enough for markers both ways.
        app=Act("terminate", State.MERGED, 5.0),
        drain_s=1,
    ),
    Scenario(
        name="hold-limit",
        result=State.FAILED,
        reason=Reason.HOLD_LIMIT,
        caller=GOES_WHEN_BACK,
        human=(*GREETS, After(Pilot.BRIEFING), Until(State.MERGED)),
        policy={"ring_timeout_s": 4.0, "hold_limit_s": 5.5},
    ),
    Scenario(
        name="app-accepts",
        result=State.MERGED,
        reason=Reason.ACCEPTED,
        caller=(*TALKS, HangUp()),
        human=(*GREETS, *HELPS),
        app=Act("accept", State.BRIEFING, 3.0),
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}

SABOTAGES = ("human-muted", "relay-one-way", "music-left-on")
"""Faults put in on purpose, to show that the harness notices them."""
