"""What every command says and how it ends."""

from __future__ import annotations

import sys

from fsm_diagrams.errors import DiagramError

__all__ = ["DIFFERENT", "DONE", "ERROR", "say", "warn"]

DONE, DIFFERENT, ERROR = 0, 1, 2
"""The exit codes: the same or done; different, stale or below; an error."""


def say(text: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{text}\n")


def warn(error: DiagramError) -> int:
    """Write what is wrong to standard error, and answer the exit code of an error."""
    sys.stderr.write(f"fsm-diagrams: {error}\n")
    return ERROR
