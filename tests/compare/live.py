"""The scenes on the real server, as data: what caller, phone and human do, and what ends each.

They are the live scenarios of the library with two differences: nobody waits for a state of ours,
only for what can be seen from outside on either side, and who is left alone stays on the line
until it has been seen whether somebody lets them go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from tests.compare.scenes import SCENES
from tests.live.pilots import Pilot
from tests.live.scenarios import (
    ACCEPTS,
    ASKS,
    GREETS,
    NEVER_S,
    NO,
    SCENARIOS,
    Act,
    After,
    HangUp,
    Hears,
    Say,
    Scenario,
    Until,
    Wait,
)
from warm_transfer.states import State

__all__ = ["LIVE", "RING_S", "Ends", "Live"]

RING_S = 10.0
SHORT_RING_S = 4.0

Ends = Literal["tool", "refused", "rung-out", "hang-up", "act"]
"""What ends the transfer: the model's tool call, the phone, somebody's hanging up, the app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """How one scene is played on the real server."""

    scenario: Scenario
    """Its result and its states are not looked at: `MERGING` is the human's yes as the model
    heard it, `BRIEFING` the answer, `DIALING` the dial request."""
    ends: Ends
    moving: bool = False
    """Whether the incumbent is also played at a server that can move participants."""
    own_music: bool = False
    """Whether the application gives a file as hold audio, which is loud from its first sample."""


def _scenario(name: str, ring_timeout_s: float = RING_S, **changes: Any) -> Scenario:
    policy = {"ring_timeout_s": ring_timeout_s}
    return replace(SCENARIOS[name], policy=policy, **changes)


LIVE: dict[str, Live] = {
    "busy": Live(scenario=_scenario("busy", caller=ASKS), ends="refused"),
    "no-answer": Live(
        scenario=_scenario("no-answer", SHORT_RING_S, caller=ASKS, ring_s=NEVER_S),
        ends="rung-out",
        own_music=True,
    ),
    "decline": Live(
        scenario=_scenario("decline", caller=ASKS, human=(*GREETS, After(Pilot.BRIEFING), Say(NO))),
        ends="tool",
    ),
    "voicemail": Live(scenario=_scenario("voicemail", caller=ASKS), ends="tool", own_music=True),
    "caller-leaves-ringing": Live(
        scenario=_scenario(
            "caller-leaves-ringing",
            caller=(*ASKS, Until(State.DIALING), Wait(1.5), HangUp()),
            human=GREETS,
            ring_s=4.0,
        ),
        ends="hang-up",
    ),
    "caller-leaves-briefing": Live(
        scenario=_scenario(
            "caller-leaves-briefing",
            caller=(*ASKS, Until(State.BRIEFING), Wait(2.5), HangUp()),
            human=GREETS,
        ),
        ends="hang-up",
    ),
    "caller-leaves-merging": Live(
        scenario=_scenario(
            "caller-leaves-merging", caller=(*ASKS, Until(State.MERGING), HangUp()), human=ACCEPTS
        ),
        ends="hang-up",
        moving=True,
    ),
    "human-leaves-briefing": Live(
        scenario=_scenario(
            "human-leaves-briefing",
            caller=ASKS,
            human=(*GREETS, Hears(Pilot.BRIEFING), Wait(1.0), HangUp()),
        ),
        ends="hang-up",
    ),
    "human-leaves-merging": Live(
        scenario=_scenario("merged", caller=ASKS, human=(*ACCEPTS, Until(State.MERGING), HangUp())),
        ends="hang-up",
        moving=True,
    ),
    "session-closed": Live(
        scenario=_scenario(
            "session-closed",
            caller=ASKS,
            human=GREETS,
            app=Act("close-session", State.BRIEFING, 2.0),
        ),
        ends="act",
    ),
    "await-cancelled": Live(
        scenario=_scenario(
            "await-cancelled",
            caller=ASKS,
            human=GREETS,
            app=Act("cancel-await", State.BRIEFING, 2.0),
        ),
        ends="act",
    ),
    "accepted": Live(
        scenario=_scenario(
            "merged",
            # A caller who is put through to nobody gives up while that can still be watched.
            caller=(*ASKS, Until(State.MERGING), Hears(Pilot.HUMAN, 4.0), Wait(1.0), HangUp()),
            human=ACCEPTS,
        ),
        ends="tool",
        moving=True,
    ),
}

assert LIVE.keys() == SCENES.keys()
