from __future__ import annotations

import dataclasses

import pytest
from livekit import api

from tests.livekit.doctor.ward import CLOUD, HERE, Ward, diagnosis
from warm_transfer.livekit.doctor.findings import Verdict
from warm_transfer.livekit.doctor.limits import DoctorLimits
from warm_transfer.livekit.doctor.outside import Glance

OK, WARNING, FAILED, SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.SKIPPED


@pytest.mark.asyncio
async def test_at_a_sound_server_all_is_ok() -> None:
    _, found = await diagnosis(Ward())
    for name in ("address", "clock", "credentials", "room", "grants", "settings", "speed"):
        assert found[name].verdict is OK, found[name]
    for name in ("agents", "join", "move"):
        assert found[name].verdict is OK, found[name]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "verdict", "words"),
    [
        (200, OK, "HTTP 200"),
        (404, OK, "HTTP 404"),
        (406, FAILED, "not ready"),
        (502, FAILED, "502"),
    ],
)
async def test_the_address_answers(status: int, verdict: Verdict, words: str) -> None:
    ward = Ward()
    ward.glance = Glance(status, 0.0)
    report, found = await diagnosis(ward)
    assert found["address"].verdict is verdict
    assert words in found["address"].found
    assert (found["room"].verdict is SKIPPED) == (report.exit_code == 1) == (verdict is FAILED)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        (HERE, OK),
        ("ws://livekit:7880", OK),
        ("ws://10.1.2.3:7880", OK),
        ("ws://livekit.internal", OK),
        ("ws://8.8.8.8:7880", WARNING),
        ("http://livekit.example.com", WARNING),
        ("wss://livekit.example.com", OK),
    ],
)
async def test_an_address_in_the_open_is_complained_of(url: str, verdict: Verdict) -> None:
    _, found = await diagnosis(Ward(url))
    assert found["address"].verdict is verdict


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("ahead_s", "verdict", "words"),
    [
        (None, SKIPPED, "does not tell the time"),
        (0.0, OK, "within 1 s"),
        (-10.0, OK, "within 10 s"),
        (11.0, WARNING, "11 s ahead of ours"),
        (-60.0, WARNING, "60 s behind ours"),
        (61.0, FAILED, "61 s ahead of ours"),
        (-3600.0, FAILED, "3600 s behind ours"),
    ],
)
async def test_clocks_that_differ_are_complained_of(
    ahead_s: float | None, verdict: Verdict, words: str
) -> None:
    ward = Ward()
    ward.glance = Glance(200, ahead_s)
    _, found = await diagnosis(ward)
    assert found["clock"].verdict is verdict
    assert words in found["clock"].found
    # Everything else is still looked at.
    assert found["credentials"].verdict is OK


@pytest.mark.asyncio
async def test_a_key_that_is_refused_names_both_settings_and_ends_it() -> None:
    ward = Ward()
    ward.fails["room.list_rooms"] = api.ServerError("unknown", "", status=401)
    report, found = await diagnosis(ward)
    assert found["credentials"].verdict is FAILED
    assert "LIVEKIT_API_KEY and LIVEKIT_API_SECRET" in found["credentials"].remedy
    assert found["room"].verdict is found["redis"].verdict is SKIPPED
    assert report.exit_code == 1


@pytest.mark.asyncio
async def test_a_room_that_cannot_be_made_is_said() -> None:
    ward = Ward()
    ward.fails["room.create_room"] = api.ServerError(
        "resource_exhausted", "node limit reached", status=429
    )
    _, found = await diagnosis(ward)
    assert found["room"].verdict is FAILED
    assert "node limit reached" in found["room"].found
    assert found["redis"].verdict is OK


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("refused", "missing"),
    [
        (["room.list_participants"], "roomAdmin"),
        (["sip.list_outbound_trunk"], "sip.admin"),
        (["room.list_participants", "sip.list_outbound_trunk"], "roomAdmin, sip.admin"),
    ],
)
async def test_missing_grants_are_named(refused: list[str], missing: str) -> None:
    ward = Ward()
    for name in refused:
        ward.fails[name] = api.ServerError("unauthenticated", "permissions denied", status=401)
    _, found = await diagnosis(ward)
    assert found["grants"].verdict is FAILED
    assert found["grants"].found == f"the key has not the grants {missing}"


@pytest.mark.asyncio
async def test_without_redis_the_grants_are_told_all_the_same() -> None:
    ward = Ward()
    ward.sip_store.redis = False
    _, found = await diagnosis(ward)
    assert found["grants"].verdict is OK


