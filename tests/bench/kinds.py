"""Whose task is played on a real server, where, and in what scenes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.holes.hole import Side

__all__ = ["KINDS", "PLAYED", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """Whose task, and at which server."""

    side: Side
    moves: bool
    """Whether the server can move participants; ours then merges so, and else by the relay."""
    own_music: bool = True
    """Whether the application gives a file as hold audio, which is loud from its first sample."""

    @property
    def setting(self) -> dict[str, bool]:
        """What `drive` is told beside the scene and the side."""
        return {"moves": self.moves, "own_music": self.own_music}


KINDS = {
    "incumbent": Kind("incumbent", moves=False),
    "ours": Kind("ours", moves=False),
    "incumbent_moving": Kind("incumbent", moves=True),
    "ours_moving": Kind("ours", moves=True),
    "incumbent_default": Kind("incumbent", moves=False, own_music=False),
    "ours_default": Kind("ours", moves=False, own_music=False),
}

PLAYED: dict[str, tuple[str, ...]] = {
    "decline": ("incumbent", "ours", "incumbent_default", "ours_default"),
    "caller-leaves-briefing": ("incumbent", "ours"),
    # The incumbent can merge nowhere else.
    "accepted": ("incumbent_moving", "ours", "ours_moving"),
}
"""The scenes, and by what kinds each is played."""
