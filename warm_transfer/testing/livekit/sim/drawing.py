"""Draws a whole transfer from a seed: who does what, on which server, and what goes wrong.

The weights are chosen so that every outcome is common enough to be judged, and so that about a
third of all transfers meet a fault. Changing anything here changes what every seed means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeVar

import aiohttp
from livekit import api

from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.humans import Human, Line, Says
from warm_transfer.testing.livekit.leg_errors import Service
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.script import Agent, App, Caller, Observer, Scenario, Server
from warm_transfer.testing.livekit.sim.troubles import Trouble, What
from warm_transfer.testing.livekit.when import When

__all__ = ["Drawn", "draw"]

T = TypeVar("T")
Weighed = Sequence[tuple[float, T]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One transfer as it was drawn; all that its journal depends on."""

    seed: int
    """Varies the latencies, and names the transfer."""
    scenario: Scenario
    bridge: bool = False
    """Whether the SIP service is set up to call itself."""
    troubles: tuple[Trouble, ...] = ()


MERGES: Weighed[tuple[str, ...]] = (
    (50, ("relay",)),
    (10, ("move", "relay")),
    (10, ("sip_bridge", "relay")),
    (6, ("shared_room",)),
    (7, ("move", "sip_bridge", "relay")),
    (6, ("sip_bridge",)),
    (6, ("move",)),
    (5, ("move", "relay")),
)

REFUSALS: Weighed[int] = (
    *((3, each) for each in (486, 603, 404, 480, 503)),
    *((1, each) for each in (300, 400, 401, 403, 408, 410, 484, 487, 488, 491, 500, 504)),
    *((1, each) for each in (580, 600, 604, 606, 607, 608, 699)),
)

ANYWHEN: Weighed[tuple[str, float]] = (
    (1, ("request", 0.3)),
    (1, ("request", 12.0)),
    (2, ("dial", 0.4)),
    (2, ("ringing", 4.0)),
    (4, ("answer", 6.0)),
    (5, ("yes", 0.6)),
    (3, ("merge", 8.0)),
    (1, ("outcome", 2.0)),
)
"""Anchors, and within how many seconds after each."""

BEFORE_THE_YES: Weighed[tuple[str, float]] = ANYWHEN[:5]

SEAM: Weighed[tuple[str, int]] = (
    (2, ("room.create_room", 1)),
    (3, ("room.connect", 1)),
    (3, ("room.disconnect", 2)),
    (4, ("room.delete_room", 3)),
    (4, ("room.remove_participant", 3)),
    (2, ("room.list_participants", 3)),
    (5, ("room.publish_track", 3)),
    (4, ("room.unpublish_track", 3)),
    (2, ("room.update_participant", 2)),
    (4, ("room.update_subscriptions", 4)),
    (4, ("room.move_participant", 2)),
    (2, ("room.set_track_subscription_permissions", 3)),
    (3, ("sip.create_sip_participant", 2)),
    (2, ("session.start", 1)),
    (3, ("session.aclose", 2)),
    (3, ("session.interrupt", 1)),
    (1, ("session.say", 1)),
    (3, ("session.input.audio", 2)),
    (3, ("session.output.audio", 2)),
    (2, ("session.output.transcription", 2)),
    (2, ("player.start", 1)),
    (2, ("player.play", 1)),
    (3, ("player.aclose", 1)),
    (4, ("stream.open", 2)),
    (2, ("source.capture_frame", 4)),
    (2, ("api.aclose", 1)),
    (1, ("caller_session.aclose", 1)),
)
"""Methods of the seam, and up to which of its calls one goes wrong."""

HOWS: Weighed[How] = (
    (3, How.FAILS),
    (2, How.FAILS_AFTER),
    (2, How.HANGS),
    (1, How.HANGS_AFTER),
    (4, How.LATE),
    (3, How.TWICE),
)

ERRORS: Weighed[Callable[[], Exception]] = (
    (3, lambda: ConnectionError("connection lost")),
    (2, lambda: TimeoutError("timed out")),
    (2, lambda: aiohttp.ClientConnectionError("cannot connect")),
    (2, lambda: api.ServerError("unavailable", "no response from servers", status=503)),
    (1, lambda: api.ServerError("internal", "internal error", status=500)),
    (1, lambda: RuntimeError("native library")),
)

