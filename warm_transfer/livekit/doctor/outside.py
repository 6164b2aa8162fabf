"""What the doctor touches: the server over HTTP, its API, and its rooms. Tests have another one."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from livekit import api as lkapi

from warm_transfer.livekit.doctor.visitor import RtcVisitor, Visitor
from warm_transfer.livekit.sdk import Api

__all__ = ["DoctorApi", "Glance", "LiveKitOutside", "Outside", "http_address"]


@dataclass(frozen=True, slots=True)
class Glance:
    """What the server answers to whoever asks for its address."""

    status: int
    """The HTTP status."""
    ahead_s: float | None = None
    """How far its clock is ahead of ours, to the second; None when it does not tell the time."""


class DoctorApi(Api, Protocol):
    """``api.LiveKitAPI``."""

    @property
    def agent_dispatch(self) -> Any:
        """``AgentDispatchService``."""
        ...


class Outside(Protocol):
    """The way to one server."""

    @property
    def url(self) -> str:
        """Its address for rooms."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown to anybody."""
        ...

    def api(self) -> DoctorApi:
        """A client of its API, to be closed."""
        ...

    def token(self, room: str, identity: str) -> str:
        """A token with which an ordinary participant joins one room."""
        ...

    def visitor(self) -> Visitor:
        """A participant that has not joined yet."""
        ...

    async def look(self) -> Glance:
        """Ask for the address itself, without any credentials."""
        ...

    async def may_join(self, token: str) -> int:
        """Whether one could join with a token, as an HTTP status; nobody joins."""
        ...


def http_address(url: str) -> str:
    """The address for HTTP of a server whose address for rooms is this."""
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


_TTL = datetime.timedelta(minutes=5)
"""The test token's; the doctor is done by then."""


class LiveKitOutside:
    """The real one.

    Args:
        url, key, secret: as in the environment variables of livekit.
        now: tells the time, in seconds since 1970.
    """

    def __init__(
        self, url: str, key: str, secret: str, now: Callable[[], float] = time.time
    ) -> None:
        self._url, self._key, self._secret = url, key, secret
        self._now = now

    @property
    def url(self) -> str:
        """The address as it was given."""
        return self._url

    @property
    def secrets(self) -> tuple[str, ...]:
        """The API secret."""
        return (self._secret,)

    def api(self) -> DoctorApi:
        """A client without fail-over: a dial is never replayed."""
        return lkapi.LiveKitAPI(self._url, self._key, self._secret, failover=False)

    def token(self, room: str, identity: str) -> str:
        """A token of the kind that a person's client has."""
        grants = lkapi.VideoGrants(room_join=True, room=room)
        token = lkapi.AccessToken(self._key, self._secret).with_identity(identity)
        return token.with_ttl(_TTL).with_grants(grants).to_jwt()

    def visitor(self) -> Visitor:
        """A participant through livekit's native library."""
        return RtcVisitor()

    async def look(self) -> Glance:
        """``GET /`` is livekit-server's health check (``pkg/service/server.go``)."""
        before_s = self._now()
        status, headers = await self._get("/", {})
        between_s = (before_s + self._now()) / 2
        return Glance(status, _ahead(headers.get("Date"), between_s))

    async def may_join(self, token: str) -> int:
        """``GET /rtc/validate`` (``pkg/service/rtcservice.go``)."""
        # In a header and not in the address, so that it stands in nobody's log.
        status, _ = await self._get("/rtc/validate", {"Authorization": f"Bearer {token}"})
        return status

    async def _get(self, path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(http_address(self._url) + path, headers=headers) as answer,
        ):
            return answer.status, answer.headers


def _ahead(date: str | None, ours_s: float) -> float | None:
    try:
        theirs_s = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return None
    # The header has whole seconds, cut off: on average it is half a second behind.
    return round(theirs_s + 0.5 - ours_s)
