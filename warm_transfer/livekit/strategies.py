"""The merge strategies by name, and what an application may give as ``merge=``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, cast

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.bridge import SipBridge, comes_out_in
from warm_transfer.livekit.merge import MergeStrategy
from warm_transfer.livekit.move import Move
from warm_transfer.livekit.relay import Relay
from warm_transfer.livekit.sharedroom import SharedRoom

__all__ = ["ALONE", "STRATEGIES", "MergeChoice", "asks_auto", "strategies_of"]

_Named = Literal["move", "relay", "shared_room", "sip_bridge"]
MergeChoice = Literal["auto"] | _Named | MergeStrategy | Sequence[_Named | MergeStrategy]
"""What an application may give as ``merge=``."""

STRATEGIES: Mapping[str, Callable[[], MergeStrategy]] = {
    "move": Move,
    "relay": Relay,
    "shared_room": SharedRoom,
    "sip_bridge": SipBridge,
}
"""Each name with what makes a strategy for one transfer. Whoever adds one adds it here only."""

ALONE = frozenset({"shared_room"})
"""Strategies that talk to the human elsewhere than the others, and so cannot be one of several."""

_VERBS = ("prepare", "merge", "unmerge", "health")


def strategies_of(
    merge: object, *, auto: Sequence[str] = ("relay",), room_name: str | None = None
) -> tuple[MergeStrategy, ...]:
    """The strategies an application asked for, in order.

    Args:
        merge: ``"auto"``, a name, a merge strategy, or a list of names and strategies.
        auto: what ``"auto"`` stands for at this server; the bridge is left out where it could not
            reach `room_name`.
        room_name: the consult room that the application has chosen; None for one of our own.

    Raises:
        InvalidArgument: an unknown name, something that is no strategy, one twice, one that cannot
            stand beside others or in that room, or none at all.
    """
    bridged = room_name is None or comes_out_in(room_name)
    if asks_auto(merge):
        found = tuple(_strategy(each) for each in auto if bridged or each != SipBridge.name)
    else:
        found = tuple(_strategy(each) for each in _listed(merge))
    names = [each.name for each in found]
    if not found:
        raise InvalidArgument("merge", "names no strategy", _remedy())
    if len(set(names)) < len(names):
        raise InvalidArgument("merge", "has two strategies of one name", _remedy())
    for name in names:
        if name in ALONE and len(names) > 1:
            raise InvalidArgument("merge", f"has {name!r} beside others", "give it alone")
    if SipBridge.name in names and not bridged:
        problem = f'is {room_name!r} beside merge="sip_bridge", which cannot reach it'
        remedy = "leave it out, or end it in an underscore and 24 random hex digits"
        raise InvalidArgument("room_name", problem, remedy)
    return found


def asks_auto(merge: object) -> bool:
    """Whether it is left to the library which strategies are tried."""
    return _listed(merge) == ("auto",)


def _listed(merge: object) -> tuple[object, ...]:
    return tuple(merge) if isinstance(merge, list | tuple) else (merge,)


def _strategy(each: object) -> MergeStrategy:
    if isinstance(each, str) and each in STRATEGIES:
        return STRATEGIES[each]()
    if all(callable(getattr(each, verb, None)) for verb in _VERBS):
        return cast("MergeStrategy", each)
    raise InvalidArgument("merge", f"has {each!r}", _remedy())


def _remedy() -> str:
    names = ", ".join(f'"{name}"' for name in sorted(STRATEGIES))
    return f'give "auto", {names}, a merge strategy, or a list of them'
