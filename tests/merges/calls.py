"""One call: a caller, a phone, a transfer, and what either of them heard of whom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tests.live.control import Control
from tests.live.hearing import Hearing, Piece, assemble
from tests.live.people import Caller, Person, Stage, token
from tests.live.phone import Phone
from tests.live.pilots import MARK_OF, Pilot
from tests.live.scenarios import Hears, Mark, Scenario, Step, Until, Wait
from tests.merges.bench import Bench
from tests.merges.carriers import CALLER, HUMAN
from tests.merges.delays import arrivals_ms, first_heard_s
from warm_transfer.outcome import Reason
from warm_transfer.states import State

__all__ = ["MARKS", "Call", "Trouble", "make_call", "make_pair"]

MARKS = 3
RING_S = 1.0
"""As short as a phone that answers by itself; a ringing one is longer."""
BRIEFING_S = 1.2
CALL_S = 60.0
CLOSED_S = 15.0
SETTLE_S = 0.5

Trouble = Callable[["Call"], Awaitable[None]]
"""What befalls a call; awaited from its beginning on, beside it."""


@dataclass
class Call:
    """A call, while it goes on and after it."""

    caller: Caller
    phone: Phone
    stage: Stage
    control: Control
    faults: list[str] = field(default_factory=list)

    @property
    def human(self) -> Person | None:
        """The person at the phone, once it has been dialled."""
        return self.phone.human

    @property
    def result(self) -> str | None:
        """How the transfer ended."""
        return self.control.reports.get("outcome", {}).get("result")

    @property
    def accepted_s(self) -> float | None:
        """When the human's yes was given."""
        return self.control.reports.get("act", {}).get("at_s")

    @property
    def closed(self) -> bool:
        """Whether nothing was left of the transfer at the end."""
        return bool(self.control.reports.get("closed", {}).get("closed"))

    def pieces_at(self, who: Pilot) -> list[Piece]:
        """Everything that somebody's ear has got."""
        person = self.caller if who is Pilot.CALLER else self.human
        return person.ear.pieces if person is not None else []

    def gap_ms(self) -> float | None:
        """From the acceptance to both hearing each other; None when they do not."""
        if self.accepted_s is None:
            return None
        heard = [
            first_heard_s(self.pieces_at(ear), pilot, self.accepted_s)
            for ear, pilot in ((Pilot.CALLER, Pilot.HUMAN), (Pilot.HUMAN, Pilot.CALLER))
        ]
        times = [each for each in heard if each is not None]
        return 1000 * (max(times) - self.accepted_s) if len(times) == 2 else None

    def one_way_ms(self) -> list[float]:
        """The delays of all markers, both ways."""
        human = self.human
        return [] if human is None else delays_between(self.caller, human)

    def leaks(self) -> dict[str, int]:
        """Frames of 20 ms that somebody heard who was not to.

        Of what the human's leg gets, from the answer on: before it livekit-sip asks for no track
        and plays the phone nothing (facts A.0), while the stand-in is a client that asks at once.
        """
        merging_s = self.stage.states.get(State.MERGING)
        answered_s = self.human.up_s if self.human is not None else None
        at_caller = Hearing(*assemble(self.pieces_at(Pilot.CALLER)))
        at_human = Hearing(*assemble(self.pieces_at(Pilot.HUMAN)))
        callers, humans = (Pilot.CALLER, Pilot.CALLER_MARK), (Pilot.HUMAN, Pilot.HUMAN_MARK)
        return {
            "briefing_at_caller": at_caller.frames_of(Pilot.BRIEFING),
            "caller_at_human": at_human.frames_of(*callers, from_s=answered_s, to_s=merging_s),
            "music_at_human": at_human.frames_of(Pilot.MUSIC, from_s=answered_s),
            "human_at_caller": at_caller.frames_of(*humans, to_s=merging_s),
        }


