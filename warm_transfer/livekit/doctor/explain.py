"""What an error means to somebody who sets a server up: one sentence, and what to do."""

from __future__ import annotations

import aiohttp
from livekit import api as lkapi
from livekit import rtc

from warm_transfer.livekit.doctor.findings import Found, failed
from warm_transfer.livekit.faults import unusable
from warm_transfer.logs import mask

__all__ = ["explain", "words_of"]

_NO_API = 404


def explain(error: Exception) -> Found:
    """A failed finding for whatever a check has raised."""
    named = unusable(error)
    if named is not None:
        return failed(f"{named.argument} {named.problem}", named.remedy)
    if isinstance(error, lkapi.ServerError):
        return _server_error(error)
    if isinstance(error, TimeoutError):
        remedy = "is the server overloaded, or is a firewall in between?"
        return failed("the server does not answer in time", remedy)
    if isinstance(error, aiohttp.ClientError):
        return failed(f"the connection fails: {words_of(error)}", "check LIVEKIT_URL")
    if isinstance(error, rtc.ConnectError):
        remedy = "check that the server's ports for media, UDP and TCP, can be reached from here"
        return failed(f"a room cannot be joined: {words_of(error)}", remedy)
    return failed(f"{type(error).__name__}: {words_of(error)}", "see the server's log")


def _server_error(error: lkapi.ServerError) -> Found:
    if error.status == _NO_API and error.code == lkapi.ServerErrorCode.UNKNOWN:
        # The API's own "not found" comes with its own code.
        return failed("what answers there has no LiveKit API", "check LIVEKIT_URL")
    remedy = "see the server's log; is its Redis up?" if error.status == 500 else ""  # noqa: PLR2004
    found = f"the server answers {error.status} {error.code}: {words_of(error)}"
    return failed(found, remedy or "see the server's log")


def words_of(error: Exception) -> str:
    """The words of an error on one line, numbers masked; its name if it has none."""
    words = error.message if isinstance(error, lkapi.ServerError) else str(error)
    return mask(" ".join(words.split())) or type(error).__name__
