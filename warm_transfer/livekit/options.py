"""What a transfer is asked for: read, checked, and complete before anything is dialled."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from livekit import api as lkapi
from livekit.agents import Agent, AgentSession, NotGivenOr
from livekit.agents.beta.workflows import WorkflowInstructions
from livekit.agents.llm import ChatContext, ToolContext
from livekit.agents.llm.chat_context import Instructions
from livekit.agents.utils import is_given

from warm_transfer.errors import InvalidArgument, ServerUnusable
from warm_transfer.journal import FileJournal
from warm_transfer.livekit.briefing import ConsultOptions
from warm_transfer.livekit.compat import server_url
from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.dialhook import DialHook, Last
from warm_transfer.livekit.models import (
    check_models,
    consult_models,
    refuse_silence,
    resolve_instructions,
    turn_handling_of,
)
from warm_transfer.livekit.phrases import Phrases
from warm_transfer.livekit.preflight import auto_at
from warm_transfer.livekit.sdk import Api, LiveKitSdk, Sdk
from warm_transfer.livekit.strategies import asks_auto
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Dialer, Journal, StateHook

__all__ = [
    "Greeting",
    "TaskOptions",
    "WorkflowInstructions",
    "deprecated",
    "greeting_of",
    "hooks_of",
    "instructions_of",
    "journal_of",
    "policy_of",
    "real_sdk",
    "tools_of",
]

Greeting = str | Callable[[], str | None]
"""What is said when the human answers, or a plain function that says it when it is needed."""

#: The consult agent has tools of these names; with two of one name the model gets neither.
_OWN_TOOLS = frozenset({"connect_to_caller", "decline_transfer", "voicemail_detected"})


#: What is asked of an object of the application: field, what it must have, and the remedy.
_PORTS = (
    ("dialer", ("dial", "hang_up"), "give an object with `dial` and `hang_up`"),
    ("on_dial_request", ("__call__",), "give a function or a coroutine function"),
    ("client", ("room", "sip"), "give a LiveKitAPI"),
)
_ARGUMENTS = {"client": "api"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """The arguments of a task, checked; every one has been read when this is made.

    Raises:
        InvalidArgument: two of them contradict each other.
    """

    policy: TransferPolicy
    dial: DialOptions
    consult: ConsultOptions
    """How the human is talked to, but for what is known at the await."""
    greeting: Greeting | None
    merge: object
    """The merge strategies asked for, which can be made."""
    hooks: tuple[StateHook, ...]
    hold_audio: Any
    models: Mapping[str, Any]
    """Models given for the consult session, by name; the rest are found at the await."""
    turns: Any
    rings_itself: bool = False
    """Whether a subclass rings the human instead of LiveKit's SIP API."""
    dialer: Dialer | None = None
    on_dial_request: DialHook | None = None
    client: lkapi.LiveKitAPI | None = None
    journal: Journal | str | Path | None = None
    room_name: str | None = None
    human_identity: str | None = None
    sdk: Sdk | None = None
    _opened: list[FileJournal] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        check_models(self.models)
        if self.dial.connection is not None and not self.dial.connection.hostname:
            remedy = "set the host that is to ring the human"
            raise InvalidArgument("sip_connection", "has no `hostname`", remedy)
        for name, verbs, remedy in _PORTS:
            given = getattr(self, name)
            if given is not None and not all(hasattr(given, verb) for verb in verbs):
                raise InvalidArgument(_ARGUMENTS.get(name, name), f"is {given!r}", remedy)
        if self.dialer is not None and self.rings_itself:
            problem = "is given beside an override of `_originate_human_agent`"
            raise InvalidArgument("dialer", problem, "keep the one that is to ring the human")
        if self.dialer is not None and self.on_dial_request is not None:
            problem = "is given beside `dialer`, which sends no such request"
            raise InvalidArgument("on_dial_request", problem, "leave one of them out")

    @property
    def last(self) -> Last | None:
        """The application's last look at a dial request."""
        return None if self.on_dial_request is None else Last(self.on_dial_request, self.policy)

    async def auto(self) -> Sequence[str]:
        """What ``merge="auto"`` stands for here; asked at most once a process and server."""
        if not asks_auto(self.merge):
            return ()
        sdk = self.sdk or real_sdk()
        choice = await auto_at(sdk, cast("Api | None", self.client), self.policy.api_timeout_s)
        return choice.strategies

    def consult_in(self, session: AgentSession[Any], agent: Agent) -> ConsultOptions:
        """How the human is talked to, with what the caller's session and agent lend.

        Raises:
            InvalidArgument: there is no model to talk to the human with.
        """
        models = consult_models(self.models, session, agent)
        turns = turn_handling_of(self.turns, session)
        greeting = self.greeting() if callable(self.greeting) else self.greeting
        sounds = session.output.audio is not None
        refuse_silence(models, greeting=bool(greeting), sounds=sounds)
        return replace(self.consult, session={**models, "turn_handling": turns}, greeting=greeting)

    def open_journal(self) -> Journal | None:
        """The journal; a file is opened, and is ours to close.

        Raises:
            JournalError: the file cannot be written.
        """
        if not isinstance(self.journal, str | Path):
            return self.journal
        opened = FileJournal(self.journal)
        self._opened.append(opened)
        return opened

    def close_journal(self) -> None:
        """Close the file that was opened; safe to repeat."""
        while self._opened:
            self._opened.pop().close()


