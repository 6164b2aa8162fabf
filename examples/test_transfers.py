"""The tests of an application's own transfers: nobody is phoned, and no server is needed.

pytest examples --warm-transfer-cov-missing --warm-transfer-fail-under=25
"""

from __future__ import annotations

from typing import Any

import pytest

from examples.agent import Support
from examples.custom_dialer import CallEnded, PbxDialer
from examples.webhook import Webhook
from warm_transfer import DialRequest, Reason, State
from warm_transfer.testing.application import Told, run_agent
from warm_transfer.testing.contracts import (
    CallRefused,
    Carrier,
    CarrierCall,
    DialerContract,
    StateHookContract,
)
from warm_transfer.testing.regressions import regression


def told(line: str) -> Told:
    """What comes of a transfer in which everybody else does as the line says."""
    return run_agent(lambda: Support("+15105550123", "ST_x"), line, tool="transfer_to_human")


# Scenarios: the agent as it stands.


def test_a_yes_joins_the_two() -> None:
    merged = told("human answers after 4 s, says yes after 6 s")
    assert merged.together
    assert not merged.left


def test_the_caller_comes_back_when_the_colleague_hangs_up() -> None:
    back = told("human answers after 4 s, says yes after 6 s, hangs up 20 s after the merge")
    assert back.states[-2:] == (State.MERGED, State.RETURNED)
    assert "anything else" in back.heard[-1]


@pytest.mark.parametrize(
    "line", ["human is busy", "human never answers", "human answers after 2 s, says nothing"]
)
def test_who_cannot_be_reached_calls_back(line: str) -> None:
    failed = told(line)
    assert failed.alone
    assert "called back" in failed.heard[-1]


def test_a_no_is_told_in_the_words_of_the_library() -> None:
    declined = told('human answers after 4 s, says no "in a meeting" after 6 s')
    assert declined.outcome is not None
    assert declined.outcome.reason is Reason.DECLINED
    assert "in a meeting" in declined.heard[-1]


def test_a_caller_who_hangs_up_is_not_spoken_to_and_the_phone_stops() -> None:
    gone = told("human never answers; caller hangs up 9 s after the dial")
    assert gone.outcome is not None
    assert gone.outcome.reason is Reason.CALLER_LEFT
    assert gone.alone
    # Nothing after what the caller has asked for.
    assert "talk to a person" in gone.heard[-1]


# Contracts: the adapters of one's own.


class SimulatedPbx:
    """The telephone system of `HttpPbx`, on the simulated carrier of the contract."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._calls: dict[str, CarrierCall] = {}

    async def ring(self, request: DialRequest) -> None:
        """Ring."""
        self._calls[request.identity] = await self._carrier.call(
            request.destination,
            room=request.room,
            identity=request.identity,
            ring_timeout_s=request.ring_timeout_s,
        )

    async def answered(self, request: DialRequest) -> None:
        """Return when somebody has answered."""
        try:
            await self._calls[request.identity].wait_answered()
        except CallRefused as refused:
            raise CallEnded(refused.status) from refused

    async def hang_up(self, request: DialRequest) -> None:
        """Hang up."""
        if request.identity in self._calls:
            await self._calls[request.identity].hang_up()


class TestDialer(DialerContract):
    """The dialer, through call orders, faults, repetitions and cancellations."""

    def make_dialer(self, carrier: Carrier) -> PbxDialer:
        """The dialer under test."""
        return PbxDialer(SimulatedPbx(carrier))


class TestWebhook(StateHookContract):
    """The hook, in transfers of every ending, with a receiver that cannot be reached."""

    def make_hook(self) -> Webhook:
        """The hook under test."""

        async def post(_body: dict[str, Any]) -> None:
            raise ConnectionError

        return Webhook(post, tries_max=2, pause_s=0.1)


# Regressions: what happened once, in `journals`.


def test_it_is_decided_as_it_was(warm_transfer_journal: Any) -> None:
    assert regression(warm_transfer_journal) == 1
