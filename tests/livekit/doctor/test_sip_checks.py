from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from livekit import api

from tests.livekit.doctor.ward import CLOUD, Ward, diagnosis
from tests.livekit.trunks import FakeSip, a_bridge, an_inbound, an_outbound
from warm_transfer.livekit.bridge_objects import BridgeObjects
from warm_transfer.livekit.doctor.findings import Finding, Verdict
from warm_transfer.livekit.doctor.limits import DoctorLimits
from warm_transfer.livekit.doctor.visit import Asked
from warm_transfer.testing.livekit.leg_errors import ring_timeout, sip_refusal

OK, WARNING, FAILED, SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.SKIPPED
NUMBER = "+15105550123"
SHOWN = "+15105550177"


def with_bridge() -> FakeSip:
    sip = a_bridge()
    sip.outbound.append(an_outbound())
    sip.inbound.append(an_inbound())
    return sip


async def finding(name: str, ward: Ward, asked: Asked | None = None) -> Finding:
    _, found = await diagnosis(ward, asked)
    return found[name]


# Redis.


@pytest.mark.asyncio
async def test_without_redis_nobody_can_be_dialled_and_the_relay_is_chosen() -> None:
    ward = Ward()
    ward.sip_store.redis = False
    report, found = await diagnosis(ward, Asked(trunk_id="ST_people", bridge=True))
    assert found["redis"].verdict is FAILED
    assert "sip not connected" in found["redis"].found
    assert "`redis:`" in found["redis"].remedy
    for name in ("sip service", "trunk", "bridge", "bridge call"):
        assert found[name].verdict is SKIPPED
    assert report.auto.strategies == ("relay",)
    assert "could be looked for" in report.auto.why
    assert ward.dialled == []


@pytest.mark.asyncio
async def test_trunks_are_counted_and_other_errors_are_not_blamed_on_redis() -> None:
    ward = Ward(sip=with_bridge())
    assert "2 outbound and 2 inbound" in (await finding("redis", ward)).found
    ward = Ward()
    ward.fails["sip.list_inbound_trunk"] = api.ServerError("unknown", "odd", status=500)
    assert "odd" in (await finding("redis", ward)).found


# The SIP service.


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("service", "verdict", "words"),
    [
        ("answers", OK, "nobody was dialled"),
        ("takes anything", OK, "nobody was dialled"),
        ("absent", FAILED, "no SIP service answers"),
        ("cpu", FAILED, "over its CPU limit"),
        ("cannot join", FAILED, "cannot join a room"),
    ],
)
async def test_the_sip_service_is_asked_without_dialling(
    service: str, verdict: Verdict, words: str
) -> None:
    ward = Ward()
    ward.sip_service = service
    found = await finding("sip service", ward)
    assert found.verdict is verdict
    assert words in found.found
    (request,) = ward.dialled
    # Twice nobody can be rung by it: there is no codec, and the host never resolves.
    assert request.media.only_listed_codecs
    assert list(request.media.codecs) == []
    assert request.trunk.hostname.endswith(".invalid")
    assert request.sip_trunk_id == ""


@pytest.mark.asyncio
async def test_a_refusal_that_may_not_be_the_services_is_only_a_warning() -> None:
    ward = Ward()
    error = api.ServerError("invalid_argument", "missing sip trunk id", status=400)
    ward.fails["sip.create_sip_participant"] = error
    found = await finding("sip service", ward)
    assert found.verdict is WARNING
    assert "missing sip trunk id" in found.found
    assert "--call" in found.remedy


@pytest.mark.asyncio
async def test_a_key_that_may_not_dial_is_named() -> None:
    ward = Ward()
    error = api.ServerError("unauthenticated", "permissions denied", status=401)
    ward.fails["sip.create_sip_participant"] = error
    found = await finding("sip service", ward)
    assert found.verdict is FAILED
    assert "sip.call" in found.found


# The trunk.


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("trunk_id", "verdict", "words"),
    [
        ("ST_people", OK, "ST_people leads to sip.example.com, shows ***00"),
        ("ST_unknown", FAILED, "ST_unknown is not known to the server"),
        ("ST_out", FAILED, "ST_out is the trunk of the bridge"),
        ("ST_in", FAILED, "ST_in is an inbound trunk"),
        ("ST_callers", FAILED, "ST_callers is an inbound trunk"),
        (None, WARNING, "no outbound trunk was named"),
    ],
)
async def test_the_trunk_is_there_and_leads_to_people(
    trunk_id: str | None, verdict: Verdict, words: str
) -> None:
    found = await finding("trunk", Ward(sip=with_bridge()), Asked(trunk_id=trunk_id))
    assert found.verdict is verdict
    assert words in found.found
    if verdict is not OK:
        assert "the server has: ST_people" in found.remedy


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("url", "fields", "words"),
    [
        (CLOUD, {"address": "10.0.0.7:5060"}, "cannot reach a private address"),
        ("ws://here", {"address": "10.0.0.7:5060"}, ""),
        (CLOUD, {"address": "54.172.60.1"}, ""),
        (CLOUD, {"numbers": []}, "no number to show"),
    ],
)
async def test_a_trunk_that_will_not_do_is_complained_of(
    url: str, fields: dict[str, Any], words: str
) -> None:
    sip = FakeSip()
    sip.outbound.append(an_outbound(**fields))
    found = await finding("trunk", Ward(url, sip))
    assert found.verdict is (WARNING if words else OK)
    assert words in found.found


