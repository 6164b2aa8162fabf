"""One run of a scene on the real server: who is started, what is waited for, what is noted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from livekit import api, rtc

from tests.compare.app import ROOMS_VARIABLE
from tests.compare.facts import Facts, Run, run_of
from tests.compare.live import LIVE, Live
from tests.compare.scenes import LIMIT_S, SCENES, Owed, Scene
from tests.holes.hole import Side
from tests.live.app import AGENT_NAME
from tests.live.control import CONTROL_VARIABLE, Control
from tests.live.errors import CannotRun
from tests.live.hearing import Hearing, assemble
from tests.live.people import Caller, Stage
from tests.live.pilots import Pilot
from tests.live.recorder import CREATE_SIP_PARTICIPANT, Recorder
from tests.live.scenarios import HangUp
from tests.live.server import Server
from tests.live.trunk import SipPhone, Trunk
from tests.live.voices import write_music
from tests.live.worker import left_processes, running_worker
from tests.merges.delays import first_heard_s
from warm_transfer.states import State

__all__ = ["drive", "drive_again"]

TRIES = 3
"""A run that did not come up at all is no result; it is tried again."""
WORKER_READY_S = 40.0
JOB_READY_S = 30.0
DECIDED_WITHIN_S = 45.0
"""From the job's start to what ends the transfer."""
CALL_S = 30.0
"""From there to the end of everything that is looked at."""
STOP_S = 4.0
LOOK_S = 0.02
TAIL_S = 0.5
"""What has just begun to be heard goes on a while, so that the recording shows it."""
MUSIC_FRAMES = 5
"""So many loud frames running are music; the incumbent's clip begins with a click and silence."""
GREETED_WITHIN_S = 10.0

Say = Callable[[str], None]


@dataclass(slots=True)
class _Stand:
    """What one run has in hand."""

    scene: Scene
    live: Live
    side: Side
    output: Path
    server: Server
    client: api.LiveKitAPI
    stage: Stage
    phone: SipPhone
    recorder: Recorder
    control: Control
    caller: Caller
    room: str
    own_music: bool
    moves: bool
    tracks_before: Counter[str] = field(default_factory=Counter)


async def drive(
    scene_id: str,
    side: Side,
    *,
    server: Server,
    output: Path,
    moves: bool = False,
    own_music: bool = False,
) -> Run:
    """Play a scene once.

    Args:
        scene_id: which.
        side: whose task.
        server: the real server.
        output: a folder for what was heard, and logs.
        moves: whether the server is to be able to move participants; ours then merges so.
        own_music: whether the application gives a file as hold audio, also where the scene has
            none; it is loud from its first sample.

    Raises:
        CannotRun: the worker or its job did not come up.
    """
    write_music(output / "music.wav")
    own_music = own_music or LIVE[scene_id].own_music
    async with _stand(scene_id, side, server, output, moves, own_music) as stand:
        facts = await _play(stand)
        await _empty(stand)
    (output / "facts.json").write_text(json.dumps(asdict(facts), indent=2) + "\n")
    return run_of(stand.scene, facts)


async def drive_again(say: Say, scene_id: str, side: Side, *, output: Path, **given: Any) -> Run:
    """Play a scene once, as `drive` does; what did not come up is tried again.

    Raises:
        CannotRun: it did not come up in any try.
    """
    for number in range(1, TRIES + 1):
        shutil.rmtree(output, ignore_errors=True)
        try:
            return await drive(scene_id, side, output=output, **given)
        except CannotRun as error:
            if number == TRIES:
                raise
            say(f"  once more: {error}")
    raise AssertionError


@contextlib.asynccontextmanager
async def _stand(
    scene_id: str, side: Side, server: Server, output: Path, moves: bool, own_music: bool
) -> AsyncIterator[_Stand]:
    """Set everything up: the recorder, the phone, the worker with its job, the caller."""
    stage, live = Stage(), LIVE[scene_id]
    client = api.LiveKitAPI(server.url, server.key, server.secret, failover=False)

    async def remove(room: str, identity: str) -> None:
        who = api.RoomParticipantIdentity(room=room, identity=identity)
        await client.room.remove_participant(who)

    phone = SipPhone(server, stage, live.scenario, remove)
    recorder = Recorder(server.url, Trunk(phone, moves=moves).answers)
    stand = _Stand(
        scene=SCENES[scene_id],
        live=live,
        side=side,
        output=output,
        server=server,
        client=client,
        stage=stage,
        phone=phone,
        recorder=recorder,
        control=Control(phone, stage),
        caller=Caller(stage),
        room=f"compare-{secrets.token_hex(4)}",
        own_music=own_music,
        moves=moves,
    )
    url = await recorder.start()
    environment = {
        **server.environment(),
        "LIVEKIT_URL": url,
        ROOMS_VARIABLE: server.url,
        CONTROL_VARIABLE: await stand.control.start(),
    }
    log = output / "worker.log"
    try:
        async with running_worker(
            "tests.compare.app", environment, log, drain_s=0, stop_s=STOP_S
        ) as worker:
            await _begin(stand)
            yield stand
        await left_processes(worker.pid, 0.0)
    finally:
        await stand.caller.aclose()
        await phone.aclose()
        await recorder.aclose()
        await stand.control.aclose()
        await client.aclose()


