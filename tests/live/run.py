"""One run of a scenario: server, worker, dispatch, caller, phone, and the evidence."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from livekit import api

from tests.live.control import CONTROL_VARIABLE, Control
from tests.live.errors import CannotRun
from tests.live.hearing import Hearing, assemble
from tests.live.people import Caller, Stage
from tests.live.phone import Phone
from tests.live.report import Evidence
from tests.live.scenarios import Scenario
from tests.live.server import VARIABLES, Server, running_server
from tests.live.voices import write_music
from tests.live.worker import hurry, left_processes, running_worker

__all__ = ["OUTPUT", "check_server", "run_scenario"]

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build" / "live"
AGENT_NAME = "front-desk"

RUN_TIMEOUT_S = 150.0
"""For everything but the building of the server; no part of a run may take so long."""
WORKER_READY_S = 40.0
JOB_READY_S = 30.0
RELEASE_S = 8.0
ROOMS_EMPTY_S = 4.0
WORKER_STOP_S = 15.0
PROCESSES_GONE_S = 3.0

Say = Callable[[str], None]


@dataclass(slots=True)
class _Run:
    """What one run has in hand."""

    scenario: Scenario
    sabotage: str
    output: Path
    say: Say
    server: Server
    stage: Stage
    phone: Phone
    control: Control
    room: str
    merge: str


async def run_scenario(
    scenario: Scenario, sabotage: str, say: Say, output: Path, merge: str = "auto"
) -> Evidence:
    """Run a scenario on a real server and bring back everything that was heard and left.

    Args:
        scenario: who does what.
        sabotage: a fault put in on purpose; empty for none.
        say: told how it goes.
        output: the folder for recordings, logs and the journal.
        merge: the merge strategy, as for `WarmTransferTask`.

    Raises:
        CannotRun: something it needs is missing.
    """
    _clear(output)
    async with running_server(say, output / "server.log") as server:
        hurry()
        say(f"server at {server.url}")
        stage = Stage()
        phone = Phone(server, stage, scenario, mute=sabotage == "human-muted")
        control = Control(phone, stage)
        room = f"live-{secrets.token_hex(4)}"
        run = _Run(scenario, sabotage, output, say, server, stage, phone, control, room, merge)
        try:
            async with asyncio.timeout(RUN_TIMEOUT_S):
                return await _with_worker(run, await control.start())
        except TimeoutError as error:
            raise CannotRun(f"the run was given up after {RUN_TIMEOUT_S:g} s") from error
        finally:
            await phone.aclose()
            await control.aclose()


def _clear(output: Path) -> None:
    """Take the last run's files away: what lies there afterwards is this run's."""
    output.mkdir(parents=True, exist_ok=True)
    for stale in ("journal.jsonl", "report.json", "caller.wav", "human.wav"):
        (output / stale).unlink(missing_ok=True)
    write_music(output / "music.wav")


async def _with_worker(run: _Run, control_url: str) -> Evidence:
    faults: list[str] = []
    caller = Caller(run.stage)
    try:
        async with _worker(run, control_url) as worker, _api(run.server) as client:
            await check_server(run.server, client)
            run.say("worker starting")
            await _ready(run, worker)
            await _dispatch(run, client)
            # In a shared room any other client could listen in, and is refused.
            kind = "sip" if run.merge == "shared_room" else "standard"
            await caller.call(run.server, run.room, kind)
            run.say("caller joined")
            await _call(run, caller, faults)
            released_s = await _release(run, caller)
            closed = await run.control.wait_for("closed", RELEASE_S)
            rooms, participants = await _left_on_server(run, client)
            end_s = time.monotonic()
            if run.scenario.terminated:
                await _goes_by_itself(run, worker, faults)
    finally:
        await caller.aclose()
    if worker.returncode != 0:
        faults.append(f"the worker ended with {worker.returncode} instead of 0")
    processes = await left_processes(worker.pid, PROCESSES_GONE_S)
    return _evidence(
        run,
        caller,
        faults=faults,
        released_s=released_s,
        closed=closed,
        left=(rooms, participants, processes),
        end_s=end_s,
    )


def _worker(run: _Run, control_url: str) -> AbstractAsyncContextManager[Process]:
    environment = {
        **run.server.environment(),
        CONTROL_VARIABLE: control_url,
        "LIVE_SABOTAGE": run.sabotage,
    }
    log, drain_s = run.output / "worker.log", run.scenario.drain_s
    return running_worker("tests.live.app", environment, log, drain_s=drain_s, stop_s=WORKER_STOP_S)


async def _goes_by_itself(run: _Run, worker: Process, faults: list[str]) -> None:
    """See a worker go that has got its SIGTERM in the call; a second one would kill it."""
    try:
        await asyncio.wait_for(worker.wait(), WORKER_STOP_S)
        run.say("worker gone by itself")
    except TimeoutError:
        faults.append(f"the worker did not go by itself within {WORKER_STOP_S:g} s")


@contextlib.asynccontextmanager
async def _api(server: Server) -> AsyncIterator[api.LiveKitAPI]:
    client = api.LiveKitAPI(server.url, server.key, server.secret, failover=False)
    try:
        yield client
    finally:
        await client.aclose()


async def check_server(server: Server, client: api.LiveKitAPI) -> None:
    """See that the server answers and takes the key, before anything waits for it.

    Raises:
        CannotRun: it does not.
    """
    try:
        async with asyncio.timeout(5):
            await _rooms(client)
    except (aiohttp.ClientError, api.TwirpError, TimeoutError, OSError) as error:
        raise CannotRun(
            f"no LiveKit server answers at {server.url}, or it refuses the key:"
            f" look at {', '.join(VARIABLES)} ({type(error).__name__})"
        ) from error


async def _ready(run: _Run, worker: Process) -> None:
    end_s = time.monotonic() + WORKER_READY_S
    while time.monotonic() < end_s and worker.returncode is None:
        if await run.control.wait_for("worker_registered", 2.0):
            run.say("worker registered")
            return
    raise CannotRun(f"the worker did not register: see {run.output / 'worker.log'}")


async def _dispatch(run: _Run, client: api.LiveKitAPI) -> None:
    """Make the caller's room and dispatch a job to it by name."""
    await client.room.create_room(
        # What is left has to be somebody's fault: an empty room goes at once.
        api.CreateRoomRequest(name=run.room, empty_timeout=30, departure_timeout=1)
    )
    job = {
        "scenario": run.scenario.name,
        "music": str(run.output / "music.wav"),
        "journal": str(run.output / "journal.jsonl"),
        "merge": run.merge,
    }
    await client.agent_dispatch.create_dispatch(
        api.CreateAgentDispatchRequest(
            agent_name=AGENT_NAME, room=run.room, metadata=json.dumps(job)
        )
    )
    run.say("job dispatched")


