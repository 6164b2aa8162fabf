"""The collector is as it was after a walk."""

import gc

import pytest

from warm_transfer.testing.explorer.garbage import no_garbage


def test_the_collector_is_off_meanwhile_and_on_again_after_an_error() -> None:
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), no_garbage():
        _fail_without_it()
    assert gc.isenabled()


def _fail_without_it() -> None:
    assert not gc.isenabled()
    raise ZeroDivisionError


def test_one_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with no_garbage():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
