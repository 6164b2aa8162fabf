"""The contract of a dialer: what `warm_transfer.Dialer` promises, clause by clause.

The dialer is used as the library uses it: dialled once, hung up again and again until the dial
has ended, its leg removed and its room deleted beside that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from warm_transfer.effects import Do
from warm_transfer.livekit.dial import Dial, DialOptions
from warm_transfer.livekit.legs import Legs
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Dialer, DialRefused, DialRequest
from warm_transfer.testing.clauses import Findings, brief
from warm_transfer.testing.contract import Contract
from warm_transfer.testing.livekit.contracts.carrier import Carrier
from warm_transfer.testing.livekit.contracts.workbench import SETTLE_S, Workbench
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.phones import At, Call, Phone
from warm_transfer.testing.livekit.play import DESTINATION

__all__ = ["DialPlan", "DialerContract"]

_BESIDE = "+15105550199"
"""Whom the second call at the same time rings; they answer."""

_TALK_S = 5.0
"""How long an answered call is watched before it is hung up."""

_HANG_UP_LIMIT_S = 60.0
"""A hang-up that fails is repeated; then it has ended, or nobody waits for it."""

_CALLS = ("carrier.call", "carrier.wait_answered", "sip.create_sip_participant")
#: A request that is replayed rings twice whatever a dialer does, and LiveKit's client has a limit.
_WAYS = (How.FAILS, How.FAILS_AFTER, How.LATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialPlan:
    """One dial: what the phone does, and what comes in between."""

    phone: Phone = field(default_factory=Phone)
    hang_up_s: float | None = None
    """When the library gives the call up, in seconds from the dial; None: after the answer."""
    cancel_s: float | None = None
    """When somebody cancels every task, the dial included."""
    beside: bool = False
    """Whether the same dialer rings somebody else at the same time, who answers and stays."""
    faults: Mapping[tuple[str, int], Fault] = field(default_factory=dict)
    """Which calls of the provider or of LiveKit go wrong."""


def _within_the_limit(faults: dict[tuple[str, int], Fault]) -> dict[tuple[str, int], Fault]:
    """Let no hang-up of the provider's take longer than the library waits for one."""
    limit_s = 0.8 * TransferPolicy().api_timeout_s
    return {
        (name, number): replace(fault, seconds=min(fault.seconds, limit_s))
        if name == "carrier.hang_up"
        else fault
        for (name, number), fault in faults.items()
    }


class DialerContract(Contract[DialPlan]):
    """Derive from it and say in `make_dialer` how to make your dialer."""

    CLAUSES: ClassVar[Mapping[str, str]] = {
        "rings_whom_it_is_told": "`dial` rings `request.destination` and nobody else.",
        "refused_means_nobody_rings": (
            "After `DialRefused` no phone rings: what may be ringing raises something else."
        ),
        "dial_ends_by_itself": (
            "`dial` ends within `request.timeout_s`, whatever the provider does, also after "
            "`hang_up`."
        ),
        "dial_returns_at_the_answer": (
            "`dial` returns when the human has answered, not before, and not without one."
        ),
        "rings_once": "One `dial` is one call: a human is not rung twice.",
        "joins_as_it_is_told": (
            "Who answers is in `request.room` as `request.identity`; by them the leg is watched."
        ),
        "a_refusal_is_told": (
            "A phone that refuses, or is not answered, is raised as `DialRefused`."
        ),
        "the_call_outlives_the_dial": (
            "The call goes on when `dial` has returned, until it is hung up."
        ),
        "hang_up_is_quick_and_safe": (
            "`hang_up` returns within `TransferPolicy.api_timeout_s` and raises nothing: before "
            "the dial, twice, and when the call is over."
        ),
        "hang_up_ends_the_call": (
            "When the library's hang-up has ended, no phone rings or talks, and none will."
        ),
        "calls_do_not_mix": "Hanging one call up leaves another one of the same dialer alone.",
        "cancellation_is_not_swallowed": "A `dial` that is cancelled ends as cancelled.",
        "nothing_is_left": "When it is over, no task runs on and nothing is open.",
    }

    def make_dialer(self, carrier: Carrier) -> Dialer:
        """The dialer, with the simulated provider in the place of yours."""
        raise NotImplementedError

    def usual(self) -> Sequence[DialPlan]:
        """A phone that answers, refuses, is not answered, and every way to give it up."""
        phones = (
            Phone(),
            Phone(refuses_with=486),
            Phone(answers_after_s=None),
            Phone(answers_after_s=None, answers_on_cancel=True),
            Phone(request_lost_after_s=1.0),
            Phone(request_hangs=True),
        )
        plans = [DialPlan(phone=phone) for phone in phones]
        plans += [DialPlan(hang_up_s=at_s) for at_s in (0.0, 0.003, 0.03, 2.0, 3.999, 4.005)]
        plans += [DialPlan(cancel_s=at_s) for at_s in (0.01, 2.0)]
        plans += [DialPlan(hang_up_s=2.0, beside=True), DialPlan(hang_up_s=6.0, beside=True)]
        plans += [DialPlan(faults={(name, 1): Fault(how)}) for name in _CALLS for how in _WAYS]
        plans.append(DialPlan(faults={("carrier.wait_answered", 1): Fault(How.HANGS)}))
        return plans

    def drawn(self, st: Any) -> Any:
        """Any phone, given up at any time, with anything going wrong."""
        seconds = st.floats(0.0, 70.0).map(lambda value: round(value, 3))
        soon = st.floats(0.0, 6.0).map(lambda value: round(value, 3))
        phone = st.builds(
            Phone,
            rings_after_s=st.none() | soon,
            answers_after_s=st.none() | seconds,
            refuses_with=st.none() | st.sampled_from([404, 480, 486, 500, 503, 603]),
            refuses_after_s=soon,
            answers_on_cancel=st.booleans(),
            request_lost_after_s=st.none() | soon,
            request_hangs=st.booleans(),
        )
        fault = st.builds(Fault, st.sampled_from(_WAYS), seconds=st.floats(0.0, 20.0))
        calls = st.tuples(st.sampled_from([*_CALLS, "carrier.hang_up"]), st.integers(1, 2))
        return st.builds(
            DialPlan,
            phone=phone,
            hang_up_s=st.none() | seconds | soon,
            cancel_s=st.none() | soon,
            beside=st.booleans(),
            faults=st.dictionaries(calls, fault, max_size=2).map(_within_the_limit),
        )

    async def play(self, plan: DialPlan, findings: Findings) -> None:
        """Dial, give it up as planned, and look at the phones."""
        phones = {DESTINATION: [plan.phone], _BESIDE: [Phone(answers_after_s=2.0)]}
        bench = await Workbench.set_up(findings, phones=phones, faults=plan.faults)
        carrier = Carrier(bench.stage.sdk, bench.legs.api)
        dialer = self.make_dialer(carrier)
        first = _Dialled(bench, bench.legs, dialer, DESTINATION)
        first.begin()
        beside = None
        if plan.beside:
            beside = _Dialled(bench, bench.beside(2), dialer, _BESIDE)
            beside.begin()
        await first.go(plan)
        if beside is not None:
            await beside.is_alone()
            await beside.give_up()
        await _is_safe_to_repeat(bench, dialer, first.request)
        await bench.finish("nothing_is_left")