@pytest.mark.asyncio
async def test_a_request_for_grants_that_breaks_is_no_missing_grant() -> None:
    ward = Ward()
    ward.fails["room.list_participants"] = api.ServerError("internal", "broken", status=500)
    _, found = await diagnosis(ward)
    assert found["grants"].verdict is FAILED
    assert "broken" in found["grants"].found


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("empty_s", "departure_s", "most", "words"),
    [
        (300, 9, 0, ["room.departure_timeout is 9 s"]),
        (29, 20, 0, ["room.empty_timeout is 29 s"]),
        (300, 20, 3, ["room.max_participants is 3"]),
        (5, 5, 2, ["departure_timeout", "empty_timeout", "max_participants"]),
        (30, 10, 4, []),
        (0, 0, 0, []),
    ],
)
async def test_settings_of_rooms_that_hurt_are_named_with_what_to_set(
    empty_s: int, departure_s: int, most: int, words: list[str]
) -> None:
    ward = Ward()
    ward.empty_s, ward.departure_s, ward.most = empty_s, departure_s, most
    report, found = await diagnosis(ward)
    assert found["settings"].verdict is (WARNING if words else OK)
    assert report.exit_code == 0
    for each in words:
        assert each in found["settings"].found
        assert each.partition(" ")[0] in found["settings"].remedy


@pytest.mark.asyncio
async def test_rooms_that_do_not_come_about_by_joining_are_complained_of() -> None:
    ward = Ward()
    ward.auto_create = False
    _, found = await diagnosis(ward)
    assert found["settings"].verdict is WARNING
    assert "room.auto_create is off" in found["settings"].found


@pytest.mark.asyncio
@pytest.mark.parametrize(("slow_s", "verdict"), [(0.9, OK), (1.1, WARNING)])
async def test_a_slow_server_is_complained_of(slow_s: float, verdict: Verdict) -> None:
    ward = Ward()
    ward.slow_s = slow_s
    _, found = await diagnosis(ward)
    assert found["speed"].verdict is verdict
    assert f"{slow_s * 1000:.0f} ms" in found["speed"].found


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["unnamed_worker", "agent_joins"])
async def test_an_agent_that_comes_uncalled_is_noticed_at_once(how: str) -> None:
    ward = Ward()
    setattr(ward, how, True)
    _, found = await diagnosis(ward)
    assert found["agents"].verdict is WARNING
    assert "`agent_name`" in found["agents"].remedy
    assert found["agents"].seconds < 1.0


@pytest.mark.asyncio
async def test_that_no_agent_comes_is_only_known_after_a_while() -> None:
    limits = DoctorLimits()
    _, found = await diagnosis(Ward())
    assert found["agents"].seconds == pytest.approx(limits.watch_s, abs=0.3)


@pytest.mark.asyncio
async def test_a_participant_that_cannot_join_is_said_with_the_limit() -> None:
    ward = Ward()
    ward.hangs.add("join")
    _, found = await diagnosis(ward)
    assert found["join"].verdict is FAILED
    assert found["move"].verdict is SKIPPED
    assert found["sip service"].verdict is OK


@pytest.mark.asyncio
async def test_in_the_cloud_the_participant_is_moved_and_has_arrived() -> None:
    ward = Ward(CLOUD)
    report, found = await diagnosis(ward)
    assert found["move"].verdict is OK
    assert found["move"].found == "the test participant was moved"
    assert found["move"].remedy == ""
    assert report.auto.strategies == ("move", "relay")


@pytest.mark.asyncio
@pytest.mark.parametrize("url", [HERE, CLOUD])
async def test_a_server_that_does_not_move_is_a_failure_in_the_cloud_only(url: str) -> None:
    ward = Ward(url)
    ward.cloud = False
    _, found = await diagnosis(ward)
    assert found["move"].verdict is (FAILED if url == CLOUD else OK)


@pytest.mark.asyncio
@pytest.mark.parametrize("url", [HERE, CLOUD])
async def test_a_move_that_fails_otherwise_is_told_in_the_servers_words(url: str) -> None:
    ward = Ward(url)
    words = "participant client version does not support moving"
    ward.fails["room.move_participant"] = api.ServerError("unknown", words, status=500)
    _, found = await diagnosis(ward)
    assert found["move"].verdict is (FAILED if url == CLOUD else OK)
    assert words in found["move"].found


@pytest.mark.asyncio
async def test_a_server_of_ones_own_that_moves_gets_a_hint() -> None:
    ward = Ward()
    ward.cloud = True
    report, found = await diagnosis(ward)
    assert found["move"].verdict is OK
    assert 'merge=["move", "relay"]' in found["move"].remedy
    assert report.auto.strategies == ("relay",)


@pytest.mark.asyncio
async def test_a_participant_that_never_arrives_is_no_move() -> None:
    ward = Ward(CLOUD)
    original = ward.asked

    async def loses(name: str) -> None:
        await original(name)
        if name == "room.list_participants":
            for people in ward.rooms.values():
                people.clear()

    ward.asked = loses  # type: ignore[method-assign]  # a server that loses people
    _, found = await diagnosis(ward)
    assert found["move"].verdict is FAILED
    assert dataclasses.asdict(DoctorLimits())["move_s"] == pytest.approx(found["move"].seconds)