@pytest.mark.asyncio
@pytest.mark.parametrize("numbers", [[], ["+15105550100"]])
async def test_a_caller_id_of_the_environment_is_what_the_trunk_shows(numbers: list[str]) -> None:
    sip = FakeSip()
    sip.outbound.append(an_outbound(numbers=numbers))
    asked = Asked(trunk_id="ST_people", caller_id=SHOWN)
    found = await finding("trunk", Ward(sip=sip), asked)
    assert found.verdict is OK
    assert found.found.endswith("shows ***77")


# The bridge.


@pytest.mark.asyncio
async def test_a_bridge_that_is_set_up_is_chosen_and_not_called() -> None:
    ward = Ward(sip=with_bridge())
    report, found = await diagnosis(ward)
    assert found["bridge"].verdict is OK
    assert found["bridge"].found == "ST_out leads to 10.0.0.5:5060, calls come out in wt_<token>"
    assert report.auto.strategies == ("sip_bridge", "relay")
    assert found["bridge call"].verdict is SKIPPED
    assert len(ward.dialled) == 1


@pytest.mark.asyncio
async def test_without_a_bridge_the_relay_is_chosen_and_the_set_up_named() -> None:
    report, found = await diagnosis(Ward())
    assert found["bridge"].verdict is WARNING
    assert "warm-transfer bridge setup" in found["bridge"].remedy
    assert report.auto.strategies == ("relay",)
    assert report.exit_code == 0


@pytest.mark.asyncio
async def test_a_bridge_that_cannot_work_is_a_failure_and_not_chosen() -> None:
    sip = with_bridge()
    sip.inbound.append(an_inbound("ST_any", numbers=[]))
    report, found = await diagnosis(Ward(sip=sip))
    assert found["bridge"].verdict is FAILED
    assert "ST_any takes calls" in found["bridge"].found
    assert report.auto.strategies == ("relay",)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("named", "verdict", "words"),
    [
        ("ST_out", OK, "ST_out leads to"),
        ("ST_people", WARNING, "names ST_people, which is not set up as a bridge"),
        ("ST_other", FAILED, "names ST_other, which the server does not know"),
    ],
)
@pytest.mark.parametrize("redis", [True, False])
async def test_a_bridge_that_the_environment_names_is_taken_and_looked_at(
    named: str, verdict: Verdict, words: str, redis: bool
) -> None:
    ward = Ward(sip=with_bridge())
    ward.sip_store.redis = redis
    report, found = await diagnosis(ward, Asked(bridge_named=BridgeObjects(named)))
    assert report.auto.strategies == ("sip_bridge", "relay")
    if redis:
        assert found["bridge"].verdict is verdict
        assert words in found["bridge"].found


@pytest.mark.asyncio
async def test_a_bridge_that_is_only_named_is_called_when_asked() -> None:
    sip = FakeSip()
    sip.outbound.append(an_outbound("ST_own"))
    ward = Ward(sip=sip)
    asked = Asked(bridge=True, bridge_named=BridgeObjects("ST_own"))
    assert (await finding("bridge call", ward, asked)).verdict is OK
    assert ward.dialled[-1].sip_trunk_id == "ST_own"


@pytest.mark.asyncio
async def test_the_cloud_needs_no_bridge() -> None:
    found = await finding("bridge", Ward(CLOUD, with_bridge()))
    assert found.verdict is SKIPPED


# A call over the bridge.


@pytest.mark.asyncio
async def test_a_call_over_the_bridge_is_heard_on_both_sides() -> None:
    ward = Ward(sip=with_bridge())
    found = await finding("bridge call", ward, Asked(bridge=True))
    assert found.verdict is OK
    assert found.found == "answered after 0.08 s, heard on both sides after 0.48 s"
    request = ward.dialled[-1]
    assert request.sip_trunk_id == "ST_out"
    assert request.sip_number == "wt-bridge"
    assert len(request.sip_call_to) == 32
    assert request.max_call_duration.seconds <= 60
    assert dict(request.participant_attributes) == {"wt.role": "bridge"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("deaf", "words"),
    [
        ({"near"}, "not heard where it was called from"),
        ({"far"}, "not heard where it came out"),
        ({"near", "far"}, "not heard where it was called from nor where it came out"),
    ],
)
async def test_a_bridge_that_carries_no_sound_does_not_work(deaf: set[str], words: str) -> None:
    ward = Ward(sip=with_bridge())
    ward.deaf = deaf
    found = await finding("bridge call", ward, Asked(bridge=True))
    assert found.verdict is FAILED
    assert found.found.endswith(words)
    assert "RTP" in found.remedy


