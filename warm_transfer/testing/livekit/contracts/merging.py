"""The contract of a merge strategy: `warm_transfer.livekit.merge.MergeStrategy`, clause by clause.

Caller and human are in their rooms with an agent in each, and nobody speaks but they. The four
verbs come in the orders in which the library uses them, cut off, repeated, and with faults.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from livekit import rtc

from warm_transfer.livekit.merge import MergeStrategy
from warm_transfer.livekit.places import place_of
from warm_transfer.livekit.preflight import forget
from warm_transfer.policy import Carrier
from warm_transfer.testing.clauses import Findings
from warm_transfer.testing.contract import Contract
from warm_transfer.testing.livekit.contracts.workbench import Workbench
from warm_transfer.testing.livekit.faults import Fault, Faults, How
from warm_transfer.testing.livekit.play import AGENT, CALLER_ROOM
from warm_transfer.testing.livekit.script import Caller, Scenario
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.server import Member
from warm_transfer.testing.livekit.world import World

__all__ = ["MergePlan", "MergeStrategyContract"]

_SOUND_S = 1.0
"""How long after a merge, or its undoing, sound may take to come or to go."""
_TALK_S = 2.0
"""Shorter than a consult room in which nobody but the agent is left lives on."""

_CALLS = (
    "room.publish_track",
    "room.unpublish_track",
    "room.move_participant",
    "room.update_participant",
    "room.update_subscriptions",
    "room.list_participants",
    "room.remove_participant",
    "sip.create_sip_participant",
    "stream.open",
)
#: A call that hangs is the clock's business: the library cuts a verb off at its limit.
_WAYS = (How.FAILS, How.FAILS_AFTER, How.LATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlan:
    """One human to be joined to one caller."""

    prepare: bool = True
    """Whether it is prepared; a strategy that is fallen back to is not."""
    times: int = 1
    """How often in a row it is merged, as after an answer that was lost."""
    cut_s: float | None = None
    """When the (last) merge is cut off, in seconds from its beginning."""
    muted: bool = False
    """Whether the human's microphone is muted."""
    human_leaves: bool = False
    """Whether the human hangs up once they are merged."""
    agent_leaves: bool = False
    """Whether the agent leaves the merged call, where the carrier says that it may."""
    again: bool = False
    """Whether they are merged once more after it has been undone."""
    faults: Mapping[tuple[str, int], Fault] = field(default_factory=dict)
    """Which calls go wrong."""


