from __future__ import annotations

import inspect

from fsm_diagrams import errors


def test_one_except_clause_catches_everything_a_user_can_get_wrong() -> None:
    made = [one for _, one in inspect.getmembers(errors, inspect.isclass)]
    assert len(made) == len(errors.__all__)
    assert all(issubclass(one, errors.DiagramError) for one in made)
