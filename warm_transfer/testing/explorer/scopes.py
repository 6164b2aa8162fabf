"""The policies and plans under which all paths are walked."""

from __future__ import annotations

from dataclasses import dataclass, field

from warm_transfer.errors import WarmTransferError
from warm_transfer.policy import Carrier, Plan, Strategy, TransferPolicy
from warm_transfer.rows import Table
from warm_transfer.transfer import Transfer

__all__ = ["SCOPES", "OutsideModel", "Scope"]

_RELAY = Strategy("relay", Carrier.AGENT)
_BRIDGE = Strategy("sip_bridge", Carrier.BRIDGE)
_MOVE = Strategy("move", Carrier.SERVER)


class OutsideModel(WarmTransferError):
    """A table does something that the model of the world cannot follow."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A policy and a plan under which all paths are walked."""

    name: str
    policy: TransferPolicy = field(default_factory=TransferPolicy)
    strategies: tuple[Strategy, ...] = (_RELAY,)
    lag_max: int = 1
    """How many starts from before the merge may still be under way from `merging` on, the closing
    of the briefing included; that alone is never cut."""

    def fresh(self, transfer_id: str, table: Table) -> Transfer:
        """A transfer that nothing has happened to."""
        plan = Plan(strategies=self.strategies)
        return Transfer(transfer_id, policy=self.policy, plan=plan, table=table)


_ENDS = TransferPolicy(on_human_left="end_call")
_RETURNS = TransferPolicy(on_human_left="return")
_LEAVES = TransferPolicy(after_merge="leave")

SCOPES: tuple[Scope, ...] = (
    Scope("relay, end_call", _ENDS, (_RELAY,), 0),
    Scope("relay, return", _RETURNS, (_RELAY,), 1),
    Scope("move, return", _RETURNS, (_MOVE,), 1),
    Scope("sip_bridge, return", _RETURNS, (_BRIDGE,), 0),
    Scope("sip_bridge then move then relay, end_call", _ENDS, (_BRIDGE, _MOVE, _RELAY), 0),
    Scope("move then sip_bridge, leave", _LEAVES, (_MOVE, _BRIDGE), 0),
    Scope("relay then move, leave", _LEAVES, (_RELAY, _MOVE), 0),
)
"""Every policy choice, and every carrier first, alone, and as what is fallen back to."""
