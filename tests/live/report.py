"""The report: timings, leaks, silences and left-overs, and what of it is a violation."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.live.hearing import Hearing, delays_ms
from tests.live.pilots import Pilot
from tests.live.scenarios import Scenario
from warm_transfer.states import State

__all__ = ["SILENCE_MAX_MS", "Evidence", "make_report", "summary", "table"]

SILENCE_MAX_MS = 2000
MUSIC_AFTER_MERGE_S = 0.6
"""Hold music may sound on for so long after the merge: the stop, the path, and concealment."""


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Everything a run has brought to light. Times are monotonic seconds."""

    scenario: Scenario
    states: dict[str, float]
    outcome: dict[str, Any] | None
    closed: dict[str, Any] | None
    caller: Hearing
    human: Hearing
    caller_marks_s: list[float]
    human_marks_s: list[float]
    dialed_s: float | None
    dials: int
    answered_s: float | None
    hang_up_s: float | None
    human_gone_s: float | None
    end_s: float
    """When the last line was gone."""
    acted_s: float | None = None
    """When the application did what the scenario has it do."""
    released_s: float | None
    """When the other one's line was gone after the first hang-up."""
    left_rooms: list[str]
    left_participants: list[str]
    left_processes: list[str]
    faults: list[str] = field(default_factory=list)
    """What went wrong with the run itself."""


def _ms(from_s: float | None, to_s: float | None) -> int | None:
    return None if from_s is None or to_s is None else round((to_s - from_s) * 1000)


def _one_way(hearing: Hearing, mark: Pilot, sent_s: list[float]) -> int | None:
    delays = delays_ms(hearing, mark, sent_s)
    return round(statistics.median(delays)) if delays else None


class _Findings:
    """Works the report out of the evidence, once."""

    def __init__(self, evidence: Evidence) -> None:
        self.e = evidence
        outcome = evidence.outcome or {}
        self.entered_s: float | None = outcome.get("entered_s")
        self.accepted_s = evidence.states.get(State.MERGING)
        self.merged_s = evidence.states.get(State.MERGED)
        self.held_s = evidence.states.get(State.HOLDING)
        self.call_end_s = evidence.hang_up_s or evidence.end_s

    def timings(self) -> dict[str, int | None]:
        e, accepted_s = self.e, self.accepted_s
        music_s = e.caller.first_s(Pilot.MUSIC, from_s=self.entered_s)
        merged = self.merged_s is not None
        back = self._caller_back()
        return {
            "task_to_dial": _ms(self.entered_s, e.dialed_s),
            "task_to_hold_music": _ms(self.entered_s, music_s),
            "accept_to_caller_hears": _ms(
                accepted_s, e.caller.first_s(Pilot.HUMAN, from_s=accepted_s) if merged else None
            ),
            "accept_to_human_hears": _ms(
                accepted_s, e.human.first_s(Pilot.CALLER, from_s=accepted_s) if merged else None
            ),
            "decision_to_caller_back": back,
            # Where the caller is back with the agent, a hang-up releases nobody.
            "hangup_to_release": None if back else _ms(e.hang_up_s, e.released_s),
        }

    def _caller_back(self) -> int | None:
        """From the decision not to merge to the agent's voice."""
        decided = [self.e.states.get(state) for state in (State.DECLINED, State.VOICEMAIL)]
        decided += [self.e.states.get(state) for state in (State.FAILED, State.CANCELLED)]
        decided_s = next((at_s for at_s in decided if at_s is not None), None)
        if decided_s is None:
            return None
        return _ms(decided_s, self.e.caller.first_s(Pilot.AGENT, from_s=decided_s))

    def leaks(self) -> dict[str, int]:
        """Count the frames that crossed before the merge began."""
        e, until_s = self.e, self.accepted_s
        return {
            # What is said in the briefing is the agent's words and the human's.
            "briefing_at_caller": e.caller.frames_of(Pilot.BRIEFING, Pilot.HUMAN, to_s=until_s),
            "music_at_human": e.human.frames_of(Pilot.MUSIC, to_s=until_s),
            "caller_at_human": e.human.frames_of(Pilot.CALLER, to_s=until_s),
        }

    def silences(self) -> dict[str, int | None]:
        e = self.e
        caller = human = None
        if self.held_s is not None:
            caller = e.caller.longest_silence_ms(self.held_s, self.call_end_s)
        if e.answered_s is not None:
            end_s = min(self.call_end_s, e.human_gone_s or self.call_end_s)
            human = e.human.longest_silence_ms(e.answered_s, end_s)
        return {"caller": caller, "human": human}

    def one_way(self) -> dict[str, int | None]:
        e = self.e
        return {
            "caller_to_human": _one_way(e.human, Pilot.CALLER_MARK, e.caller_marks_s),
            "human_to_caller": _one_way(e.caller, Pilot.HUMAN_MARK, e.human_marks_s),
        }

    def left(self) -> dict[str, list[str]]:
        e = self.e
        inside: dict[str, list[str]] = (e.closed or {}).get("left", {})
        return {
            "rooms": e.left_rooms + [f"connected: {name}" for name in inside.get("rooms", [])],
            "participants": e.left_participants,
            "tracks": inside.get("tracks", []),
            "tasks": inside.get("tasks", [])
            + [f"thread {name}" for name in inside.get("threads", [])],
            "processes": e.left_processes,
        }

    def late_sounds(self) -> list[str]:
        """Find what must not be heard any more once the two talk."""
        if self.merged_s is None:
            return []
        e, from_s = self.e, self.merged_s + MUSIC_AFTER_MERGE_S
        found = {
            "hold music at the caller": e.caller.frames_of(
                Pilot.MUSIC, from_s=from_s, to_s=e.hang_up_s
            ),
            "hold music at the human": e.human.frames_of(Pilot.MUSIC, from_s=self.accepted_s),
            "the briefing at the caller": e.caller.frames_of(
                Pilot.BRIEFING, from_s=self.accepted_s
            ),
            "the agent at the caller": e.caller.frames_of(Pilot.AGENT, from_s=self.accepted_s),
        }
        return [f"{what} after the merge: {count} frames" for what, count in found.items() if count]


