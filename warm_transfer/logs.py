"""Logging: structlog with the transfer's id bound, numbers masked, one canonical line at the end.

Lines go to the standard logger ``warm_transfer``, so an application that configures logging (as
livekit-agents does) keeps control; nothing is printed by default. Event names are fixed strings
and keys come from this module, so that a log can be queried.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from warm_transfer.outcome import TransferOutcome
from warm_transfer.transfer import Step

__all__ = ["BoundLog", "MaskedError", "canonical", "mask", "transfer_log"]

BoundLog = structlog.stdlib.BoundLogger

# An application that has not configured logging gets nothing printed, as libraries should.
logging.getLogger("warm_transfer").addHandler(logging.NullHandler())

#: Enough digits in a row, however they are grouped, to be a number that reaches a person.
_NUMBER = re.compile(r"\+?\d(?:[\s().\-/\u2010-\u2015\u00b7_]{0,5}\d){5,}")

#: The user part of a SIP address names a person as well as a number does.
_SIP_USER = re.compile(r"(sips?:)[^\s@<>\"']+@", re.IGNORECASE)

#: Keys whose values are made by us and hold no personal data, though they may hold digits.
_OWN_KEYS = frozenset({"transfer", "room", "table", "event", "level", "logger"})


def mask(text: str) -> str:
    """Hide every phone number in a text but for its last two digits, and every SIP user."""
    text = _SIP_USER.sub(r"\1***@", text)
    return _NUMBER.sub(lambda found: "***" + found.group()[-2:], text)


def _mask_values(
    _logger: object, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in entry.items():
        if key not in _OWN_KEYS and isinstance(value, str):
            entry[key] = mask(value)
    return entry


class MaskedError(Exception):
    """Stands in the log for an error whose traceback has a number in it; says it without."""


def _mask_traceback(
    _logger: object, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Let the log have an error itself only where there is nothing to hide in all of its causes."""
    error = _error_of(entry.get("exc_info"))
    if error is None:
        return entry
    try:
        told = "".join(traceback.format_exception(error)).rstrip()
        masked = mask(told)
    except Exception:  # noqa: BLE001 - foreign code, and who logs must not fall over it
        told, masked = "", type(error).__name__
    if masked != told:
        # Without its frames: a collector of errors would read the number in their variables.
        entry["exc_info"] = (MaskedError, MaskedError(masked), None)
    return entry


def _error_of(exc_info: object) -> BaseException | None:
    """The error that is meant, by whichever way `logging` takes one."""
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info or None
    return error if isinstance(error, BaseException | None) else sys.exception()


def transfer_log(transfer_id: str) -> BoundLog:
    """A logger for one transfer."""
    log: BoundLog = structlog.wrap_logger(
        logging.getLogger("warm_transfer"),
        processors=[
            structlog.stdlib.filter_by_level,
            _mask_values,
            _mask_traceback,
            structlog.stdlib.render_to_log_kwargs,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return log.bind(transfer=transfer_id)


def canonical(outcome: TransferOutcome, last: Step, counts: Mapping[str, int]) -> dict[str, Any]:
    """The values of the one line that tells a whole transfer, written when it has closed."""
    return {
        "outcome": outcome.result.value,
        "reason": outcome.reason.value,
        "final": last.after.value,
        "attempt": outcome.attempt,
        "strategy": outcome.strategy,
        "sip_status": outcome.sip_status,
        "api_code": outcome.api_code,
        "disconnect_reason": outcome.disconnect_reason,
        "detail": outcome.detail,
        "seconds": {state.value: round(spent, 3) for state, spent in outcome.seconds.items()},
        "time_to_human_s": outcome.time_to_human_s,
        "steps": last.seq,
        **counts,
    }
