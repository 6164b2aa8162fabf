"""How long things take in the simulated world, in seconds, from measurements on the real one.

"facts" is the page of LiveKit facts, "integration" the page on livekit-agents; both were measured
on loopback. Where a range was measured, its middle stands here.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "AGENT_AWAY_S",
    "ANSWER_SEEN_S",
    "API_S",
    "ASK_S",
    "BRIDGE_ANSWERS_S",
    "BRIDGE_CARRIES_S",
    "BRIDGE_JOINS_S",
    "BRIDGE_LOOKS_S",
    "BRIDGE_ONE_WAY_S",
    "CANCEL_TOLD_S",
    "CONCEALED_S",
    "DEPARTURE_TIMEOUT_S",
    "EMPTY_TIMEOUT_S",
    "FIRST_WORD_S",
    "FRAME_EVERY_MAX_S",
    "FRAME_EVERY_S",
    "GATE_S",
    "HAND_BACK_S",
    "INVITED_S",
    "INVITE_LIMIT_S",
    "JOINED_S",
    "JOIN_CUT_S",
    "JOIN_S",
    "KEY_PAUSE_S",
    "KEY_TONE_S",
    "LEG_HEARS_S",
    "LEG_SEEN_S",
    "LEG_TRACK_S",
    "NEWS_S",
    "NOBODY_ANSWERS_S",
    "PLAYER_CLOSE_S",
    "PLAYER_S",
    "PUBLISH_S",
    "RECONNECT_SEEN_S",
    "REFUSAL_SEEN_S",
    "REFUSAL_TOLD_S",
    "REGISTERED_S",
    "REJOIN_S",
    "REQUEST_S",
    "RESTART_S",
    "RESUME_S",
    "RINGING_SEEN_S",
    "SECONDS_PER_CHARACTER",
    "SERVER_DIAL_LIMIT_S",
    "SESSION_CLOSED_S",
    "SESSION_CLOSE_S",
    "SESSION_CLOSING_S",
    "SESSION_START_S",
    "SHUTDOWN_CALLBACK_S",
    "SIGNAL_S",
    "SUBSCRIBE_S",
    "UNPUBLISH_S",
    "WIRE_S",
]

# The server's API.
API_S: Final = 0.003
"""One request that is not a dial: 2 to 12 ms (integration 3, facts A.0)."""
NOBODY_ANSWERS_S: Final = 3.0
"""The open-source server waits this long for a participant to take a request, and then says
"no response from servers" (issue 6; psrpc ``DefaultClientTimeout``)."""
REQUEST_S: Final = 0.001
"""From the call to the request being on its way: a dial cancelled before is never sent
(integration 7)."""

# Rooms.
JOIN_S: Final = 0.1
"""From connecting to being in the room (integration 5.2: joining costs 120 to 200 in all)."""
JOINED_S: Final = 0.05
"""From being in the room to `connect` returning."""
NEWS_S: Final = 0.011
"""From an event in the server to the clients knowing: departures, attributes, room deletion
(integration 3 and 6: 9 to 15 ms)."""
PUBLISH_S: Final = 0.02
"""`publish_track` takes 4 to 45 ms (integration 5.1)."""
UNPUBLISH_S: Final = 0.005
SUBSCRIBE_S: Final = 0.036
"""`track_subscribed` comes 36 ms after `track_published` (integration 6)."""
ASK_S: Final = 0.002
"""From a leg knowing of a track to its subscribing to it: livekit-sip asks for each track itself
(facts 0.1)."""
GATE_S: Final = 0.115
"""From the API subscribing or unsubscribing somebody, or a permission reaching the server, to the
change being heard: 110 to 135 ms from the request on (facts A.0 and A.1), of which the request
takes 3 to 6."""
SIGNAL_S: Final = 0.003
"""From a client to the server, without an answer."""
DEPARTURE_TIMEOUT_S: Final = 20.0
"""A room closes this long after its last participant that is not an agent has left: the server's
default ``departure_timeout``."""
EMPTY_TIMEOUT_S: Final = 300.0
"""A room closes when nobody but agents has come: the server's default ``empty_timeout``."""
RECONNECT_SEEN_S: Final = 0.1
"""From the signalling being cut to false departures: 33 to 180 ms (integration 6)."""
RESUME_S: Final = 3.05
"""A signalling connection that is cut and comes back at once (integration 6)."""
RESTART_S: Final = 4.8
"""How long a restarting server takes no requests; see `REJOIN_S`."""
REJOIN_S: Final = 0.05
"""From the server being back to a leg being back: a leg is heard, and hears, 4.9 s after the server
has stopped (facts A.1 and 0.3)."""
AGENT_AWAY_S: Final = 5.95
"""How long a restarting server keeps a client away. The agent closed its gates anew 1.3 s after the
legs had come back (facts A.1), so it is back later than they are."""

