from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from livekit import api, rtc

from tests.livekit.desk import Desk
from warm_transfer.errors import ServerUnusable, WarmTransferError
from warm_transfer.livekit.faults import (
    disconnect_reason,
    facts_of,
    is_gone,
    naming_settings,
    refusal,
    unusable,
)
from warm_transfer.livekit.result import TransferFailed
from warm_transfer.outcome import Reason, reason_of_refusal
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.leg_errors import ring_timeout, sip_refusal

Code = api.ServerErrorCode


def _connector_error() -> aiohttp.ClientConnectorError:
    key: Any = SimpleNamespace(host="127.0.0.1", port=7880, ssl=False)
    return aiohttp.ClientConnectorError(key, OSError("no route"))


def _server(code: str, message: str = "") -> api.ServerError:
    return api.ServerError(code, message, status=500)


#: What livekit-server 1.13.5 answers to an unknown key and to a wrong secret: no JSON, no code.
_REFUSED_KEY = api.ServerError("unknown", "", status=401)

#: Each error, whether it is a refusal, and the reason it gives then (livekit-facts 5.1 to 5.3).
TABLE: list[tuple[str, Exception, Reason | None]] = [
    ("busy", sip_refusal(486), Reason.BUSY),
    ("a SIP status, whatever the code", api.SipCallError(
        "internal", "x", status=500, metadata={"sip_status_code": "503"}), Reason.UNREACHABLE),
    ("a SIP error without a status", api.SipCallError("internal", "x", status=500), None),
    ("ring timeout", ring_timeout(), Reason.NO_ANSWER),
    ("no SIP service", _server(Code.UNAVAILABLE, "no response from servers"), Reason.UNREACHABLE),
    ("no Redis", _server("internal", "sip not connected (redis required)"), Reason.UNREACHABLE),
    ("unknown trunk", _server(Code.NOT_FOUND, "requested sip trunk does not exist"),
     Reason.REJECTED),
    ("no grant", _server(Code.PERMISSION_DENIED), Reason.REJECTED),
    ("wrong key", _server(Code.UNAUTHENTICATED), Reason.REJECTED),
    ("a key refused in plain text", _REFUSED_KEY, Reason.REJECTED),
    ("bad address", _server(Code.INVALID_ARGUMENT), Reason.INVALID_DESTINATION),
    ("after the INVITE", _server(Code.FAILED_PRECONDITION), Reason.UNREACHABLE),
    ("rate limit", _server(Code.RESOURCE_EXHAUSTED), Reason.UNREACHABLE),
    ("upstream deadline", _server(Code.DEADLINE_EXCEEDED), Reason.NO_ANSWER),
    ("aborted", _server(Code.ABORTED), Reason.UNREACHABLE),
    ("nothing was sent", _connector_error(), Reason.UNREACHABLE),
    ("internal", _server("internal", "update room failed: could not connect after timeout"), None),
    ("unknown", _server("unknown"), None),
    ("data loss", _server("dataloss"), None),
    ("a code of tomorrow", _server("teapot"), None),
    ("client timeout", TimeoutError(), None),
    ("connection lost", aiohttp.ServerDisconnectedError(), None),
    ("answer cut off", aiohttp.ClientPayloadError("cut"), None),
    ("reset", ConnectionResetError("reset"), None),
    ("a bug", ValueError("anything"), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "reason"), [(e, r) for _, e, r in TABLE], ids=[name for name, _, _ in TABLE]
)
def test_an_error_is_a_refusal_with_its_reason_or_of_unknown_fate(
    error: Exception, reason: Reason | None
) -> None:
    refused = refusal(error)
    assert (refused is not None) == (reason is not None)
    if refused is not None:
        assert reason_of_refusal(refused.facts) is reason
        cause = refused.facts.cause
        assert error in (cause, getattr(cause, "__cause__", None))


def test_every_code_of_the_api_is_decided() -> None:
    codes = {value for name, value in vars(Code).items() if name.isupper()}
    uncertain = {code for code in codes if refusal(_server(code)) is None}
    # After these the phone may be ringing.
    assert uncertain == {"internal", "unknown", "dataloss", "already_exists"}


def test_a_sip_error_keeps_status_phrase_and_code() -> None:
    facts = facts_of(sip_refusal(486))
    assert (facts.sip_status, facts.sip_phrase) == (486, "Busy Here")
    assert facts.api_code == "resource_exhausted"
    assert facts.detail == "SipCallError"


