"""Transitions that the core would make and no world asks of it, each with its reason.

`feasible` lets any event come at any time. These pairs of rows need an event that nothing could
have caused; whatever else is feasible the explorer has to take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

__all__ = ["NOT_IN_ANY_WORLD"]

_NO_RELEASE_YET = (
    "while merging, the only release is the unmerge of a strategy that was given up, and the next "
    "one waits for it: before the first has failed, and once the next has begun, none is under way"
)
_NO_RELEASE_AT_ALL = (
    "before the request nothing was taken, so nothing is given back that could fail"
)
_NO_MERGE_YET = "a merge that breaks has begun, and it begins when the briefing has stopped"
_REPORTS_ONCE = (
    "a merge that has been confirmed has returned; when it is delivered again it says the same"
)
_NOT_THERE = "the sound runs through both rooms, and a look does not find a human who has left them"


def _pairs() -> Iterator[tuple[str, str, str]]:
    release, merging = "merging x RELEASE_FAILED", "merging x BRIEFING_STOPPED"
    for accepted in ("briefing x CONSULT_ACCEPTED", "briefing x APP_ACCEPTED"):
        yield accepted, release, _NO_RELEASE_YET
        yield accepted, "merging x MERGE_BROKE", _NO_MERGE_YET
    yield merging, release, _NO_RELEASE_YET
    yield "merging x MERGE_UNCERTAIN", release, _NO_RELEASE_YET
    yield release, merging, _NO_RELEASE_YET
    yield "merging x MERGE_BROKE", merging, _NO_MERGE_YET
    for event, state in (
        ("APP_CANCELLED", "cancelled"),
        ("CALLER_HUNG_UP", "abandoned"),
        ("CALLER_ROOM_LOST", "failed"),
        ("JOB_SHUTTING_DOWN", "cancelled"),
        ("SESSION_CLOSED", "cancelled"),
    ):
        yield f"idle x {event}", f"{state} x RELEASE_FAILED", _NO_RELEASE_AT_ALL
    for guard in ("RELAYED", "DIRECT_STAYS"):
        for report in ("MERGE_FAILED", "MERGE_UNCERTAIN"):
            for end in ("RETURNS", "ENDS"):
                yield (
                    f"merged x MERGE_CONFIRMED [{guard}]",
                    f"merged x {report} [{end}]",
                    _REPORTS_ONCE,
                )
    for guard in ("RELAYED", "BRIDGED"):
        yield "merging x CONSULT_HUNG_UP", f"merging x MERGE_CONFIRMED [{guard}]", _NOT_THERE


NOT_IN_ANY_WORLD: Mapping[tuple[str, str], str] = {
    (first, second): why for first, second, why in _pairs()
}
"""The second row cannot be taken directly after the first one, for this reason."""
