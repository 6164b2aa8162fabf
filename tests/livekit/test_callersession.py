from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import AgentSession

from warm_transfer.errors import CallerUnclear, InvalidArgument
from warm_transfer.events import Event, On
from warm_transfer.livekit.callersession import (
    SessionWatch,
    caller_of,
    claim,
    refuse_room_deletion,
    refuse_second,
    release,
)
from warm_transfer.livekit.result import SessionBusy
from warm_transfer.states import State


class Session(rtc.EventEmitter[str]):
    """As much of a session as is looked at here."""

    room_io: Any = None


def engine(name: str) -> Any:
    return SimpleNamespace(id=name, state=State.DIALING)


def session() -> Any:
    return Session()


def test_a_session_has_one_transfer_at_a_time() -> None:
    ours, other, first, second = session(), session(), engine("first"), engine("second")
    refuse_second(ours)
    claim(ours, first)
    refuse_second(other)
    with pytest.raises(SessionBusy) as caught:
        refuse_second(ours)
    assert (caught.value.transfer_id, caught.value.state) == ("first", State.DIALING)
    release(ours, first)
    refuse_second(ours)
    claim(ours, second)
    # The first is forgotten late; the second stays.
    release(ours, first)
    with pytest.raises(SessionBusy):
        refuse_second(ours)
    release(ours, second)
    release(ours, second)
    refuse_second(ours)


def test_a_session_is_not_kept_alive_by_its_transfer() -> None:
    ours = session()
    gone = weakref.ref(ours)
    claim(ours, engine("first"))
    del ours
    gc.collect()
    assert gone() is None


def kinds(*found: int) -> dict[str, Any]:
    return {str(number): SimpleNamespace(kind=kind) for number, kind in enumerate(found)}


def test_the_caller_is_whom_the_session_is_linked_to() -> None:
    ours, room = session(), object()
    ours.room_io = SimpleNamespace(room=room, linked_participant=SimpleNamespace(identity="me"))
    assert caller_of(ours) == (room, "me")


@pytest.mark.parametrize("found", [0, 1, 3])
def test_a_session_that_is_linked_to_nobody_has_no_caller(found: int) -> None:
    kind = rtc.ParticipantKind
    sip = [kind.PARTICIPANT_KIND_SIP] * found
    room = SimpleNamespace(remote_participants=kinds(*sip, kind.PARTICIPANT_KIND_AGENT))
    ours = session()
    ours.room_io = SimpleNamespace(room=room, linked_participant=None)
    with pytest.raises(CallerUnclear) as caught:
        caller_of(ours)
    assert caught.value.found == found


@pytest.mark.asyncio
async def test_a_session_that_is_in_no_room_has_no_caller() -> None:
    ours: AgentSession[Any] = AgentSession(vad=None, turn_handling={"turn_detection": None})
    with pytest.raises(CallerUnclear) as caught:
        caller_of(ours)
    assert caught.value.found == 0


def test_a_watch_tells_that_the_session_has_closed_until_it_is_closed_itself() -> None:
    posted: list[Event] = []
    ours = session()
    watch = SessionWatch(ours, posted.append)
    ours.emit("close", object())
    assert [each.name for each in posted] == [On.SESSION_CLOSED]
    watch.close()
    ours.emit("close", object())
    assert len(posted) == 1


def test_an_agent_cannot_leave_a_room_that_its_session_deletes() -> None:
    ours = session()
    ours.room_io = SimpleNamespace(_options=SimpleNamespace(delete_room_on_close=True))
    with pytest.raises(InvalidArgument, match="`delete_room_on_close`") as caught:
        refuse_room_deletion(ours)
    assert caught.value.argument == "after_merge"
    ours.room_io._options.delete_room_on_close = False
    refuse_room_deletion(ours)
