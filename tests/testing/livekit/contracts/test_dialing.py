"""Our dialer, and one of an application's, keep the contract."""

from __future__ import annotations

import pytest

from tests.testing.livekit.contracts.own_dialers import ProviderDialer
from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.sip import SipDialer
from warm_transfer.testing.contracts import BrokenClause, Carrier, DialerContract, DialPlan
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.play import DESTINATION


class TestSipDialer(DialerContract):
    def make_dialer(self, carrier: Carrier) -> SipDialer:
        options = DialOptions(destination=DESTINATION, trunk_id=carrier.trunk)
        return SipDialer(carrier.api, options)


class TestProviderDialer(DialerContract):
    def make_dialer(self, carrier: Carrier) -> ProviderDialer:
        return ProviderDialer(carrier)


def test_a_broken_clause_tells_the_phone_the_plan_and_the_story() -> None:
    class Rings(ProviderDialer):
        async def wait(self, call: object) -> None:
            del call

    class Suite(DialerContract):
        def make_dialer(self, carrier: Carrier) -> Rings:
            return Rings(carrier)

    with pytest.raises(BrokenClause) as caught:
        Suite().check(DialPlan(phone=Phone(answers_after_s=9.0)))
    text = str(caught.value)
    assert text.startswith("dial_returns_at_the_answer: it returned and the phone is ")
    assert "tried: DialPlan(phone=Phone(answers_after_s=9.0))" in text
    assert f"dial({DESTINATION})" in text
