"""What users find in the package."""

import inspect

from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import SCOPES, explore


def test_our_table_in_all_scopes_is_what_is_walked_unless_said() -> None:
    parameters = inspect.signature(explore).parameters
    assert list(parameters)[:2] == ["table", "scopes"]
    assert parameters["table"].default is TABLE
    assert parameters["scopes"].default is SCOPES
