"""The incumbent's transfer and ours on a real server with real audio, taken in turns.

The scenes, the recorder in front of the server and the front desk are those of `tests.compare`;
both sides play the same file as hold audio, which is loud from its first sample, but for the kinds
that play what a user gets who gives none.
"""

from __future__ import annotations

import asyncio
import signal
import statistics
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.figures import ratio, spread
from tests.bench.kinds import KINDS, PLAYED
from tests.compare.drive import drive_again
from tests.compare.facts import Run
from tests.compare.scenes import Time
from tests.compare.verdict import FLOOR_MS
from tests.live.server import running_server
from tests.live.worker import hurry

__all__ = [
    "FIGURES",
    "Figure",
    "Play",
    "in_rounds",
    "real",
    "summary",
    "until_decided",
]

TRIES = 3
BUILD = Path(__file__).resolve().parents[2] / "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One time that is told, and the part of the incumbent's that ours may take."""

    name: str
    what: str
    time: Time
    scenes: tuple[str, ...]
    goal: float = 1.0
    theirs: tuple[str, ...] = ("incumbent", "incumbent_moving")
    ours: tuple[str, ...] = ("ours",)


FIGURES = (
    Figure(
        name="dial",
        what="task entered → dial request at the server",
        time=Time.DIAL,
        scenes=tuple(PLAYED),
        goal=0.2,
    ),
    Figure(
        name="music",
        what="task entered → hold music heard, both with the same file",
        time=Time.MUSIC,
        scenes=tuple(PLAYED),
    ),
    Figure(
        name="music_default",
        what="task entered → hold music heard, each with its default",
        time=Time.MUSIC,
        scenes=("decline",),
        goal=0.25,
        theirs=("incumbent_default",),
        ours=("ours_default",),
    ),
    Figure(
        name="heard_relay",
        what="acceptance → both hear each other, ours by the relay, the incumbent by a move",
        time=Time.HEARD,
        scenes=("accepted",),
    ),
    Figure(
        name="heard_move",
        what="acceptance → both hear each other, both by a move",
        time=Time.HEARD,
        scenes=("accepted",),
        ours=("ours_moving",),
    ),
    Figure(name="back", what="the human's no → caller back", time=Time.BACK, scenes=("decline",)),
    Figure(
        name="release_no",
        what="the human's no → human released",
        time=Time.RELEASE,
        scenes=("decline",),
    ),
    Figure(
        name="release_briefing",
        what="caller's hang-up in the briefing → human released",
        time=Time.RELEASE,
        scenes=("caller-leaves-briefing",),
    ),
    Figure(
        name="release_merged",
        what="caller's hang-up in the merged call → human released",
        time=Time.RELEASE,
        scenes=("accepted",),
    ),
)

Play = Callable[[str, str, int], Awaitable[Run]]
"""Takes the scene, the kind and the number of the run."""
Values = dict[str, dict[str, list[dict[str, float | None]]]]
"""The times of each run, in milliseconds, by scene and kind; None is never."""


def real(
    runs: int,
    say: Callable[[str], None],
    keep: Callable[[dict[str, Any]], None],
    *,
    kinds: Collection[str],
    before: Values,
) -> dict[str, Any]:
    """Play the kinds on a server of our own, or on that of ``LIVEKIT_URL``.

    Args:
        runs: how many of each kind.
        say: told how it goes.
        keep: is given the figures so far.
        kinds: which are played, in each of their scenes.
        before: what had been played before; of the other kinds it stays.

    Raises:
        CannotRun: there is no server, or a run did not come up in three tries.
    """
    return asyncio.run(_on_a_server(runs, say, keep, kinds, before))


