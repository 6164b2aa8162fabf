"""A workbench: a caller with their agent, the legs of one transfer, and what an adapter posts."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from livekit import rtc

from warm_transfer.effects import Do, Effect
from warm_transfer.events import Event, On
from warm_transfer.livekit.legs import Legs
from warm_transfer.logs import transfer_log
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.clauses import Findings
from warm_transfer.testing.livekit.faults import Fault, Faults
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.play import CALLER, Stage
from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.script import Scenario
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.server import Member

__all__ = ["CONSULT_ROOM", "HUMAN", "SETTLE_S", "Workbench"]

CONSULT_ROOM, HUMAN = "wt_0123456789abcdef0123456789abcdef", "human-agent-sip-01234567"

SETTLE_S = 3.0
"""After everything: what was on its way has arrived."""

_SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP


class Workbench:
    """One transfer's legs on a stage, with nobody who runs the transfer.

    Args:
        stage: the world, with caller and agent in it.
        findings: what the run finds out.
        policy: the limits.
    """

    def __init__(self, stage: Stage, findings: Findings, policy: TransferPolicy) -> None:
        self.stage = stage
        self.world = stage.world
        self.findings = findings
        self.policy = policy
        self.posted: list[tuple[float, Event]] = []
        """What has been posted, and when."""
        self._ids = itertools.count(1)
        self._tasks = asyncio.all_tasks()
        self.legs = Legs(
            transfer_id="workbench",
            sdk=stage.sdk,
            api=stage.sdk.api(),
            policy=policy,
            host=stage.host,
            caller_room=_room(stage.room),
            caller_identity=CALLER,
            consult_name=CONSULT_ROOM,
            human_identity=HUMAN,
            post=self._post,
            log=transfer_log("workbench"),
        )

    @classmethod
    async def set_up(
        cls,
        findings: Findings,
        *,
        told: Scenario | None = None,
        policy: TransferPolicy | None = None,
        phones: Mapping[str, Sequence[Phone]] | None = None,
        faults: Mapping[tuple[str, int], Fault] | None = None,
    ) -> Workbench:
        """A workbench on a fresh stage; faults are planned from here on."""
        told = told or Scenario()
        stage = Stage(told)
        if phones is not None:
            stage.sdk = SimSdk(stage.world, phones=phones, humans=[told.human])
        await stage.set_up()
        began_s = stage.world.now_s
        findings.now_s = lambda: stage.world.now_s - began_s
        stage.world.faults = Faults(faults)
        return cls(stage, findings, policy or TransferPolicy())

    def _post(self, event: Event) -> None:
        self.posted.append((self.world.now_s, event))
        self.findings.note(f"{event.name} is posted")

    # What a contract looks at.

    @property
    def names(self) -> list[On]:
        """The names of what was posted."""
        return [event.name for _, event in self.posted]

    @property
    def faulty(self) -> bool:
        """Whether something has gone wrong that was planned."""
        return bool(self.world.faults.met)

    def heard(self, who: str, tag: str) -> Iterator[tuple[float, float]]:
        """From when to when somebody has heard something, in the world's time."""
        for each in self.world.heard(who):
            if each.tag == tag:
                yield each.from_s, each.to_s

    def hears(self, who: str, tag: str) -> bool:
        """Whether somebody hears something now."""
        return tag in self.world.ears.hears(who)

    # What a contract does.

    def effect(self, name: Do, *, strategy: str | None = None) -> Effect:
        """An effect with an id of its own."""
        return Effect(next(self._ids), name, 1, strategy)

    def beside(self, number: int) -> Legs:
        """The legs of another transfer at the same time."""
        return replace(
            self.legs, consult_name=f"{CONSULT_ROOM}{number}", human_identity=f"{HUMAN}{number}"
        )

    def task(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start something of the adapter's."""
        task = self.world.loop.create_task(work, name=f"sim: contract {name}")
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def ends(
        self, task: asyncio.Task[Any], limit_s: float, clause: str, what: str
    ) -> BaseException | None:
        """Wait for a task; one that does not end breaks a clause. Returns what it raised."""
        await asyncio.wait([task], timeout=limit_s)
        if not task.done():
            self.findings.check(False, clause, f"{what} has not ended after {limit_s:g} s")
            task.cancel()
            await asyncio.wait([task], timeout=1.0)
        if not task.done() or task.cancelled():
            return asyncio.CancelledError()
        return task.exception()

    async def does(
        self, work: Coroutine[Any, Any, Any], limit_s: float, clause: str, what: str
    ) -> BaseException | None:
        """Run something of the adapter's to its end, as `ends`."""
        error = await self.ends(self.task(work, what), limit_s, clause, what)
        self.findings.note(f"{what} returns" if error is None else f"{what} raises {error!r}")
        return error

    async def released(
        self,
        release: Callable[[], Coroutine[Any, Any, None]],
        what: str,
        *,
        in_time: str,
        repeats: str,
    ) -> None:
        """Release something; what fails is tried again after a pause, as the runner does.

        Args:
            release: does it.
            what: what it is called.
            in_time: the clause that it breaks when it does not end.
            repeats: the clause that it breaks when it raises though nothing has gone wrong.
        """
        policy = self.policy
        for turn in range(policy.release_attempts_max):
            error = await self.does(_begun(release), policy.release_timeout_s, in_time, what)
            clean = not self.faulty
            ends = error is None or isinstance(error, asyncio.CancelledError)
            self.findings.check(ends or not clean, repeats, f"{what} raises {error!r}")
            if error is None or clean:
                return
            await asyncio.sleep(policy.release_pause_s * 2**turn)

    async def join_consult(self) -> SimRoom:
        """The agent joins the consult room."""
        room = self.stage.sdk.room()
        self.legs.consult_room = _room(room)
        token = self.stage.sdk.token(self.legs.consult_name, "agent", 120.0)
        await room.connect(self.stage.sdk.url, token)
        self.legs.consult_joined.set()
        return room

    def human_joins(self, *, status: str = "active", muted: bool = False) -> Member:
        """The human's leg is in the consult room, with its microphone."""
        leg = self.world.join(
            self.legs.consult_name,
            self.legs.human_identity,
            kind=_SIP,
            ear="human",
            attributes={"sip.callStatus": status},
        )
        track = self.world.publish(leg, self.legs.human_identity)
        self.world.set_tag(track, "human")
        self.world.mute(track, muted)
        return leg

    async def finish(self, clause: str) -> None:
        """Close what the workbench has opened; what is left then is the adapter's."""
        self.world.faults = Faults()
        self.legs.at_end.close()
        room, self.legs.consult_room = self.legs.consult_room, None
        if room is not None:
            await room.disconnect()
        await self.legs.delete_room(self.legs.consult_name)
        await self.legs.api.aclose()
        await asyncio.sleep(SETTLE_S)
        left = self.world.left()
        self.findings.check(not left, clause, f"left behind: {left}")
        tasks = asyncio.all_tasks() - self._tasks - {asyncio.current_task()}
        names = sorted(each.get_name() for each in tasks if not each.get_name().startswith("sim:"))
        self.findings.check(not names, clause, f"tasks run on: {', '.join(names)}")


def _room(room: Any) -> Any:
    """A simulated room stands for a real one."""
    return room


async def _begun(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """An adapter may fail before there is anything to await."""
    await work()
