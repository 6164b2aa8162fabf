"""What the human at the phone does once they are being briefed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from warm_transfer.errors import InvalidArgument

__all__ = ["Human", "Line", "Says"]

Says = Literal["yes", "no", "voicemail", "nothing"]

_TOOLS: dict[str, str | None] = {
    "yes": "connect_to_caller",
    "no": "decline_transfer",
    "voicemail": "voicemail_detected",
    "nothing": None,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing the human says."""

    says: Says
    after_s: float
    """Seconds after the agent's first word to them."""
    words: str = ""
    """For a no: why."""

    def __post_init__(self) -> None:
        if self.says not in get_args(Says):
            allowed = ", ".join(get_args(Says))
            raise InvalidArgument("says", f"is {self.says!r}", f"give one of {allowed}")
        if self.after_s < 0:
            raise InvalidArgument("after_s", f"is {self.after_s!r}", "give seconds from 0 on")

    def tool(self) -> tuple[str | None, dict[str, str]]:
        """The tool a model calls when it hears this, and the arguments it gives."""
        arguments = {"reason": self.words or "not now"} if self.says == "no" else {}
        return _TOOLS[self.says], arguments


class Human:
    """The human's part: one answer, or several lines.

    Args:
        says: ``"yes"``, ``"no"``, ``"voicemail"`` (a machine's greeting) or ``"nothing"``.
        after_s: seconds after the agent's first word.
        words: for a no: why.
        then: further lines, for a human who changes their mind.
        briefing_s: how long the agent talks to them.
    """

    __slots__ = ("briefing_s", "lines")

    def __init__(
        self,
        says: Says = "yes",
        after_s: float = 6.0,
        words: str = "",
        *,
        then: tuple[Line, ...] = (),
        briefing_s: float = 5.0,
    ) -> None:
        self.lines = (Line(says, after_s, words), *then)
        self.briefing_s = briefing_s

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Human) and self.lines == other.lines
        return same and isinstance(other, Human) and self.briefing_s == other.briefing_s

    def __hash__(self) -> int:
        return hash((self.lines, self.briefing_s))

    def __repr__(self) -> str:
        return f"Human(lines={self.lines!r}, briefing_s={self.briefing_s!r})"
