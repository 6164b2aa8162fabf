from __future__ import annotations

import aiohttp
import pytest
from livekit import api, rtc

from warm_transfer.livekit.doctor.explain import explain, words_of
from warm_transfer.livekit.doctor.findings import Verdict

REDIS_GONE = "could not get rooms: dial tcp: connect: connection refused"


@pytest.mark.parametrize(
    ("error", "found", "remedy"),
    [
        (api.ServerError("unknown", "", status=401), "is refused by the server", "API_SECRET"),
        (api.ServerError("unauthenticated", "x", status=401), "is refused", "LIVEKIT_API_KEY"),
        (api.ServerError("unknown", "", status=404), "no LiveKit API", "LIVEKIT_URL"),
        (api.ServerError("not_found", "no room", status=404), "404 not_found: no room", "log"),
        (api.ServerError("unknown", REDIS_GONE, status=500), "connection refused", "Redis"),
        (api.ServerError("unavailable", "busy", status=503), "503 unavailable: busy", "log"),
        (TimeoutError(), "does not answer in time", "firewall"),
        (aiohttp.ServerDisconnectedError(), "the connection fails", "LIVEKIT_URL"),
        (rtc.ConnectError("wait_pc_connection timed out"), "wait_pc_connection", "UDP"),
        (ValueError("odd"), "ValueError: odd", "log"),
    ],
)
def test_an_error_is_a_failure_in_a_sentence_with_a_remedy(
    error: Exception, found: str, remedy: str
) -> None:
    explained = explain(error)
    assert explained.verdict is Verdict.FAILED
    assert found in explained.found
    assert remedy in explained.remedy


def test_the_words_of_an_error_are_one_line_with_numbers_masked() -> None:
    error = api.ServerError("unknown", "dialling\n +1 510 555 0123\tfailed", status=500)
    assert words_of(error) == "dialling ***23 failed"
    assert words_of(TimeoutError()) == "TimeoutError"
