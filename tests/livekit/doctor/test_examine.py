from __future__ import annotations

import asyncio
import dataclasses

import pytest

from tests.livekit.doctor.ward import CLOUD, SECRET, Ward, diagnosis
from tests.livekit.trunks import PASSWORD, a_bridge
from warm_transfer.livekit.doctor.examine import CHECKS, CLEANUP, examine
from warm_transfer.livekit.doctor.findings import Finding, Verdict
from warm_transfer.livekit.doctor.limits import DoctorLimits
from warm_transfer.livekit.doctor.visit import Asked

EVERYTHING = Asked(trunk_id="ST_people", call="+15105550123", bridge=True)
REQUESTS = (
    "look",
    "may_join",
    "join",
    "leave",
    "room.list_rooms",
    "room.create_room",
    "room.delete_room",
    "room.list_participants",
    "room.remove_participant",
    "room.move_participant",
    "agent_dispatch.list_dispatch",
    "sip.list_outbound_trunk",
    "sip.list_inbound_trunk",
    "sip.list_dispatch_rule",
    "sip.create_sip_participant",
)


def test_each_check_comes_after_what_it_needs_and_has_a_limit() -> None:
    seen: set[str] = set()
    fields = {each.name for each in dataclasses.fields(DoctorLimits)}
    for check in CHECKS:
        assert set(check.after) <= seen
        assert check.limits
        assert set(check.limits) <= fields
        assert check.name not in seen
        seen.add(check.name)


@pytest.mark.asyncio
async def test_findings_come_in_order_one_a_check_and_are_told_at_once() -> None:
    told: list[Finding] = []
    report, _ = await diagnosis(Ward(), tell=told.append)
    names = [each.name for each in report.findings]
    assert names == [check.name for check in CHECKS] + [CLEANUP]
    assert tuple(told) == report.findings


@pytest.mark.asyncio
async def test_a_check_whose_need_has_failed_is_skipped_and_says_which() -> None:
    ward = Ward()
    ward.fails["room.create_room"] = RuntimeError("broken")
    report, found = await diagnosis(ward, EVERYTHING)
    assert found["room"].verdict is Verdict.FAILED
    assert found["join"].found == "'room' comes first, and has failed"
    assert found["move"].found == "'join' comes first, and was skipped"
    assert report.exit_code == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("request_name", REQUESTS)
async def test_whatever_request_fails_there_is_a_report(request_name: str) -> None:
    ward = Ward(sip=a_bridge())
    ward.fails[request_name] = RuntimeError("broken")
    report = await examine(EVERYTHING, ward, DoctorLimits())
    assert len(report.findings) == len(CHECKS) + 1
    assert ward.closed == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("request_name", REQUESTS)
async def test_whatever_request_hangs_the_whole_is_bounded(request_name: str) -> None:
    ward = Ward(sip=a_bridge())
    ward.hangs.add(request_name)
    limits = DoctorLimits()
    report = await examine(EVERYTHING, ward, limits)
    assert len(report.findings) == len(CHECKS) + 1
    assert asyncio.get_running_loop().time() <= limits.whole_s + limits.cleanup_s
    assert ward.closed == 1


@pytest.mark.asyncio
async def test_a_check_that_takes_longer_says_how_long_was_waited() -> None:
    ward = Ward()
    ward.hangs.add("look")
    _, found = await diagnosis(ward)
    assert found["address"].found == "nothing was found out in 5.0 s"
    assert found["address"].seconds == pytest.approx(5.0)


@pytest.mark.asyncio
async def test_the_limit_of_the_whole_cuts_a_check_and_skips_the_rest() -> None:
    ward = Ward()
    limits = dataclasses.replace(DoctorLimits(), whole_s=1.0)
    _, found = await diagnosis(ward, limits=limits)
    assert found["agents"].verdict is Verdict.FAILED
    assert found["agents"].remedy == "raise --timeout"
    assert found["redis"].verdict is Verdict.SKIPPED
    assert found["redis"].found == "the 1 s of the whole have passed"
    assert found[CLEANUP].verdict is Verdict.OK


@pytest.mark.asyncio
async def test_stopped_anywhere_it_leaves_nothing_behind() -> None:
    steps = 0
    for steps in range(1, 400):
        ward = Ward(sip=a_bridge())
        running = asyncio.create_task(examine(EVERYTHING, ward, DoctorLimits()))
        await asyncio.sleep(0.025 * steps)
        if running.done():
            break
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not ward.left, f"after {0.025 * steps} s: {ward.rooms}"
    assert 100 < steps < 399


@pytest.mark.asyncio
async def test_stopped_again_and_again_it_does_not_wait_for_what_hangs() -> None:
    ward = Ward()
    ward.hangs.add("room.delete_room")
    running = asyncio.create_task(examine(Asked(), ward, DoctorLimits()))
    await asyncio.sleep(1.0)
    running.cancel()
    await asyncio.sleep(1.0)
    running.cancel()
    await asyncio.sleep(0.1)
    assert not running.done()  # the cleaning up is not given up for one more
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.get_running_loop().time() < 3.0


@pytest.mark.asyncio
async def test_stopped_in_a_call_the_phone_does_not_ring_on() -> None:
    ward = Ward()
    ward.phone = 10.0
    running = asyncio.create_task(
        examine(Asked(trunk_id="ST_people", call="+15105550123"), ward, DoctorLimits())
    )
    await asyncio.sleep(DoctorLimits().watch_s + 3.0)
    assert len(ward.dialled) == 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not ward.left
    # At once, and twice more: in its first milliseconds a dial cannot be found.
    assert ward.requests.count("room.delete_room") == 2 + 2


@pytest.mark.asyncio
async def test_what_could_not_be_removed_is_named_with_the_command() -> None:
    ward = Ward()
    ward.fails["room.delete_room"] = TimeoutError()
    report = await examine(Asked(), ward, DoctorLimits())
    last = report.findings[-1]
    assert last.verdict is Verdict.FAILED
    assert min(ward.rooms) in last.found
    assert f"lk room delete {min(ward.rooms)}" in last.remedy


@pytest.mark.asyncio
async def test_cleaning_up_is_bounded_too() -> None:
    ward = Ward()
    ward.hangs.add("room.delete_room")
    limits = dataclasses.replace(DoctorLimits(), cleanup_s=3.0)
    report = await examine(Asked(), ward, limits)
    assert report.findings[-1].verdict is Verdict.FAILED
    assert report.findings[-1].seconds == pytest.approx(3.0)
    assert ward.closed == 1


@pytest.mark.asyncio
async def test_no_secret_is_shown_whoever_says_it() -> None:
    ward = Ward(sip=a_bridge())
    words = f"refused: {SECRET} and {PASSWORD}"
    ward.fails["sip.create_sip_participant"] = RuntimeError(words)
    _, found = await diagnosis(ward)
    assert found["sip service"].found == "RuntimeError: refused: *** and ***"


@pytest.mark.asyncio
async def test_what_auto_would_choose_is_told_whatever_was_found() -> None:
    ward = Ward(CLOUD)
    ward.fails["look"] = OSError("no route")
    report, _ = await diagnosis(ward)
    assert report.auto.strategies == ("move", "relay")
    assert report.url == CLOUD
