from __future__ import annotations

import functools
import logging
from typing import Any

import pytest

from warm_transfer.testing.livekit.emitter import SimEmitter


class Listener:
    def __init__(self) -> None:
        self.got: list[tuple[Any, ...]] = []

    def none(self) -> None:
        self.got.append(())

    def one(self, first: object) -> None:
        self.got.append((first,))

    def optional(self, first: object, second: object = None) -> None:
        self.got.append((first, second))

    def all(self, *given: object) -> None:
        self.got.append(given)

    @staticmethod
    def still(first: object) -> None:
        STILL.append(first)


STILL: list[object] = []


def test_a_listener_gets_as_many_arguments_as_it_takes() -> None:
    emitter, listener = SimEmitter(), Listener()
    for each in (listener.none, listener.one, listener.optional, listener.all):
        emitter.on("event", each)
    emitter.emit("event", 1, 2, 3)
    assert listener.got == [(), (1,), (1, 2), (1, 2, 3)]


def test_functions_lambdas_and_partials_are_listeners_too() -> None:
    emitter, got = SimEmitter(), list[Any]()
    emitter.on("event", lambda first: got.append((first,)))
    emitter.on("event", functools.partial(Listener.optional, Listener()))
    emitter.on("event", Listener.still)
    emitter.emit("event", "a", "b")
    assert got == [("a",)]
    assert STILL == ["a"]


def test_a_listener_that_raises_is_logged_and_the_others_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    emitter, listener = SimEmitter(), Listener()

    def raises() -> None:
        raise LookupError("on purpose")

    emitter.on("event", raises)
    emitter.on("event", listener.none)
    with caplog.at_level(logging.ERROR, logger="livekit"):
        emitter.emit("event")
    assert listener.got == [()]
    assert "failed to emit event event" in caplog.text


def test_wrong_arguments_are_an_error_of_the_program_as_in_the_sdk() -> None:
    emitter = SimEmitter()
    emitter.on("event", lambda first: first)
    with pytest.raises(TypeError):
        emitter.emit("event")


def test_whoever_is_added_or_removed_meanwhile_changes_nothing_now() -> None:
    emitter, got = SimEmitter(), list[str]()

    def second() -> None:
        got.append("second")

    def first() -> None:
        got.append("first")
        emitter.off("event", second)
        emitter.on("event", lambda: got.append("third"))

    emitter.on("event", first)
    emitter.on("event", second)
    emitter.emit("event")
    assert got == ["first", "second"]


def test_a_coroutine_function_is_no_listener_as_in_the_sdk() -> None:
    class Slow:
        async def hear(self) -> None:
            """Hear."""

    async def hear() -> None:
        """Hear."""

    emitter = SimEmitter()
    for each in (hear, Slow().hear):
        with pytest.raises(ValueError, match="async callback"):
            emitter.on("event", each)


def test_a_listener_can_be_given_by_a_decorator_as_in_the_sdk() -> None:
    emitter, got = SimEmitter(), list[int]()

    @emitter.on("event")
    def hear(number: int) -> None:
        got.append(number)

    emitter.emit("event", 3)
    emitter.off("event", hear)
    emitter.emit("event", 4)
    assert got == [3]