class _Watched:
    """A dialer whose calls are noted."""

    def __init__(self, dialer: Dialer, dialled: _Dialled) -> None:
        self._dialer = dialer
        self._dialled = dialled

    async def dial(self, request: DialRequest) -> None:
        note = self._dialled.bench.findings.note
        note(f"dial({request.destination})")
        try:
            await self._dialer.dial(request)
        except BaseException as error:
            told = f"DialRefused({brief(error.facts)})" if isinstance(error, DialRefused) else error
            note(f"dial raises {told if isinstance(told, str) else repr(told)}")
            self._dialled.ended(error)
            raise
        note("dial returns")
        self._dialled.ended(None)

    async def hang_up(self, request: DialRequest) -> None:
        bench = self._dialled.bench
        self._dialled.given_up = True
        begun_s = bench.world.now_s
        try:
            await self._dialer.hang_up(request)
        except Exception as error:
            # A provider that fails is no fault of the dialer's: it is asked again.
            fault = bench.faulty
            bench.findings.check(fault, "hang_up_is_quick_and_safe", f"hang_up raises {error!r}")
            raise
        finally:
            took_s = bench.world.now_s - begun_s
            quick = took_s < bench.policy.api_timeout_s or bench.faulty
            bench.findings.check(quick, "hang_up_is_quick_and_safe", f"it took {took_s:g} s")