TROUBLES: Weighed[tuple[What, tuple[float, ...]]] = (
    (4, (What.STALL, (0.05, 0.5, 2.0, 8.0, 30.0))),
    (4, (What.SLOW_NEWS, (0.05, 0.3, 1.0, 3.0))),
    (4, (What.REPEATED_EVENT, (0.0, 0.05, 1.0, 10.0))),
    (4, (What.TASK_CANCELLED, (0.0,))),
    (1, (What.ALL_CANCELLED, (0.0,))),
    (1, (What.AWAIT_CANCELLED, (0.0,))),
    (2, (What.CALLER_RECONNECTS, (0.3, 2.0, 4.0))),
    (2, (What.HUMAN_RECONNECTS, (0.3, 2.0, 4.0))),
)


def draw(seed: int) -> Drawn:
    """The transfer of a seed; the same one in every process."""
    return _Chance(seed).drawn()


class _Chance:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random(seed)  # noqa: S311 - to be replayed
        self._merge: tuple[str, ...] = ()

    # The dice.

    def _happens(self, percent: float) -> bool:
        return self._random.random() * 100 < percent

    def _one(self, of: Weighed[T]) -> T:
        pick = self._random.random() * sum(weight for weight, _ in of)
        for weight, each in of:
            pick -= weight
            if pick < 0:
                return each
        return of[-1][1]

    def _within(self, low: float, high: float) -> float:
        return round(self._random.uniform(low, high), 3)

    def _when(self, of: Weighed[tuple[str, float]] = ANYWHEN) -> When:
        anchor, within_s = self._one(of)
        return When(self._within(0.0, within_s), anchor)

    def _maybe(self, percent: float, of: Weighed[tuple[str, float]] = ANYWHEN) -> When | None:
        return self._when(of) if self._happens(percent) else None

    # The people.

    def drawn(self) -> Drawn:
        self._merge = self._one(MERGES)
        told: dict[str, Any] = {
            "phone": self._phone(),
            "human": self._human(),
            "caller": self._caller(),
            "app": self._app(),
            "observer": self._observer(),
            "policy": self._policy(),
            "merge": self._merge,
            "server": Server(
                sip="up" if not self._happens(2) else self._one(_DOWN),
                moves=self._happens(70),
                dispatches=self._maybe(2),
            ),
            "agent": Agent(
                speaks_s=self._within(0.2, 4.0) if self._happens(30) else 0.0,
                goodbye_s=self._within(0.5, 4.0) if self._happens(30) else 0.0,
            ),
        }
        troubles = self._go_wrong(told) if self._happens(55) else ()
        bridge = self._happens(80) and "sip_bridge" in self._merge
        told["app"] = replace(told["app"], close_on_disconnect=self._happens(75))
        told["phone"] = self._with_service(told["phone"])
        return Drawn(seed=self._seed, scenario=Scenario(**told), bridge=bridge, troubles=troubles)

    def _phone(self) -> Phone:
        told: dict[str, Any] = {"answers_after_s": self._within(0.1, 8.0)}
        told["rings_after_s"] = None if self._happens(5) else self._within(0.0, 0.5)
        if self._happens(8):
            told["refuses_with"] = self._one(REFUSALS)
            told["refuses_after_s"] = self._within(0.02, 6.0)
        elif self._happens(4):
            told["answers_after_s"] = None
            told["answers_on_cancel"] = self._happens(40)
        elif self._happens(4):
            told["hangs_up_after_s"] = self._within(0.0, 15.0)
        elif self._happens(1):
            told["loses_media_after_s"] = self._within(0.5, 20.0)
        elif self._happens(1):
            told["request_lost_after_s"] = self._within(0.0, 6.0)
        elif self._happens(1):
            told["request_hangs"] = True
        elif self._happens(2):
            told["voice"] = ""
        return Phone(**told)

    def _with_service(self, phone: Phone) -> Phone:
        stops_s = self._within(0.0, 15.0) if self._happens(1) else None
        return replace(phone, service=self._one(_SERVICES), service_stops_after_s=stops_s)

    def _human(self) -> Human:
        says = self._one(_SAYS)
        then: tuple[Line, ...] = ()
        if self._happens(8):
            lines = range(1 + self._happens(30))
            then = tuple(Line(self._one(_SAYS), self._within(2.0, 9.0)) for _ in lines)
        return Human(
            says,
            self._within(0.2, 6.0),
            then=tuple(sorted(then, key=lambda line: line.after_s)),
            briefing_s=self._within(0.2, 5.0),
            hangs_up=self._human_hangs_up(),
        )

    def _human_hangs_up(self) -> When | None:
        if self._happens(4):
            return self._when()
        return When(self._within(0.0, 8.0), "merge") if self._happens(55) else None

    def _caller(self) -> Caller:
        leaves = self._maybe(12, BEFORE_THE_YES) or self._maybe(6)
        if leaves is None:
            leaves = When(self._within(0.0, 12.0), "merge")
        by_phone = "shared_room" in self._merge or self._happens(50)
        return Caller(hangs_up=leaves, by_phone=by_phone)

    def _app(self) -> App:
        return App(
            accepts=self._maybe(8, _BRIEFED),
            declines=self._maybe(2),
            cancels=self._maybe(6),
            closes_session=self._maybe(4),
            shuts_down=self._maybe(3),
            session_closes_first=self._happens(70),
        )

    def _observer(self) -> Observer:
        joins = self._maybe(3)
        return Observer(joins=joins, leaves=self._maybe(60) if joins is not None else None)

    def _policy(self) -> dict[str, Any]:
        told: dict[str, Any] = {"decision_timeout_s": 20.0}
        if self._happens(45):
            told["on_human_left"] = "return"
        elif self._happens(35):
            told["after_merge"] = "leave"
            # Whoever is left behind stays until then.
            told["call_limit_s"] = self._within(25.0, 90.0)
        if self._happens(25):
            told["ring_timeout_s"] = self._within(2.0, 20.0)
        if self._happens(10):
            told["decision_timeout_s"] = self._within(1.0, 8.0)
        if self._happens(5):
            told["hold_limit_s"] = max(self._within(5.0, 20.0), told.get("ring_timeout_s", 30.0))
        if self._happens(10):
            told["merge_timeout_s"] = self._within(0.2, 4.0)
        if self._happens(5):
            told["call_limit_s"] = self._within(20.0, 30.0)
        return told

    # The faults.

    def _go_wrong(self, told: dict[str, Any]) -> tuple[Trouble, ...]:
        """Draw one to three faults: into what is told, or as troubles beside it."""
        troubles: list[Trouble] = []
        faults: dict[tuple[str, int], Fault] = {}
        for _ in range(self._one(_HOW_MANY)):
            sort = self._one(_SORTS)
            if sort == "seam":
                name, up_to = self._one(SEAM)
                faults[name, self._random.randint(1, up_to)] = self._fault()
            elif sort == "trouble":
                troubles.append(self._trouble())
            else:
                self._befall(sort, told)
        told["faults"] = faults
        return tuple(troubles)

    def _fault(self) -> Fault:
        how = self._one(HOWS)
        fails = how in (How.FAILS, How.FAILS_AFTER)
        late_s = self._one(_LATE_S)
        return Fault(how, self._one(ERRORS)() if fails else None, late_s)

    def _trouble(self) -> Trouble:
        what, lengths_s = self._one(TROUBLES)
        seconds = self._random.choice(lengths_s)
        return Trouble(what, self._when(), seconds, self._random.randrange(8))

    def _befall(self, sort: str, told: dict[str, Any]) -> None:
        agent, server, when = told["agent"], told["server"], self._when()
        match sort:
            case "caller room":
                told["agent"] = replace(agent, loses_caller_room=when)
            case "consult room":
                told["agent"] = replace(agent, loses_consult_room=when)
            case "reconnect":
                away_s = self._one(_AWAY_S)
                told["agent"] = replace(agent, reconnects=when, reconnect_s=away_s)
            case "model":
                told["agent"] = replace(agent, model_fails=when)
            case "restart":
                told["server"] = replace(server, restarts=when)


_DOWN: Weighed[str] = ((2, "absent"), (1, "exhausted"), (1, "not connected"))
_SERVICES: Weighed[Service] = ((2, "measured"), (1, "old"), (2, "new"))
_SAYS: Weighed[Says] = ((60, "yes"), (12, "no"), (12, "voicemail"), (16, "nothing"))
_BRIEFED: Weighed[tuple[str, float]] = ((1, ("answer", 8.0)), (1, ("ringing", 12.0)))
_HOW_MANY: Weighed[int] = ((70, 1), (20, 2), (10, 3))
_SORTS: Weighed[str] = (
    (45, "seam"),
    (35, "trouble"),
    (3, "caller room"),
    (3, "consult room"),
    (6, "reconnect"),
    (3, "model"),
    (5, "restart"),
)
_LATE_S: Weighed[float] = ((2, 0.1), (2, 1.0), (1, 4.0), (1, 10.0))
_AWAY_S: Weighed[float] = ((2, 0.2), (3, 1.5), (2, 4.0), (1, 7.0))