def make_report(evidence: Evidence) -> dict[str, Any]:
    """Work out the report: the fields of the issue, and nothing else."""
    findings = _Findings(evidence)
    outcome = evidence.outcome or {}
    left = findings.left()
    report: dict[str, Any] = {
        "scenario": evidence.scenario.name,
        "outcome": {"result": outcome.get("result"), "reason": outcome.get("reason")},
        "timings_ms": findings.timings(),
        "one_way_ms": findings.one_way(),
        "leaks": findings.leaks(),
        "longest_silence_ms": findings.silences(),
        "left": {kind: len(names) for kind, names in left.items()},
    }
    report["violations"] = _violations(evidence, report, left) + findings.late_sounds()
    return report


def _violations(
    evidence: Evidence, report: dict[str, Any], left: dict[str, list[str]]
) -> list[str]:
    scenario, found = evidence.scenario, list(evidence.faults)
    outcome = (report["outcome"]["result"], report["outcome"]["reason"])
    if outcome != (scenario.result, scenario.reason):
        error = (evidence.outcome or {}).get("error")
        expected = f"{scenario.result}/{scenario.reason}"
        found.append(f"outcome {outcome[0]}/{outcome[1]} instead of {expected}: {error}")
    found += [f"leak: {what}, {count} frames" for what, count in report["leaks"].items() if count]
    for who, silence in report["longest_silence_ms"].items():
        if silence is not None and silence > SILENCE_MAX_MS:
            found.append(f"{who} heard nothing for {silence} ms")
    found += [f"left, {kind}: {name}" for kind, names in left.items() for name in names]
    if evidence.closed is None or not evidence.closed["closed"]:
        found.append("the transfer did not say that it was closed")
    found += _acted(evidence)
    if evidence.dials > 1:
        found.append(f"dialled {evidence.dials} times")
    if scenario.result is State.MERGED:
        found += _not_heard(report)
    return found


def _acted(evidence: Evidence) -> list[str]:
    """Name an act that did not come, or came too late to be what the scenario is about."""
    act, states = evidence.scenario.app, evidence.states
    if act is None:
        return []
    if evidence.acted_s is None:
        return [f"the application did not {act.what}"]
    passed = [state for state, at_s in states.items() if states[act.at] < at_s < evidence.acted_s]
    return [f"{act.what} came after {state} instead of in {act.at}" for state in passed[:1]]


def _not_heard(report: dict[str, Any]) -> list[str]:
    """A merged call has to be heard both ways, and the caller has to have heard the music."""
    needed = {
        "the caller never heard the hold music": report["timings_ms"]["task_to_hold_music"],
        "the caller never heard the human": report["timings_ms"]["accept_to_caller_hears"],
        "the human never heard the caller": report["timings_ms"]["accept_to_human_hears"],
        "no marker of the caller reached the human": report["one_way_ms"]["caller_to_human"],
        "no marker of the human reached the caller": report["one_way_ms"]["human_to_caller"],
    }
    return [what for what, value in needed.items() if value is None]


def summary(report: dict[str, Any]) -> str:
    """Say it in lines for a person."""

    def line(title: str, values: dict[str, Any], unit: str) -> str:
        parts = [f"{key} {'-' if value is None else value}" for key, value in values.items()]
        return f"  {title + unit:<24}{' · '.join(parts)}"

    outcome = report["outcome"]
    lines = [
        f"{report['scenario']}: {outcome['result']} ({outcome['reason']})",
        line("timings", report["timings_ms"], ", ms"),
        line("one way", report["one_way_ms"], ", ms"),
        line("leaks", report["leaks"], ", frames"),
        line("longest silence", report["longest_silence_ms"], ", ms"),
        line("left", report["left"], ""),
    ]
    lines += [f"  VIOLATION: {violation}" for violation in report["violations"]]
    lines.append("red" if report["violations"] else "clean")
    return "\n".join(lines)


def table(reports: Sequence[dict[str, Any]]) -> str:
    """One line for each run."""
    head = ("scenario", "outcome", "dial", "music", "release", "silence", "left", "verdict")
    rows: list[tuple[str, ...]] = [head]
    for report in reports:
        timings, silences = report["timings_ms"], report["longest_silence_ms"].values()
        cells = (
            report["scenario"],
            f"{report['outcome']['result']}/{report['outcome']['reason']}",
            timings["task_to_dial"],
            timings["task_to_hold_music"],
            timings["hangup_to_release"],
            max((silence for silence in silences if silence is not None), default=None),
            sum(report["left"].values()),
            "red" if report["violations"] else "clean",
        )
        rows.append(tuple("-" if cell is None else str(cell) for cell in cells))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
