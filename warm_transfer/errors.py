"""Every error the library raises itself.

* `WarmTransferError`
    * `InvalidArgument` (also a `ValueError`): an argument is missing or cannot be used
    * `CallerUnclear`: the session has no caller, or several
    * `TransferInProgress`: the session already has a transfer
    * `ServerUnusable`: the LiveKit server cannot be reached, refuses the key, or cannot dial
    * `TableError`: a transition table breaks a rule; raised at import
    * `UnexpectedEvent`: an event arrived where the table says it cannot
    * `JournalError`: a journal cannot be read or belongs to another table
    * `warm_transfer.TransferFailed`: a transfer ended without a merge
    * `warm_transfer.SessionBusy` (a `TransferInProgress`)
    * `warm_transfer.CallerMissing` (a `CallerUnclear`)

The last three are also a ``ToolError`` of livekit-agents, because a model must read them; they live
where livekit-agents may be imported. What kept a transfer from being dialled is the failure's
``__cause__``: a `ServerUnusable` where it is the set-up, else the foreign error as it came.
"""

from __future__ import annotations

__all__ = [
    "CallerUnclear",
    "InvalidArgument",
    "JournalError",
    "ServerUnusable",
    "TableError",
    "TransferInProgress",
    "UnexpectedEvent",
    "WarmTransferError",
]


class WarmTransferError(Exception):
    """The root of the library's own errors."""


class _WithRemedy(WarmTransferError):
    """Something that cannot be used, what is wrong with it, and what to do about it."""

    def __init__(self, argument: str, problem: str, remedy: str) -> None:
        super().__init__(argument, problem, remedy)
        self.argument = argument
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"`{self.argument}` {self.problem}; {self.remedy}"


class InvalidArgument(_WithRemedy, ValueError):
    """An argument is missing or cannot be used. Nothing has been dialled."""


class CallerUnclear(WarmTransferError):
    """The session has no caller to transfer, or several. Nothing has been dialled."""

    def __init__(self, found: int) -> None:
        super().__init__(found)
        self.found = found

    def __str__(self) -> str:
        if self.found:
            return (
                f"{self.found} participants could be the caller; link the session to one with "
                "`RoomOptions(participant_identity=...)`"
            )
        return (
            "the session is linked to no participant; the caller has hung up, or has not joined "
            "yet, or is to be named with `RoomOptions(participant_identity=...)`"
        )


class TransferInProgress(WarmTransferError):
    """The session already has a transfer. Nothing has been dialled a second time."""

    def __init__(self, transfer_id: str, state: str) -> None:
        super().__init__(transfer_id, state)
        self.transfer_id = transfer_id
        self.state = state

    def __str__(self) -> str:
        return (
            f"transfer {self.transfer_id} of this session is still {self.state}; "
            "wait for it or cancel it before starting another"
        )


class ServerUnusable(_WithRemedy):
    """The LiveKit server cannot be reached, refuses the key, or cannot dial. Nobody was rung."""


class TableError(WarmTransferError):
    """A transition table breaks a rule that every table must keep."""

    def __init__(self, row: str, problem: str) -> None:
        super().__init__(row, problem)
        self.row = row
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.row}: {self.problem}"


class UnexpectedEvent(WarmTransferError):
    """An event arrived in a state where the table says it cannot.

    A fault in an adapter or in the table, never the caller's or the human's doing. The transfer
    is as it was before.
    """

    def __init__(self, state: str, event: str) -> None:
        super().__init__(state, event)
        self.state = state
        self.event = event

    def __str__(self) -> str:
        return f"{self.event} cannot happen while {self.state}"


class JournalError(WarmTransferError):
    """A journal cannot be read, or was written by another table."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where = where
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"
