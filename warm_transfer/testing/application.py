"""Scenarios of an application of your own: your agent, your tool, one line each.

>>> told = run_agent(Support, "human is busy", tool="transfer_to_human")
>>> told.outcome.reason
<Reason.BUSY: 'busy'>
"""

from __future__ import annotations

from warm_transfer.testing.livekit.application import Told, run_agent

__all__ = ["Told", "run_agent"]
