"""One await of a task: the framework's own await, kept from being cancelled, beside the engine.

A cancelled await of an ``AgentTask`` leaves the session with an agent that never ends. So the
framework's await runs in an inner task that is never cancelled, and every way of leaving is an
event to the engine.
"""

from __future__ import annotations

import asyncio
import contextlib

from livekit.agents import AgentTask, get_job_context
from livekit.agents.llm import ToolError

from warm_transfer.events import Event, On
from warm_transfer.livekit.callersession import SessionWatch, claim, release
from warm_transfer.livekit.compat import FrameworkAwait, complete_outside_speech, pass_task_mark
from warm_transfer.livekit.engine import Engine
from warm_transfer.livekit.options import TaskOptions
from warm_transfer.livekit.result import TransferFailed, WarmTransferResult, result_of
from warm_transfer.livekit.taskhost import TaskHost
from warm_transfer.logs import transfer_log

__all__ = ["Awaiting", "framework_await"]


async def framework_await(task: AgentTask[WarmTransferResult]) -> WarmTransferResult:
    """Await a task as livekit-agents does."""
    result: WarmTransferResult = await FrameworkAwait(task)
    return result


class Awaiting:
    """The await of a task, from being taken by the framework to being forgotten.

    Args:
        task: what is awaited. Its session has this transfer from here on.
        engine: the transfer, not started yet.
        host: what the engine sees of the await.
        options: for its limits and its journal.
    """

    def __init__(
        self,
        task: AgentTask[WarmTransferResult],
        engine: Engine,
        host: TaskHost,
        options: TaskOptions,
    ) -> None:
        self._task = task
        self._engine = engine
        self._host = host
        self._options = options
        # At once, because two tools of one turn get this far in the same turn of the loop.
        claim(host.session, engine)
        self._inner = asyncio.get_running_loop().create_task(framework_await(task))
        self._inner.add_done_callback(host.take_back)
        pass_task_mark(self._inner)

    async def is_admitted(self) -> bool:
        """Whether the framework takes the task; else what was built has been let go."""
        try:
            # It refuses in its first synchronous step, before anything is dialled.
            await asyncio.sleep(0)
            admitted = not self._inner.done()
        except asyncio.CancelledError:
            # It has begun already, and would leave the session with an agent that never ends.
            complete_outside_speech(self._task, ToolError("the await was cancelled"))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._options.policy.release_timeout_s):
                    await asyncio.wait([self._inner])
            await self._discard()
            raise
        if not admitted:
            await self._discard()
        return admitted

    def refusal(self) -> WarmTransferResult:
        """Raise what the framework refused the task with."""
        return self._inner.result()

    async def run(self) -> WarmTransferResult:
        """Start the engine, and return or raise what comes of the transfer."""
        watch = SessionWatch(self._host.session, self._engine.post)
        self._watch_job()
        self._engine.start()
        try:
            return await self._wait()
        finally:
            self._forget_when_closed(watch)

    async def _discard(self) -> None:
        release(self._host.session, self._engine)
        self._options.close_journal()
        await self._engine.discard()

    async def _wait(self) -> WarmTransferResult:
        engine, host, inner = self._engine, self._host, self._inner
        switched = asyncio.ensure_future(host.decided_behind_a_switch())
        try:
            await asyncio.wait([inner, switched], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            engine.cancel("the await was cancelled")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._options.policy.release_timeout_s):
                    await asyncio.wait([inner])
                    await engine.wait_resumed()
            raise
        finally:
            switched.cancel()
        if engine.outcome is None:
            # The framework ended the await by itself: the session closed before it began.
            engine.post(Event(On.SESSION_CLOSED))
        host.back.set()
        await engine.wait_resumed()
        if inner.done():
            return inner.result()
        assert engine.outcome is not None
        phrases = self._options.consult.phrases
        result = result_of(engine.outcome, engine.human_identity, phrases)
        if isinstance(result, TransferFailed):
            raise result
        return result

    def _watch_job(self) -> None:
        context = get_job_context(required=False)
        if context is None:
            return

        async def shut_down() -> None:
            self._engine.post(Event(On.JOB_SHUTTING_DOWN))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._options.policy.release_timeout_s):
                    await self._engine.wait_closed()

        context.add_shutdown_callback(shut_down)

    def _forget_when_closed(self, watch: SessionWatch) -> None:
        engine, session = self._engine, self._host.session
        if engine.outcome is not None and self._host.back.is_set():
            # Also a merged call, which lives on: the session may start another transfer.
            release(session, engine)

        async def forget() -> None:
            await engine.wait_closed()
            watch.close()
            release(session, engine)
            try:
                self._options.close_journal()
            except OSError:
                # A full disk: the file has kept lines back, and loses them now.
                transfer_log(engine.id).exception("journal failed")

        task = asyncio.get_running_loop().create_task(
            forget(), name=f"warm-transfer {engine.id} forgetting"
        )
        watch.keep(task)
