"""Private names of livekit-agents are used in one module, and ours do not cover any of them."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from asyncio import events
from collections.abc import Iterator

import pytest

from tests.sources import BY_NAME, MODULES, ROOT, Module, is_under

COMPAT = "warm_transfer.livekit.compat"

#: What each private name is relied on for: what breaks when it is gone or means something else.
RELIED_ON = {
    "AgentTask.__await__": "the framework's await cannot be kept from being cancelled: a cancelled "
    "one leaves the session with an agent that never ends",
    "_AgentActivityContextVar": "in whose tool or hook a transfer is awaited is not known, so "
    "nothing can be checked before the framework is asked",
    "_pass_through_activity_task_info": "the framework refuses the inner task that awaits for us",
    "_info": "a job on a region of the cloud has its consult room opened on another one",
    "_closing": "an application that cancels is taken for a session that closes: the caller stays "
    "deaf and mute",
    "_options": "an agent that leaves takes the call with it, if its session deletes the room",
    "_tools": "a subclass's tools are the held caller's, whose agent could be talked into them",
    "_ffi_client": "a relay's stream is woken by every frame of the process",
    "_ffi_queue": "the same: what a stream listens to cannot be narrowed to its own frames",
    "_ffi_handle": "which frames are a stream's own is not known",
    "_proto": "the same for what it sends",
    "_proto_info": "a frame cannot be passed on without waiting for every event of the process",
    "_queue": "what a relay drops is not counted, and a late frame not noticed",
    "_publish_track": "the hold music has the name of every background player's track",
    "_find_publication_by_name": "ending the hold takes the application's own music away",
    "_audio_source": "the hold music has no source to be published from",
    "_audio_mixer": "a hold that is cut off half-way leaves a task behind",
    "_room": "the hold music has no room",
    "_track_publish_options": "the application's options for the track are lost",
}

#: Names of a base that a subclass outside of `compat` uses, with the reason.
COVERED = {
    "_Stream": {"_run": "abstract in LLMStream, to be written by every model", "_event_ch": "its"},
    **{
        name: {"_events": "an emitter tells nobody its listeners, and a test counts those left"}
        for name in ("SimEmitter", "SimRoom", "SimConsultSession", "SimCallerSession")
    },
}

#: The public methods of named tuples begin with an underscore.
NAMED_TUPLE = frozenset({"_replace", "_asdict", "_fields", "_make"})

#: What asyncio exports for those who make event loops begins with an underscore too.
FOR_LOOPS = frozenset(events.__all__)

OTHERS = [m for m in MODULES if is_under(m.name, "warm_transfer") and m.name != COMPAT]


def is_private(name: str) -> bool:
    return re.fullmatch(r"_[^_].*|__\w*[^_]", name) is not None and name != "_"


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def private_uses(tree: ast.AST) -> Iterator[str]:
    """Private names of somebody else: read or set on another object, imported, or spelled out."""
    here = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_self(node.value):
            own = isinstance(node.value, ast.Name) and node.value.id in here
            if not own and node.attr not in NAMED_TUPLE | FOR_LOOPS:
                yield node.attr
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            yield from (each.name for each in node.names if is_private(each.name))
            yield from (part for part in node.module.split(".") if is_private(part))
        elif isinstance(node, ast.Call) and _calls(node) in ("getattr", "setattr", "hasattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and is_private(str(name.value)):
                yield str(name.value)


def _calls(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def own_names(tree: ast.AST) -> set[str]:
    """Private names that a class gives itself: methods, class attributes, attributes of self."""
    names = {
        n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_self(node.value):
            names.add(node.attr)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if is_private(name)}


def source_names(cls: type) -> set[str]:
    return own_names(ast.parse(textwrap.dedent(inspect.getsource(cls))))


def is_livekits(cls: type) -> bool:
    return is_under(cls.__module__, "livekit")


def classes() -> list[type]:
    """Our classes that are subclasses of livekit's."""
    found = []
    for module in [*OTHERS, BY_NAME[COMPAT]]:
        for each in vars(importlib.import_module(module.name)).values():
            if isinstance(each, type) and each.__module__ == module.name:
                found += [each] if any(map(is_livekits, each.__mro__)) else []
    return found


CLASSES = classes()


@pytest.mark.parametrize("module", OTHERS, ids=[module.name for module in OTHERS])
def test_no_other_module_uses_a_private_name_of_another_object(module: Module) -> None:
    assert list(private_uses(module.tree)) == []


@pytest.mark.parametrize(
    "source",
    [
        "session._activity",
        "session.agent._activity = None",
        "from livekit.agents.voice.agent import _pass_through_activity_task_info",
        "from livekit.agents.cli._run import run",
        "getattr(session, '_room_io', None)",
        "agent.__fut",
    ],
)
def test_the_look_finds_private_names(source: str) -> None:
    assert len(list(private_uses(ast.parse(source)))) == 1


def test_our_subclasses_of_livekits_classes_are_found() -> None:
    names = {each.__name__ for each in CLASSES}
    assert {"WarmTransferTask", "ConsultAgent", "HoldAudioPlayer", "TransferFailed"} <= names


@pytest.mark.parametrize("cls", CLASSES, ids=[each.__qualname__ for each in CLASSES])
def test_a_subclass_covers_no_private_name_of_its_base(cls: type) -> None:
    ours = set().union(*(source_names(each) for each in cls.__mro__ if _is_ours(each)))
    theirs = set().union(*(source_names(each) for each in cls.__mro__ if is_livekits(each)))
    both = ours & theirs
    if cls.__module__ == COMPAT:
        assert both <= RELIED_ON.keys()
    else:
        assert both == COVERED.get(cls.__name__, {}).keys()


def _is_ours(cls: type) -> bool:
    return is_under(cls.__module__, "warm_transfer")


def test_what_is_relied_on_is_what_is_used() -> None:
    module = BY_NAME[COMPAT]
    used = set(private_uses(module.tree))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and any(
            isinstance(base, ast.Name) for base in node.bases
        ):
            used |= own_names(node)
        elif isinstance(node, ast.Attribute) and node.attr == "__await__":
            used.add("AgentTask.__await__")
    # Names of our own, on our own classes.
    used -= {"_own_name", "_sent", "_refusals"}
    assert used == RELIED_ON.keys()


@pytest.mark.parametrize("name", RELIED_ON)
def test_what_is_relied_on_is_tested(name: str) -> None:
    tests = (ROOT / "tests/livekit/test_compat.py").read_text(encoding="utf-8")
    assert name in tests