async def _on_a_server(
    runs: int,
    say: Callable[[str], None],
    keep: Callable[[dict[str, Any]], None],
    kinds: Collection[str],
    before: Values,
) -> dict[str, Any]:
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    output = BUILD / "bench"
    output.mkdir(parents=True, exist_ok=True)
    async with running_server(say, output / "server.log") as server:
        # The build of a server has no hurry.
        hurry()
        given = partial(drive_again, say, server=server)

        async def play(scene: str, kind: str, number: int) -> Run:
            told, folder = KINDS[kind], output / scene / f"{kind}-{number}"
            once = partial(given, scene, told.side, output=folder, **told.setting)
            run, lost = await until_decided(once)
            if lost:
                say(f"{lost} runs of {scene}, {kind} came to no decision")
            return run

        return await in_rounds(play, runs, say, keep, kinds, before)


async def until_decided(once: Callable[[], Awaitable[Run]]) -> tuple[Run, int]:
    """Play until the human has been understood, on either side: a busy machine loses words.

    Returns:
        The run, and how many came to nothing.
    """
    for lost in range(TRIES):
        run = await once()
        if run.decided:
            return run, lost
    return run, TRIES


async def in_rounds(
    play: Play,
    runs: int,
    say: Callable[[str], None],
    keep: Callable[[dict[str, Any]], None],
    kinds: Collection[str] = tuple(KINDS),
    before: Values | None = None,
) -> dict[str, Any]:
    """Play each kind of each scene once a round; who begins changes from round to round."""
    kept = before or {}
    values: Values = {
        scene: {kind: [] if kind in kinds else kept.get(scene, {}).get(kind, []) for kind in all_}
        for scene, all_ in PLAYED.items()
    }
    for number in range(1, runs + 1):
        for scene, all_ in PLAYED.items():
            played = [kind for kind in all_ if kind in kinds]
            for kind in played if number % 2 else reversed(played):
                run = await play(scene, kind, number)
                times = {str(time): at_ms for time, at_ms in run.times_ms.items()}
                values[scene][kind].append(times)
                say(f"{number} of {runs}: {scene}, {kind}: {_told(times)}")
        keep(summary(values))
    return summary(values)


def _told(times: Mapping[str, float | None]) -> str:
    return ", ".join(
        f"{time} {'never' if at_ms is None else f'{at_ms:.0f}'}" for time, at_ms in times.items()
    )


def summary(values: Values) -> dict[str, Any]:
    """The figures of what was played, and all that was played."""
    return {"figures": [_figure(figure, values) for figure in FIGURES], "played": values}


def _figure(figure: Figure, values: Values) -> dict[str, Any]:
    theirs, ours = (_times(figure, values, kinds) for kinds in (figure.theirs, figure.ours))
    came = {"incumbent": _came(theirs), "ours": _came(ours)}
    both = ratio(came["ours"], came["incumbent"]) if all(came.values()) else None
    return {
        "name": figure.name,
        "what": figure.what,
        "incumbent_ms": _side(theirs),
        "ours_ms": _side(ours),
        "ratio": both,
        "goal": figure.goal,
        "met": bool(ours) and None not in ours and _within(came, figure.goal),
    }


def _times(figure: Figure, values: Values, kinds: Iterable[str]) -> list[float | None]:
    return [
        run[figure.time]
        for scene in figure.scenes
        for kind in kinds
        for run in values[scene].get(kind, ())
    ]


def _came(times: Iterable[float | None]) -> list[float]:
    return [time for time in times if time is not None]


def _side(times: list[float | None]) -> dict[str, Any]:
    """The spread of those that came, and how many never did."""
    came = _came(times)
    nothing = {"p25": None, "p50": None, "p75": None, "runs": 0}
    return {**(spread(came) if came else nothing), "never": len(times) - len(came)}


def _within(came: Mapping[str, list[float]], goal: float) -> bool:
    """Within its part of the incumbent's time where that ever came.

    "Nothing slower" is told from noise as in the comparison: two frames of sound are none.
    """
    if not came["incumbent"]:
        return True
    theirs, ours = (statistics.median(came[side]) for side in ("incumbent", "ours"))
    return ours <= theirs * goal or (goal == 1.0 and ours - theirs <= FLOOR_MS["real"])
