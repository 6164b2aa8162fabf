"""Runs a program in a process of its own."""

from __future__ import annotations

import subprocess
import sys

__all__ = ["printed"]


def printed(program: str, *, hash_seed: int = 7) -> str:
    """What a program prints there; sets are in another order than here."""
    return subprocess.run(  # noqa: S603 - our own interpreter and words
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONHASHSEED": str(hash_seed), "PYTHONUTF8": "1"},
    ).stdout
