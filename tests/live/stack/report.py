"""What a call on a complete stack has shown, as figures, as a table, and as faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.live.stack.call import GONE_S, Evidence
from tests.live.stack.settings import NAMES
from warm_transfer.states import State

__all__ = ["faults_of", "figures_of", "report_of", "table"]

_HEAD = (
    "strategy",
    "outcome",
    "merged by",
    "sent",
    "answered",
    "heard",
    "leak",
    "leg has caller",
    "gone",
    "left",
    "verdict",
)


def figures_of(found: Evidence) -> dict[str, Any]:
    """The figures of one call; times in milliseconds, None where something did not come."""
    outcome, states = found.outcome, found.states
    entered_s, sent_s = outcome.get("entered_s"), outcome.get("sent_s")
    accepted_s, phone_s = found.accepted_s, _phone_heard_s(found)
    return {
        "outcome": outcome.get("result"),
        "reason": outcome.get("reason"),
        "merged_by": outcome.get("strategy"),
        "detail": outcome.get("detail"),
        "timings_ms": {
            "await_to_request": _ms(entered_s, sent_s),
            "request_to_answer": _ms(sent_s, states.get(State.BRIEFING)),
            "accept_to_merged": _ms(accepted_s, states.get(State.MERGED)),
            "accept_to_caller_hears": _ms(accepted_s, phone_s),
            "hangup_to_leg_gone": _ms(found.hang_up_s, found.leg_gone_s),
        },
        "caller_before_merge": _before_the_merge(found),
        "caller_hears_phone": phone_s is not None,
        "phone_leg": found.leg.told() if found.leg is not None else None,
        "left": {
            "transfer_closed": found.closed,
            "rooms": found.rooms_left,
            "participants": found.participants_left,
        },
    }


def _phone_heard_s(found: Evidence) -> float | None:
    heard, accepted_s = found.heard, found.accepted_s
    if heard is None or accepted_s is None or State.MERGED not in found.states:
        return None
    return heard.phone_heard_s(accepted_s)


def _before_the_merge(found: Evidence) -> dict[str, int | None]:
    """What the caller heard on hold; without an acceptance, until they hung up."""
    from_s, until_s = found.states.get(State.HOLDING), found.accepted_s or found.hang_up_s
    if found.heard is None or from_s is None or until_s is None:
        return {"music_frames": None, "leaked_frames": None}
    return {
        "music_frames": found.heard.music_frames(from_s, until_s),
        "leaked_frames": found.heard.leaked_frames(from_s, until_s),
    }


def faults_of(figures: Mapping[str, Any], more: list[str]) -> list[str]:
    """What of the figures is a fault, in words, after those that the run itself has found."""
    faults, before, left = list(more), figures["caller_before_merge"], figures["left"]
    if figures["outcome"] != State.MERGED:
        faults.append(f"it ended as {figures['outcome']} ({figures['reason']})")
    else:
        faults += _faults_of_the_merge(figures)
    if not before["music_frames"]:
        faults.append("the caller heard no hold audio, so that hearing no leak proves nothing")
    if before["leaked_frames"]:
        ms = before["leaked_frames"] * 20
        faults.append(f"before the merge the caller heard {ms} ms that are no hold audio")
    if figures["timings_ms"]["hangup_to_leg_gone"] is None:
        faults.append(f"the phone's leg was still there {GONE_S:g} s after the caller's hang-up")
    if not left["transfer_closed"]:
        faults.append("the transfer did not say that nothing was left")
    if left["rooms"]:
        rooms = " and ".join(left["rooms"])
        faults.append(f"left at the server: {rooms}, with {left['participants']} in it")
    return faults


def _faults_of_the_merge(figures: Mapping[str, Any]) -> list[str]:
    faults, leg = [], figures["phone_leg"]
    if not figures["caller_hears_phone"]:
        faults.append("the caller heard nothing of the phone, unless the phone was silent")
    if leg is None:
        faults.append("the server did not know the phone's leg while the two talked")
    elif not leg["has_track"]:
        faults.append("the phone's leg published no sound")
    elif leg["callers_track"] is None:
        faults.append("nothing in the room of the phone's leg brought the caller's sound")
    return faults


def report_of(
    calls: Mapping[str, Evidence], not_run: Mapping[str, str], server_url: str
) -> dict[str, Any]:
    """Everything, ready to be written."""
    strategies: dict[str, Any] = {}
    faults: list[str] = []
    for name in NAMES:
        if name in calls:
            figures = figures_of(calls[name])
            own = faults_of(figures, calls[name].faults)
            strategies[name] = {**figures, "faults": own}
            faults += [f"{name}: {each}" for each in own]
        else:
            strategies[name] = {"not_run": not_run.get(name, "it was not asked for")}
    return {"v": 1, "server": server_url, "strategies": strategies, "faults": faults}


def table(report: Mapping[str, Any]) -> str:
    """One line for each strategy, times in milliseconds, and the faults below."""
    rows: list[tuple[str, ...]] = [_HEAD]
    notes: list[str] = []
    for name, figures in report["strategies"].items():
        if "not_run" in figures:
            notes.append(f"{name} was not run: {figures['not_run']}")
            continue
        rows.append(_row(name, figures))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    notes += [f"RED  {fault}" for fault in report["faults"]]
    return "\n".join([*lines, *notes] if len(rows) > 1 else notes)


def _row(name: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    times, leg = figures["timings_ms"], figures["phone_leg"]
    leaked = figures["caller_before_merge"]["leaked_frames"]
    cells = (
        name,
        f"{figures['outcome']}/{figures['reason']}",
        figures["merged_by"],
        times["await_to_request"],
        times["request_to_answer"],
        times["accept_to_caller_hears"],
        None if leaked is None else leaked * 20,
        None if leg is None else leg["callers_track"] or "no",
        times["hangup_to_leg_gone"],
        len(figures["left"]["rooms"]) + figures["left"]["participants"],
        "red" if figures["faults"] else "clean",
    )
    return tuple("-" if cell is None else str(cell) for cell in cells)


def _ms(from_s: float | None, to_s: float | None) -> int | None:
    return None if from_s is None or to_s is None else round((to_s - from_s) * 1000)
