"""Steps and scenes made by hand, and the one test that every group of promises has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from warm_transfer.effects import Do, Effect
from warm_transfer.events import Event, On
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.policy import Carrier, TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.invariants import Core, Known, Moment, Scene, broken_by
from warm_transfer.testing.model import Flight, Music, World
from warm_transfer.transfer import Handling, Step

ASKED = Known(requested=True)
ANSWERED = Known(requested=True, answered=True)
SAID_YES = Known(requested=True, answered=True, accepted=True, stops=1)
HELD_WORLD: dict[str, Any] = {"input_on": False, "output_on": False, "music": Music.ON}

Made = Callable[[], Moment | Core | Scene]


def outcome(result: State, reason: Reason) -> TransferOutcome:
    return TransferOutcome(result=result, reason=reason, transfer_id="t")


def moment(
    before: State,
    on: On,
    after: State,
    *done: Do,
    known: Known = SAID_YES,
    strategy: str | None = "relay",
    handling: Handling = Handling.ROW,
    **rest: Any,
) -> Moment:
    step = Step(
        seq=1,
        at_s=0.0,
        event=Event(on, effect=rest.get("effect")),
        before=before,
        after=after,
        handling=handling,
        row=None,
        ignored=None,
        effects=tuple(Effect(10 + n, name, 1, strategy) for n, name in enumerate(done)),
        attempt=1,
        deadline=rest.get("deadline"),
        outcome=rest.get("outcome"),
    )
    policy = TransferPolicy(
        on_human_left="return" if rest.get("returns") else "end_call",
        after_merge="leave" if rest.get("agent_leaves") else "silent",
    )
    return Moment(step, known, policy, rest.get("carrier", Carrier.AGENT))


def scene(state: State, *flights: Flight, carrier: Carrier = Carrier.AGENT, **world: Any) -> Scene:
    return Scene(state, World(**world), flights, carrier)


def each_names_itself(broken: Mapping[str, Made], promises: Sequence[Callable[..., Any]]) -> None:
    """For every promise of a group there is something that breaks it, and it says so."""
    assert set(broken) == {promise.__name__ for promise in promises}
    for name, made in broken.items():
        told = dict(broken_by(made()))
        assert told.get(name), f"{name} is not among {list(told)}"
