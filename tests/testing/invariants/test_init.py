"""Every promise of the package is asked."""

import importlib
import pkgutil

from warm_transfer.testing import invariants
from warm_transfer.testing.invariants import CORES, SCENES, STEPS


def test_every_promise_that_is_written_is_asked() -> None:
    asked = {promise.__name__ for promise in (*STEPS, *CORES, *SCENES)}
    written: set[str] = set()
    for found in pkgutil.iter_modules(invariants.__path__):
        module = importlib.import_module(f"{invariants.__name__}.{found.name}")
        written |= {
            name
            for name, each in vars(module).items()
            if getattr(each, "__module__", "") == module.__name__
            and list(getattr(each, "__annotations__", ()))
            in (["moment", "return"], ["core", "return"], ["scene", "return"])
            and each.__annotations__["return"] == "Iterator[str]"
        }
    assert written == asked
