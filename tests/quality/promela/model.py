"""Makes the Promela model of a table: the core from its rows, and the world around it.

Nothing here knows what a row is for. Rows, guards, marks, clocks, what is ignored or impossible,
what supersedes which report, what an effect waits for and what it overtakes are read from the
same data that the library runs on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tests.quality.promela.claims import OBSERVED, OBSERVER, SCENES, STEPS
from tests.quality.promela.words import (
    CARRIERS,
    EVENTS,
    MEMORY,
    STATES,
    any_of,
    bit,
    guard_of,
    mark_of,
    one_of,
)
from tests.quality.promela.world import (
    ABLE,
    PHASES,
    SILENT,
    THINGS,
    WORLD,
    Move,
    Slot,
    moves_of,
    news,
    slots,
)
from warm_transfer.effects import AFTER, OVERTAKES, RELEASES, Do
from warm_transfer.events import On
from warm_transfer.policy import Strategy, TransferPolicy
from warm_transfer.rows import Family, Keep, Row, Table, Wait
from warm_transfer.states import FINAL, HELD, State
from warm_transfer.table import TABLE
from warm_transfer.transfer import _FOLLOWED_BY, _MERGE_REPORTS, _SUPERSEDED_BY

__all__ = ["NOTHING", "Model", "model_of"]

_NAMED = {
    "NO_WISH": 0,
    "CANCELLED": 1,
    "DECLINED": 2,
    "VOICEMAIL": 3,
    "OFF": 0,
    "ON": 1,
    "TRIED": 2,
    "NO_ROOM": 0,
    "OPEN": 1,
    "CLOSED": 2,
    "NO_LEG": 0,
    "RINGING": 1,
    "ANSWERED": 2,
    "GONE": 3,
}

_AT_FIRST = ("input_on", "output_on", "caller", "agent")

#: Said of one step only, so no part of what tells two configurations apart.
_HIDDEN = {
    "event": "byte",
    "before": "byte",
    "done": "int",
    "started": "byte",
    "row": "short",
    "taken": "byte",
    "stale": "byte",
    "old": "byte",
    "impossible": "byte",
    "twice": "byte",
}
NOTHING = 255
"""In place of an event, when the core is told nothing."""

#: Releases do the work of one another, and of two looks or waits the older one is stale.
_ANEW = RELEASES | {Do.LOOK_AT_ROOMS, Do.AWAIT_LAST_WORDS}

_OUT = ("NOT", "LIMBO")
_RETURNED = ("NOT", "BEHIND", "REPEATING", "LIMBO")

#: A merged call does not ask how its merge came about, a final state asks nothing.
_FORGOTTEN_WHEN_MERGED = ("human_gone", "looked", "wish")


def model_of(
    policy: TransferPolicy, strategies: tuple[Strategy, ...], table: Table = TABLE
) -> Model:
    """The model of a table under a policy and merge strategies.

    Raises:
        KeyError: a guard or mark of the table has no word in Promela.
        ValueError: a row starts what waits before what it waits for.
    """
    return Model(policy, strategies, table)


@dataclass(frozen=True)
class Model:
    """One table, policy and list of strategies as Promela."""

    policy: TransferPolicy
    strategies: tuple[Strategy, ...]
    table: Table
    reduced: bool = True
    """Whether completions that cannot influence one another are taken in one order only."""

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        return slots(len(self.strategies))

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        return tuple(move for each in self.slots for move in moves_of(each)) + tuple(
            news(self.slots)
        )

    @cached_property
    def reporters(self) -> Mapping[On, tuple[Slot, ...]]:
        """Which effects report an event."""
        found: dict[On, dict[Slot, None]] = {}
        for move in self.moves:
            if move.event is not None and move.slot is not None:
                found.setdefault(move.event, {})[move.slot] = None
        return {event: tuple(places) for event, places in found.items()}

    @property
    def text(self) -> str:
        """The whole model."""
        parts = (
            self._names(),
            self._variables(),
            self._macros(),
            self._coverage(),
            self._core(),
            self._launch(),
            self._process(),
        )
        return "\n".join(line for part in parts for line in (*part, "")) + "\n"

    # Constants and variables.

    def _names(self) -> Iterator[str]:
        assert {state for n, state in enumerate(State) if n >= _first_final()} == FINAL
        for constants in (STATES.values(), EVENTS.values(), CARRIERS.values(), PHASES):
            yield from (f"#define {name} {number}" for number, name in enumerate(constants))
        yield from (f"#define {name} {number}" for name, number in _NAMED.items())
        yield from (f"#define W_{wait.name} {number}" for number, wait in enumerate(Wait, 1))
        yield from (f"#define {bit(each)} {1 << number}" for number, each in enumerate(Do))
        yield f"#define RELEASES ({' | '.join(bit(each) for each in Do if each in RELEASES)})"
        yield f"#define STRATEGIES {len(self.strategies)}"
        yield f"#define LEAVE {int(self.policy.after_merge == 'leave')}"
        yield f"#define RETURN {int(self.policy.on_human_left == 'return')}"
        yield f"#define FIRST_FINAL {_first_final()}"
        yield f"#define NOTHING {NOTHING}"

    def _variables(self) -> Iterator[str]:
        yield _variable("state", len(STATES) - 1)
        yield _variable("clock", 1)
        yield _variable("hold_clock", 1)
        # A table that goes beyond its strategies is told by a claim, and must not wrap around.
        yield _variable("strategy", len(self.strategies))
        yield _variable("joins", len(self._merges))
        for name, largest in {**MEMORY, **WORLD, **OBSERVED}.items():
            yield _variable(name, largest, int(name in _AT_FIRST))
        for slot in self.slots:
            yield _variable(slot.phase, len(PHASES) - 1)
            if slot.number is None:
                yield _variable(slot.begun, 1)
            yield from (_variable(each, 1) for each in self._bits_of(slot))
        for name, kind in _HIDDEN.items():
            yield f"hidden {kind} h_{name};"
            yield f"#define {name} h_{name}"
        yield from (f"hidden byte {name};" for name in (*STEPS, *SCENES))

    @property
    def _merges(self) -> tuple[Slot, ...]:
        return tuple(each for each in self.slots if each.effect is Do.MERGE_LEGS)

    def _bits_of(self, slot: Slot) -> Iterator[str]:
        """What has to be kept to tell a stale report of it from news."""
        if self._rivals(slot):
            yield f"superseded_{slot.name}"
        for event in _FOLLOWED_BY:
            if self._followers(event, slot):
                yield f"followed_{slot.name}_{event}"
        if self._settles(slot):
            yield f"settled_{slot.name}"
            yield f"seen_settled_{slot.name}"

    @staticmethod
    def _rivals(slot: Slot) -> frozenset[Do]:
        """What else supersedes its reports; a newer one of its own name needs no bit."""
        return _SUPERSEDED_BY.get(slot.effect, frozenset()) - {slot.effect}

    def _followers(self, event: On, slot: Slot) -> frozenset[Do]:
        reports = slot in self.reporters.get(event, ())
        own = _SUPERSEDED_BY.get(slot.effect, frozenset())
        return _FOLLOWED_BY[event] - own if reports else frozenset()

    def _settles(self, slot: Slot) -> bool:
        return any(slot in self.reporters.get(event, ()) for event in _MERGE_REPORTS)

    # What is said in one word.

    def _macros(self) -> Iterator[str]:
        yield "#define OVER (state >= FIRST_FINAL)"
        yield f"#define carrier ({self._carrier()})"
        yield f"#define QUIET ({' && '.join(f'{each.phase} == NOT' for each in self.slots)})"
        able = (one_of(each.phase, ABLE) for each in self.slots)
        yield f"#define SOMETHING_CAN {any_of(able)}"
        for effect in Do:
            if effect in OVERTAKES:
                yield f"#define OVERTOOK_{effect} {self._overtook(effect)}"
            if effect in AFTER:
                yield f"#define WAITS_{effect} {self._waits(effect)}"

    def _carrier(self) -> str:
        """Who carries the sound of the strategy in use; of the last one beyond the list."""
        *others, last = [CARRIERS[each.carrier] for each in self.strategies]
        text = last
        for number, name in reversed(list(enumerate(others))):
            text = f"(strategy == {number} -> {name} : {text})"
        return text

    def _of(self, effects: Iterable[Do]) -> list[Slot]:
        wanted = set(effects)
        return [each for each in self.slots if each.effect in wanted]

    def _overtook(self, release: Do) -> str:
        """Whether a start that it overtakes has begun and not returned."""
        gone = ("NOT", "WAITING", "LIMBO")
        return any_of(f"!{one_of(each.phase, gone)}" for each in self._of(OVERTAKES[release]))

    def _waits(self, effect: Do) -> str:
        """Whether something it comes after is in flight; of its own release, the repetition too."""
        return any_of(
            f"!{one_of(e.phase, _OUT if effect in OVERTAKES.get(e.effect, ()) else _RETURNED)}"
            for e in self._of(AFTER[effect])
        )

    # What was reached, counted beside the model.

    def _coverage(self) -> Iterator[str]:
        rows, pairs = len(self.table.rows), len(State) * len(On)
        yield "c_decl {"
        yield f"static unsigned long seen_row[{rows}], seen_pair[{pairs}];"
        yield "static void tell_reached(void) {"
        yield "  int n;"
        yield f'  for (n = 0; n < {rows}; n++) if (seen_row[n]) printf("row %d\\n", n);'
        yield f'  for (n = 0; n < {pairs}; n++) if (seen_pair[n]) printf("pair %d\\n", n);'
        yield "}"
        yield "}"

    # The core: one event in, a state and a set of effects out.

    def _core(self) -> Iterator[str]:
        yield "inline core() {"
        yield f"  c_code {{ seen_pair[h_before * {len(On)} + h_event]++; }};"
        yield "  taken = 1;"
        yield "  if"
        for state in State:
            yield f"  :: before == {STATES[state]} ->"
            yield "    if"
            yield from (f"    {line}" for line in self._decided(state))
            yield "    fi"
        yield "  fi;"
        yield "  if"
        yield "  :: taken ->"
        yield f"    c_code {{ if (h_row < {len(self.table.rows)}) seen_row[h_row]++; }};"
        yield "    clock = (OVER -> 0 : clock);"
        held = one_of("state", [STATES[each] for each in State if each in HELD])
        yield f"    hold_clock = ({held} -> hold_clock : 0)"
        yield "  :: else"
        yield "  fi;"
        yield "}"

    def _decided(self, state: State) -> Iterator[str]:
        """One arm for each row of a state; then what is impossible, and what is ignored."""
        ignored = []
        for event in On:
            told = f"event == {EVENTS[event]}"
            if (state, event) in self.table.ignored:
                ignored.append(event)
            for row in self.table.by_pair.get((state, event), ()):
                family = self.table.family_of.get((state, event))
                yield f":: {told}{self._guard(row, family)} -> {'; '.join(self._takes(row))}"
        impossible = [event for event in On if (state, event) in self.table.impossible]
        if impossible:
            never = one_of("event", [EVENTS[each] for each in impossible])
            yield f":: {never} -> impossible = 1; taken = 0"
        if ignored:
            told = one_of("event", [EVENTS[each] for each in ignored])
            # A clock runs out once, whatever becomes of it.
            spent = [
                f"{name} = (event == {EVENTS[each]} -> 0 : {name})"
                for each in ignored
                if (name := _SPENDS.get(each))
            ]
            yield f":: {told} -> {'; '.join(('taken = 0', *spent))}"

    @staticmethod
    def _guard(row: Row, family: Family | None) -> str:
        if row.guard is None:
            return ""
        if family is None:
            raise KeyError(row.id)
        return f" && {guard_of(family, row.guard)}"

    def _takes(self, row: Row) -> Iterator[str]:
        self._check_order(row)
        yield f"row = {self.table.rows.index(row)}"
        if row.event in _SPENDS:
            yield f"{_SPENDS[row.event]} = 0"
        for keep in row.keep:
            yield from self._settled() if keep is Keep.SETTLED else mark_of(keep, row.event)
        yield f"state = {STATES[row.target]}"
        if row.start is not None:
            yield f"clock = 1; started = W_{row.start.name}"
        if row.source is State.IDLE and row.target in HELD:
            yield "hold_clock = 1"
        if row.effects:
            yield f"done = {' | '.join(bit(each) for each in row.effects)}"

    def _settled(self) -> Iterator[str]:
        for slot in self.slots:
            if self._settles(slot):
                yield f"settled_{slot.name} = ({slot.begun})"

    def _check_order(self, row: Row) -> None:
        """The model starts the effects of a row at once, so their order must be the waiting's."""
        for place, effect in enumerate(row.effects):
            late = AFTER.get(effect, frozenset()) & set(row.effects[place + 1 :])
            if late:
                raise ValueError(f"{row.id}: {effect} stands before {sorted(late)}")

    # The effects of a step, started; and what has waited for nothing else.

    def _launch(self) -> Iterator[str]:
        yield "inline launch() {"
        for release, starts in OVERTAKES.items():
            yield from _when(
                f"done & {bit(release)}",
                # What has not begun when its release comes never begins.
                *(
                    f"{s.phase} = ({s.phase} == WAITING -> NOT : {s.phase})"
                    for s in self._of(starts)
                ),
            )
        for effect in Do:
            yield from self._start(effect)
        for slot in self.slots:
            yield from self._begin(slot)
        yield "}"

    def _start(self, effect: Do) -> Iterator[str]:
        others = self._supersedes(effect)
        if effect is Do.MERGE_LEGS:
            yield "  if"
            for slot in self._merges:
                last = f"{slot.phase} = WAITING; joins = joins + 1"
                told = "; ".join((*others, last))
                yield f"  :: (done & {bit(effect)}) && joins == {slot.number} -> {told}"
            yield f"  :: (done & {bit(effect)}) && joins == {len(self._merges)} -> twice = 1"
            yield "  :: else"
            yield "  fi;"
            return
        (slot,) = self._of({effect})
        once = () if effect in _ANEW else (f"twice = ({slot.phase} != NOT)",)
        fresh = [f"{name} = 0" for name in self._bits_of(slot)]
        yield from _when(
            f"done & {bit(effect)}",
            *once,
            *others,
            *fresh,
            f"{slot.phase} = WAITING",
            f"{slot.begun} = 1",
        )

    def _supersedes(self, effect: Do) -> list[str]:
        """What becomes stale when an effect of this name starts."""
        found = []
        for slot in self.slots:
            if effect in self._rivals(slot):
                name = f"superseded_{slot.name}"
                found.append(f"{name} = {name} || {slot.begun}")
            for event in _FOLLOWED_BY:
                if effect in self._followers(event, slot):
                    name = f"followed_{slot.name}_{event}"
                    found.append(f"{name} = {name} || {slot.begun}")
        return found

    def _begin(self, slot: Slot) -> Iterator[str]:
        effect, phase = slot.effect, slot.phase
        waits = f" && !WAITS_{effect}" if effect in AFTER else ""
        begins = "; ".join((f"{phase} = RUNNING", *_BEGINS.get(effect, ())))
        yield "  if"
        yield f"  :: {phase} == WAITING{waits} -> {begins}"
        if effect in OVERTAKES:
            yield f"  :: {phase} == BEHIND && !OVERTOOK_{effect} -> {phase} = REPEATING"
        yield "  :: else"
        yield "  fi;"

    # Anything may happen next, again and again.

    def _process(self) -> Iterator[str]:
        yield "active proctype transfer() {"
        yield "  c_code { atexit(tell_reached); };"
        yield "again:"
        yield "  atomic {"
        yield "    if"
        for move in self.moves:
            yield from self._move(move)
        yield "    fi;"
        yield "    d_step {"
        yield from (f"      {line}" for line in self._step())
        yield "    };"
        yield "    goto again"
        yield "  }"
        yield "}"

    def _move(self, move: Move) -> Iterator[str]:
        event = EVENTS[move.event] if move.event is not None else "NOTHING"
        sets = "; ".join(
            (
                *move.sets,
                f"event = {event}",
                f"stale = {self._stale(move)}",
                f"old = {self._old(move)}",
            )
        )
        yield f"    /* {move.what} */"
        yield f"    :: d_step {{ ({move.when}){self._turn(move)} -> {sets} }}"

    def _turn(self, move: Move) -> str:
        """When it is the turn of a completion that others cannot influence."""
        if not self.reduced or move.slot is None or not move.goes_on:
            return ""
        (place,) = (n for n, thing in enumerate(THINGS) if move.slot.effect in thing)
        before = [each for each in self.slots if any(each.effect in t for t in THINGS[:place])]
        turn = []
        if before:
            # After the end one thing after the other is cleared away.
            turn.append(f"(!OVER || !{any_of(one_of(each.phase, ABLE) for each in before)})")
        if move.slot.effect in SILENT:
            first = self.slots[: self.slots.index(move.slot)]
            silent = [one_of(e.phase, ABLE) for e in first if e.effect in SILENT]
            if silent:
                turn.append(f"(OVER || !{any_of(silent)})")
        return "".join(f" && {each}" for each in turn)

    def _stale(self, move: Move) -> str:
        """Whether what a move reports is overtaken, as the core decides it."""
        slot, event = move.slot, move.event
        if slot is None or event is None:
            return "0"
        overtaken = []
        if self._rivals(slot):
            overtaken.append(f"superseded_{slot.name}")
        if slot.number is not None and slot.effect in _SUPERSEDED_BY[slot.effect]:
            overtaken.append(f"joins > {slot.number + 1}")
        if event in _FOLLOWED_BY and self._followers(event, slot):
            overtaken.append(f"followed_{slot.name}_{event}")
        settled = [f"settled_{slot.name}"] if event in _MERGE_REPORTS else []
        # After the end nothing is superseded: what comes about late must be taken down.
        return any_of((*settled, f"(!OVER && {any_of(overtaken)})" if overtaken else "false"))

    def _old(self, move: Move) -> str:
        settles = move.slot is not None and self._settles(move.slot)
        return f"seen_settled_{move.slot.name}" if settles and move.slot else "0"

    def _step(self) -> Iterator[str]:
        yield "before = state; done = 0; taken = 0; impossible = 0; twice = 0; started = 0;"
        yield "if"
        yield ":: event != NOTHING && !stale -> core()"
        yield ":: else"
        yield "fi;"
        # Said only when a counterexample is played.
        yield 'printf("@ %d %d %d %d %d\\n", before, event, stale, state, done);'
        yield "if"
        yield ":: event != NOTHING ->"
        yield from self._claims(STEPS, without=("nothing_is_started_while_it_runs",))
        yield from self._observes()
        yield ":: else"
        yield "fi;"
        yield "launch();"
        yield from self._claims(
            {each: STEPS[each] for each in ("nothing_is_started_while_it_runs",)}
        )
        yield from self._claims(SCENES)
        yield from self._forgets()

    @staticmethod
    def _claims(claims: Mapping[str, str], without: tuple[str, ...] = ()) -> Iterator[str]:
        for name, holds in claims.items():
            if name not in without:
                yield f"  assert({holds} || {name});"

    def _observes(self) -> Iterator[str]:
        yield "  if"
        yield "  :: taken ->"
        merges = f"(before != state && state == {STATES[State.MERGED]})"
        mends = f"(before == {STATES[State.MERGED]} && event == {EVENTS[On.MERGE_CONFIRMED]})"
        for slot in self.slots:
            if self._settles(slot):
                name = f"seen_settled_{slot.name}"
                yield f"    {name} = {name} || (({merges} || {mends}) && {slot.begun});"
        # A wish that is seen in this step counts for the next ones.
        for name, value in OBSERVER.items():
            yield f"    {name} = {value};"
        yield "  :: else"
        yield "  fi;"

    def _forgets(self) -> Iterator[str]:
        """Configurations that differ only in what is asked no more are one."""
        asked = {
            family
            for (state, _), family in self.table.family_of.items()
            if state in FINAL or state is State.MERGED
        }
        assert not asked & {Family.MERGE_FAILED, Family.MERGE_DEADLINE}
        assert not [row for row in self.table.rows if row.source in FINAL and row.guard]
        stale = [
            name
            for slot in self.slots
            for name in self._bits_of(slot)
            if name.startswith(("superseded", "followed"))
        ]
        yield "if"
        yield f":: OVER -> {'; '.join(f'{name} = 0' for name in (*MEMORY, *stale))}"
        forgotten = "; ".join(f"{name} = 0" for name in _FORGOTTEN_WHEN_MERGED)
        yield f":: state == {STATES[State.MERGED]} -> {forgotten}"
        yield ":: else"
        yield "fi;"


_BEGINS: Mapping[Do, tuple[str, ...]] = {
    # Synchronous, but for a start in flight.
    Do.HOLD_CALLER: ("input_on = 0",),
    Do.STOP_HOLD_AUDIO: ("music = OFF",),
    Do.START_BRIEFING: ("speaks = 1",),
}
"""What is different at once when an effect begins."""


_SPENDS: Mapping[On, str] = {On.DEADLINE_PASSED: "clock", On.HOLD_LIMIT_PASSED: "hold_clock"}
"""The clock that has run out when its event comes."""


def _first_final() -> int:
    return min(number for number, state in enumerate(State) if state in FINAL)


def _variable(name: str, largest: int, value: int = 0) -> str:
    return f"unsigned {name} : {max(1, largest.bit_length())} = {value};"


def _when(guard: str, *sets: str) -> Iterator[str]:
    yield "  if"
    yield f"  :: {guard} -> {'; '.join(sets)}"
    yield "  :: else"
    yield "  fi;"
