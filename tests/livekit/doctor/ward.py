"""A LiveKit server for the doctor's tests: in this process, on the virtual clock.

It answers in the words of the real one (livekit-server 1.13.5; livekit-sip be5d3f57).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from livekit import api, rtc

from tests.livekit.trunks import NO_REDIS, FakeSip, an_outbound
from warm_transfer.livekit.doctor.examine import examine
from warm_transfer.livekit.doctor.findings import Finding, Report
from warm_transfer.livekit.doctor.limits import DoctorLimits
from warm_transfer.livekit.doctor.outside import Glance
from warm_transfer.livekit.doctor.visit import NOBODY, Asked

__all__ = ["CLOUD", "HERE", "SECRET", "Ward", "diagnosis"]

HERE = "ws://127.0.0.1:7880"
CLOUD = "wss://project.livekit.cloud"
SECRET = "5ecret-of-the-api"  # noqa: S105 - what must never be shown

_REQUEST_S = 0.005


class Ward:
    """The way to a server that has what its fields say.

    `fails` and `hangs` name requests such as ``room.create_room``, ``look`` and ``join``.
    """

    def __init__(self, url: str = HERE, sip: FakeSip | None = None) -> None:
        self.url = url
        self.secrets = (SECRET,)
        self.sip_store = sip or FakeSip()
        if sip is None:
            self.sip_store.outbound.append(an_outbound())
        self.fails: dict[str, Exception] = {}
        self.hangs: set[str] = set()
        self.when: dict[str, Callable[[], None]] = {}
        """What happens beside a request."""
        self.cloud = url == CLOUD
        self.glance = Glance(200, 0.0)
        self.auto_create = True
        self.empty_s, self.departure_s, self.most = 300, 20, 0
        self.slow_s = _REQUEST_S
        self.hear_s = 0.4
        self.unnamed_worker = False
        self.agent_joins = False
        self.sip_service = "answers"
        self.bridge_works = True
        self.deaf: set[str] = set()
        """Who is not heard over the bridge: ``near`` or ``far``."""
        self.phone: Exception | float = 3.0
        """What the dialled phone does: an error, or seconds until it answers."""
        self.rooms: dict[str, dict[str, int]] = {}
        """Participants by room, each with its kind."""
        self.dialled: list[api.CreateSIPParticipantRequest] = []
        self.requests: list[str] = []
        self.visitors: list[FakeVisitor] = []
        self.closed = 0

    def api(self) -> Any:
        return _Api(self)

    def token(self, room: str, identity: str) -> str:
        return f"{room}|{identity}"

    def visitor(self) -> FakeVisitor:
        self.visitors.append(FakeVisitor(self))
        return self.visitors[-1]

    async def look(self) -> Glance:
        await self.asked("look")
        return self.glance

    async def may_join(self, token: str) -> int:
        await self.asked("may_join")
        room = token.partition("|")[0]
        return 200 if self.auto_create or room in self.rooms else 404

    async def asked(self, name: str) -> None:
        self.requests.append(name)
        self.when.get(name, lambda: None)()
        if name in self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.slow_s)
        if name in self.fails:
            raise self.fails[name]

    @property
    def left(self) -> bool:
        """Whether anything is left of an examination."""
        return bool(self.rooms) or any(each.room for each in self.visitors) or self.closed != 1


class FakeVisitor:
    """A participant that can be sent into a room."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self.room = ""
        self.identity = ""
        self.sounds = False

    async def join(self, url: str, token: str) -> None:
        assert url == self._ward.url
        await self._ward.asked("join")
        self.room, self.identity = token.split("|")
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
        self._ward.rooms[self.room][self.identity] = kind

    async def sound(self) -> None:
        self.sounds = True

    async def hear(self, identity: str | None) -> None:
        await asyncio.sleep(self._ward.hear_s)
        here = self._ward.rooms[self.room]
        legs = [
            name for name, kind in here.items() if kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
        ]
        assert (identity or legs[0]) in legs
        if ("near" if identity else "far") in self._ward.deaf:
            await asyncio.Event().wait()

    async def leave(self) -> None:
        await self._ward.asked("leave")
        self._ward.rooms.get(self.room, {}).pop(self.identity, None)
        self.room = ""


class _Api:
    """``api.LiveKitAPI``."""

    def __init__(self, ward: Ward) -> None:
        self.room = _Rooms(ward)
        self.sip = _Sip(ward)
        self.agent_dispatch = _Dispatch(ward)
        self._ward = ward

    async def aclose(self) -> None:
        self._ward.closed += 1