def delays_between(caller: Person, human: Person) -> list[float]:
    """The delays of the markers that two people have sent each other."""
    return [
        *arrivals_ms(human.ear.pieces, MARK_OF[Pilot.CALLER], caller.mouth.marks_s),
        *arrivals_ms(caller.ear.pieces, MARK_OF[Pilot.HUMAN], human.mouth.marks_s),
    ]


async def make_call(
    bench: Bench,
    strategy: str,
    *,
    marks: int = MARKS,
    talk_s: float = 0.0,
    briefing_s: float = BRIEFING_S,
    trouble: Trouble | None = None,
) -> Call:
    """Make one call from the caller's arrival to nothing being left."""
    stage = Stage()
    scenario = _scenario(strategy, marks, talk_s)
    phone = Phone(bench.server, stage, scenario, mute=False)
    control, caller, room = Control(phone, stage), Caller(stage), bench.room()
    call = Call(caller, phone, stage, control)
    befalling: asyncio.Future[None] | None = None
    try:
        url = await control.start()
        # As a phone comes in: a SIP leg in the agent's room.
        attributes = {"sip.callStatus": "active"}
        await caller.join(bench.server, token(bench.server, room, CALLER, "sip", attributes))
        caller.open()
        bench.agent.send(
            "call",
            room=room,
            merge=strategy,
            control=url,
            music=str(bench.output / "music.wav"),
            journal=str(bench.output / "journal.jsonl"),
            briefing_s=briefing_s,
            limit_s=CALL_S,
        )
        if trouble is not None:
            befalling = asyncio.ensure_future(trouble(call))
        await _talk(call, scenario.caller)
        if befalling is not None:
            await befalling
        await control.wait_for("outcome", CLOSED_S)
        await control.wait_for("closed", CLOSED_S)
    except Exception as error:  # noqa: BLE001 - one call that fails is a finding of the run
        call.faults.append(f"{type(error).__name__}: {error}")
    finally:
        if befalling is not None:
            befalling.cancel()
        await caller.aclose()
        await phone.aclose()
        await control.aclose()
    call.faults += stage.faults
    return call


async def _talk(call: Call, steps: Sequence[Step]) -> None:
    """Both do what they do; then the caller hangs up."""
    async with asyncio.timeout(CALL_S):
        await call.caller.perform(steps)
    # The human's last marker is sent with the caller's, and still on its way.
    await asyncio.sleep(SETTLE_S)
    await call.caller.hang_up()


def _scenario(strategy: str, marks: int, talk_s: float) -> Scenario:
    return Scenario(
        name=f"merge by {strategy}",
        result=State.MERGED,
        reason=Reason.ACCEPTED,
        caller=_steps(Pilot.HUMAN, marks, talk_s),
        human=_steps(Pilot.CALLER, marks, talk_s),
        ring_s=RING_S,
    )


def _steps(other: Pilot, marks: int, talk_s: float) -> tuple[Step, ...]:
    return (Until(State.MERGED), Hears(other), Wait(talk_s), Mark(marks))


async def make_pair(bench: Bench, kind: str, *, marks: int = MARKS) -> list[float]:
    """Measure the delays without a transfer: in one room, or through the naive relay."""
    stage = Stage()
    caller, human = Person(Pilot.CALLER, stage), Person(Pilot.HUMAN, stage)
    first = bench.room()
    second = first if kind == "same_room" else bench.room()
    try:
        await caller.join(bench.server, token(bench.server, first, CALLER, "sip", {}))
        await human.join(bench.server, token(bench.server, second, HUMAN, "sip", {}))
        caller.open()
        human.open()
        if kind != "same_room":
            bench.agent.send("carry", kind=kind, rooms=[[first, second]])
            await bench.agent.answer()
        await asyncio.gather(
            caller.perform((Hears(Pilot.HUMAN), Mark(marks))),
            human.perform((Hears(Pilot.CALLER), Mark(marks))),
        )
        await asyncio.sleep(SETTLE_S)
        if kind != "same_room":
            bench.agent.send("drop")
            await bench.agent.answer()
    finally:
        await caller.aclose()
        await human.aclose()
    return delays_between(caller, human)
