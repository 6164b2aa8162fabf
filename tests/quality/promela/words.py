"""The words of the model: every state, event, effect, guard and mark of the table in Promela.

The vocabulary is closed. A guard or a mark that is not here is an error when the model is made,
and ``test_promela_words.py`` compares each guard with the answer of the core, over all memories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.rows import Family, Guard, Keep
from warm_transfer.states import State

__all__ = [
    "CARRIERS",
    "EVENTS",
    "GUARDS",
    "MARKS",
    "MEMORY",
    "STATES",
    "WISHES",
    "any_of",
    "bit",
    "guard_of",
    "mark_of",
    "one_of",
]

STATES: Mapping[State, str] = {state: f"S_{state}" for state in State}
EVENTS: Mapping[On, str] = {event: f"E_{event}" for event in On}
CARRIERS: Mapping[Carrier, str] = {carrier: f"C_{carrier}" for carrier in Carrier}

WISHES: Mapping[On, str] = {
    On.APP_CANCELLED: "CANCELLED",
    On.CONSULT_DECLINED: "DECLINED",
    On.APP_DECLINED: "DECLINED",
    On.VOICEMAIL_DETECTED: "VOICEMAIL",
}
"""What has to wait while the legs are being joined."""

MEMORY: Mapping[str, int] = {
    "wish": 3,
    "session_gone": 1,
    "human_gone": 1,
    "looked": 1,
    "broke": 1,
    "doubted": 1,
    "repaired": 1,
}
"""What the core remembers beside its state, strategy and clocks, each with its largest value."""

_NOTHING_ASKED = "!session_gone && wish == NO_WISH"
_MORE = "(joins > 0 && strategy + 1 < STRATEGIES)"
_NEEDED = "(carrier == C_agent || (broke && !repaired) || doubted)"
_GIVEN_BACK = "(RETURN && !session_gone)"

_PENDING = {
    Guard.PENDING_CLOSED: "session_gone",
    Guard.PENDING_CANCELLED: "!session_gone && wish == CANCELLED",
    Guard.PENDING_DECLINED: "!session_gone && wish == DECLINED",
    Guard.PENDING_VOICEMAIL: "!session_gone && wish == VOICEMAIL",
    Guard.HUMAN_GONE: f"{_NOTHING_ASKED} && human_gone",
}
_LEFT_TO = {Guard.RETURNS: _GIVEN_BACK, Guard.ENDS: f"!{_GIVEN_BACK}"}

GUARDS: Mapping[Family, Mapping[Guard, str]] = {
    Family.MERGE_FAILED: {
        **_PENDING,
        Guard.STRATEGY_LEFT: f"{_NOTHING_ASKED} && !human_gone && {_MORE}",
        Guard.NOTHING_LEFT: f"{_NOTHING_ASKED} && !human_gone && !{_MORE}",
    },
    Family.MERGE_DEADLINE: {
        Guard.NOT_LOOKED: "!looked",
        **{guard: f"looked && {when}" for guard, when in _PENDING.items()},
        Guard.NOTHING_LEFT: f"looked && {_NOTHING_ASKED} && !human_gone",
    },
    Family.AFTER_MERGE: {
        Guard.RELAYED: "carrier == C_agent",
        Guard.BRIDGED: "carrier == C_bridge",
        Guard.DIRECT_STAYS: "carrier == C_server && !LEAVE",
        Guard.DIRECT_LEAVES: "carrier == C_server && LEAVE",
    },
    Family.AGENT_NEEDED: {Guard.NEEDED: _NEEDED, Guard.NOT_NEEDED: f"!{_NEEDED}"},
    Family.HEARD_OUT: {
        Guard.LEAVES: f"carrier == C_server && LEAVE && !{_NEEDED}",
        Guard.STAYS: f"carrier != C_server || !LEAVE || {_NEEDED}",
    },
    Family.HUMAN_LEFT: _LEFT_TO,
    Family.CONSULT_LOST: {
        Guard.DIRECT: "carrier == C_server",
        Guard.BRIDGED: "carrier == C_bridge",
        Guard.RELAYED_RETURNS: f"carrier == C_agent && {_GIVEN_BACK}",
        Guard.RELAYED_ENDS: f"carrier == C_agent && !{_GIVEN_BACK}",
    },
    Family.BROKE: {
        Guard.FIRST_BREAK: "!broke",
        **{guard: f"broke && {when}" for guard, when in _LEFT_TO.items()},
    },
}
"""When each guard of a family holds. Of a family exactly one does, whatever is remembered."""

MARKS: Mapping[Keep, tuple[tuple[str, str], ...]] = {
    # The first wish stays; ASKED is that of the row's event.
    Keep.PENDING: (("wish", "wish + (wish == NO_WISH) * ASKED"),),
    Keep.SESSION_GONE: (("session_gone", "1"),),
    Keep.HUMAN_GONE: (("human_gone", "1"),),
    Keep.LOOKED: (("looked", "1"),),
    Keep.NEXT_STRATEGY: (("strategy", "strategy + 1"), ("looked", "0")),
    Keep.BROKE: (("repaired", "0"), ("broke", "1")),
    Keep.DOUBTED: (("doubted", "1"),),
    Keep.REPAIRED: (("doubted", "0"), ("repaired", "1")),
}
"""What each mark writes down. `Keep.SETTLED` is about reports and stands in `model`."""


def guard_of(family: Family, guard: Guard) -> str:
    """The Promela expression of a guard.

    Raises:
        KeyError: the guard has none; give it one in `GUARDS`.
    """
    return f"({GUARDS[family][guard]})"


def mark_of(keep: Keep, event: On) -> list[str]:
    """The assignments of a mark, in a row for an event.

    Raises:
        KeyError: the mark has none; give it one in `MARKS`.
    """
    asked = WISHES.get(event, "NO_WISH")
    return [f"{name} = {value.replace('ASKED', asked)}" for name, value in MARKS[keep]]


def bit(effect: Do) -> str:
    """The constant of an effect in the set of those that a step starts."""
    return f"D_{effect}"


def one_of(name: str, values: Iterable[str]) -> str:
    """Whether a variable has one of these values."""
    return any_of(f"{name} == {value}" for value in values)


def any_of(parts: Iterable[str]) -> str:
    """Whether one of these holds; of none, none."""
    found = list(parts)
    return f"({' || '.join(found)})" if found else "false"