class MergeStrategyContract(Contract[MergePlan]):
    """Derive from it and say in `make_strategy` how to make your merge strategy."""

    CLAUSES: ClassVar[Mapping[str, str]] = {
        "it_has_a_name_and_a_carrier": (
            "`name` is a text and `carrier` a `Carrier`; journal and table depend on them."
        ),
        "nothing_is_heard_before_the_merge": (
            "`prepare` lets nobody hear the other; that is the merge's to do."
        ),
        "a_merge_comes_about": "Without a fault `merge` returns, with a muted microphone too.",
        "merged_means_they_hear_each_other": (
            "When `merge` has returned, caller and human hear each other, unless muted."
        ),
        "merging_again_joins_them_once": (
            "`merge` called again joins them once all the same: twice is an echo."
        ),
        "a_failed_merge_is_not_heard": (
            "When `merge` has raised, nothing of it is heard after the `unmerge` that follows."
        ),
        "the_leg_is_at_rest_again": (
            "What `merge` clears to move the leg, `legs.at_rest`, it sets again, also when it is "
            "cut off."
        ),
        "health_tells_what_is": (
            "`health` is true while they hear each other, false when the human has gone or the "
            "merge is undone, within half of `look_timeout_s`."
        ),
        "the_carrier_carries": (
            "Where the carrier says that the agent is not needed, the two still hear each other "
            "when it has gone; for the server's, without a consult room too."
        ),
        "only_a_break_is_told": "`broke` is called for a standing merge that breaks, for no other.",
        "unmerge_undoes_it": (
            "After `unmerge` neither hears the other, also when the merge was cut off half-way."
        ),
        "unmerge_is_safe_to_repeat": (
            "`unmerge` raises nothing: first, again, or with nothing done."
        ),
        "unmerge_asks_nobody_for_nothing": (
            "With nothing to undo, `unmerge` sends no request to the server."
        ),
        "verbs_end_in_time": (
            "Each verb ends within its limit of the policy, and when it is cut off."
        ),
        "nothing_is_left": (
            "When it is undone, no track, stream, listener or task is left, and no limit on who "
            "hears whom."
        ),
    }

    caller_by_phone: ClassVar[bool] = False
    """Whether the caller is a SIP leg; else a WebRTC client."""

    def make_strategy(self) -> MergeStrategy:
        """A fresh strategy, for one transfer."""
        raise NotImplementedError

    def set_up(self, world: World) -> None:
        """Prepare the server for it, such as ``world.cloud = True``."""

    def usual(self) -> Sequence[MergePlan]:
        """Merged, merged again, cut off, undone, left alone."""
        plans = [
            MergePlan(),
            MergePlan(prepare=False),
            MergePlan(muted=True),
            MergePlan(times=2),
            MergePlan(again=True),
            MergePlan(human_leaves=True),
            MergePlan(agent_leaves=True),
        ]
        plans += [MergePlan(cut_s=at_s) for at_s in (0.0, 0.001, 0.02, 0.05, 0.1, 0.2, 0.4)]
        plans += [MergePlan(cut_s=0.02, again=True)]
        return plans + [
            MergePlan(faults={(name, 1): Fault(how)}) for name in _CALLS for how in _WAYS
        ]

    def drawn(self, st: Any) -> Any:
        """Any order, cut off at any time, with anything going wrong."""
        fault = st.builds(Fault, st.sampled_from(_WAYS), seconds=st.floats(0.0, 10.0))
        calls = st.tuples(st.sampled_from(_CALLS), st.integers(1, 3))
        return st.builds(
            MergePlan,
            prepare=st.booleans(),
            times=st.integers(1, 2),
            cut_s=st.none() | st.floats(0.0, 1.0).map(lambda value: round(value, 3)),
            muted=st.booleans(),
            human_leaves=st.booleans(),
            agent_leaves=st.booleans(),
            again=st.booleans(),
            faults=st.dictionaries(calls, fault, max_size=2),
        )

    async def play(self, plan: MergePlan, findings: Findings) -> None:
        """Brief, prepare, merge, look, undo; and look at who hears whom all the while."""
        forget(SimSdk.url)
        strategy = self.make_strategy()
        named = isinstance(getattr(strategy, "name", None), str) and strategy.name
        carried = isinstance(getattr(strategy, "carrier", None), Carrier)
        findings.check(named and carried, "it_has_a_name_and_a_carrier", "one of them is not")
        if findings.broken:
            return
        told = Scenario(caller=Caller(by_phone=self.caller_by_phone))
        bench = await Workbench.set_up(findings, told=told)
        self.set_up(bench.world)
        await _Merging(bench, strategy, plan).run()


