"""``rtc.EventEmitter`` for the simulated world: the same, without looking at each listener anew."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from types import CodeType
from typing import Any

from livekit import rtc

__all__ = ["SimEmitter"]

_LOG = logging.getLogger("livekit")
_EVERYTHING = 1 << 16


class SimEmitter(rtc.EventEmitter[str]):
    """An emitter whose listeners get as many arguments as they take, as in the SDK."""

    def on(self, event: str, callback: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register a listener, which must not be a coroutine function."""
        code = _code(callback)
        if callback is None or code is None or code.co_flags & inspect.CO_COROUTINE:
            return super().on(event, callback)
        self._events.setdefault(event, {})[callback] = None
        return callback

    def emit(self, event: str, *args: Any) -> None:
        """Tell the listeners; one that raises is logged and forgotten, as in the SDK."""
        for listener in list(self._events.get(event, ())):
            try:
                listener(*args[: _takes(listener)])
            except TypeError:
                raise
            except Exception:  # noqa: BLE001 - as in the SDK
                _LOG.exception("failed to emit event %s", event)


def _takes(listener: Callable[..., Any]) -> int:
    """How many arguments a listener takes."""
    code = _code(listener)
    if code is None:
        return _by_signature(listener)
    if code.co_flags & inspect.CO_VARARGS:
        return _EVERYTHING
    # A bound method has its first argument already.
    return code.co_argcount - hasattr(listener, "__func__")


def _code(listener: object) -> CodeType | None:
    """The code of a function or method; None for what else is callable."""
    found: CodeType | None = getattr(getattr(listener, "__func__", listener), "__code__", None)
    return found


def _by_signature(listener: Callable[..., Any]) -> int:
    """The same for what is callable and no function."""
    kinds = [each.kind for each in inspect.signature(listener).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return _EVERYTHING
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(kind in positional for kind in kinds)
