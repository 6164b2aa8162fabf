"""What a session listens to and what it lets be heard (``AgentInput``, ``AgentOutput``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from warm_transfer.testing.livekit.world import World

__all__ = ["Switches"]


class Switches:
    """The switches of one direction, with a record of every change.

    Args:
        world: the server, for the time.
        name: the direction.
        kinds: the switches there are.
        has: which of them something is connected to.
    """

    def __init__(
        self, world: World, name: str, kinds: tuple[str, ...], has: tuple[str, ...]
    ) -> None:
        self._world = world
        self._name = name
        self._on = dict.fromkeys(kinds, True)
        self._has = has
        self.log: list[tuple[float, str, bool]] = []
        """When which switch went where, as ``(at_s, "input.audio", False)``."""
        self.changed: Callable[[], None] | None = None

    @property
    def audio_enabled(self) -> bool:
        """Whether sound passes."""
        return self._on["audio"]

    @property
    def video_enabled(self) -> bool:
        """Whether pictures pass."""
        return self._on["video"]

    @property
    def transcription_enabled(self) -> bool:
        """Whether text passes."""
        return self._on["transcription"]

    @property
    def audio(self) -> Any:
        """What is connected for sound; None when nothing is."""
        return self if "audio" in self._has else None

    @property
    def video(self) -> Any:
        """What is connected for pictures; None when nothing is."""
        return self if "video" in self._has else None

    @property
    def transcription(self) -> Any:
        """What is connected for text; None when nothing is."""
        return self if "transcription" in self._has else None

    def set_audio_enabled(self, enable: bool) -> None:
        """Let sound pass, or not."""
        self._set("audio", enable)

    def set_video_enabled(self, enable: bool) -> None:
        """Let pictures pass, or not."""
        self._set("video", enable)

    def set_transcription_enabled(self, enable: bool) -> None:
        """Let text pass, or not."""
        self._set("transcription", enable)

    def all(self) -> dict[str, bool]:
        """Every switch."""
        return dict(self._on)

    def _set(self, kind: str, enable: bool) -> None:
        what = f"{self._name}.{kind}"

        def work() -> None:
            if self._on[kind] != enable:
                self._on[kind] = enable
                self.log.append((self._world.now_s, what, enable))
                if self.changed is not None:
                    self.changed()

        self._world.faults.call_now(f"session.{what}", work)