class _Merging:
    """One run of a plan."""

    def __init__(self, bench: Workbench, strategy: MergeStrategy, plan: MergePlan) -> None:
        self.bench = bench
        self.legs = bench.legs
        self.strategy = strategy
        self.plan = plan
        self.place = place_of([strategy])
        self.check = bench.findings.check
        self.human: Member
        self._may_break = False

    async def run(self) -> None:
        plan = self.plan
        await self._brief()
        await self._undo_nothing()
        self.bench.world.faults = Faults(plan.faults)
        if plan.prepare:
            await self._prepare()
        merged = False
        for turn in range(plan.times):
            cut_s = plan.cut_s if turn == plan.times - 1 else None
            merged = await self._merge(cut_s)
        if merged:
            await self._talk()
        if (
            merged
            and self.human.joined
            and plan.agent_leaves
            and self.strategy.carrier is not Carrier.AGENT
        ):
            await self._agent_leaves()
            return
        await self._unmerge()
        if plan.again and self.human.joined:
            await self._merge(None)
            await self._unmerge()
        await self._end()

    async def _brief(self) -> None:
        """The agent and the human are in the place where the human is talked to."""
        bench, legs = self.bench, self.legs
        legs.consult_name = self.place.room_name(CALLER_ROOM, None, legs.consult_name)
        self.place.guard(legs)
        await self.place.make(legs)
        room = bench.stage.sdk.room()
        legs.consult_room = room
        token = bench.stage.sdk.token(legs.consult_name, self.place.identity(legs), 120.0)
        await room.connect(bench.stage.sdk.url, token)
        legs.consult_joined.set()
        self.place.enter(legs, room)
        self.human = bench.human_joins(muted=self.plan.muted)
        await self.place.admit(legs)
        await asyncio.sleep(1.0)

    async def _undo_nothing(self) -> None:
        before = self._requests()
        await self._unmerge_once("unmerge with nothing done")
        asked = self._requests() - before
        self.check(not asked, "unmerge_asks_nobody_for_nothing", f"it sent {asked}")

    def _requests(self) -> int:
        calls = self.bench.world.faults.calls
        return sum(n for name, n in calls.items() if not name.startswith(("stream.", "source.")))

    async def _prepare(self) -> None:
        limit_s = self.bench.policy.api_timeout_s
        await self.bench.does(
            self.strategy.prepare(self.legs), limit_s, "verbs_end_in_time", "prepare"
        )
        await asyncio.sleep(_SOUND_S)
        self.check(not self._crossing, "nothing_is_heard_before_the_merge", self._crossing)

    @property
    def _crossing(self) -> str:
        """Who hears whom; empty when nobody hears the other."""
        pairs = (("caller", "human"), ("human", "caller"))
        found = [f"the {who} hears the {whom}" for who, whom in pairs if self._hears(who, whom)]
        return ", ".join(found)

    def _hears(self, who: str, whom: str) -> bool:
        return self.bench.hears(who, whom)

    @property
    def _joined(self) -> str:
        """What is wrong with how they hear each other; empty when nothing is."""
        wanted = [("human", "caller")]
        if not self.plan.muted:
            wanted.append(("caller", "human"))
        deaf = [
            f"the {who} does not hear the {whom}"
            for who, whom in wanted
            if not self._hears(who, whom)
        ]
        return ", ".join(deaf)

    @property
    def _echo(self) -> str:
        """Who hears the other more than once; empty when nobody does."""
        caller = self.bench.stage.caller
        found = []
        for member, whom in ((caller, "human"), (self.human, "caller")):
            sounds = (
                [track for track in member.receives if whom in track.sound.split("+")]
                if member
                else []
            )
            if len(sounds) > 1:
                found.append(f"the {whom} is heard {len(sounds)} times")
        return ", ".join(found)

    def _broke(self, error: BaseException | None) -> None:
        self.bench.findings.note(f"broke({error!r})")
        self.check(self._may_break or self.bench.faulty, "only_a_break_is_told", "nothing broke")

    async def _merge(self, cut_s: float | None) -> bool:
        """Merge, or cut it off; whether it stands."""
        limit_s = self.bench.policy.merge_timeout_s
        task = self.bench.task(self.strategy.merge(self.legs, self._broke), "merge")
        done, _ = await asyncio.wait([task], timeout=limit_s if cut_s is None else cut_s)
        clean = not self.bench.faulty
        if not done:
            self.bench.findings.note("merge is cut off")
            self.check(cut_s is not None or not clean, "a_merge_comes_about", "it does not return")
            task.cancel()
            await asyncio.wait([task], timeout=self.bench.policy.api_timeout_s)
            self.check(task.done(), "verbs_end_in_time", "a merge that was cut off goes on")
            self._rests()
            return False
        error = None if task.cancelled() else task.exception()
        self.bench.findings.note("merge returns" if error is None else f"merge raises {error!r}")
        self._rests()
        self.check(error is None or not clean, "a_merge_comes_about", f"it raises {error!r}")
        if error is not None:
            await self._unmerge_once("unmerge of what failed")
        await asyncio.sleep(_SOUND_S)
        if error is not None:
            self.check(not self._crossing, "a_failed_merge_is_not_heard", self._crossing)
            return False
        self.check(not self._joined, "merged_means_they_hear_each_other", self._joined)
        self.check(not self._echo, "merging_again_joins_them_once", self._echo)
        return True

    def _rests(self) -> None:
        self.check(self.legs.at_rest.is_set(), "the_leg_is_at_rest_again", "it is not set")

    async def _talk(self) -> None:
        """They talk; the merge says that it stands, and no more when the human has gone."""
        await asyncio.sleep(_TALK_S)
        await self._health(stands=True)
        if self.plan.human_leaves:
            self._may_break = True
            self.bench.findings.note("the human hangs up")
            self.bench.world.leave(self.human, rtc.DisconnectReason.CLIENT_INITIATED)
            await asyncio.sleep(1.0)
            if self.strategy.carrier is Carrier.AGENT:
                # With the others the library looks itself who is in the rooms.
                await self._health(stands=False)

    async def _health(self, *, stands: bool) -> None:
        limit_s = self.bench.policy.look_timeout_s / 2
        task = self.bench.task(self.strategy.health(self.legs), "health")
        clause = "health_tells_what_is"
        error = await self.bench.ends(task, limit_s + 0.001, clause, "health")
        if self.bench.faulty or not task.done() or task.cancelled():
            return
        self.check(error is None, clause, f"it raises {error!r}")
        if error is None:
            said = bool(task.result())
            self.check(said is stands, clause, f"it says {said}")

    async def _agent_leaves(self) -> None:
        """The agent goes, as the carrier says it may; the sound stays."""
        bench, legs = self.bench, self.legs
        self._may_break = True
        bench.world.faults = Faults()
        consult = legs.consult_room
        own = legs.consult_name != CALLER_ROOM
        if self.strategy.carrier is Carrier.SERVER and own:
            await legs.delete_room(legs.consult_name)
        if consult is not None:
            await consult.disconnect()
        await bench.stage.room.disconnect()
        await asyncio.sleep(_TALK_S)
        self.check(not self._joined, "the_carrier_carries", f"the agent gone, {self._joined}")
        await self.place.aclose()
        await legs.api.aclose()

    async def _unmerge(self) -> None:
        await self._unmerge_once("unmerge")
        await asyncio.sleep(_SOUND_S)
        apart = not self._crossing or self.bench.faulty
        self.check(apart, "unmerge_undoes_it", self._crossing)
        before = self._requests()
        await self._unmerge_once("unmerge again")
        asked = self._requests() - before
        quiet = not asked or self.bench.faulty
        self.check(quiet, "unmerge_asks_nobody_for_nothing", f"again it sent {asked}")

    async def _unmerge_once(self, what: str) -> None:
        await self.bench.released(
            lambda: self.strategy.unmerge(self.legs),
            what,
            in_time="verbs_end_in_time",
            repeats="unmerge_is_safe_to_repeat",
        )

    async def _end(self) -> None:
        """The human is hung up, and the place given back."""
        bench = self.bench
        # Who was put into the caller's room and has no room to go back to is hung up there.
        parted = self.strategy.carrier is Carrier.SERVER or not self._crossing
        self.check(parted, "unmerge_undoes_it", self._crossing)
        bench.world.faults = Faults()
        if self.human.joined:
            bench.world.leave(self.human, rtc.DisconnectReason.PARTICIPANT_REMOVED)
        await self.place.give_back(self.legs)
        await self.place.aclose()
        own = self.legs.consult_name != CALLER_ROOM
        if not own and self.legs.consult_room is not None:
            await self.legs.consult_room.disconnect()
            self.legs.consult_room = None
            self.legs.consult_name = "gone"
        await asyncio.sleep(_SOUND_S)
        agent = bench.world.member(CALLER_ROOM, AGENT)
        free = agent is None or agent.permissions is None
        self.check(free, "nothing_is_left", "the agent's own voice is still limited to somebody")
        await bench.finish("nothing_is_left")
        # What runs on is cancelled with the loop.
        self._may_break = True
