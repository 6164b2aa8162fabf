"""The contract of holding: the caller's input and output, and the hold audio, clause by clause.

Give what you give as ``hold_audio=``. It is listened to by itself, and the adapter that plays it
is driven as the library drives it. Who has a `Hold` of their own overrides `make_hold`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.livekit.hold import DEFAULT_HOLD_AUDIO, Hold
from warm_transfer.livekit.legs import Legs
from warm_transfer.testing.clauses import Findings
from warm_transfer.testing.contract import Contract
from warm_transfer.testing.livekit.contracts.sound import listen
from warm_transfer.testing.livekit.contracts.workbench import Workbench
from warm_transfer.testing.livekit.faults import Fault, Faults, How
from warm_transfer.testing.livekit.script import Agent, Scenario
from warm_transfer.testing.livekit.sound import SimAudioSource, SimLocalTrack

__all__ = ["HoldAudioContract", "HoldPlan"]

_SOON_S = 1.0
"""Within this long after the last words the caller hears the hold audio."""
_NEWS_S = 0.05
"""What one side does is heard at the other one within this time."""
_HAND_BACK_S = 0.05
_CUT_S = 0.1
"""How much of the last words may be missing."""
_OWN_TRACK = "background_audio"

SWITCHES = ("input.audio", "output.audio", "output.transcription")

_CALLS = (
    "player.start",
    "player.play",
    "player.aclose",
    "room.publish_track",
    "room.unpublish_track",
)
_WAYS = (How.FAILS, How.FAILS_AFTER, How.LATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlan:
    """One caller on hold."""

    speaks_s: float = 0.0
    """How long the agent's last words still take when the caller is put on hold."""
    off: frozenset[str] = frozenset()
    """What the application had switched off before, of `SWITCHES`."""
    stop_s: float = 10.0
    """When the hold ends, in seconds from its beginning."""
    merged: bool = False
    """Whether it ends with a merge, after which the caller comes back from the merged call."""
    twice: bool = False
    """Whether each release runs twice."""
    faults: Mapping[tuple[str, int], Fault] = field(default_factory=dict)


class HoldAudioContract(Contract[HoldPlan]):
    """Derive from it and say in `hold_audio` what your callers hear."""

    CLAUSES: ClassVar[Mapping[str, str]] = {
        "a_file_can_be_read": "A file is there and can be decoded.",
        "frames_are_alike": (
            "An iterator gives `rtc.AudioFrame`s of one sample rate and number of channels, none "
            "of them empty."
        ),
        "sound_begins_soon": "Within a second something can be heard; else the line seems dead.",
        "sound_goes_on": "It goes on for as long as a caller may be held.",
        "sound_keeps_up": "A second of sound takes no longer than a second to come.",
        "every_caller_hears_it": "A second transfer hears it as the first one did.",
        "input_is_off_at_once": "The caller's input is off when `hold` returns, and that is told.",
        "the_last_words_are_said": (
            "The agent's last words are heard to their end, and then the output is off."
        ),
        "the_hold_is_heard": (
            "The caller hears the hold audio within a second after the last words, not before; or "
            "it is told that it failed."
        ),
        "a_stop_is_heard_at_once": "When `stop` returns, the hold audio is silent for good.",
        "output_alone_after_a_merge": "After a merge the output is back and the input stays off.",
        "it_comes_back_as_it_was": "Every switch comes back as it was before the hold.",
        "only_its_own_track_is_taken": "A track of the application's own in the room stays.",
        "releases_are_safe_to_repeat": "A release that is repeated raises and changes nothing.",
        "it_ends_in_time": "Each piece of work ends within its limit of the policy.",
        "nothing_is_left": "No track, player, listener or task is left.",
    }

    def hold_audio(self) -> Any:
        """What you give as ``hold_audio=``, made anew for each transfer as you make it."""
        return DEFAULT_HOLD_AUDIO

    def make_hold(self, legs: Legs) -> Hold:
        """The adapter that holds the caller."""
        return Hold(legs, self.hold_audio())

    def test_the_sound(self) -> None:
        """Listen to what callers hear, twice.

        Raises:
            BrokenClause: a clause does not hold.
        """
        findings = Findings(self.CLAUSES)
        listen(self.hold_audio, findings)
        findings.raise_if_broken()
        again = Findings(self.CLAUSES)
        listen(self.hold_audio, again)
        for clause, problem in again.problems.items():
            findings.check(False, "every_caller_hears_it", f"the second time: {clause}: {problem}")
        findings.raise_if_broken()

    def usual(self) -> Sequence[HoldPlan]:
        """Held and given back, and merged; early, late, and with what goes wrong."""
        plans = [HoldPlan(), HoldPlan(speaks_s=3.0), HoldPlan(merged=True), HoldPlan(twice=True)]
        plans += [HoldPlan(off=frozenset({each})) for each in SWITCHES]
        plans += [HoldPlan(stop_s=at_s) for at_s in (0.0, 0.02, 0.06, 0.3)]
        plans += [
            HoldPlan(speaks_s=5.0, stop_s=2.0),
            HoldPlan(speaks_s=5.0, stop_s=2.0, merged=True),
        ]
        return plans + [
            HoldPlan(faults={(name, 1): Fault(how)}) for name in _CALLS for how in _WAYS
        ]

    def drawn(self, st: Any) -> Any:
        """Any hold."""
        seconds = st.floats(0.0, 8.0).map(lambda value: round(value, 3))
        fault = st.builds(Fault, st.sampled_from(_WAYS), seconds=st.floats(0.0, 10.0))
        return st.builds(
            HoldPlan,
            speaks_s=st.just(0.0) | seconds,
            off=st.frozensets(st.sampled_from(SWITCHES)),
            stop_s=seconds,
            merged=st.booleans(),
            twice=st.booleans(),
            faults=st.dictionaries(
                st.tuples(st.sampled_from(_CALLS), st.integers(1, 2)), fault, max_size=2
            ),
        )

    async def play(self, plan: HoldPlan, findings: Findings) -> None:
        """Hold, play, stop, resume; and listen at the caller's ear."""
        told = Scenario(agent=Agent(speaks_s=plan.speaks_s))
        bench = await Workbench.set_up(findings, told=told)
        await _Holding(bench, self.make_hold(bench.legs), plan).run(
            silent=self.hold_audio() is None
        )


