"""The hearing log: who heard which sound from when to when."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Ears", "Heard"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One listener heard one sound for a while."""

    listener: str
    """Who: ``"caller"``, ``"human"``."""
    identity: str
    """The participant through which it was heard."""
    tag: str
    """What: ``"caller"``, ``"human"``, ``"agent"``, ``"briefing"``, ``"music"``."""
    from_s: float
    to_s: float


class Ears:
    """Turns the changing mix at each listener into intervals."""

    def __init__(self) -> None:
        self._log: list[Heard] = []
        self._now: dict[tuple[str, str], dict[str, float]] = {}

    def hear(self, listener: str, identity: str, tags: frozenset[str], now_s: float) -> None:
        """Take note that from now on a listener hears exactly these sounds."""
        heard = self._now.setdefault((listener, identity), {})
        for tag in [tag for tag in heard if tag not in tags]:
            since_s = heard.pop(tag)
            if now_s > since_s:
                self._log.append(Heard(listener, identity, tag, since_s, now_s))
        for tag in sorted(tags):
            heard.setdefault(tag, now_s)

    def hears(self, who: str) -> frozenset[str]:
        """What somebody hears at this moment."""
        return frozenset(tag for key, heard in self._now.items() if who in key for tag in heard)

    def heard(self, who: str, now_s: float) -> tuple[Heard, ...]:
        """Everything somebody has heard up to now, by time; `who` is a listener or an identity."""
        done = [each for each in self._log if who in (each.listener, each.identity)]
        still = [
            Heard(*key, tag, since_s, now_s)
            for key, heard in self._now.items()
            if who in key
            for tag, since_s in heard.items()
            if now_s > since_s
        ]
        return tuple(sorted(done + still, key=lambda each: (each.from_s, each.tag)))
