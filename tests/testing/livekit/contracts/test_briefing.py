"""Our own conversation with the human keeps the contract."""

from __future__ import annotations

from tests.testing.livekit.contracts.own_briefings import Greets
from warm_transfer.livekit.briefing import ConsultOptions
from warm_transfer.testing.contracts import BriefingContract


class TestOurs(BriefingContract):
    """As it is unless an application says otherwise."""


class TestWithGreeting(Greets):
    """With words of the application's."""


class TestByTool(BriefingContract):
    """With consent as livekit-agents has it."""

    def options(self) -> ConsultOptions:
        return ConsultOptions(consent="tool")
