"""The scenarios by name: every outcome of a transfer, and every end after a merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from livekit import api

from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.script import Scenario

__all__ = ["SCENARIOS"]

_LEAVES = "human answers, says yes; server can move; policy lets the agent leave"

_FALLS = "human answers, says yes; policy merges by move then relay"

_NOT_IMPLEMENTED = api.ServerError("unknown", "not implemented", status=500)
"""What the open-source server says to a move."""

_TALK_ON = "caller hangs up 60 s after the merge; human hangs up 62 s after the merge"

_LINES: Mapping[str, tuple[str, str]] = {
    "merged": (
        "human answers after 4 s, says yes after 6 s; caller hangs up 20 s after the merge",
        "The human says yes, both talk, and the caller hangs up.",
    ),
    "decline": (
        'human answers after 3 s, says no "I am in a meeting" after 7 s',
        "The human declines and the caller is with the agent again.",
    ),
    "voicemail": (
        "human answers after 8 s, is a voicemail after 3 s",
        "A machine answers with its greeting.",
    ),
    "no-answer": ("human never answers; policy ring limit 20 s", "Nobody picks up."),
    "busy": ("human is busy after 0.5 s", "The human's line is busy (486)."),
    "declined-by-phone": ("human refuses with 603 after 6 s", "The human rejects the call."),
    "rejected": ("human refuses with 403 after 0.2 s", "The carrier rejects the call (403)."),
    "invalid-destination": (
        "human refuses with 404 after 0.3 s",
        "The number does not exist (404).",
    ),
    "unreachable": ("human refuses with 503 after 0.3 s", "The carrier has no line (503)."),
    "no-sip-service": ("server has no SIP service", "The server has nobody who could dial."),
    "human-leaves-briefing": (
        "human answers after 4 s, hangs up while briefing",
        "The human hangs up while they are being briefed.",
    ),
    "no-decision": (
        "human answers after 4 s, says nothing; policy decision limit 30 s",
        "The human says neither yes nor no, which counts as no.",
    ),
    "caller-leaves-dialing": (
        "human answers after 4 s; caller hangs up while dialing",
        "The caller hangs up in the dial's first milliseconds.",
    ),
    "caller-leaves-ringing": (
        "human answers after 9 s; caller hangs up while ringing",
        "The caller hangs up while the human's phone rings.",
    ),
    "answer-crosses-cancel": (
        "human answers as we cancel; caller hangs up while ringing",
        "The human answers in the moment in which the call is cancelled.",
    ),
    "caller-leaves-briefing": (
        "human answers after 4 s; caller hangs up while briefing",
        "The caller hangs up while the human is being briefed.",
    ),
    "caller-leaves-merging": (
        "human answers after 4 s, says yes after 6 s; caller hangs up while merging",
        "The caller hangs up while the two are being joined.",
    ),
    "caller-leaves-merged": (
        "human answers after 4 s, says yes after 6 s; caller hangs up while merged",
        "The caller hangs up on the human.",
    ),
    "human-leaves-merged": (
        "human answers after 4 s, says yes after 6 s, hangs up 12 s after the merge",
        "The human hangs up on the caller, which ends the call.",
    ),
    "human-leaves-returned": (
        "human answers, says yes, hangs up 12 s after the merge; policy returns the caller",
        "The human hangs up, and the caller is with the agent again.",
    ),
    "human-leaves-direct": (
        "server can move; human answers, says yes, hangs up 12 s after the merge",
        "The sound runs without the agent, which sees the human hang up and ends the call.",
    ),
    "agent-leaves-after-merge": (
        f"{_LEAVES}; agent says goodbye for 2 s; {_TALK_ON}",
        "The agent says goodbye and leaves, and the two talk on without it.",
    ),
    "agent-left-call-limit": (
        f"{_LEAVES}, call limit 300 s; caller hangs up 400 s after the merge",
        "The agent has left, nobody hangs up, and the limit of the human's leg ends it.",
    ),
    "caller-leaves-before-agent": (
        f"{_LEAVES}; agent says goodbye for 4 s; caller hangs up 2 s after the merge",
        "The caller hangs up into the agent's goodbye, so the call is ended for the human too.",
    ),
    "agent-stays-with-relay": (
        "human answers, says yes; agent says goodbye for 2 s; policy lets the agent leave",
        "The agent is to leave but carries the sound, so it stays.",
    ),
    "observer-leaves": (
        "human answers, says yes; observer joins 2 s after the merge, leaves 8 s after the merge",
        "Somebody listens in on the merged call and hangs up, which ends nothing.",
    ),
    "caller-room-lost": (
        "human answers after 9 s; agent loses the caller room at 3 s",
        "The agent is put out of the caller's room while the phone rings.",
    ),
    "consult-room-lost": (
        "human answers after 4 s; agent loses the consult room while briefing",
        "Somebody deletes the consult room under the briefing.",
    ),
    "hold-limit": (
        "human answers after 10 s, says nothing; policy hold limit 40 s",
        "The caller has been held as long as is allowed.",
    ),
    "consult-unavailable": (
        "server refuses the consult room",
        "There is no room to talk to the human in.",
    ),
    "dial-uncertain": (
        "human answers after 9 s; server loses the dial after 2 s",
        "The dial's connection breaks, and nobody knows whether the phone rings.",
    ),
    "briefing-failed": (
        "human answers after 4 s; agent model fails while briefing",
        "The model that briefs the human keeps failing.",
    ),
    "merge-failed": (
        "human answers after 4 s, says yes after 6 s; server cannot merge",
        "The human says yes, but the legs cannot be joined.",
    ),
    "falls-to-relay": (
        f"{_FALLS}; caller hangs up 20 s after the merge",
        "The server turns out not to move anybody, and the agent carries the sound instead.",
    ),
    "cancelled-while-falling": (
        f"{_FALLS}; app cancels 2 ms after the yes",
        "The first strategy fails with a cancel waiting, so the second is not tried.",
    ),
    "app-accepts": (
        "human answers after 4 s, says nothing; app accepts 3 s after the answer",
        "The application accepts on the human's behalf.",
    ),
    "app-declines": (
        'human answers after 4 s, says nothing; app declines "out of hours" at 8 s',
        "The application declines on the human's behalf.",
    ),
    "app-cancelled": (
        "human answers after 9 s; app cancels while ringing",
        "The application takes the transfer back.",
    ),
    "await-cancelled": (
        "human answers after 4 s, says nothing; app cancels at 15 s",
        "The application's time limit cancels the await in the briefing.",
    ),
    "session-closed": (
        "human answers after 4 s, says nothing; session closes while briefing",
        "The caller's session is closed during the briefing.",
    ),
    "session-closed-ringing": (
        "human answers after 9 s; session closes while ringing",
        "The caller's session is closed while the phone rings.",
    ),
    "job-shutdown": (
        "human answers after 4 s, says nothing; job shuts down while briefing",
        "The worker is shut down during the briefing.",
    ),
    "sigterm": (
        "human answers after 4 s, says nothing; job shuts down while briefing",
        "The worker gets SIGTERM during the briefing, does not wait, and shuts its jobs down.",
    ),
    # A drain does nothing to a job: this is `merged`, and a real worker must give the same journal.
    "sigterm-drains": (
        "human answers after 4 s, says yes after 6 s; caller hangs up 20 s after the merge",
        "The worker gets SIGTERM during the briefing and drains, which the transfer must not feel.",
    ),
    "sigterm-drain-timeout": (
        "human answers after 4 s, says yes after 6 s; job shuts down 6 s after the merge",
        "The worker gets SIGTERM, and the merged call lasts longer than the worker may drain.",
    ),
    "reconnect": (
        "human answers after 4 s, says yes after 6 s; agent reconnects 5 s after the merge",
        "The agent's connection is lost and comes back during the merged call.",
    ),
    "server-restart": (
        "human answers after 4 s, says yes after 9 s; server restarts while briefing",
        "The server restarts during the briefing, and the answered leg says that it is dialing.",
    ),
    "second-agent": (
        "human answers after 4 s, says yes after 6 s; server sends a second agent while ringing",
        "A worker without a name is dispatched into the consult room.",
    ),
    "long-last-words": (
        "agent speaks for 3 s; human answers after 5 s, says yes after 6 s",
        "The agent is still speaking when the transfer begins; dialling does not wait for it.",
    ),
}


def _catalogue() -> dict[str, Scenario]:
    found = {
        name: replace(scenario(line), description=description)
        for name, (line, description) in _LINES.items()
    }
    for name, line, description in (
        (
            "job-shutdown-first",
            "human answers after 4 s, says nothing; job shuts down while briefing",
            "The worker is shut down during the briefing, before its session has closed.",
        ),
        (
            "job-shutdown-merging",
            "human answers after 4 s, says yes after 6 s; job shuts down while merging",
            "The worker is shut down while the two are being joined, before its session.",
        ),
    ):
        told = scenario(line)
        app = replace(told.app, session_closes_first=False)
        found[name] = replace(told, description=description, app=app)
    found["agent-stays-after-fallback"] = replace(
        scenario(_LEAVES),
        description="The human cannot be moved, the relay takes over, and so the agent stays.",
        faults={("room.move_participant", 0): Fault(How.FAILS, _NOT_IMPLEMENTED)},
    )
    found["hold-failed"] = Scenario(
        description="The caller's input cannot be switched off.",
        faults={("session.input.audio", 1): Fault(How.FAILS, RuntimeError("no audio input"))},
    )
    return found


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(_catalogue())
"""Every scenario by its name."""
