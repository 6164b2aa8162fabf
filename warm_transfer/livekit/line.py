"""The line: sends each effect to the adapter that executes it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from warm_transfer.effects import Do, Effect
from warm_transfer.livekit.briefing import Briefing
from warm_transfer.livekit.callroom import end_call
from warm_transfer.livekit.consult import Consult
from warm_transfer.livekit.dial import Dial
from warm_transfer.livekit.hold import Hold
from warm_transfer.livekit.leave import Leave
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.merge import Merge
from warm_transfer.livekit.signals import Signals
from warm_transfer.outcome import TransferOutcome
from warm_transfer.ports import Work

__all__ = ["LiveKitLine"]


class LiveKitLine:
    """The `Line` port on LiveKit."""

    def __init__(
        self,
        legs: Legs,
        *,
        hold: Hold,
        dial: Dial,
        briefing: Briefing,
        consult: Consult,
        merge: Merge,
        signals: Signals,
    ) -> None:
        self._legs = legs
        self._signals = signals
        self._consult = consult
        self._outcome: TransferOutcome | None = None
        leave = Leave(legs)
        self._starts: Mapping[Do, Callable[[Effect], Work | None]] = {
            Do.HOLD_CALLER: hold.hold,
            Do.PLAY_HOLD_AUDIO: hold.play,
            Do.STOP_HOLD_AUDIO: lambda _: hold.stop(),
            Do.OPEN_CONSULT: consult.open,
            Do.CLOSE_CONSULT: lambda _: consult.close(),
            Do.DIAL_CONSULT: dial.dial,
            Do.START_BRIEFING: consult.brief,
            Do.STOP_BRIEFING: briefing.stop,
            Do.PREPARE_MERGE: merge.prepare,
            Do.MERGE_LEGS: merge.merge,
            Do.UNMERGE_LEGS: lambda _: merge.unmerge(),
            Do.LOOK_AT_ROOMS: merge.look,
            Do.NOTIFY_CONSULT: lambda _: briefing.notify(),
            Do.HANG_UP_CONSULT: lambda _: dial.hang_up(),
            Do.DELIVER_OUTCOME: self._deliver,
            Do.RESUME_CALLER: lambda _: hold.resume(),
            Do.RESUME_OUTPUT: lambda _: hold.resume_output(),
            Do.AWAIT_LAST_WORDS: leave.hear_out,
            Do.LEAVE_CALL: lambda _: leave.leave(),
            Do.END_CALL: lambda _: end_call(legs),
        }

    def start(self, effect: Effect) -> Work | None:
        """Begin an effect."""
        return self._starts[effect.name](effect)

    def deliver(self, outcome: TransferOutcome) -> None:
        """Keep the outcome for DELIVER_OUTCOME, which follows in the same step."""
        self._outcome = outcome

    async def aclose(self) -> None:
        """Stop listening, leave a consult room that lives on, close the client that is ours."""
        self._legs.at_end.close()
        await self._signals.aclose()
        try:
            await self._consult.aclose()
        finally:
            await self._legs.api.aclose()

    def _deliver(self, _effect: Effect) -> None:
        assert self._outcome is not None
        self._legs.host.complete(self._outcome)
