"""The course of a transfer that was played, as the audit looks at it."""

from __future__ import annotations

from dataclasses import dataclass

from warm_transfer.policy import TransferPolicy
from warm_transfer.states import FINAL, State
from warm_transfer.testing.livekit.ears import Heard
from warm_transfer.testing.livekit.play import Result
from warm_transfer.testing.livekit.world import World

__all__ = ["Course", "course_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A result with what several checks ask of it, looked up once. Times are the world's."""

    result: Result
    policy: TransferPolicy
    caller: tuple[Heard, ...]
    """What the caller has heard."""
    human: tuple[Heard, ...]
    """What the human has heard."""
    merging_s: float | None
    """When it first began to merge."""
    merged_s: float | None
    over_s: float | None
    """When it came to an end, whatever is released after that."""
    effects: frozenset[str]
    """What was started at that end."""
    calm: bool
    """Whether nothing went wrong around it, so that it can be held to its times."""

    @property
    def given_back(self) -> bool:
        """Whether it ended with the caller and the agent together again."""
        state = self.result.state
        unmerged = self.merged_s is None and state is not State.ABANDONED
        return self.over_s is not None and (unmerged or state is State.RETURNED)

    def heard(self, who: str) -> tuple[Heard, ...]:
        """What the caller or the human has heard."""
        return self.caller if who == "caller" else self.human


def course_of(result: Result, policy: TransferPolicy) -> Course:
    """Look everything up."""
    entered: dict[State, float] = {}
    for at_s, state in result.states:
        entered.setdefault(state, at_s)
    return Course(
        result=result,
        policy=policy,
        caller=result.world.heard("caller"),
        human=result.world.heard("human"),
        merging_s=entered.get(State.MERGING),
        merged_s=entered.get(State.MERGED),
        over_s=next((at_s for at_s, state in result.states if state in FINAL), None),
        effects=_effects_of_the_end(result),
        calm=not _hampered(result.world),
    )


def _effects_of_the_end(result: Result) -> frozenset[str]:
    for line in result.journal:
        if line["after"] in FINAL:
            return frozenset(each["name"] for each in line["effects"])
    return frozenset()


def _hampered(world: World) -> bool:
    return bool(
        world.faults.met
        or world.stalls_s
        or world.late_news_s
        or world.away_s
        or world.absent_s
        or world.returns_s
        or world.cancelled_s
    )
