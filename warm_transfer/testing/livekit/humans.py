"""What the human at the phone does once they are being briefed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from warm_transfer.errors import InvalidArgument
from warm_transfer.testing.livekit.when import When

__all__ = ["Human", "Line", "Says"]

Says = Literal["yes", "no", "voicemail", "nothing"]

_TOOLS: dict[str, str | None] = {
    "yes": "connect_to_caller",
    "no": "decline_transfer",
    "voicemail": "voicemail_detected",
    "nothing": None,
}
_WORDS: dict[str, str] = {
    "yes": "Yes, put them through.",
    "no": "No, not now.",
    "voicemail": "Please leave a message after the tone.",
    "nothing": "",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing the human says."""

    says: Says
    after_s: float
    """Seconds after the agent's first word to them."""
    words: str = ""
    """In which words; for a no, why. ``"nothing"`` with words is something that decides nothing."""

    def __post_init__(self) -> None:
        if self.says not in get_args(Says):
            allowed = ", ".join(get_args(Says))
            raise InvalidArgument("says", f"is {self.says!r}", f"give one of {allowed}")
        if self.after_s < 0:
            raise InvalidArgument("after_s", f"is {self.after_s!r}", "give seconds from 0 on")

    @property
    def utterance(self) -> str:
        """What a recogniser makes of it; empty when nothing is said."""
        return self.words or _WORDS[self.says]

    def tool(self) -> tuple[str | None, dict[str, str]]:
        """The tool a model calls when it hears this, and the arguments it gives."""
        arguments = {"reason": self.words or "not now"} if self.says == "no" else {}
        return _TOOLS[self.says], arguments


@dataclass(frozen=True, slots=True)
class Human:
    """The human's part: one answer, or several lines."""

    says: Says = "yes"
    """``"voicemail"`` stands for a machine's greeting."""
    after_s: float = 6.0
    """Seconds after the agent's first word."""
    words: str = ""
    """In which words; see `Line`."""
    then: tuple[Line, ...] = field(default=(), kw_only=True)
    """Further lines, for a human who changes their mind."""
    briefing_s: float = field(default=5.0, kw_only=True)
    """How long the agent talks to them."""
    hangs_up: When | None = field(default=None, kw_only=True)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Everything they say, in order."""
        return (Line(self.says, self.after_s, self.words), *self.then)