async def _begin(stand: _Stand) -> None:
    """Bring the agent and the caller together.

    Raises:
        CannotRun: they did not come together, which is nobody's result.
    """
    try:
        await _set_up(stand)
    except (rtc.ConnectError, api.ServerError, TimeoutError) as error:
        raise CannotRun(f"the call did not come up: {type(error).__name__}: {error}") from error


async def _set_up(stand: _Stand) -> None:
    if await stand.control.wait_for("worker_registered", WORKER_READY_S) is None:
        raise CannotRun(f"the worker did not register: see {stand.output / 'worker.log'}")
    job = {
        "scene": stand.scene.id,
        "side": stand.side,
        "music": str(stand.output / "music.wav") if stand.own_music else "",
        "merge": "move" if stand.moves else "auto",
        "journal": str(stand.output / "journal.jsonl"),
    }
    (stand.output / "journal.jsonl").unlink(missing_ok=True)
    await stand.client.room.create_room(
        api.CreateRoomRequest(name=stand.room, empty_timeout=30, departure_timeout=1)
    )
    await stand.client.agent_dispatch.create_dispatch(
        api.CreateAgentDispatchRequest(
            agent_name=AGENT_NAME, room=stand.room, metadata=json.dumps(job)
        )
    )
    await stand.caller.call(stand.server, stand.room)


async def _play(stand: _Stand) -> Facts:
    """Let the people act until the scene has ended, then see what comes."""
    doing = [
        asyncio.create_task(stand.caller.perform(stand.live.scenario.caller), name="caller"),
        asyncio.create_task(_tell_the_stage(stand), name="stage"),
    ]
    try:
        if await stand.control.wait_for("session_started", JOB_READY_S) is None:
            raise CannotRun(f"the job did not start: see {stand.output / 'worker.log'}")
        # The agent's own track is up when it has been heard.
        heard_s = stand.caller.ear.last_s
        await _until(lambda: heard_s.get(Pilot.AGENT, 0.0) > 0, GREETED_WITHIN_S)
        stand.tracks_before = await _agent_tracks(stand)
        await _until(lambda: _decided_s(stand) is not None, DECIDED_WITHIN_S)
        decided_s = _decided_s(stand)
        if await _until(lambda: _has_come(stand) or _too_late(stand), CALL_S):
            await asyncio.sleep(TAIL_S)
        left = await _left(stand, None if decided_s is None else _last_s(stand) + LIMIT_S)
        # The record of the entry comes a second after it.
        await stand.control.wait_for("entered", 2.0)
        return _facts(stand, left)
    finally:
        for task in doing:
            task.cancel()
        await asyncio.gather(*doing, return_exceptions=True)


async def _tell_the_stage(stand: _Stand) -> None:
    """Tell the people how far the transfer is, by what either side shows to the outside."""
    states, reports = stand.stage.states, stand.control.reports
    while True:
        human = stand.phone.human
        if stand.recorder.first_s(CREATE_SIP_PARTICIPANT) is not None:
            states.setdefault(State.DIALING, time.monotonic())
        if human is not None and human.up_s is not None:
            states.setdefault(State.BRIEFING, human.up_s)
        if reports.get("tool", {}).get("tool") == "connect_to_caller":
            states.setdefault(State.MERGING, reports["tool"]["at_s"])
        if "returned" in reports:
            end = State.MERGED if reports["returned"]["merged"] else State.FAILED
            states.setdefault(end, reports["returned"]["at_s"])
        await asyncio.sleep(LOOK_S)


def _decided_s(stand: _Stand) -> float | None:
    """When what ends the scene happened."""
    reports, ends = stand.control.reports, stand.live.ends
    if ends == "hang-up":
        return stand.stage.hang_up_s
    if ends == "refused":
        return stand.phone.ended_s
    if ends == "rung-out":
        dialled_s = stand.recorder.first_s(CREATE_SIP_PARTICIPANT)
        out_s = (dialled_s or 0.0) + stand.live.scenario.policy["ring_timeout_s"]  # type: ignore[operator]  # a number
        return out_s if dialled_s is not None and time.monotonic() > out_s else None
    at_s: float | None = reports.get(ends, {}).get("at_s")
    return at_s


def _last_s(stand: _Stand) -> float:
    """When the last thing happened after which something is owed: the decision or the hang-up."""
    return max(_decided_s(stand) or 0.0, stand.stage.hang_up_s or 0.0)


