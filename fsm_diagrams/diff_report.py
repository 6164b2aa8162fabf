"""A diff in words, and as a picture.

Green is what is new, red and dashed what is gone, amber what has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fsm_diagrams.differences import Change, Diff, RowChange
from fsm_diagrams.excerpts import only
from fsm_diagrams.model import Edge, Machine
from fsm_diagrams.overlay import Colour, Look, Paint
from fsm_diagrams.report import Report, Section
from fsm_diagrams.witness import ASSUMED, Witness

__all__ = ["diff_picture", "diff_report"]

_MEANING: Mapping[Colour, str] = {"added": "new", "removed": "gone", "changed": "changed"}


def diff_report(found: Diff) -> Report:
    """A diff in words."""
    title = f"Changes of {found.new.name or 'the machine'}"
    if found.same:
        return Report(title, "none; both are the same machine.")
    return Report(
        title,
        f"{_summary(found)}.",
        (
            Section("Rows added", tuple(_row(row.new) for row in found.of(Change.ADDED))),
            Section("Rows removed", tuple(_row(row.old) for row in found.of(Change.REMOVED))),
            Section("Rows retargeted", tuple(map(_changed, found.of(Change.RETARGETED)))),
            Section("Rows changed", tuple(map(_changed, found.of(Change.CHANGED)))),
            Section("Order of conditions changed", tuple(map(_pair, found.reordered))),
            Section(
                "Pairs decided otherwise",
                tuple(f"{_pair(it.pair)}: was {it.old}, is {it.new}" for it in found.pairs),
            ),
            Section(
                "Besides the rows", tuple(f"{it.what}: {it.old} -> {it.new}" for it in found.others)
            ),
            *_ways(found),
        ),
    )


def _summary(found: Diff) -> str:
    parts = [f"{len(rows)} rows {change}" for change in Change if (rows := found.of(change))]
    parts += [f"{len(found.reordered)} pairs in another order"] if found.reordered else []
    parts += [f"{len(found.pairs)} pairs decided otherwise"] if found.pairs else []
    parts += [f"{len(found.others)} other differences"] if found.others else []
    return ", ".join(_singular(part) for part in parts)


def _singular(part: str) -> str:
    if not part.startswith("1 "):
        return part
    return part.replace("rows", "row").replace("pairs", "pair").replace("differences", "difference")


def _pair(pair: tuple[str, str]) -> str:
    return f"{pair[0]} x {pair[1]}"


def _name(edge: Edge) -> str:
    return f"{_pair(edge.pair)} [{edge.guard}]" if edge.guard else _pair(edge.pair)


def _row(edge: Edge | None) -> str:
    assert edge is not None
    parts = [f"{_name(edge)} {'stays' if edge.internal else f'-> {edge.target}'}"]
    parts += [f"does {', '.join(edge.effects)}"] if edge.effects else []
    parts += [f"starts {edge.clock}"] if edge.clock else []
    parts += [f"reason {edge.reason}"] if edge.reason else []
    parts += [f"notes {', '.join(edge.notes)}"] if edge.notes else []
    return "; ".join(parts)


def _changed(change: RowChange) -> str:
    assert change.old is not None
    parts = [
        f"{what} {old or 'none'} -> {new or 'none'}"
        for what, old, new in change.what
        if what != "effects"
    ]
    parts += list(_effects(change))
    return f"{_name(change.old)}: {'; '.join(parts)}"


def _effects(change: RowChange) -> Iterator[str]:
    """Which effects came and went, or that their order is another."""
    assert change.old is not None
    assert change.new is not None
    old, new = change.old.effects, change.new.effects
    if old == new:
        return
    gone = [name for name in old if name not in new]
    came = [name for name in new if name not in old]
    if not gone and not came:
        yield f"effects in the order {', '.join(new)}"
    if came:
        yield f"does also {', '.join(came)}"
    if gone:
        yield f"no longer does {', '.join(gone)}"


def _ways(found: Diff) -> Iterator[Section]:
    headings = {
        "behaviour": "Shortest sequence of events that shows a difference",
        "outcome": "Shortest sequence of events with another outcome",
    }
    ways = {witness.kind: witness for witness in found.witnesses}
    if len({replace(witness, kind="") for witness in found.witnesses}) == 1 == len(ways) - 1:
        headings = {"behaviour": "Shortest sequence of events with another outcome"}
    for kind, heading in headings.items():
        if witness := ways.get(kind):
            was, is_now = f"before: {witness.old}", f"now: {witness.new}"
            yield Section(heading, (_sequence(witness), was, is_now, ASSUMED))
        else:
            yield Section(heading, (f"there is none. {ASSUMED}",))


def _sequence(witness: Witness) -> str:
    return ", ".join(each.text for each in witness.events) or "at once"


def diff_picture(found: Diff, *, whole: bool = False) -> tuple[Machine, Paint | None]:
    """Both machines in one, and what to paint on it.

    Args:
        found: the diff.
        whole: whether the rows that are the same are drawn as well.
    """
    if found.same:
        return found.new, None
    both, paint = _both(found)
    if whole:
        return both, paint
    changed = tuple(edge for edge in both.edges if edge.id in paint.edges)
    title = f"{paint.title}: {len(changed)} of {len(both.edges)} rows, the others are the same"
    return only(both, changed, paint.states), replace(paint, title=title)


def _both(found: Diff) -> tuple[Machine, Paint]:
    edges = list(found.new.edges)
    looks: dict[str, Look] = {}
    taken = {edge.id for edge in edges}
    for row in found.rows:
        if row.new is not None:
            looks[row.new.id] = _look(row)
        if row.old is not None and row.change in {Change.REMOVED, Change.RETARGETED}:
            gone = replace(row.old, id=_free(f"{row.old.id} (was)", taken))
            edges.append(gone)
            looks[gone.id] = Look("removed", dashed=True, text="gone")
    old, new = found.old, found.new
    states = [*new.states, *(it for it in old.states if it.name not in new.state_named)]
    both = Machine.of(
        new.name,
        states,
        tuple(dict.fromkeys([*new.events, *old.events])),
        new.initial,
        edges,
        groups=new.groups,
    )
    return both, Paint(looks, dict(_states(found)), _MEANING, new.name or "machine")


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def _look(row: RowChange) -> Look:
    if row.change is Change.ADDED:
        return Look("added", text="new")
    # Colour is never the only sign, and a row inside a state cannot be coloured everywhere.
    return Look("changed", text=f"other {', '.join(what for what, _, _ in row.what)}")


def _states(found: Diff) -> Iterator[tuple[str, Look]]:
    old, new = found.old.state_named, found.new.state_named
    for name in dict.fromkeys([*new, *old]):
        if name not in old:
            yield name, Look("added", text="new")
        elif name not in new:
            yield name, Look("removed", dashed=True, text="gone")
        elif old[name] != new[name]:
            yield name, Look("changed", text="changed")
