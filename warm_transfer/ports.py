"""The ports of the engine: what the shell asks of the world, in terms of our own words.

Adapters implement these; the core knows none of them. An adapter never decides anything about the
transfer: it does what an effect says and posts events.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from warm_transfer.effects import Effect
from warm_transfer.events import NO_FACTS, Event, Facts
from warm_transfer.outcome import TransferOutcome
from warm_transfer.states import State

__all__ = [
    "DialRefused",
    "DialRequest",
    "Dialer",
    "Journal",
    "Line",
    "Post",
    "StateChange",
    "StateHook",
]

Post = Callable[[Event], None]
"""Put an event into the transfer's inbox. Never blocks, never raises, safe after the end."""

Work = Coroutine[Any, Any, None]


class Line(Protocol):
    """Executes effects against the outside world."""

    def start(self, effect: Effect) -> Work | None:
        """Begin an effect: the part that must happen at once happens before this returns.

        Returns:
            The rest of the work, to be run as a task, or None when there is none. It reports by
            posting events; an exception from it is turned into the effect's failure event.
        """
        ...

    def deliver(self, outcome: TransferOutcome) -> None:
        """Take the outcome of the step that is about to be executed."""
        ...

    async def aclose(self) -> None:
        """Let go of what belongs to no effect: listeners, clients.

        Called once, at the end; again only when that call was cancelled from outside.
        """
        ...


class Journal(Protocol):
    """Keeps the steps of transfers, before their effects are started."""

    def write(self, line: Mapping[str, object]) -> None:
        """Write one journal line. An error here is logged and never touches the transfer."""
        ...


@dataclass(frozen=True, slots=True)
class StateChange:
    """What a hook is told: one change of state."""

    transfer_id: str
    before: State
    after: State
    event: str
    """The name of the event that caused it."""
    at_s: float
    """Seconds since the transfer was asked for."""
    attempt: int
    outcome: TransferOutcome | None
    """The outcome, once it is known."""


class StateHook(Protocol):
    """A hook for state changes, a plain function or a coroutine function."""

    def __call__(self, change: StateChange, /) -> object:
        """Take note of a change. Errors are logged; they never touch the transfer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRequest:
    """Everything a dialer needs to ring the human into the consult room."""

    room: str
    """The consult room; unguessable, made for this transfer."""
    identity: str
    """The identity the leg must join with; unique to the attempt."""
    name: str
    """The display name of the leg."""
    destination: str
    """Whom to ring: a number or a sip:/tel: URI, checked. Personal data."""
    ring_timeout_s: float
    """How long it may ring."""
    call_limit_s: float
    """How long the leg may live in all."""
    timeout_s: float
    """By when `Dialer.dial` must have returned."""
    attempt: int = 1
    dtmf: str = ""
    """Key tones to send after the answer, ``w`` for half a second of pause."""
    number: str = ""
    """The caller id to show; empty for the trunk's own."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """SIP headers, checked."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Participant attributes by which the leg can be found again. No personal data."""


class DialRefused(Exception):
    """The dial was refused, or nothing was sent: nobody is being rung."""

    def __init__(self, facts: Facts = NO_FACTS) -> None:
        super().__init__(facts)
        self.facts = facts


class Dialer(Protocol):
    """Rings a human into the consult room."""

    async def dial(self, request: DialRequest) -> None:
        """Ring, and return when the human has answered.

        The leg joins ``request.room`` as ``request.identity``. It may tell its progress by the
        participant attribute ``sip.callStatus`` (``dialing``, ``ringing``, ``active``), as
        livekit-sip does. This call is never cancelled: it must end by itself within
        ``request.timeout_s``, also after `hang_up`.

        Raises:
            DialRefused: refused or never sent, so that nobody rings; with the evidence.
            Exception: anything else counts as uncertain: the phone may be ringing.
        """
        ...

    async def hang_up(self, request: DialRequest) -> None:
        """Stop ringing or end the call of this request. Repeated until `dial` has ended.

        The library removes the leg from the room and deletes the consult room as well; this is
        for what only the dialer can reach.
        """
        ...