def deprecated(text: str) -> None:
    """Say that an argument is an old one, as livekit-agents does and as Python does.

    The log is where a worker's operator looks; the warning is what a test suite takes for an
    error. Its place is the line that makes the task.
    """
    logging.getLogger("warm_transfer").warning(text)
    warnings.warn(text, DeprecationWarning, stacklevel=4)


def instructions_of(instructions: Any, chat_ctx: Any, extra: str, phrases: Phrases) -> Any:
    """The consult agent's instructions, with what was said to the caller as data.

    Raises:
        InvalidArgument: they are none, `chat_ctx` is no conversation, so that the human would be
            told nothing, or `phrases` are none.
    """
    if is_given(instructions) and not isinstance(
        instructions, WorkflowInstructions | Instructions | str
    ):
        remedy = "give a string, `Instructions` or `WorkflowInstructions`"
        raise InvalidArgument("instructions", f"is {type(instructions).__name__}", remedy)
    if not isinstance(phrases, Phrases):
        raise InvalidArgument("phrases", f"is {phrases!r}", "give `Phrases(...)`")
    if is_given(chat_ctx) and not isinstance(chat_ctx, ChatContext | None):
        remedy = "give a ChatContext, such as `self.chat_ctx` of the agent"
        raise InvalidArgument("chat_ctx", f"is {type(chat_ctx).__name__}", remedy)
    if extra and isinstance(instructions, WorkflowInstructions):
        deprecated("`extra_instructions` is ignored beside a `WorkflowInstructions`: use its extra")
    return resolve_instructions(instructions, chat_ctx, extra, phrases)


def policy_of(
    policy: TransferPolicy | None, ringing_timeout: NotGivenOr[float | None]
) -> TransferPolicy:
    """The policy; `ringing_timeout` comes before it, None and not given do not.

    Raises:
        InvalidArgument: they cannot be used.
    """
    policy = TransferPolicy() if policy is None else policy
    if not isinstance(policy, TransferPolicy):
        raise InvalidArgument("policy", f"is {policy!r}", "give a TransferPolicy")
    if not is_given(ringing_timeout) or ringing_timeout is None:
        return policy
    try:
        return replace(policy, ring_timeout_s=ringing_timeout)
    except InvalidArgument as error:
        if error.argument != "ring_timeout_s":
            raise
        raise InvalidArgument("ringing_timeout", error.problem, error.remedy) from None


def journal_of(given: Journal | str | Path | None) -> Journal | str | Path | None:
    """The journal: a file, or an object that takes the lines.

    Raises:
        InvalidArgument: it is something else.
    """
    if given is None or isinstance(given, str | Path) or hasattr(given, "write"):
        return given
    raise InvalidArgument("journal", f"is {given!r}", "give a path, or an object with `write`")


def hooks_of(given: StateHook | Sequence[StateHook] | None) -> tuple[StateHook, ...]:
    """The hooks for changes of state, one or several.

    Raises:
        InvalidArgument: one of them cannot be called.
    """
    if given is None:
        return ()
    hooks = tuple(given) if isinstance(given, list | tuple) else (given,)
    for hook in hooks:
        if not callable(hook):
            remedy = "give a function, a coroutine function, or a list of them"
            raise InvalidArgument("on_state_change", f"is {hook!r}", remedy)
    return hooks


def greeting_of(given: Greeting | None) -> Greeting | None:
    """The greeting: words, or a plain function that gives them.

    Raises:
        InvalidArgument: it is something else.
    """
    if given is None or isinstance(given, str) or callable(given):
        return given
    remedy = "give a string, or a plain function that returns one or None"
    raise InvalidArgument("greeting", f"is {type(given).__name__}", remedy)


def tools_of(given: NotGivenOr[Sequence[Any]], own: Sequence[Any]) -> list[Any]:
    """The further tools of the consult agent: those given, and those a subclass has.

    Raises:
        InvalidArgument: they are no tools, two have one name, or one has the name of a tool that
            the consult agent has already.
    """
    if is_given(given) and not isinstance(given, list | tuple | None):
        raise InvalidArgument("tools", f"is {type(given).__name__}", "give a list of tools")
    tools = [*(given or ()), *own]
    try:
        names = ToolContext(tools).function_tools
    except ValueError as error:
        # As the consult session would refuse them, while the phone rings already.
        remedy = "give tools and toolsets, each function with a name of its own"
        raise InvalidArgument("tools", f"cannot be used: {error}", remedy) from None
    for name in _OWN_TOOLS & names.keys():
        remedy = "rename it; `on_state_change`, `accept()` and `decline()` are the hooks"
        raise InvalidArgument("tools", f"has `{name}`, which the consult agent has", remedy)
    return tools


def real_sdk() -> Sdk:
    """LiveKit, with the address of the job and the credentials of the environment.

    Raises:
        ServerUnusable: the address or a credential is missing.
    """
    found = {
        "LIVEKIT_URL": server_url(),
        "LIVEKIT_API_KEY": os.getenv("LIVEKIT_API_KEY"),
        "LIVEKIT_API_SECRET": os.getenv("LIVEKIT_API_SECRET"),
    }
    missing = [name for name, value in found.items() if not value]
    if missing:
        raise ServerUnusable(missing[0], "is missing", f"set {' and '.join(missing)}")
    url, key, secret = (str(value) for value in found.values())
    return LiveKitSdk(url, key, secret)
