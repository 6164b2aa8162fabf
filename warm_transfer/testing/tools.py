"""Test tools that are needed for parts of the kit only, loaded when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from warm_transfer.errors import WarmTransferError

__all__ = ["ToolMissing", "needed"]


class ToolMissing(WarmTransferError, ImportError):
    """A test tool is not installed that a part of the kit needs."""

    def __init__(self, tool: str, purpose: str) -> None:
        super().__init__(tool, purpose)
        self.tool = tool
        self.purpose = purpose

    def __str__(self) -> str:
        return (
            f"{self.tool} is needed for {self.purpose}; "
            'install it with `pip install ".[testing]"` in a clone of warm-transfer'
        )


def needed(tool: str, purpose: str) -> Any:
    """The module of a test tool.

    Args:
        tool: its name, such as ``"hypothesis"``.
        purpose: what it is needed for, for the error.

    Raises:
        ToolMissing: it is not installed.
    """
    try:
        return import_module(tool)
    except ModuleNotFoundError as error:
        if error.name != tool.partition(".")[0]:
            raise
        raise ToolMissing(tool.partition(".")[0], purpose) from error
