"""Scenarios in one line of English.

    line     clause, then further clauses after "," or ";"
    clause   [subject] words; without a subject it has that of the clause before, at first "human"

    human    answers [after N s] | never answers | is busy [after N s]
             refuses with CODE [after N s] | is a voicemail [after N s]
             says yes|no|nothing ["WORDS"] [after N s] | hangs up WHEN
             answers as we cancel | sends no sound
    caller   hangs up WHEN | calls by phone
    app      accepts WHEN | declines ["WORDS"] WHEN | cancels WHEN
    session  closes WHEN
    job      shuts down WHEN
    agent    speaks for N s | says goodbye for N s | model fails WHEN | reconnects WHEN
             loses the caller room WHEN | loses the consult room WHEN
    observer joins WHEN | leaves WHEN
    server   has no SIP service | refuses the consult room | loses the dial [after N s]
             can move | cannot merge | restarts WHEN | sends a second agent WHEN
    policy   ring|decision|hold|call|merge limit N s | returns the caller
             lets the agent leave | merges by STRATEGY [then STRATEGY ...]

    WHEN     at N s | after N s                                 since the transfer was asked for
             N s after the request|dial|ringing|answer|yes|merge|outcome
             while dialing|ringing|briefing|merging|merged      shortly after it has begun
    N s      seconds, such as "4 s" or "0.5 s"; also "200 ms"

"human answers after N s" counts from the dial, "says ... after N s" from the agent's first word.
A human may say several things, each later than the one before; anything else is told once.
The observer is on the phone, in the caller's room; the goodbye is said into the merged call.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from livekit import api

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.strategies import STRATEGIES
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.humans import Line, Says
from warm_transfer.testing.livekit.script import Scenario
from warm_transfer.testing.livekit.when import ANCHORS, WHILE, When

__all__ = ["GRAMMAR", "scenario"]

GRAMMAR = (__doc__ or "").partition("\n\n")[2].rstrip()
"""The grammar, as error messages show it."""

Match = re.Match[str]
Build = Callable[[Scenario, Match], Scenario]

_TIME = r"(?P<{0}>\d+(?:\.\d+)?) ?(?P<{0}_unit>ms|s|seconds?)"
_AFTER = rf"(?: after {_TIME.format('n')})?"
_WORDS = r'(?: "(?P<words>[^"]*)")?'
_WHEN = (
    rf"(?: (?:at|after) {_TIME.format('at')}"
    rf"| {_TIME.format('since')} after the (?P<anchor>{'|'.join(ANCHORS)})"
    rf"| while (?P<state>{'|'.join(WHILE)}))"
)
_SUBJECTS = ("human", "caller", "app", "session", "job", "agent", "observer", "server", "policy")
_SUBJECT = re.compile(rf"(?:the )?(?P<subject>{'|'.join(_SUBJECTS)})\b ?(?P<rest>.*)", re.DOTALL)
_CLAUSE = re.compile(r'((?:[^,;"]|"[^"]*")+)')
_CLAUSES: list[tuple[str, re.Pattern[str], str, Build]] = []
_END_OF_RINGING, _A_LINE = "how the ringing ends", "a line"


def scenario(line: str) -> Scenario:
    """Read a scenario from one line.

    Raises:
        InvalidArgument: a clause is not understood, or contradicts one before it; shows it, and
            the grammar.
    """
    told, subject = Scenario(description=line.strip()), "human"
    said: dict[str, str] = {}
    clauses = [clause.strip(" .\n") for clause in _CLAUSE.findall(line)]
    if not any(clauses):
        raise InvalidArgument("scenario", "is empty", f"write\n{GRAMMAR}")
    for clause in filter(None, clauses):
        named = _SUBJECT.fullmatch(clause)
        subject, words = (named["subject"], named["rest"]) if named else (subject, clause)
        about, told = _read(told, subject, words, clause)
        if about in said and about != _A_LINE:
            problem = f"has {said[about]!r} and then {clause!r}, of which only one can be"
            raise InvalidArgument("scenario", problem, f"write\n{GRAMMAR}")
        said[about] = clause
    return _with_lines(told)


def _read(told: Scenario, subject: str, words: str, clause: str) -> tuple[str, Scenario]:
    """What the clause is about, and the scenario with it."""
    for whose, pattern, about, build in _CLAUSES:
        match = pattern.fullmatch(words) if whose == subject else None
        if match is not None:
            return about + match.groupdict().get("name", ""), build(told, match)
    raise InvalidArgument(
        "scenario", f"has {clause!r}, which is not understood", f"write\n{GRAMMAR}"
    )


def _clause(subject: str, words: str, about: str = "") -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        _CLAUSES.append((subject, re.compile(words), about or f"{subject} {words}", build))
        return build

    return add


def _seconds(match: Match, name: str, otherwise: float) -> float:
    if match[name] is None:
        return otherwise
    return float(match[name]) / (1000 if match[f"{name}_unit"] == "ms" else 1)


def _when(match: Match) -> When:
    if match["state"]:
        anchor, after_s = WHILE[match["state"]]
        return When(after_s, anchor)
    if match["anchor"]:
        return When(_seconds(match, "since", 0.0), match["anchor"])
    return When(_seconds(match, "at", 0.0))


# The human.


@_clause("human", f"answers{_AFTER}", _END_OF_RINGING)
def _answers(told: Scenario, match: Match) -> Scenario:
    answers_s = _seconds(match, "n", 4.0)
    return replace(told, phone=replace(told.phone, answers_after_s=answers_s))


@_clause("human", "never answers", _END_OF_RINGING)
def _never_answers(told: Scenario, _: Match) -> Scenario:
    return replace(told, phone=replace(told.phone, answers_after_s=None))


@_clause("human", "answers as we cancel", _END_OF_RINGING)
def _answers_on_cancel(told: Scenario, _: Match) -> Scenario:
    phone = replace(told.phone, answers_after_s=None, answers_on_cancel=True)
    return replace(told, phone=phone)


@_clause("human", f"is busy{_AFTER}", _END_OF_RINGING)
def _is_busy(told: Scenario, match: Match) -> Scenario:
    phone = replace(told.phone, refuses_with=486, refuses_after_s=_seconds(match, "n", 1.0))
    return replace(told, phone=phone)


@_clause("human", rf"refuses with (?P<code>\d{{3}}){_AFTER}", _END_OF_RINGING)
def _refuses(told: Scenario, match: Match) -> Scenario:
    after_s = _seconds(match, "n", 1.0)
    phone = replace(told.phone, refuses_with=int(match["code"]), refuses_after_s=after_s)
    return replace(told, phone=phone)


@_clause("human", f"says (?P<says>yes|no|nothing){_WORDS}{_AFTER}", _A_LINE)
def _says(told: Scenario, match: Match) -> Scenario:
    says: Says = "yes" if match["says"] == "yes" else "no" if match["says"] == "no" else "nothing"
    return _with_line(told, Line(says, _seconds(match, "n", 6.0), match["words"] or ""))


@_clause("human", f"(?:is a )?voicemail(?: greeting)?{_AFTER}", _A_LINE)
def _voicemail(told: Scenario, match: Match) -> Scenario:
    return _with_line(told, Line("voicemail", _seconds(match, "n", 3.0)))


def _with_line(told: Scenario, line: Line) -> Scenario:
    then = told.human.then
    if then and line.after_s <= then[-1].after_s:
        problem = f"has {line.says!r} at {line.after_s:g} s, not after {then[-1].says!r}"
        raise InvalidArgument("scenario", problem, f"write\n{GRAMMAR}")
    return replace(told, human=replace(told.human, then=(*then, line)))


def _with_lines(told: Scenario) -> Scenario:
    """The first thing said takes the place of what a human says when nothing is told."""
    if not told.human.then:
        return told
    first, *then = told.human.then
    human = replace(
        told.human, says=first.says, after_s=first.after_s, words=first.words, then=tuple(then)
    )
    return replace(told, human=human)


@_clause("human", f"hangs up{_WHEN}")
def _human_hangs_up(told: Scenario, match: Match) -> Scenario:
    return replace(told, human=replace(told.human, hangs_up=_when(match)))


@_clause("human", "sends no sound")
def _no_sound(told: Scenario, _: Match) -> Scenario:
    return replace(told, phone=replace(told.phone, voice=""))


# The caller, the application and the agent.


@_clause("caller", f"hangs up{_WHEN}")
def _caller_hangs_up(told: Scenario, match: Match) -> Scenario:
    return replace(told, caller=replace(told.caller, hangs_up=_when(match)))


@_clause("caller", "calls by phone")
def _by_phone(told: Scenario, _: Match) -> Scenario:
    return replace(told, caller=replace(told.caller, by_phone=True))


@_clause("app", f"accepts{_WHEN}")
def _accepts(told: Scenario, match: Match) -> Scenario:
    return replace(told, app=replace(told.app, accepts=_when(match)))


@_clause("app", f"declines{_WORDS}{_WHEN}")
def _declines(told: Scenario, match: Match) -> Scenario:
    words = match["words"] or told.app.words
    return replace(told, app=replace(told.app, declines=_when(match), words=words))


@_clause("app", f"cancels{_WHEN}")
def _cancels(told: Scenario, match: Match) -> Scenario:
    return replace(told, app=replace(told.app, cancels=_when(match)))


@_clause("session", f"closes{_WHEN}")
def _session_closes(told: Scenario, match: Match) -> Scenario:
    return replace(told, app=replace(told.app, closes_session=_when(match)))


@_clause("job", f"shuts down{_WHEN}")
def _shuts_down(told: Scenario, match: Match) -> Scenario:
    return replace(told, app=replace(told.app, shuts_down=_when(match)))


@_clause("agent", f"speaks for {_TIME.format('n')}")
def _speaks(told: Scenario, match: Match) -> Scenario:
    return replace(told, agent=replace(told.agent, speaks_s=_seconds(match, "n", 0.0)))


@_clause("agent", f"says goodbye for {_TIME.format('n')}")
def _says_goodbye(told: Scenario, match: Match) -> Scenario:
    return replace(told, agent=replace(told.agent, goodbye_s=_seconds(match, "n", 0.0)))


@_clause("observer", f"joins{_WHEN}")
def _observer_joins(told: Scenario, match: Match) -> Scenario:
    return replace(told, observer=replace(told.observer, joins=_when(match)))


@_clause("observer", f"leaves{_WHEN}")
def _observer_leaves(told: Scenario, match: Match) -> Scenario:
    return replace(told, observer=replace(told.observer, leaves=_when(match)))


@_clause("agent", f"model fails{_WHEN}")
def _model_fails(told: Scenario, match: Match) -> Scenario:
    return replace(told, agent=replace(told.agent, model_fails=_when(match)))


@_clause("agent", f"loses the caller room{_WHEN}")
def _loses_caller_room(told: Scenario, match: Match) -> Scenario:
    return replace(told, agent=replace(told.agent, loses_caller_room=_when(match)))


@_clause("agent", f"loses the consult room{_WHEN}")
def _loses_consult_room(told: Scenario, match: Match) -> Scenario:
    return replace(told, agent=replace(told.agent, loses_consult_room=_when(match)))


@_clause("agent", f"reconnects{_WHEN}")
def _reconnects(told: Scenario, match: Match) -> Scenario:
    return replace(told, agent=replace(told.agent, reconnects=_when(match)))


# The server and the policy.


def _with_fault(told: Scenario, method: str, number: int, fault: Fault) -> Scenario:
    return replace(told, faults={**told.faults, (method, number): fault})


@_clause("server", "has no SIP service")
def _no_sip(told: Scenario, _: Match) -> Scenario:
    return replace(told, server=replace(told.server, sip="absent"))


@_clause("server", "refuses the consult room")
def _no_room(told: Scenario, _: Match) -> Scenario:
    error = api.ServerError("unavailable", "no response from servers", status=503)
    return _with_fault(told, "room.create_room", 1, Fault(How.FAILS, error))


@_clause("server", f"loses the dial{_AFTER}")
def _loses_dial(told: Scenario, match: Match) -> Scenario:
    after_s = _seconds(match, "n", 1.0)
    return replace(told, phone=replace(told.phone, request_lost_after_s=after_s))


@_clause("server", "can move")
def _can_move(told: Scenario, _: Match) -> Scenario:
    return replace(told, server=replace(told.server, moves=True))


@_clause("server", "cannot merge")
def _cannot_merge(told: Scenario, _: Match) -> Scenario:
    error = RuntimeError("failed to create a native audio stream")
    return _with_fault(told, "stream.open", 0, Fault(How.FAILS, error))


@_clause("server", f"restarts{_WHEN}")
def _restarts(told: Scenario, match: Match) -> Scenario:
    return replace(told, server=replace(told.server, restarts=_when(match)))


@_clause("server", f"sends a second agent{_WHEN}")
def _dispatches(told: Scenario, match: Match) -> Scenario:
    return replace(told, server=replace(told.server, dispatches=_when(match)))


@_clause("policy", f"(?P<name>ring|decision|hold|call|merge) limit {_TIME.format('n')}")
def _limit(told: Scenario, match: Match) -> Scenario:
    names = {"hold": "hold_limit_s", "call": "call_limit_s"}
    name = names.get(match["name"], f"{match['name']}_timeout_s")
    return replace(told, policy={**told.policy, name: _seconds(match, "n", 0.0)})


@_clause("policy", "returns the caller")
def _returns(told: Scenario, _: Match) -> Scenario:
    return replace(told, policy={**told.policy, "on_human_left": "return"})


@_clause("policy", r"merges by (?P<names>\w+(?: then \w+)*)")
def _merges_by(told: Scenario, match: Match) -> Scenario:
    names = tuple(match["names"].split(" then "))
    unknown = [name for name in names if name not in STRATEGIES]
    if unknown:
        known = ", ".join(sorted(STRATEGIES))
        raise InvalidArgument(
            "scenario", f"has the strategy {unknown[0]!r}", f"name one of {known}"
        )
    return replace(told, merge=names)


@_clause("policy", "lets the agent leave")
def _lets_leave(told: Scenario, _: Match) -> Scenario:
    return replace(told, policy={**told.policy, "after_merge": "leave"})