class _Rooms:
    def __init__(self, ward: Ward) -> None:
        self._ward = ward

    async def list_rooms(self, list: Any) -> Any:  # noqa: A002 - the SDK's own name
        del list
        await self._ward.asked("room.list_rooms")

    async def create_room(self, create: api.CreateRoomRequest) -> Any:
        ward = self._ward
        await ward.asked("room.create_room")
        ward.rooms.setdefault(create.name, {})
        called = [each.agent_name for each in create.agents]
        assert called in ([], [NOBODY])
        if ward.agent_joins and not called:
            ward.rooms[create.name]["agent-x"] = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        return api.Room(
            name=create.name,
            empty_timeout=ward.empty_s,
            departure_timeout=ward.departure_s,
            max_participants=ward.most,
        )

    async def delete_room(self, delete: api.DeleteRoomRequest) -> Any:
        await self._ward.asked("room.delete_room")
        if self._ward.rooms.pop(delete.room, None) is None:
            raise api.ServerError("not_found", "requested room does not exist", status=404)

    async def list_participants(self, list: api.ListParticipantsRequest) -> Any:  # noqa: A002
        await self._ward.asked("room.list_participants")
        people = self._ward.rooms[list.room].items()
        infos = [api.ParticipantInfo(identity=name, kind=kind) for name, kind in people]  # type: ignore[arg-type]  # rtc's kinds have the numbers of api's
        return api.ListParticipantsResponse(participants=infos)

    async def remove_participant(self, remove: api.RoomParticipantIdentity) -> Any:
        await self._ward.asked("room.remove_participant")
        if self._ward.rooms.get(remove.room, {}).pop(remove.identity, None) is None:
            raise api.ServerError("not_found", "participant does not exist", status=404)

    async def move_participant(self, move: api.MoveParticipantRequest) -> Any:
        ward = self._ward
        await ward.asked("room.move_participant")
        if not ward.cloud:
            words = "twirp error unknown: not implemented"
            raise api.ServerError("unknown", words, status=500)
        kind = ward.rooms[move.room].pop(move.identity)
        ward.rooms[move.destination_room][move.identity] = kind


class _Dispatch:
    def __init__(self, ward: Ward) -> None:
        self._ward = ward

    async def list_dispatch(self, room_name: str) -> Any:
        await self._ward.asked("agent_dispatch.list_dispatch")
        state = api.AgentDispatchState()
        if self._ward.unnamed_worker:
            state.jobs.add(id="AJ_1")
        return [api.AgentDispatch(id="AD_1", room=room_name, state=state)]


class _Sip:
    """The trunks are those of the store; the dials are the ward's."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward

    def __getattr__(self, name: str) -> Callable[..., Any]:
        request = getattr(self._ward.sip_store, name)

        async def ask(*arguments: Any) -> Any:
            await self._ward.asked(f"sip.{name}")
            return await request(*arguments)

        return ask

    async def create_sip_participant(
        self,
        create: api.CreateSIPParticipantRequest,
        *,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Any:
        ward = self._ward
        assert timeout is not None
        assert create.ringing_timeout.ToMilliseconds() > 0
        assert create.max_call_duration.ToMilliseconds() > 0
        ward.dialled.append(create)
        await ward.asked("sip.create_sip_participant")
        if not ward.sip_store.redis:
            raise api.ServerError("internal", NO_REDIS, status=500)
        if ward.sip_service == "absent":
            await asyncio.sleep(1.0)
            words = "twirp error unknown: no response from servers"
            raise api.ServerError("unavailable", words, status=503)
        if ward.sip_service == "cpu":
            raise api.ServerError("unavailable", "twirp error unknown: cpu exhausted", status=503)
        if ward.sip_service == "cannot join":
            words = "update room failed: could not connect after timeout"
            raise api.ServerError("internal", words, status=500)
        await self._dial(create)

    async def _dial(self, create: api.CreateSIPParticipantRequest) -> None:
        ward = self._ward
        if create.media.only_listed_codecs and ward.sip_service != "takes anything":
            raise api.ServerError("unknown", "twirp error unknown: no codecs specified", status=500)
        here = ward.rooms[create.room_name]
        here[create.participant_identity] = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
        if create.sip_number == "wt-bridge":
            await self._bridge(create)
        elif not create.HasField("trunk"):
            await self._phone(create, here)

    async def _bridge(self, create: api.CreateSIPParticipantRequest) -> None:
        ward = self._ward
        far = ward.rooms[f"wt_{create.sip_call_to}"]
        if not ward.bridge_works:
            words = "twirp error canceled: sip request timed out"
            raise api.ServerError("canceled", words, status=408)
        # A call that comes in is answered only where somebody publishes audio.
        assert any(each.sounds and each.room.startswith("wt_") for each in ward.visitors)
        await asyncio.sleep(0.08)
        far[f"sip_{create.sip_number}"] = rtc.ParticipantKind.PARTICIPANT_KIND_SIP

    async def _phone(self, create: api.CreateSIPParticipantRequest, here: dict[str, int]) -> None:
        if isinstance(self._ward.phone, Exception):
            del here[create.participant_identity]
            raise self._ward.phone
        await asyncio.sleep(self._ward.phone)


async def diagnosis(
    ward: Ward,
    asked: Asked | None = None,
    limits: DoctorLimits | None = None,
    tell: Callable[[Finding], None] = lambda _: None,
) -> tuple[Report, dict[str, Finding]]:
    """The report on a server, and its findings by name; nothing may be left there."""
    wanted = asked or Asked(trunk_id="ST_people")
    report = await examine(wanted, ward, limits or DoctorLimits(), tell)
    assert not ward.left
    return report, {each.name: each for each in report.findings}