class _Holding:
    """One run of a plan."""

    def __init__(self, bench: Workbench, hold: Hold, plan: HoldPlan) -> None:
        self.bench = bench
        self.hold = hold
        self.plan = plan
        self.session = bench.stage.session
        self.check = bench.findings.check
        self.began_s = bench.world.now_s
        self._play: asyncio.Task[Any]
        self._held: asyncio.Task[Any]

    async def run(self, *, silent: bool) -> None:
        bench, plan = self.bench, self.plan
        own = await self._own_track()
        for name in plan.off:
            self._switch(name, on=False)
        before = self._switches()
        self.began_s = bench.world.now_s
        bench.world.faults = Faults(plan.faults)
        self._begin()
        await asyncio.sleep(plan.stop_s)
        if plan.stop_s > plan.speaks_s + _SOON_S:
            self._look_at_the_hold(silent=silent, heard="output.audio" not in plan.off)
        await self._release(before)
        tracks = bench.stage.room.local_participant.track_publications.values()
        stays = any(each.name == _OWN_TRACK for each in tracks)
        self.check(stays, "only_its_own_track_is_taken", f"{_OWN_TRACK} is gone")
        bench.world.faults = Faults()
        await self._take_away(own)
        await bench.finish("nothing_is_left")

    async def _own_track(self) -> SimAudioSource:
        """The application plays something of its own in the room."""
        source = SimAudioSource(self.bench.world)
        track: Any = SimLocalTrack(self.bench.world, _OWN_TRACK, source)
        await self.bench.stage.room.local_participant.publish_track(track)
        return source

    async def _take_away(self, own: SimAudioSource) -> None:
        me = self.bench.stage.room.local_participant
        for sid, each in tuple(me.track_publications.items()):
            if each.name == _OWN_TRACK:
                await me.unpublish_track(sid)
        await own.aclose()

    # The switches.

    def _switches(self) -> dict[str, bool]:
        session = self.session
        return {
            "input.audio": session.input.audio_enabled,
            "output.audio": session.output.audio_enabled,
            "output.transcription": session.output.transcription_enabled,
        }

    def _switch(self, name: str, *, on: bool) -> None:
        side, kind = name.split(".")
        getattr(getattr(self.session, side), f"set_{kind}_enabled")(on)

    # The hold.

    def _begin(self) -> None:
        bench = self.bench
        work = self.hold.hold(bench.effect(Do.HOLD_CALLER))
        off = not self.session.input.audio_enabled and bench.names == [On.CALLER_HELD]
        self.check(off, "input_is_off_at_once", "it is on, or CALLER_HELD is not posted")
        self._held = bench.task(work, "hold")
        self._play = bench.task(self.hold.play(bench.effect(Do.PLAY_HOLD_AUDIO)), "play")

    def _look_at_the_hold(self, *, silent: bool, heard: bool) -> None:
        plan, bench = self.plan, self.bench
        ends_s = self.began_s + plan.speaks_s - _CUT_S
        cut = heard and [
            at_s - self.began_s
            for at_s, name, on in self.session.output.log
            if name == "output.audio" and not on and self.began_s <= at_s < ends_s
        ]
        off = not any(on for name, on in self._switches().items() if name.startswith("output"))
        clause = "the_last_words_are_said"
        self.check(
            not cut, clause, f"the output is off at {cut}, the words take {plan.speaks_s:g} s"
        )
        self.check(off, clause, f"then the output is {self._switches()}")
        music = list(bench.heard("caller", "music"))
        early = [from_s - self.began_s for from_s, _ in music if from_s < self._silent_s - _NEWS_S]
        self.check(not early, "the_hold_is_heard", f"already at {early}, before the last words end")
        late = any(fault.how is How.LATE for _, _, fault in bench.world.faults.met)
        told = On.HOLD_AUDIO_FAILED in bench.names or (self._play.done() and _raised(self._play))
        self.check(music or told or silent or late, "the_hold_is_heard", "nothing is heard")

    @property
    def _silent_s(self) -> float:
        """When the agent's last words have ended."""
        return max((to_s for _, to_s in self.bench.heard("caller", "agent")), default=0.0)

    # The releases.

    async def _release(self, before: dict[str, bool]) -> None:
        """As the runner does it: at once, and again when what it overtook has returned."""
        plan, bench = self.plan, self.bench
        bench.world.loop.call_later(_HAND_BACK_S, bench.stage.host.agent_back.set)
        overtaken = not self._play.done()
        stopping = bench.task(self._tried(self.hold.stop, "stop"), "stop")
        await asyncio.sleep(0)
        stopped_s = bench.world.now_s
        back = self.hold.resume_output if plan.merged else self.hold.resume
        await self._tried(back, "resume output" if plan.merged else "resume")
        await asyncio.wait([stopping])
        limit_s = bench.policy.speech_limit_s + bench.policy.api_timeout_s
        clause = "it_ends_in_time"
        # The words may go on: then the hold of the output ends with them, or is given up.
        await bench.ends(self._play, limit_s, clause, "play")
        await bench.ends(self._held, bench.policy.speech_limit_s + 1.0, clause, "hold")
        if overtaken or plan.twice:
            await self._tried(self.hold.stop, "stop again")
        await self._tried(back, "resume again")
        await asyncio.sleep(1.0)
        late = [
            to_s - stopped_s
            for _, to_s in bench.heard("caller", "music")
            if to_s > stopped_s + _NEWS_S and not overtaken
        ]
        self.check(not late, "a_stop_is_heard_at_once", f"heard for {late} s more")
        self.check(not bench.hears("caller", "music"), "a_stop_is_heard_at_once", "it plays on")
        await self._look_at_the_switches(before)

    async def _look_at_the_switches(self, before: dict[str, bool]) -> None:
        clause = "it_comes_back_as_it_was"
        if self.plan.merged:
            wanted = {**before, "input.audio": False}
            now = self._switches()
            self.check(now == wanted, "output_alone_after_a_merge", f"{now} after {before}")
            await self._tried(self.hold.resume, "resume")
        now = self._switches()
        self.check(now == before, clause, f"{now} after {before}")
        self._switch("output.audio", on=False)
        await self._tried(self.hold.resume, "resume once more")
        again = self.session.output.audio_enabled
        self.check(not again, "releases_are_safe_to_repeat", "it switches on what was switched off")

    async def _tried(self, start: Callable[[], Coroutine[Any, Any, None]], what: str) -> None:
        await self.bench.released(
            start, what, in_time="it_ends_in_time", repeats="releases_are_safe_to_repeat"
        )


def _raised(task: asyncio.Task[Any]) -> bool:
    return not task.cancelled() and task.exception() is not None