def _too_late(stand: _Stand) -> bool:
    """Whether the time for what is owed is over."""
    return time.monotonic() > _last_s(stand) + LIMIT_S


def _has_come(stand: _Stand) -> bool:
    """Whether everything has come that is owed and can be seen at once."""
    decided_s = _decided_s(stand) or 0.0
    back = stand.caller.ear.last_s.get(Pilot.AGENT, 0.0) > decided_s
    come = {
        Owed.BACK: back,
        Owed.HEARD: _hear_each_other(stand, decided_s),
        Owed.SETTLED: back or stand.caller.gone.is_set(),
        Owed.RELEASED: _released_s(stand) is not None,
        Owed.ENDED: "returned" in stand.control.reports,
    }
    return all(come.get(owed, True) for owed in stand.scene.owed)


def _hear_each_other(stand: _Stand, from_s: float) -> bool:
    human = stand.phone.human
    heard_s = stand.caller.ear.last_s.get(Pilot.HUMAN, 0.0)
    return human is not None and min(heard_s, human.ear.last_s.get(Pilot.CALLER, 0.0)) > from_s


def _both_heard_s(stand: _Stand, from_s: float | None) -> float | None:
    """When the later of the two first heard the other; None when one never did."""
    human = stand.phone.human
    if human is None or from_s is None:
        return None
    at_caller = first_heard_s(stand.caller.ear.pieces, Pilot.HUMAN, from_s)
    at_human = first_heard_s(human.ear.pieces, Pilot.CALLER, from_s)
    return None if at_caller is None or at_human is None else max(at_caller, at_human)


def _released_s(stand: _Stand) -> float | None:
    human = stand.phone.human
    gone_s = human.gone_s if human is not None else None
    if human is not None and human.up_s is None and stand.phone.ended_s is not None:
        return stand.phone.ended_s
    return gone_s


async def _agent_tracks(stand: _Stand) -> Counter[str]:
    """Name what the agent publishes in the caller's room."""
    request = api.ListParticipantsRequest(room=stand.room)
    try:
        answer = await stand.client.room.list_participants(request)
    except api.ServerError:
        return Counter()
    agents = [each for each in answer.participants if each.kind == each.AGENT]
    return Counter(track.name for each in agents for track in each.tracks)


async def _left(stand: _Stand, until_s: float | None) -> list[str]:
    """Name what is left behind when everything should be over."""
    while True:
        rooms = [room for room in await _rooms(stand) if room.name != stand.room]
        left = [f"a room with {room.num_participants} in it" for room in rooms]
        more = await _agent_tracks(stand) - stand.tracks_before
        if not stand.caller.gone.is_set():
            left += [f"the agent's track {name} in the caller's room" for name in more]
        if not left or until_s is None or time.monotonic() > until_s:
            return left
        await asyncio.sleep(0.2)


def _facts(stand: _Stand, left: list[str]) -> Facts:
    reports = stand.control.reports
    returned = reports.get("returned", {})
    entered_s: float | None = reports.get("entered", {}).get("at_s")
    decided_s = _decided_s(stand)
    heard = Hearing(*assemble(stand.caller.ear.pieces))
    heard.write(stand.output / "caller.wav")
    leaves = any(isinstance(step, HangUp) for step in stand.live.scenario.caller)
    return Facts(
        entered_s=entered_s,
        dialled_s=stand.recorder.first_s(CREATE_SIP_PARTICIPANT),
        music_s=heard.first_sound_s(MUSIC_FRAMES, from_s=entered_s),
        decided_s=decided_s,
        back_s=None if decided_s is None else heard.first_s(Pilot.AGENT, from_s=decided_s),
        heard_s=_both_heard_s(stand, decided_s),
        hung_up_s=stand.stage.hang_up_s,
        call_over_s=None if leaves else stand.caller.gone_s,
        released_s=_released_s(stand),
        returned_s=returned.get("at_s"),
        told=returned.get("told", ""),
        left=left,
    )


async def _rooms(stand: _Stand) -> list[api.Room]:
    """List the rooms of this run; a server of our own has no others."""
    answer = await stand.client.room.list_rooms(api.ListRoomsRequest())
    ours = {stand.room, *stand.phone.rooms}
    return [room for room in answer.rooms if stand.server.process or room.name in ours]


async def _empty(stand: _Stand) -> None:
    """Delete what is left of the rooms, so that no run hears another."""
    for room in await _rooms(stand):
        with contextlib.suppress(api.ServerError):
            await stand.client.room.delete_room(api.DeleteRoomRequest(room=room.name))


async def _until(holds: Callable[[], bool], within_s: float) -> bool:
    end_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() >= end_s:
            return False
        await asyncio.sleep(LOOK_S)
    return True