class _Dialled:
    """One dial of the library's with the dialer, and the phone it reaches."""

    def __init__(self, bench: Workbench, legs: Legs, dialer: Dialer, destination: str) -> None:
        self.bench = bench
        self.legs = legs
        self.destination = destination
        options = DialOptions(destination=destination, trunk_id="unused")
        self.request = options.request(legs, 1)
        self.given_up = False
        self._returned = False
        self._dial = Dial(legs, _Watched(dialer, self), options)
        self._task: asyncio.Task[Any]
        self._began_s = 0.0

    @property
    def calls(self) -> list[Call]:
        """The calls that have reached the phone."""
        calls = self.bench.stage.sdk.switchboard.calls
        return [each for each in calls if each.request.sip_call_to == self.destination]

    @property
    def busy(self) -> str:
        """What a phone does that is not idle; empty when none."""
        return ", ".join(f"{self.destination} {each.at}" for each in self.calls if each.busy)

    def begin(self) -> None:
        self._began_s = self.bench.world.now_s
        work = self._dial.dial(self.bench.effect(Do.DIAL_CONSULT))
        self._task = self.bench.task(work, "dial")

    def ended(self, error: BaseException | None) -> None:
        """The dialer's `dial` has returned or raised."""
        check, faulty = self.bench.findings.check, self.bench.faulty
        talking = [each for each in self.calls if each.at is At.TALKING]
        if error is None:
            self._returned = True
            self._has_returned(talking)
        elif isinstance(error, DialRefused):
            check(not self.busy, "refused_means_nobody_rings", f"then {self.busy}")
        elif isinstance(error, Exception) and not (faulty or self.given_up):
            lost = any(
                each.phone.request_hangs or each.phone.request_lost_after_s is not None
                for each in self.calls
            )
            what = f"it raised {error!r}"
            check(lost or not talking, "dial_returns_at_the_answer", what)
            refused = any(each.at in (At.REFUSED, At.CANCELLED) for each in self.calls)
            check(lost or not refused, "a_refusal_is_told", what)

    def _has_returned(self, talking: list[Call]) -> None:
        check = self.bench.findings.check
        answered = [each for each in self.calls if each.when(At.TALKING) is not None]
        others = {each.request.sip_call_to for each in self.bench.stage.sdk.switchboard.calls} - {
            DESTINATION,
            _BESIDE,
        }
        check(not others, "rings_whom_it_is_told", f"it rang {', '.join(sorted(others))}")
        at = ", ".join(each.at for each in self.calls) or "not called"
        check(answered, "dial_returns_at_the_answer", f"it returned and the phone is {at}")
        if talking and not self.given_up:
            where = (talking[0].request.room_name, talking[0].request.participant_identity)
            told = (self.request.room, self.request.identity)
            check(where == told, "joins_as_it_is_told", f"they are in {where[0]} as {where[1]}")

    async def go(self, plan: DialPlan) -> None:
        """Let the dial take its course, and hang it up."""
        waits = [each for each in (plan.hang_up_s, plan.cancel_s) if each is not None]
        done, _ = await asyncio.wait(
            [self._task], timeout=min([*waits, self.request.timeout_s + 1.0])
        )
        if not done and plan.cancel_s is not None and plan.cancel_s == min(waits):
            await self._cancel()
        elif not done and not waits:
            self._never_ended()
        elif done and plan.hang_up_s is None:
            await self._talk()
        await self.give_up()

    def _never_ended(self) -> None:
        limit = f"{self.request.timeout_s:g} s"
        self.bench.findings.check(False, "dial_ends_by_itself", f"it runs on after {limit}")
        self._task.cancel()

    async def _cancel(self) -> None:
        self.bench.findings.note("every task is cancelled")
        self._task.cancel()
        await asyncio.wait([self._task], timeout=self.bench.policy.api_timeout_s)
        swallowed = not self._task.cancelled()
        self.bench.findings.check(
            not swallowed, "cancellation_is_not_swallowed", "it went on, or ended otherwise"
        )

    async def _talk(self) -> None:
        """An answered call goes on."""
        await asyncio.sleep(_TALK_S)
        on_line = any(each.at is At.TALKING for each in self.calls)
        goes_on = on_line or not self._returned or self.bench.faulty
        self.bench.findings.check(goes_on, "the_call_outlives_the_dial", "the phone is hung up")

    async def give_up(self) -> None:
        """Hang up as the library does, until nothing is outstanding, and look."""
        check = self.bench.findings.check
        self.given_up = True
        self.bench.findings.note(f"the library hangs {self.destination} up")
        hanging = self.bench.task(self._hang_up(), "hang up")
        left_s = self._began_s + self.request.timeout_s + 1.0 - self.bench.world.now_s
        await asyncio.wait([hanging], timeout=max(left_s, 0.0) + SETTLE_S)
        if not self._task.done():
            self._never_ended()
        await asyncio.wait([hanging], timeout=_HANG_UP_LIMIT_S)
        hanging.cancel()
        await asyncio.sleep(SETTLE_S)
        check(len(self.calls) <= 1, "rings_once", f"it rang {len(self.calls)} times")
        check(not self.busy, "hang_up_ends_the_call", f"then {self.busy}")
        await self.legs.delete_room(self.legs.consult_name)

    async def _hang_up(self) -> None:
        """As the runner does: a release that fails is tried again after a pause."""
        policy = self.bench.policy
        for turn in range(policy.release_attempts_max):
            try:
                await self._dial.hang_up()
            except Exception:  # noqa: BLE001 - noted where it was raised
                await asyncio.sleep(policy.release_pause_s * 2**turn)
            else:
                return

    async def is_alone(self) -> None:
        """The call beside has been answered, and is."""
        await asyncio.wait([self._task], timeout=self.request.timeout_s)
        if self.bench.faulty:
            return
        there = any(each.at is At.TALKING for each in self.calls)
        self.bench.findings.check(there, "calls_do_not_mix", "the other call is over as well")


async def _is_safe_to_repeat(bench: Workbench, dialer: Dialer, request: DialRequest) -> None:
    """Hang up once more when everything is over."""
    limit_s = bench.policy.api_timeout_s
    clause = "hang_up_is_quick_and_safe"
    error = await bench.does(dialer.hang_up(request), limit_s, clause, "hang_up once more")
    bench.findings.check(error is None or bench.faulty, clause, f"once more raises {error!r}")
