"""How the simulated server answers a request: after a while, as planned, or with its own errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import aiohttp
from livekit import api

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.server import Refused
from warm_transfer.testing.livekit.world import World

__all__ = ["NobodyAnswers", "answer", "look_whether_up", "no_response"]

T = TypeVar("T")


class NobodyAnswers(Exception):
    """The server hands a request on, and nobody takes it (psrpc, ``ErrNoResponse``)."""


async def answer(world: World, name: str, work: Callable[[], T]) -> T:
    """Answer one request that is not a dial.

    Args:
        world: the server.
        name: the method of the seam, for the plan of faults.
        work: what is asked for; may raise `Refused` or `NobodyAnswers`.

    Raises:
        ServerError: the server refuses, or nobody takes the request.
        ClientConnectionError: the server is down.
    """

    async def request() -> T:
        look_whether_up(world)
        await world.wait(latency.API_S)
        # What it was asked before it went down it does not answer any more.
        look_whether_up(world)
        try:
            return work()
        except NobodyAnswers:
            await world.wait(latency.NOBODY_ANSWERS_S)
            raise no_response() from None
        except Refused as refused:
            raise api.ServerError(refused.code, refused.message, status=refused.status) from None

    return await world.faults.call(name, request)


def look_whether_up(world: World) -> None:
    """Do what a client does that cannot reach the server.

    Raises:
        ClientConnectionError: the server is down.
    """
    if world.down:
        raise aiohttp.ClientConnectionError("Cannot connect to host simulated")


def no_response() -> api.ServerError:
    """The error when nobody takes a request."""
    return api.ServerError("unavailable", "no response from servers", status=503)
