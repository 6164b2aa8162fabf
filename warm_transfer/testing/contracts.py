"""Contract suites for adapters of your own: derive, make the adapter, and run.

    class TestMyDialer(DialerContract):
        def make_dialer(self, carrier):
            return MyDialer(carrier)

Each suite drives the adapter as the library does, through call orders, faults, repetitions,
cancellations and late answers in virtual time, and names the clause that broke. The clauses stand
in ``CLAUSES`` of each suite. They need hypothesis: ``pip install ".[testing]"`` in a clone.
"""

from __future__ import annotations

from warm_transfer.testing.clauses import BrokenClause
from warm_transfer.testing.livekit.contracts.briefing import BriefingContract, BriefingPlan
from warm_transfer.testing.livekit.contracts.carrier import CallRefused, Carrier, CarrierCall
from warm_transfer.testing.livekit.contracts.dialing import DialerContract, DialPlan
from warm_transfer.testing.livekit.contracts.holding import HoldAudioContract, HoldPlan
from warm_transfer.testing.livekit.contracts.merging import MergePlan, MergeStrategyContract
from warm_transfer.testing.observers import JournalContract, StateHookContract

__all__ = [
    "BriefingContract",
    "BriefingPlan",
    "BrokenClause",
    "CallRefused",
    "Carrier",
    "CarrierCall",
    "DialPlan",
    "DialerContract",
    "HoldAudioContract",
    "HoldPlan",
    "JournalContract",
    "MergePlan",
    "MergeStrategyContract",
    "StateHookContract",
]
