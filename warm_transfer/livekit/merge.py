"""Joining the legs: the port of a merge strategy, and the effects that use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from warm_transfer.effects import Effect
from warm_transfer.events import Event, Facts, On
from warm_transfer.livekit.legs import Legs, each_has_its_turn
from warm_transfer.livekit.whereabouts import are_placed
from warm_transfer.policy import Carrier, Strategy

__all__ = ["Merge", "MergeStrategy"]


class MergeStrategy(Protocol):
    """A way of joining the legs: four verbs, each bounded from outside and safe to repeat."""

    @property
    def name(self) -> str:
        """The name in options, journal and outcome."""
        ...

    @property
    def carrier(self) -> Carrier:
        """Who carries the sound, and so what has to stay after the merge."""
        ...

    async def prepare(self, legs: Legs) -> None:
        """Get ready while the human is being briefed; nothing may be heard yet.

        Only the first strategy is prepared. That may fail or be cut off, and the agent's rooms
        may reconnect later: `merge` makes up for it, and `unmerge` undoes it.
        """
        ...

    async def merge(self, legs: Legs, broke: Callable[[BaseException | None], None]) -> str | None:
        """Join the legs and return when both parties can hear each other.

        Called again, after a break or a lost answer, it joins them once all the same.

        Args:
            legs: who is where.
            broke: to be called when a standing merge breaks.

        Returns:
            What could not be verified, in words for journal and outcome, such as a muted
            microphone, from which no frame can flow; None when everything was.

        Raises:
            Exception: the merge failed, and nothing of it is heard.
        """
        ...

    async def unmerge(self, legs: Legs) -> None:
        """Undo a merge, also one that was cut off half-way, and what was prepared.

        Safe to repeat, and without a request to the server when there is nothing to undo.
        """
        ...

    async def health(self, legs: Legs) -> bool:
        """Whether the merge stands.

        At most half of `look_timeout_s` is left to it: then the server is asked who is where.
        """
        ...


class Merge:
    """PREPARE_MERGE, MERGE_LEGS, UNMERGE_LEGS and LOOK_AT_ROOMS."""

    def __init__(self, legs: Legs, strategies: Sequence[MergeStrategy]) -> None:
        self._legs = legs
        self._strategies = {each.name: each for each in strategies}

    @property
    def plan(self) -> tuple[Strategy, ...]:
        """The strategies as the core knows them."""
        return tuple(Strategy(each.name, each.carrier) for each in self._strategies.values())

    async def prepare(self, effect: Effect) -> None:
        """Get the strategy ready. What goes wrong is logged; the merge finds out."""
        await self._strategy(effect).prepare(self._legs)

    async def merge(self, effect: Effect) -> None:
        """Join the legs. What goes wrong is raised, and becomes MERGE_FAILED or _UNCERTAIN."""

        def broke(error: BaseException | None) -> None:
            facts = Facts(strategy=effect.strategy, detail=type(error).__name__, cause=error)
            self._legs.post(Event(On.MERGE_BROKE, facts, effect=effect.id))

        unverified = await self._strategy(effect).merge(self._legs, broke)
        self._report(On.MERGE_CONFIRMED, effect, unverified)

    async def look(self, effect: Effect) -> None:
        """Settle an uncertain merge by looking: at the sound, then at both rooms at the server.

        A server that does not say who is where leaves a merge that is heard as it is.
        """
        strategy, unverified = self._strategy(effect), None
        stands = await strategy.health(self._legs)
        if stands:
            try:
                stands = await are_placed(self._legs, strategy.carrier)
            except Exception as error:  # noqa: BLE001 - what we hear ourselves is what is left
                unverified = f"not verified: who is in the rooms ({type(error).__name__})"
        self._report(On.MERGE_CONFIRMED if stands else On.MERGE_FAILED, effect, unverified)

    async def unmerge(self) -> None:
        """Undo whatever any strategy has joined."""
        strategies = self._strategies.values()
        await each_has_its_turn(each.unmerge(self._legs) for each in strategies)

    def _strategy(self, effect: Effect) -> MergeStrategy:
        assert effect.strategy is not None
        return self._strategies[effect.strategy]

    def _report(self, name: On, effect: Effect, detail: str | None = None) -> None:
        facts = Facts(strategy=effect.strategy, detail=detail)
        self._legs.post(Event(name, facts, effect=effect.id))
