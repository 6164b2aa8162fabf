"""The application's last look at a dial request, and what it may not change.

The request can say more than our arguments do, and a field of next year's SDK cannot be an
argument today. What the transfer relies on is asserted again afterwards.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Iterable, Iterator
from typing import Any, Protocol

from google.protobuf.message import Message
from livekit import api

from warm_transfer.dialable import check_destination, check_headers, check_number, is_plain
from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.legs import unless
from warm_transfer.livekit.naming import TAKEN_PREFIXES
from warm_transfer.policy import TransferPolicy

__all__ = ["DialHook", "Last"]


class DialHook(Protocol):
    """A hook for dial requests, a plain function or a coroutine function."""

    def __call__(self, request: api.CreateSIPParticipantRequest, /) -> object:
        """Change the request and return None, or return another one.

        Called once for each attempt, just before the request is sent.
        """
        ...


_ARGUMENT = "on_dial_request"

#: Where the leg goes and when the dial counts as answered; the tones are in the dial's time limit.
_FIXED = ("room_name", "participant_identity", "wait_until_answered", "dtmf")
#: Nobody else stops the ringing or hangs up a forgotten leg.
_BOUNDED = ("ringing_timeout", "max_call_duration")


class Last:
    """Calls the hook, then checks what came of it.

    Args:
        hook: the application's.
        policy: for `hook_timeout_s`, and for what may be dialled.
    """

    def __init__(self, hook: DialHook, policy: TransferPolicy) -> None:
        self._hook = hook
        self._policy = policy

    async def look(
        self, request: api.CreateSIPParticipantRequest, hung_up: asyncio.Event
    ) -> api.CreateSIPParticipantRequest:
        """The request as it is to be sent.

        Raises:
            InvalidArgument: the hook returned something else, or changed what must stay.
            ConnectionAbortedError: the dial was given up meanwhile.
            TimeoutError: the hook took longer than `TransferPolicy.hook_timeout_s`.
            Exception: what the hook raised.
        """
        asked = api.CreateSIPParticipantRequest()
        asked.CopyFrom(request)
        given = self._hook(request)
        if inspect.isawaitable(given):
            given = await unless(hung_up, _result(given), limit_s=self._policy.hook_timeout_s)
        approved = request if given is None else given
        if not isinstance(approved, api.CreateSIPParticipantRequest):
            remedy = "return a CreateSIPParticipantRequest, or change the given one"
            raise InvalidArgument(_ARGUMENT, f"returned {type(approved).__name__}", remedy)
        self._check(asked, approved)
        return approved

    def _check(
        self, asked: api.CreateSIPParticipantRequest, given: api.CreateSIPParticipantRequest
    ) -> None:
        for name in _FIXED:
            if getattr(given, name) != getattr(asked, name):
                remedy = "leave it: the transfer relies on it"
                raise InvalidArgument(_ARGUMENT, f"changed `{name}`", remedy)
        for name in _BOUNDED:
            limit_s = getattr(asked, name).ToTimedelta().total_seconds()
            if not 0 < getattr(given, name).ToTimedelta().total_seconds() <= limit_s:
                remedy = f"set more than 0 and at most {limit_s:g} s, which is the policy's"
                raise InvalidArgument(_ARGUMENT, f"set `{name}` beyond its limit", remedy)
        if _facts(given) != _facts(asked):
            remedy = f"leave those that begin with {', '.join(TAKEN_PREFIXES)}"
            raise InvalidArgument(_ARGUMENT, "changed `participant_attributes`", remedy)
        self._check_wire(given)
        if any(not is_plain(text) for text in _strings(given)):
            remedy = "give text without control characters"
            raise InvalidArgument(_ARGUMENT, "set a text that cannot be sent", remedy)

    def _check_wire(self, given: api.CreateSIPParticipantRequest) -> None:
        """What the server passes on to the wire as it is."""
        try:
            check_destination(given.sip_call_to, self._policy)
            check_number(given.sip_number)
            check_headers(dict(given.headers), self._policy)
        except InvalidArgument as error:
            problem = f"set a request whose `{error.argument}` {error.problem}"
            raise InvalidArgument(_ARGUMENT, problem, error.remedy) from error


def _facts(request: api.CreateSIPParticipantRequest) -> dict[str, str]:
    """The attributes by which the leg is found again and its progress is read."""
    attributes = request.participant_attributes.items()
    return {key: value for key, value in attributes if key.startswith(TAKEN_PREFIXES)}


async def _result(given: Awaitable[Any]) -> Any:
    return await given


def _strings(value: object) -> Iterator[str]:
    """Every text in a message, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Message):
        for _, each in value.ListFields():
            yield from _strings(each)
    elif hasattr(value, "items"):
        for pair in value.items():
            yield from _strings(pair)
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for each in value:
            yield from _strings(each)
