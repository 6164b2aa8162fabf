"""The harness's own errors: what is wrong and what to do, in one sentence."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

__all__ = ["CannotRun", "exit_code"]


class CannotRun(Exception):
    """Something the run needs is missing. The text names the remedy; there is no traceback."""


def exit_code(command: Callable[[], int]) -> int:
    """Run a command of the harness: its exit code, 2 when it could not run, 130 when stopped."""
    try:
        return command()
    except CannotRun as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command's output
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("stopped", file=sys.stderr)  # noqa: T201 - a command's output
        return 130
