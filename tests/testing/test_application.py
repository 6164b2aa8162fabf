from __future__ import annotations

from warm_transfer.testing import application
from warm_transfer.testing.livekit import application as there


def test_it_is_the_application_of_the_simulated_world() -> None:
    assert application.run_agent is there.run_agent
    assert application.Told is there.Told
