"""Warm transfer for LiveKit agents, as one explicit state machine.

``import warm_transfer`` loads neither livekit nor asyncio nor structlog; what needs them is
loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warm_transfer.effects import Do, Effect
    from warm_transfer.errors import (
        CallerUnclear,
        InvalidArgument,
        JournalError,
        ServerUnusable,
        TableError,
        TransferInProgress,
        UnexpectedEvent,
        WarmTransferError,
    )
    from warm_transfer.events import Event, Facts, On
    from warm_transfer.livekit.dialhook import DialHook
    from warm_transfer.livekit.options import WorkflowInstructions
    from warm_transfer.livekit.phrases import Phrases
    from warm_transfer.livekit.result import (
        CallerMissing,
        SessionBusy,
        TransferFailed,
        WarmTransferResult,
    )
    from warm_transfer.livekit.task import WarmTransferTask
    from warm_transfer.outcome import Reason, TransferOutcome
    from warm_transfer.policy import Carrier, Plan, Strategy, TransferPolicy
    from warm_transfer.ports import (
        Dialer,
        DialRefused,
        DialRequest,
        Journal,
        StateChange,
        StateHook,
    )
    from warm_transfer.states import State
    from warm_transfer.table import TABLE
    from warm_transfer.transfer import Step, Transfer

_WHERE = {
    "Carrier": "policy",
    "DialHook": "livekit.dialhook",
    "Plan": "policy",
    "StateHook": "ports",
    "Strategy": "policy",
    "CallerMissing": "livekit.result",
    "DialRefused": "ports",
    "DialRequest": "ports",
    "Dialer": "ports",
    "Journal": "ports",
    "Phrases": "livekit.phrases",
    "SessionBusy": "livekit.result",
    "StateChange": "ports",
    "TransferFailed": "livekit.result",
    "WarmTransferResult": "livekit.result",
    "WarmTransferTask": "livekit.task",
    "WorkflowInstructions": "livekit.options",
    "CallerUnclear": "errors",
    "Do": "effects",
    "Effect": "effects",
    "Event": "events",
    "Facts": "events",
    "InvalidArgument": "errors",
    "JournalError": "errors",
    "On": "events",
    "Reason": "outcome",
    "ServerUnusable": "errors",
    "State": "states",
    "Step": "transfer",
    "TABLE": "table",
    "TableError": "errors",
    "Transfer": "transfer",
    "TransferInProgress": "errors",
    "TransferOutcome": "outcome",
    "TransferPolicy": "policy",
    "UnexpectedEvent": "errors",
    "WarmTransferError": "errors",
}

__all__ = [
    "TABLE",
    "CallerMissing",
    "CallerUnclear",
    "Carrier",
    "DialHook",
    "DialRefused",
    "DialRequest",
    "Dialer",
    "Do",
    "Effect",
    "Event",
    "Facts",
    "InvalidArgument",
    "Journal",
    "JournalError",
    "On",
    "Phrases",
    "Plan",
    "Reason",
    "ServerUnusable",
    "SessionBusy",
    "State",
    "StateChange",
    "StateHook",
    "Step",
    "Strategy",
    "TableError",
    "Transfer",
    "TransferFailed",
    "TransferInProgress",
    "TransferOutcome",
    "TransferPolicy",
    "UnexpectedEvent",
    "WarmTransferError",
    "WarmTransferResult",
    "WarmTransferTask",
    "WorkflowInstructions",
]


def __getattr__(name: str) -> object:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{where}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