async def _call(run: _Run, caller: Caller, faults: list[str]) -> None:
    """Let the people do what the scenario says, and tell what is going on meanwhile."""
    doing = asyncio.create_task(caller.perform(run.scenario.caller), name="caller")
    telling = asyncio.create_task(_tell_states(run), name="telling")
    try:
        if await run.control.wait_for("session_started", JOB_READY_S) is None:
            faults.append("the job did not start")
            return
        limit_s = run.scenario.limit_s
        await asyncio.wait({doing}, timeout=limit_s)
        if not doing.done():
            faults.append(f"the call was not over after {limit_s:g} s")
            await caller.hang_up()
    finally:
        for task in (doing, telling):
            task.cancel()
        results = await asyncio.gather(doing, telling, return_exceptions=True)
        faults += [
            f"harness: {type(result).__name__}: {result}"
            for result in results
            if isinstance(result, Exception)
        ]


async def _tell_states(run: _Run) -> None:
    told: set[str] = set()
    begun_s = time.monotonic()
    said_s = begun_s
    while True:
        for state in list(run.stage.states):
            if state not in told:
                told.add(state)
                run.say(f"transfer {state}")
                said_s = time.monotonic()
        if time.monotonic() - said_s > 4:
            said_s = time.monotonic()
            run.say(f"call goes on, {said_s - begun_s:.0f} s")
        await asyncio.sleep(0.05)


async def _release(run: _Run, caller: Caller) -> float | None:
    """Wait for the one who did not hang up to be let go; give up after a while."""
    run.say("waiting for everybody to be released")
    human = run.phone.human
    lines = [caller, *([human] if human is not None else [])]
    waiting = [asyncio.create_task(line.gone.wait()) for line in lines]
    _, pending = await asyncio.wait(waiting, timeout=RELEASE_S)
    for task in pending:
        task.cancel()
    if pending or run.stage.hang_up_s is None:
        return None
    return max(line.gone_s or 0.0 for line in lines)


async def _left_on_server(run: _Run, client: api.LiveKitAPI) -> tuple[list[str], list[str]]:
    """Name the rooms and participants that do not go away."""
    end_s = time.monotonic() + ROOMS_EMPTY_S
    while True:
        rooms = [room.name for room in (await _rooms(client)) if _ours(run, room.name)]
        people: list[str] = []
        for room in rooms:
            people += await _participants(client, room)
        if not rooms or time.monotonic() > end_s:
            return rooms, people
        await asyncio.sleep(0.2)


def _ours(run: _Run, room: str) -> bool:
    """A server of our own has no other rooms; on somebody else's only ours count."""
    return run.server.process is not None or room in (run.room, run.phone.room)


async def _rooms(client: api.LiveKitAPI) -> list[Any]:
    answer = await client.room.list_rooms(api.ListRoomsRequest())
    return list(answer.rooms)


async def _participants(client: api.LiveKitAPI, room: str) -> list[str]:
    try:
        answer = await client.room.list_participants(api.ListParticipantsRequest(room=room))
    except api.TwirpError:
        return []
    return [f"{each.identity} in {room}" for each in answer.participants]


def _evidence(
    run: _Run,
    caller: Caller,
    *,
    faults: list[str],
    released_s: float | None,
    closed: dict[str, Any] | None,
    left: tuple[list[str], list[str], list[str]],
    end_s: float,
) -> Evidence:
    run.say("listening to the recordings")
    human = run.phone.human
    heard_by_caller = Hearing(*assemble(caller.ear.pieces))
    heard_by_human = Hearing(*assemble(human.ear.pieces if human is not None else ()))
    heard_by_caller.write(run.output / "caller.wav")
    heard_by_human.write(run.output / "human.wav")
    return Evidence(
        scenario=run.scenario,
        states=run.stage.states,
        outcome=run.control.reports.get("outcome"),
        closed=closed,
        caller=heard_by_caller,
        human=heard_by_human,
        caller_marks_s=caller.mouth.marks_s,
        human_marks_s=human.mouth.marks_s if human is not None else [],
        dialed_s=run.phone.dialed_s,
        dials=run.phone.dials,
        answered_s=human.up_s if human is not None else None,
        hang_up_s=run.stage.hang_up_s,
        human_gone_s=human.gone_s if human is not None else None,
        end_s=end_s,
        acted_s=run.control.reports.get("act", {}).get("at_s"),
        released_s=released_s,
        left_rooms=left[0],
        left_participants=left[1],
        left_processes=left[2],
        faults=run.stage.faults + faults,
    )
