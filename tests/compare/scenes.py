"""The scenes: what goes on in each, and what the two sides owe the people in it.

A scene is played in the simulated world and on the real server; the same questions are asked of
both sides in both places.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LIMIT_S", "SCENES", "TIMES", "Owed", "Scene", "Time"]

LIMIT_S = 8.0
"""What is owed has to have come so long after the end or the decision."""


class Owed(StrEnum):
    """What is owed in a scene; the value is the sentence of the page."""

    BACK = "the caller is back with the agent"
    SETTLED = "the caller is back with the agent, or their call has ended"
    HEARD = "caller and human hear each other"
    RELEASED = "the human is let go"
    ENDED = "the await ends"
    REASON = "the application is told why"
    CLEAN = "nothing is left behind"


class Time(StrEnum):
    """What is timed."""

    DIAL = "dial"
    MUSIC = "music"
    BACK = "back"
    RELEASE = "release"
    HEARD = "heard"


TIMES: dict[Time, str] = {
    Time.DIAL: "task entered → dial request seen by the server",
    Time.MUSIC: "task entered → hold music heard",
    Time.BACK: "decision → caller back",
    Time.RELEASE: "hang-up → human released",
    Time.HEARD: "acceptance → both hear each other",
}
"""The columns of the page. The decision is whatever ends the transfer: the human's word, their
hang-up, the refusal, the end of the ringing, or the application's own act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One way a transfer ends."""

    id: str
    title: str
    owed: tuple[Owed, ...]
    words: tuple[str, ...] = ()
    """Any of these, in what the await raises, tells the application why it ended."""
    holes: tuple[str, ...] = ()
    """The holes that show in it beside H19, which shows in all."""

    @property
    def timed(self) -> tuple[Time, ...]:
        """What is timed in this scene."""
        last = {
            Owed.BACK: Time.BACK,
            Owed.SETTLED: Time.BACK,
            Owed.HEARD: Time.HEARD,
            Owed.RELEASED: Time.RELEASE,
        }
        return (Time.DIAL, Time.MUSIC, *(last[owed] for owed in self.owed if owed in last))


_BACK = (Owed.BACK, Owed.ENDED, Owed.REASON, Owed.CLEAN)
_LET_GO = (Owed.BACK, Owed.RELEASED, Owed.ENDED, Owed.REASON, Owed.CLEAN)
_ALONE = (Owed.RELEASED, Owed.ENDED, Owed.REASON, Owed.CLEAN)

_HUMAN_LEFT = ("human left", "hung up", "human agent left")

_ALL = (
    Scene(
        id="busy", title="The line is busy (486).", owed=_BACK, holes=("H7",), words=("busy", "486")
    ),
    Scene(
        id="no-answer",
        title="Nobody picks up within the ringing time.",
        owed=_BACK,
        holes=("H7",),
        words=("no answer", "not answer", "timed out"),
    ),
    Scene(id="decline", title="The human says no.", owed=_LET_GO, words=("declined",)),
    Scene(id="voicemail", title="A mailbox answers.", owed=_LET_GO, words=("voicemail",)),
    Scene(
        id="caller-leaves-ringing",
        title="The caller hangs up while the phone rings; later it would be answered.",
        owed=_ALONE,
        holes=("H1",),
        words=("caller",),
    ),
    Scene(
        id="caller-leaves-briefing",
        title="The caller hangs up while the human is briefed.",
        owed=_ALONE,
        holes=("H3",),
        words=("caller",),
    ),
    Scene(
        id="caller-leaves-merging",
        title="The caller hangs up in the moment in which the human says yes.",
        owed=_ALONE,
        holes=("H22",),
        words=("caller",),
    ),
    Scene(
        id="human-leaves-briefing",
        title="The human hangs up while they are briefed.",
        owed=_BACK,
        words=_HUMAN_LEFT,
    ),
    Scene(
        id="human-leaves-merging",
        title="The human says yes and hangs up in the same moment.",
        owed=(Owed.SETTLED, Owed.ENDED, Owed.REASON, Owed.CLEAN),
        holes=("H5",),
        words=_HUMAN_LEFT,
    ),
    Scene(
        id="session-closed",
        title="The application closes the caller's session in the briefing.",
        owed=_ALONE,
        holes=("H3",),
        words=("session", "cancelled"),
    ),
    Scene(
        id="await-cancelled",
        title="The application's time limit cancels the await in the briefing.",
        holes=("H11",),
        owed=(Owed.BACK, Owed.RELEASED, Owed.ENDED, Owed.CLEAN),
    ),
    Scene(
        id="accepted",
        title="The human says yes; they talk, and the caller hangs up.",
        owed=(Owed.HEARD, Owed.ENDED, Owed.RELEASED, Owed.CLEAN),
        holes=("H37",),
    ),
)

SCENES: dict[str, Scene] = {scene.id: scene for scene in _ALL}