# A dial, counted from the request (facts, timeline; integration 7, the window after the POST).
REGISTERED_S: Final = 0.005
"""From here on a removal finds the leg; before, it answers ``not_found`` and the phone rings on."""
INVITED_S: Final = 0.022
"""The INVITE is on the wire; a removal before it means that it is never sent."""
LEG_SEEN_S: Final = 0.025
"""The leg is in the room with ``sip.callStatus=dialing``."""
LEG_TRACK_S: Final = 0.09
"""The leg publishes its track, still ringing."""

# A dial, counted from what the phone does.
RINGING_SEEN_S: Final = 0.004
ANSWER_SEEN_S: Final = 0.014
"""With `NEWS_S` on top, ``active`` is seen 25 ms after the answer (facts: 20 to 30)."""
LEG_HEARS_S: Final = 0.018
"""The leg subscribes 13 to 24 ms after ``active`` (integration 4)."""
REFUSAL_SEEN_S: Final = 0.01
"""From the refusal to the leg leaving the room."""
REFUSAL_TOLD_S: Final = 0.05
"""From the refusal to the API's error (facts: the incumbent knew 110 ms after the 486)."""
WIRE_S: Final = 0.006
"""From a removal to CANCEL or BYE at the phone, and as long from the deletion of the room
(integration 7: 4 to 10 ms for both, 23 at the instant of the answer; facts A.0 once had 110 for
the deletion)."""
CANCEL_TOLD_S: Final = 0.02
"""From a removal while ringing to the end of the dialling request."""
JOIN_CUT_S: Final = 5.0
"""A leg removed while joining: the dialling request fails this much later (integration 7)."""
SERVER_DIAL_LIMIT_S: Final = 80.0
"""The server drops a dialling request that waits for the answer (facts 5.3)."""
INVITE_LIMIT_S: Final = 32.0
"""An INVITE that nobody answers is given up after this long (RFC 3261, timer B)."""
KEY_TONE_S: Final = 0.25
KEY_PAUSE_S: Final = 0.5
"""``w`` in a string of key tones (livekit-agents, ``dtmf``)."""

# A call of the SIP service to itself: answered 80 ms after the request, both hear after 410 ms
# (facts 0.3: 0.08 s, 0.40 to 0.42).
BRIDGE_JOINS_S: Final = 0.023
"""From the INVITE to the other end being in its room."""
BRIDGE_ANSWERS_S: Final = 0.01
"""From there to its answer, if there is anybody to be heard."""
BRIDGE_LOOKS_S: Final = 0.05
"""Else it rings until somebody comes; it is looked this often."""
BRIDGE_CARRIES_S: Final = 0.2675
"""From the answer to sound being carried."""
BRIDGE_ONE_WAY_S: Final = 0.0875
"""What a bridge adds one way: 80 to 95 ms (facts 0.3)."""

# Sessions and players.
SESSION_START_S: Final = 0.03
SESSION_CLOSE_S: Final = 0.016
"""`AgentSession.aclose` takes 13 to 19 ms (integration 4)."""
SESSION_CLOSING_S: Final = 0.001
"""From the caller's departure being seen to the caller's session telling the task that is awaited:
0 to 2 ms (integration 3, `make live`)."""
SESSION_CLOSED_S: Final = 0.11
"""From there to its being closed: 45 to 67 ms (integration 3), and behind the end of a transfer 125
to 177 ms (`make live`)."""
FIRST_WORD_S: Final = 0.13
"""From the answer to the first word at the phone: 120 to 150 ms (integration 4)."""
SHUTDOWN_CALLBACK_S: Final = 0.09
"""From a job's first sign of shutting down, its session closing, to its shutdown callbacks: 91 to
115 ms (integration 3)."""
HAND_BACK_S: Final = 0.005
"""From `complete` to the old agent being current (integration 2)."""
PLAYER_S: Final = 0.05
"""From the player's track being subscribed to sound (integration 5.1: 15 to 50)."""
PLAYER_CLOSE_S: Final = 0.05
SECONDS_PER_CHARACTER: Final = 0.06
"""How fast the simulated agent speaks."""

# Sound.
FRAME_EVERY_S: Final = 1.0
"""A stream repeats an unchanged sound after this long, instead of every 10 ms, and then after
twice as long each time."""
FRAME_EVERY_MAX_S: Final = 8.0
"""But at least this often, so that a relay that no longer takes frames is noticed."""
CONCEALED_S: Final = 0.3
"""A track that is no longer fed is concealed this long before it falls silent (integration 5.3:
295 ms)."""
