from __future__ import annotations

import json
import subprocess
import sys

import fsm_diagrams


def _modules_after(statement: str) -> set[str]:
    code = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(  # noqa: S603 - our own interpreter and words
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_else() -> None:
    loaded = _modules_after("import fsm_diagrams")
    assert {name for name in loaded if name.startswith("fsm_diagrams")} == {"fsm_diagrams"}
    assert not loaded & {"transitions", "livekit", "warm_transfer", "asyncio", "dataclasses"}


def test_the_whole_package_needs_neither_transitions_nor_livekit() -> None:
    loaded = _modules_after("import fsm_diagrams.__main__")
    assert not loaded & {"transitions", "livekit", "warm_transfer", "asyncio", "structlog"}


def test_every_exported_name_is_there() -> None:
    assert sorted(fsm_diagrams.__all__) == fsm_diagrams.__dir__()
    for name in fsm_diagrams.__all__:
        assert getattr(fsm_diagrams, name)
