"""The shell of one transfer: an inbox, clocks, the journal, and effects in order.

The rule it keeps: *one event at a time; its step is journalled, then its effects are started,
then the next event is taken, and starting never waits*. It runs on the event loop's callbacks and
has no task of its own that could be cancelled; only effects have tasks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from warm_transfer.effects import AFTER, FAILURE, OVERTAKES, RELEASES, TIMEOUT, Do, Effect
from warm_transfer.errors import ServerUnusable, UnexpectedEvent
from warm_transfer.events import ACCEPTANCES, OVERTAKES_ACCEPTANCE, Event, Facts, On
from warm_transfer.hooks import Hooks
from warm_transfer.journal import to_line
from warm_transfer.limits import limit_s
from warm_transfer.logs import canonical, transfer_log
from warm_transfer.outcome import TransferOutcome
from warm_transfer.ports import Journal, Line, StateChange, StateHook, Work
from warm_transfer.states import FINAL
from warm_transfer.transfer import Handling, Step, Transfer

__all__ = ["Runner"]


@dataclass(slots=True)
class _Posted:
    event: Event
    at_s: float
    taken: bool = False


@dataclass(slots=True, eq=False)
class _Flight:
    """An effect in flight. Others wait for its first return; a repetition goes on behind."""

    effect: Effect
    returned: asyncio.Future[None]
    landed: asyncio.Future[None]
    """Done when nothing of it is left, the repetition included."""
    waits: Sequence[asyncio.Future[None]]
    """What it begins after."""
    overtaken: Sequence[asyncio.Future[None]]
    """Returns of the starts that this release overtakes; it is repeated after them."""
    work: Work | None = None
    begun: bool = False
    dropped: bool = False
    """Whether its release came before it had begun, so that it never begins."""
    cancelled: int = 0
    """How often somebody else has cancelled its task."""
    task: asyncio.Task[None] | None = field(default=None)


class Runner:
    """Drives one transfer.

    Args:
        transfer: the core, fresh.
        line: executes the effects.
        journal: keeps the steps; None keeps none.
        hooks: told of every change of state.
    """

    def __init__(
        self,
        transfer: Transfer,
        line: Line,
        *,
        journal: Journal | None = None,
        hooks: Sequence[StateHook] = (),
    ) -> None:
        self.transfer = transfer
        self._line = line
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._log = transfer_log(transfer.id)
        self._hooks = Hooks(hooks, timeout_s=transfer.policy.hook_timeout_s, log=self._log)
        self._inbox: deque[_Posted] = deque()
        self._flights: dict[int, _Flight] = {}
        self._alarm: asyncio.Handle | None = None
        self._draining = False
        self._drain_due = False
        self._began_s: float | None = None
        self._last: Step | None = None
        self._counts = {"ignored": 0, "stale": 0, "release_failed": 0, "unexpected": 0}
        self._closing: asyncio.Task[None] | None = None
        self._closings = 0
        self._line_closed = False
        self._closed = asyncio.Event()

    # The inbox.

    def post(self, event: Event) -> None:
        """Put an event into the inbox; it is taken in the next turn of the loop.

        Must be called on the transfer's event loop. After the end it changes nothing.
        """
        if self._is_late(event):
            return
        self._inbox.append(_Posted(event, self._loop.time()))
        if not self._draining and not self._drain_due:
            self._drain_due = True
            self._loop.call_soon(self._drain)

    def post_now(self, event: Event) -> bool:
        """Post an event, take all that is in the inbox, and say whether this one was taken.

        For the application's own calls, which want an answer. Not for adapters.
        """
        if self._is_late(event):
            return False
        posted = _Posted(event, self._loop.time())
        self._inbox.append(posted)
        self._drain()
        return posted.taken

    async def wait_closed(self) -> None:
        """Return when the transfer is final, nothing is in flight, and nothing is left."""
        await self._closed.wait()

    async def wait_returned(self, *names: Do) -> None:
        """Return when no effect of these names is in flight before its first return."""
        waiting = [each.returned for each in self._in_flight(frozenset(names))]
        if waiting:
            await asyncio.wait(waiting)

    @property
    def closed(self) -> bool:
        """Whether nothing is left of the transfer."""
        return self._closed.is_set()

    def _is_late(self, event: Event) -> bool:
        """Whether nothing is left that could take the event; then the journal may be closed too."""
        if self.closed:
            self._log.debug("event after the end", on=event.name.value)
        return self.closed

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining, self._drain_due = True, False
        try:
            while (posted := self._next()) is not None:
                self._take(posted)
        finally:
            self._draining = False
        self._set_alarm()
        self._close_if_quiet()

    def _next(self) -> _Posted | None:
        """What comes next: what was posted before a deadline wins over it, even after a stall."""
        deadline = self.transfer.deadline
        posted = self._inbox[0] if self._inbox else None
        if deadline is not None:
            passed = self._loop.time() >= deadline.at_s
            if passed and (posted is None or deadline.at_s < posted.at_s):
                return _Posted(deadline.event, deadline.at_s)
        if posted is None:
            return None
        if posted.event.name in ACCEPTANCES:
            return self._pop(self._overtaking() or posted)
        return self._pop(posted)

    def _overtaking(self) -> _Posted | None:
        """A decline or departure that is already queued behind an acceptance."""
        no = (each for each in self._inbox if each.event.name in OVERTAKES_ACCEPTANCE)
        return next(no, None)

    def _pop(self, posted: _Posted) -> _Posted:
        self._inbox.remove(posted)
        return posted

    def _take(self, posted: _Posted) -> None:
        try:
            step = self.transfer.receive(posted.event, posted.at_s)
        except UnexpectedEvent as error:
            # A fault of ours; the caller must not pay for it, so the transfer goes on unchanged.
            self._counts["unexpected"] += 1
            self._log.error("unexpected event", detail=str(error))
            return
        posted.taken = step.handling is Handling.ROW
        self._note(step)
        if step.outcome is not None:
            self._deliver(step.outcome)
        for effect in step.effects:
            self._start(effect)

    def _deliver(self, outcome: TransferOutcome) -> None:
        try:
            self._line.deliver(outcome)
        except Exception:  # noqa: BLE001 - the effects of this step give the caller back
            self._log.exception("outcome not taken")

    def _note(self, step: Step) -> None:
        if self._began_s is None:
            self._began_s = step.at_s
        self._last = step
        if step.handling is not Handling.ROW:
            self._counts[step.handling.value] += 1
        if step.event.name is On.RELEASE_FAILED:
            self._counts["release_failed"] += 1
            self._log.error(
                "release failed: orphan risk",
                effect=step.event.facts.effect_name,
                detail=step.event.facts.detail,
            )
        self._write(step)
        self._log.debug(
            "step",
            seq=step.seq,
            on=step.event.name.value,
            before=step.before.value,
            after=step.after.value,
            handling=step.handling.value,
        )
        if step.after is not step.before:
            self._tell(step)

    def _write(self, step: Step) -> None:
        if self._journal is None:
            return
        assert self._began_s is not None
        try:
            self._journal.write(to_line(step, self.transfer, self._began_s))
        except Exception:  # noqa: BLE001 - a disk that fills up must not strand a held caller
            self._log.exception("journal failed", seq=step.seq)

    def _tell(self, step: Step) -> None:
        assert self._began_s is not None
        self._log.info("state changed", before=step.before.value, after=step.after.value)
        change = StateChange(
            transfer_id=self.transfer.id,
            before=step.before,
            after=step.after,
            event=step.event.name.value,
            at_s=step.at_s - self._began_s,
            attempt=step.attempt,
            outcome=self.transfer.outcome,
        )
        self._hooks.tell(change)

    # The clocks.

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        deadline = self.transfer.deadline
        if deadline is not None:
            self._alarm = self._loop.call_at(deadline.at_s, self._drain)

    # The effects.

    def _start(self, effect: Effect) -> None:
        overtaken = self._in_flight(OVERTAKES.get(effect.name, frozenset()))
        for start in overtaken:
            # What has not begun when its release comes never begins: it would begin a briefing
            # or a merge that nobody wants any more.
            start.dropped = not start.begun
        flight = _Flight(
            effect,
            returned=self._loop.create_future(),
            landed=self._loop.create_future(),
            waits=self._waits(effect),
            overtaken=[each.returned for each in overtaken if each.begun],
        )
        if not flight.waits:
            self._begin(flight)
            if flight.work is None and not flight.overtaken:
                return
        self._flights[effect.id] = flight
        self._launch(flight)

    def _in_flight(self, names: frozenset[Do]) -> list[_Flight]:
        return [flight for flight in self._flights.values() if flight.effect.name in names]

    def _waits(self, effect: Effect) -> list[asyncio.Future[None]]:
        waits = self._in_flight(AFTER.get(effect.name, frozenset()))
        return [
            # A merge that did not wait for the repetition of an unmerge would be undone by it.
            each.landed
            if effect.name in OVERTAKES.get(each.effect.name, frozenset())
            else each.returned
            for each in waits
        ]

    def _begin(self, flight: _Flight) -> None:
        # A start that has returned by now is no longer overtaken.
        flight.overtaken = [each for each in flight.overtaken if not each.done()]
        flight.begun = True
        flight.work = self._work(flight.effect)

    def _work(self, effect: Effect) -> Work | None:
        """Start an effect; an error of the start is an error of the work."""
        try:
            return self._line.start(effect)
        except Exception as error:  # noqa: BLE001 - an adapter's fault becomes an event
            return _raise(error)

    def _launch(self, flight: _Flight) -> None:
        name = f"warm-transfer {self.transfer.id} {flight.effect.name}"
        flight.task = self._loop.create_task(self._fly(flight), name=name)
        flight.task.add_done_callback(lambda task: self._landed(flight, task))

    async def _fly(self, flight: _Flight) -> None:
        effect = flight.effect
        if not flight.begun:
            # Each of them is bounded by its own limit, and so is this wait.
            await asyncio.wait(flight.waits)
            if flight.dropped:
                return
            self._begin(flight)
        await self._carry_out(flight, flight.work)
        _resolve(flight.returned)
        if flight.overtaken:
            # The release began before its start had returned: only the second time is a proof.
            await asyncio.wait(flight.overtaken)
            await self._carry_out(flight, self._work(effect))

    async def _carry_out(self, flight: _Flight, work: Work | None) -> None:
        """Run the work within its limit; a release that fails is tried again after a pause."""
        effect, policy = flight.effect, self.transfer.policy
        tries = policy.release_attempts_max if effect.name in RELEASES else 1
        pause_s = policy.release_pause_s
        limit = limit_s(effect.name, policy, self.transfer.plan)
        for left in reversed(range(tries)):
            try:
                if work is not None:
                    async with asyncio.timeout(limit):
                        await work
            except Exception as error:  # noqa: BLE001 - an adapter's fault becomes an event
                if left == 0:
                    self._fail(effect, error)
                    return
                self._log.warning("release repeated", effect=effect.name.value, detail=repr(error))
                # The caller does not wait for a release that has to be repeated.
                _resolve(flight.returned)
                await asyncio.sleep(pause_s)
                pause_s *= 2
                work = self._work(effect)
            else:
                return

    def _fail(self, effect: Effect, error: Exception) -> None:
        kinds = TIMEOUT if isinstance(error, TimeoutError) else FAILURE
        name = kinds[effect.name]
        self._log.warning("effect failed", effect=effect.name.value, detail=repr(error))
        if name is None:
            return
        detail = f"{type(error).__name__} in {effect.name}"
        facts = Facts(
            effect_name=effect.name.value,
            strategy=effect.strategy,
            detail=str(error) if isinstance(error, ServerUnusable) else detail,
            cause=error,
        )
        self.post(Event(name, facts, attempt=effect.attempt, effect=effect.id))

    def _landed(self, flight: _Flight, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            # Somebody cancels all tasks of the loop.
            if flight.work is not None:
                flight.work.close()
            if self._is_flown_again(flight):
                return
            # Say what the effect can no longer say.
            self._fail(flight.effect, RuntimeError("cancelled from outside"))
        del self._flights[flight.effect.id]
        _resolve(flight.returned)
        _resolve(flight.landed)
        self._close_if_quiet()

    def _is_flown_again(self, flight: _Flight) -> bool:
        """Start a cancelled release again: nobody else hangs the phone up. Bounded."""
        flight.cancelled += 1
        releases = flight.effect.name in RELEASES
        if not releases or flight.cancelled >= self.transfer.policy.release_attempts_max:
            return False
        if flight.begun:
            flight.work = self._work(flight.effect)
        self._launch(flight)
        return True

    # The end.

    def _close_if_quiet(self) -> None:
        quiet = not (self._inbox or self._flights or self._draining)
        if quiet and self.transfer.state in FINAL and self._closing is None:
            self._launch_closing()

    def _launch_closing(self) -> None:
        self._closings += 1
        name = f"warm-transfer {self.transfer.id} closing"
        self._closing = self._loop.create_task(self._close(), name=name)
        self._closing.add_done_callback(self._closing_ended)

    async def _close(self) -> None:
        if not self._line_closed:
            try:
                async with asyncio.timeout(self.transfer.policy.release_timeout_s):
                    await self._line.aclose()
            except Exception:  # noqa: BLE001 - the last thing done: only the log is left to tell
                self._log.exception("closing failed")
            self._line_closed = True
        await self._hooks.wait_quiet()
        while self._flights:
            # Something late came while the line was closing, and is being given back.
            await asyncio.wait([each.landed for each in self._flights.values()])

    def _closing_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() and self._closings < self.transfer.policy.release_attempts_max:
            self._launch_closing()
            return
        outcome, last = self.transfer.outcome, self._last
        if outcome is not None and last is not None:
            self._log.info("transfer closed", **canonical(outcome, last, self._counts))
        self._closed.set()


async def _raise(error: Exception) -> None:
    raise error


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