def test_a_foreign_error_keeps_its_name_and_never_its_text() -> None:
    # The text may hold a number.
    error = RuntimeError("dialling +15105550123 failed")
    facts = facts_of(error)
    assert facts.detail == "RuntimeError"
    assert facts.cause is error
    assert (facts.sip_status, facts.api_code) == (None, None)


#: What only the set-up can cause, and the setting that its error names.
SETTINGS = [
    ("nothing listens", _connector_error(), "LIVEKIT_URL", "check the address"),
    ("wrong key", _server(Code.UNAUTHENTICATED), "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"),
    ("refused in plain text", _REFUSED_KEY, "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"),
    ("no grant", _server(Code.PERMISSION_DENIED), "LIVEKIT_API_KEY", "sip.call"),
]
DIAL_SETTINGS = [
    *SETTINGS,
    ("no Redis", _server("internal", "sip not connected (redis required)"), "LIVEKIT_URL", "Redis"),
    ("no SIP service", _server(Code.UNAVAILABLE), "LIVEKIT_URL", "livekit-sip"),
    ("unknown trunk", _server(Code.NOT_FOUND), "sip_trunk_id", "lk sip outbound list"),
]


@pytest.mark.parametrize(
    ("error", "argument", "remedy"),
    [row[1:] for row in DIAL_SETTINGS],
    ids=[row[0] for row in DIAL_SETTINGS],
)
def test_a_dial_that_the_set_up_prevents_names_the_setting(
    error: Exception, argument: str, remedy: str
) -> None:
    facts = facts_of(error)
    assert isinstance(facts.cause, ServerUnusable)
    assert facts.cause.argument == argument
    assert remedy in facts.cause.remedy
    assert facts.detail == str(facts.cause)
    assert facts.cause.__cause__ is error


def _is_about_sip(error: Exception) -> bool:
    return "sip not connected" in str(error)


@pytest.mark.parametrize("error", [row[1] for row in DIAL_SETTINGS[len(SETTINGS) :]])
def test_what_only_a_dial_can_meet_says_nothing_of_another_request(error: Exception) -> None:
    assert (unusable(error) is not None) == _is_about_sip(error)


def test_a_refusal_by_the_phone_is_nothing_of_the_set_up() -> None:
    error = sip_refusal(403)
    assert error.code == Code.PERMISSION_DENIED
    assert unusable(error, dialling=True) is None
    assert facts_of(error).cause is error


def test_other_errors_pass_unnamed() -> None:
    with pytest.raises(TimeoutError), naming_settings():
        raise TimeoutError
    with pytest.raises(ServerUnusable) as raised, naming_settings():
        raise _server(Code.UNAUTHENTICATED)
    assert isinstance(raised.value.__cause__, api.ServerError)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("error", "argument"),
    [row[1:3] for row in DIAL_SETTINGS],
    ids=[row[0] for row in DIAL_SETTINGS],
)
async def test_a_server_that_cannot_dial_is_told_before_anybody_is_rung(
    error: Exception, argument: str
) -> None:
    desk = await Desk.open("human answers after 3 s")
    plan = desk.stage.world.faults.plan
    plan[("sip.create_sip_participant", 0)] = Fault(How.FAILS, error)
    if unusable(error) is not None and not _is_about_sip(error):
        plan[("room.create_room", 0)] = Fault(How.FAILS, error)
    failed = await desk.ask_and_wait()
    assert isinstance(failed, TransferFailed)
    assert issubclass(TransferFailed, WarmTransferError)
    cause = failed.__cause__
    assert isinstance(cause, ServerUnusable)
    assert cause.argument == argument
    assert failed.outcome.detail == str(cause)
    assert desk.stage.sdk.switchboard.calls == []
    assert all(desk.switches().values())
    await desk.task.wait_closed()
    await desk.close()


@pytest.mark.parametrize(
    ("error", "gone"),
    [
        (_server(Code.NOT_FOUND), True),
        (_server(Code.UNAVAILABLE), False),
        (TimeoutError(), False),
        (KeyError("not_found"), False),
    ],
)
def test_only_not_found_means_that_it_is_gone(error: Exception, gone: bool) -> None:
    assert is_gone(error) is gone


def test_reasons_are_told_by_name_and_unknown_ones_stay_numbers() -> None:
    assert disconnect_reason(None) is None
    for name, value in rtc.DisconnectReason.items():
        assert disconnect_reason(value) == name
    assert disconnect_reason(4711) == "REASON_4711"
    assert disconnect_reason(-1) == "REASON_-1"
