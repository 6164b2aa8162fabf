"""What a user can get wrong, as one family of errors: a message for people, never a traceback."""

from __future__ import annotations

__all__ = [
    "BlockError",
    "DiagramError",
    "JournalError",
    "ModelError",
    "RendererError",
    "TargetError",
]


class DiagramError(Exception):
    """Something that was given cannot be drawn; the message says what and where."""


class TargetError(DiagramError):
    """A target does not import, does not exist, or is no machine."""


class ModelError(DiagramError):
    """A machine contradicts itself, for example a row that names an unknown state."""


class BlockError(DiagramError):
    """A generated block in a document is malformed or cannot be rendered."""


class JournalError(DiagramError):
    """A journal is broken, or is of another machine."""


class RendererError(DiagramError):
    """There is no program here that draws pictures, or it did not draw this one."""
