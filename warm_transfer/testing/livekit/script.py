"""A scenario: what everybody in a simulated transfer does, and what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from warm_transfer.testing.livekit.faults import Fault
from warm_transfer.testing.livekit.humans import Human
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.when import When

__all__ = ["Agent", "App", "Caller", "Observer", "Scenario", "Server"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What the caller does."""

    hangs_up: When | None = None
    by_phone: bool = False
    """Whether the caller is a SIP leg; else a WebRTC client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What the application does."""

    accepts: When | None = None
    declines: When | None = None
    cancels: When | None = None
    closes_session: When | None = None
    shuts_down: When | None = None
    """The job shuts down."""
    session_closes_first: bool = True
    """When the job shuts down: as livekit-agents does it, its session closes first."""
    close_on_disconnect: bool = True
    """Whether its session closes by itself when the caller leaves, as by default (facts 5.6)."""
    words: str = "the application says no"
    """Why it declines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What happens to the agent, and to the rooms it is in."""

    speaks_s: float = 0.0
    """How long its last words take, which are being said when the transfer is asked for."""
    goodbye_s: float = 0.0
    """How long it still speaks in the merged call, from just after the await on."""
    model_fails: When | None = None
    """The consult session closes because its model keeps failing."""
    loses_caller_room: When | None = None
    """The server puts the agent out of the caller's room."""
    loses_consult_room: When | None = None
    """Somebody deletes the consult room."""
    reconnects: When | None = None
    """The connection to both rooms is lost and comes back `reconnect_s` later."""
    reconnect_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """A third party on the phone: listens in the caller's room and is nobody's business."""

    joins: When | None = None
    leaves: When | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What the server does."""

    sip: str = "up"
    """Whether it has a SIP service: see `World`."""
    moves: bool = False
    """Whether it can move the human to the caller, so that the sound runs without the agent."""
    restarts: When | None = None
    """Connections come back a little later, and answered legs say ``dialing`` again (facts 0.5)."""
    dispatches: When | None = None
    """A worker without a name is sent into the consult room: a second agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One transfer in the simulated world, told in full.

    A caller who is not said to leave hangs up 20 s after the merge.
    """

    description: str = ""
    phone: Phone = field(default_factory=Phone)
    human: Human = field(default_factory=Human)
    caller: Caller = field(default_factory=Caller)
    app: App = field(default_factory=App)
    agent: Agent = field(default_factory=Agent)
    observer: Observer = field(default_factory=Observer)
    server: Server = field(default_factory=Server)
    faults: Mapping[tuple[str, int], Fault] = field(default_factory=dict)
    """Faults of the seam, by method and number of the call."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `TransferPolicy`."""
    merge: tuple[str, ...] = ()
    """The merge strategies by name, in order; empty for those that the server is good for."""