@pytest.mark.asyncio
async def test_a_call_that_nothing_lets_in_names_what_to_look_at() -> None:
    ward = Ward(sip=with_bridge())
    ward.bridge_works = False
    found = await finding("bridge call", ward, Asked(bridge=True))
    assert found.verdict is FAILED
    assert "sip request timed out" in found.found
    assert "`--allow`" in found.remedy


@pytest.mark.asyncio
async def test_a_call_over_no_bridge_is_a_failure_when_it_was_asked_for() -> None:
    found = await finding("bridge call", Ward(), Asked(bridge=True))
    assert found.verdict is FAILED
    assert "bridge setup" in found.remedy


# A phone.

CALLED = Asked(trunk_id="ST_people", call=NUMBER)


@pytest.mark.asyncio
@pytest.mark.parametrize("caller_id", ["", SHOWN])
async def test_the_phone_sees_the_caller_id_that_transfers_show(caller_id: str) -> None:
    ward = Ward()
    _, found = await diagnosis(ward, dataclasses.replace(CALLED, caller_id=caller_id))
    assert found["call"].verdict is OK
    # Empty is the trunk's own.
    assert ward.dialled[-1].sip_number == caller_id
    assert SHOWN not in str(found)


@pytest.mark.asyncio
async def test_without_any_number_to_show_nobody_is_rung() -> None:
    sip = FakeSip()
    sip.outbound.append(an_outbound(numbers=[]))
    ward = Ward(sip=sip)
    _, found = await diagnosis(ward, CALLED)
    assert found["call"].verdict is SKIPPED
    assert found["call"].found == "the trunk has no number to show"
    assert found["call"].remedy == "set LIVEKIT_SIP_NUMBER"
    assert NUMBER not in [request.sip_call_to for request in ward.dialled]
    _, found = await diagnosis(Ward(sip=sip), dataclasses.replace(CALLED, caller_id=SHOWN))
    assert found["call"].verdict is OK


@pytest.mark.asyncio
async def test_nobody_is_dialled_unless_asked() -> None:
    ward = Ward(sip=with_bridge())
    _, found = await diagnosis(ward)
    assert found["call"].verdict is SKIPPED
    assert all(request.trunk.hostname.endswith(".invalid") for request in ward.dialled)


@pytest.mark.asyncio
async def test_a_phone_that_answers_is_hung_up_at_once() -> None:
    ward = Ward()
    on_the_line: dict[str, bool] = {}

    def tell(each: Finding) -> None:
        legs = [name for people in ward.rooms.values() for name in people]
        on_the_line[each.name] = any(name.endswith("-call") for name in legs)

    _, found = await diagnosis(ward, CALLED, tell=tell)
    # It has gone before anything else is done.
    assert not on_the_line["call"]
    assert found["call"].verdict is OK
    assert found["call"].found == "***23 answered after 3.0 s and was hung up"
    request = ward.dialled[-1]
    assert (request.sip_trunk_id, request.sip_call_to) == ("ST_people", NUMBER)
    assert request.hide_phone_number
    assert request.ringing_timeout.seconds == DoctorLimits().ring_s
    assert request.max_call_duration.seconds <= 60
    assert NUMBER not in str(found)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("error", "verdict", "words"),
    [
        (sip_refusal(486), OK, "was reached: SIP 486"),
        (sip_refusal(603), OK, "was reached: SIP 603"),
        (ring_timeout(), WARNING, "did not answer"),
        (sip_refusal(480), WARNING, "did not answer: SIP 480"),
        (sip_refusal(404), FAILED, "was not reached: SIP 404"),
        (sip_refusal(403), FAILED, "was not reached: SIP 403"),
        (sip_refusal(503), FAILED, "was not reached: SIP 503"),
        (api.ServerError("unknown", "odd", status=500), FAILED, "was not reached: odd"),
    ],
)
async def test_what_becomes_of_a_call_tells_of_the_trunk(
    error: Exception, verdict: Verdict, words: str
) -> None:
    ward = Ward()
    ward.phone = error
    _, found = await diagnosis(ward, CALLED)
    assert found["call"].verdict is verdict
    assert words in found["call"].found
    assert NUMBER not in str(found)


@pytest.mark.asyncio
async def test_a_call_of_unknown_fate_is_hung_up_until_it_cannot_ring() -> None:
    ward = Ward()
    ward.phone = TimeoutError()
    _, found = await diagnosis(ward, CALLED)
    assert found["call"].verdict is FAILED
    assert ward.requests.count("room.delete_room") == 2 + 2


@pytest.mark.asyncio
async def test_a_phone_that_rings_on_is_given_up() -> None:
    ward = Ward()
    ward.phone = 999.0
    limits = dataclasses.replace(DoctorLimits(), ring_s=4.0)
    _, found = await diagnosis(ward, CALLED, limits)
    assert found["call"].verdict is FAILED
    assert found["call"].seconds == pytest.approx(9.0, abs=0.1)
