"""From what happened in one run to what was owed and seen, the same for both sides and places."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.compare.scenes import LIMIT_S, Owed, Scene, Time

__all__ = ["Facts", "Run", "run_of", "words_of"]


@dataclass(slots=True, kw_only=True)
class Facts:
    """What happened in one run; times are seconds of one clock, None is never."""

    entered_s: float | None = None
    """The await began."""
    dialled_s: float | None = None
    """The dial request reached the server."""
    music_s: float | None = None
    """The caller heard the hold music."""
    decided_s: float | None = None
    """What ends the transfer happened."""
    back_s: float | None = None
    """The caller heard the agent again, or in the simulated world could speak to it."""
    heard_s: float | None = None
    """Caller and human both heard each other."""
    hung_up_s: float | None = None
    """Somebody hung up."""
    call_over_s: float | None = None
    """The caller's own call was ended by the other side."""
    released_s: float | None = None
    """The human's phone stopped ringing, or their line was gone."""
    returned_s: float | None = None
    """The await gave something."""
    told: str = ""
    """What it gave, in words."""
    left: list[str] = field(default_factory=list)
    """What was left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run showed."""

    owed: dict[Owed, bool]
    times_ms: dict[Time, float | None]
    said: str
    decided: bool = True
    """Whether it came to what ends the transfer."""


def words_of(error: BaseException | None) -> str:
    """The first sentences of an error and its causes, typed reasons included.

    What follows in ours is advice to the model that reads it.
    """
    parts: list[str] = []
    while error is not None:
        outcome = getattr(error, "outcome", None)
        reason = f" [{outcome.reason}]" if outcome is not None else ""
        sentence = str(error).split(". ")[0]
        parts.append(": ".join(filter(None, (type(error).__name__, sentence))) + reason)
        error = error.__cause__
    return " ← ".join(parts)


def run_of(scene: Scene, facts: Facts) -> Run:
    """Ask a run everything that its scene asks."""
    settled_s = facts.back_s if facts.back_s is not None else facts.call_over_s
    seen = {
        Owed.BACK: _in_time(facts, facts.back_s),
        Owed.SETTLED: _in_time(facts, settled_s),
        Owed.HEARD: _in_time(facts, facts.heard_s),
        Owed.RELEASED: _in_time(facts, facts.released_s, _latest_s(facts)),
        Owed.ENDED: _in_time(facts, facts.returned_s),
        Owed.REASON: _tells(facts.told, scene.words),
        Owed.CLEAN: not facts.left,
    }
    times = {
        Time.DIAL: _ms(facts.entered_s, facts.dialled_s),
        Time.MUSIC: _ms(facts.entered_s, facts.music_s),
        Time.BACK: _ms(facts.decided_s, settled_s if Owed.SETTLED in scene.owed else facts.back_s),
        Time.RELEASE: _released_ms(facts),
        Time.HEARD: _ms(facts.decided_s, facts.heard_s),
    }
    return Run(
        owed={owed: seen[owed] for owed in scene.owed},
        times_ms={time: times[time] for time in scene.timed},
        said=_said(scene, facts, seen),
        decided=facts.decided_s is not None,
    )


def _in_time(facts: Facts, at_s: float | None, from_s: float | None = None) -> bool:
    """Whether something came, and not too late after what ended the transfer or the call."""
    if at_s is None or facts.decided_s is None:
        return False
    return at_s - (from_s or facts.decided_s) <= LIMIT_S


def _latest_s(facts: Facts) -> float | None:
    """What the human is let go after: the hang-up where there is one, else the decision."""
    return facts.decided_s if facts.hung_up_s is None else facts.hung_up_s


def _released_ms(facts: Facts) -> float | None:
    """How long letting the human go took; no time when they were let go before."""
    took_ms = _ms(_latest_s(facts), facts.released_s)
    return None if took_ms is None or took_ms < 0 else took_ms


def _tells(told: str, words: tuple[str, ...]) -> bool:
    plain = told.casefold().replace("_", " ")
    return any(word in plain for word in words)


def _ms(from_s: float | None, to_s: float | None) -> float | None:
    return None if from_s is None or to_s is None else round((to_s - from_s) * 1000, 1)


def _said(scene: Scene, facts: Facts, seen: dict[Owed, bool]) -> str:
    """Say in a sentence what was seen of what is owed."""
    said: list[str] = []
    if Owed.BACK in scene.owed:
        said.append("the caller is back" if seen[Owed.BACK] else "the caller stays on hold")
    if Owed.SETTLED in scene.owed:
        back = "the caller is back" if facts.back_s is not None else "the caller's call ends"
        said.append(back if seen[Owed.SETTLED] else "the caller stays on hold")
    if Owed.HEARD in scene.owed:
        said.append("they hear each other" if seen[Owed.HEARD] else "they do not hear each other")
    if Owed.RELEASED in scene.owed:
        said.append("the human is let go" if seen[Owed.RELEASED] else "the human is not let go")
    if not seen[Owed.ENDED]:
        said.append("the await does not end in time" if facts.told else "the await does not end")
    if facts.told:
        said.append(f"the await gives `{facts.told}`")
    if facts.left:
        said.append(f"left behind: {', '.join(facts.left)}")
    return "; ".join(said)
