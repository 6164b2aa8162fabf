"""The harness's own errors: what is wrong and what to do, in one sentence."""

from __future__ import annotations

__all__ = ["CannotRun"]


class CannotRun(Exception):
    """Something the run needs is missing. The text names the remedy; there is no traceback."""
