from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from google.protobuf.message import Message
from livekit import api

from tests.live.recorder import CREATE_SIP_PARTICIPANT, MOVE_PARTICIPANT, Recorder
from warm_transfer.testing.livekit.leg_errors import sip_refusal

KEY, SECRET = "key", "a secret that is long enough for its hash"
LIST_ROOMS = "livekit.RoomService/ListRooms"


class Upstream:
    """Stands in for the LiveKit server."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes, str]] = []
        self.closed_with: int | None = None
        self.over = asyncio.Event()

    async def api(self, request: web.Request) -> web.Response:
        authorization = request.headers.get("Authorization", "")
        self.asked.append((request.raw_path, await request.read(), authorization))
        if request.path.endswith("DeleteRoom"):
            error = {"code": "not_found", "msg": "no such room", "meta": {"a": "b"}}
            return web.json_response(error, status=404)
        rooms = api.ListRoomsResponse(rooms=[api.Room(name="one")])
        return web.Response(body=rooms.SerializeToString(), content_type="application/protobuf")

    async def rtc(self, request: web.Request) -> web.StreamResponse:
        if request.query["who"] != "known":
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(request.headers["Authorization"])
        async for message in socket:
            if message.data == b"leave":
                await socket.close(code=4321)
            else:
                await socket.send_bytes(message.data * 2)
        self.closed_with = socket.close_code
        self.over.set()
        return socket


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest_asyncio.fixture
async def server_url(upstream: Upstream) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/twirp/{call:.*}", upstream.api)
    app.router.add_get("/rtc", upstream.rtc)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"ws://{host}:{port}"
    await runner.cleanup()


class Trunk:
    """Answers a dial when it is told to."""

    def __init__(self) -> None:
        self.dialled: list[api.CreateSIPParticipantRequest] = []
        self.refuses = False
        self.rung = asyncio.Event()
        self.picks_up = asyncio.Event()
        self.answered = asyncio.Event()

    async def call(self, body: bytes) -> Message:
        self.dialled.append(api.CreateSIPParticipantRequest.FromString(body))
        self.rung.set()
        if self.refuses:
            raise sip_refusal(486, "Busy Here")
        await self.picks_up.wait()
        self.answered.set()
        return api.SIPParticipantInfo(sip_call_id="SCL_1")


@pytest.fixture
def trunk() -> Trunk:
    return Trunk()


@pytest_asyncio.fixture
async def recorder(server_url: str, trunk: Trunk) -> AsyncIterator[Recorder]:
    made = Recorder(server_url, {CREATE_SIP_PARTICIPANT: trunk.call})
    yield made
    await made.aclose()


@pytest_asyncio.fixture
async def url(recorder: Recorder) -> str:
    return await recorder.start()


@pytest_asyncio.fixture
async def client(url: str) -> AsyncIterator[api.LiveKitAPI]:
    made = api.LiveKitAPI(url, KEY, SECRET, failover=False)
    yield made
    await made.aclose()


def a_dial() -> api.CreateSIPParticipantRequest:
    return api.CreateSIPParticipantRequest(
        sip_call_to="+1", room_name="r", wait_until_answered=True
    )


@pytest.mark.asyncio
async def test_requests_reach_the_server_as_they_were_sent_and_are_noted(
    client: api.LiveKitAPI, recorder: Recorder, upstream: Upstream
) -> None:
    before_s = asyncio.get_running_loop().time()
    request = api.ListRoomsRequest(names=["one"])
    answer = await client.room.list_rooms(request)
    assert [room.name for room in answer.rooms] == ["one"]
    path, body, authorization = upstream.asked[0]
    assert path == f"/twirp/{LIST_ROOMS}"
    assert body == request.SerializeToString()
    assert authorization.startswith("Bearer ")
    assert [seen.call for seen in recorder.seen] == [LIST_ROOMS]
    at_s = recorder.first_s(LIST_ROOMS)
    assert at_s is not None
    assert before_s <= at_s <= asyncio.get_running_loop().time()
    assert recorder.first_s(LIST_ROOMS, from_s=at_s + 0.001) is None
    assert recorder.first_s(MOVE_PARTICIPANT) is None


@pytest.mark.asyncio
async def test_an_error_of_the_server_stays_what_it_was(client: api.LiveKitAPI) -> None:
    with pytest.raises(api.ServerError) as raised:
        await client.room.delete_room(api.DeleteRoomRequest(room="r"))
    error = raised.value
    assert (error.code, error.message, error.status) == ("not_found", "no such room", 404)
    assert error.metadata == {"a": "b"}


@pytest.mark.asyncio
async def test_a_dial_is_answered_here_and_noted_when_it_arrives(
    client: api.LiveKitAPI, recorder: Recorder, trunk: Trunk, upstream: Upstream
) -> None:
    dialling = asyncio.ensure_future(client.sip.create_sip_participant(a_dial()))
    await trunk.rung.wait()
    assert recorder.first_s(CREATE_SIP_PARTICIPANT) is not None
    assert not dialling.done()
    trunk.picks_up.set()
    assert (await dialling).sip_call_id == "SCL_1"
    assert trunk.dialled[0].sip_call_to == "+1"
    assert upstream.asked == []


@pytest.mark.asyncio
async def test_a_refused_dial_is_the_error_that_the_sdk_knows(
    client: api.LiveKitAPI, trunk: Trunk
) -> None:
    trunk.refuses = True
    with pytest.raises(api.SipCallError) as raised:
        await client.sip.create_sip_participant(a_dial())
    error = raised.value
    assert (error.sip_status_code, error.sip_status) == (486, "Busy Here")
    assert (error.code, error.status) == ("resource_exhausted", 429)


@pytest.mark.asyncio
async def test_a_phone_rings_on_when_the_client_gives_up(
    client: api.LiveKitAPI, trunk: Trunk
) -> None:
    dialling = asyncio.ensure_future(client.sip.create_sip_participant(a_dial()))
    await trunk.rung.wait()
    dialling.cancel()
    await asyncio.gather(dialling, return_exceptions=True)
    trunk.picks_up.set()
    async with asyncio.timeout(5):
        await trunk.answered.wait()


@pytest.mark.asyncio
async def test_a_websocket_reaches_the_server_and_closes_with_its_code(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        address = f"{url}/rtc?who=known"
        async with session.ws_connect(address, headers={"Authorization": "Bearer x"}) as socket:
            assert await socket.receive_str() == "Bearer x"
            await socket.send_bytes(b"ab")
            assert await socket.receive_bytes() == b"abab"
            await socket.send_bytes(b"leave")
            closed = await socket.receive()
            assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4321)


@pytest.mark.asyncio
async def test_a_client_that_leaves_leaves_the_server(url: str, upstream: Upstream) -> None:
    async with aiohttp.ClientSession() as session:
        address = f"{url}/rtc?who=known"
        async with session.ws_connect(address, headers={"Authorization": "Bearer x"}) as socket:
            await socket.receive_str()
            await socket.close(code=4000)
    async with asyncio.timeout(5):
        await upstream.over.wait()
    assert upstream.closed_with == 4000


@pytest.mark.asyncio
async def test_a_refused_handshake_is_refused_with_the_same_status(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await session.ws_connect(f"{url}/rtc?who=unknown")
    assert raised.value.status == 401


@pytest.mark.asyncio
async def test_closing_hangs_up_on_everybody(
    url: str, recorder: Recorder, upstream: Upstream
) -> None:
    async with aiohttp.ClientSession() as session:
        address = f"{url}/rtc?who=known"
        async with session.ws_connect(address, headers={"Authorization": "Bearer x"}) as socket:
            await socket.receive_str()
            closing = asyncio.ensure_future(recorder.aclose())
            closed = await socket.receive()
            assert closed.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING)
            async with asyncio.timeout(5):
                await closing
                await upstream.over.wait()
