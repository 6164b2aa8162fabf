from __future__ import annotations

from typing import Any

import pytest

from warm_transfer.errors import InvalidArgument
from warm_transfer.headers import NEVER_ALLOWED, check_allowed, is_header_name

#: Written down again, and from the RFCs, so that a name lost from the list is missed here:
#: 3261 section 20 and its compact forms, 3265, 3515, 3841, 3891, 3911, 4028, 3325, 3327.
_NAMES = """
    accept accept-contact allow allow-events authorization call-id contact content-disposition
    content-encoding content-language content-length content-type cseq event expires from identity
    join max-forwards min-expires min-se p-asserted-identity p-preferred-identity path
    proxy-authenticate proxy-authorization proxy-require rack record-route refer-to referred-by
    reject-contact replaces request-disposition require route rseq service-route session-expires
    subscription-state supported target-dialog to unsupported via www-authenticate
    a b c d e f i j k l m n o r s t u v x y
"""
DIALOG_AND_ROUTING = frozenset(_NAMES.split())


@pytest.mark.parametrize("name", ["X-A", "Subject", "a", "X" * 64, "!%*_+`'~.-"])
def test_a_token_is_a_header_name(name: str) -> None:
    assert is_header_name(name)


@pytest.mark.parametrize(
    "name", ["", "X A", "X-A:", "X-A\r\n", "X-\u00c4", "X" * 65, None, 3, b"X"]
)
def test_anything_else_is_none(name: Any) -> None:
    assert not is_header_name(name)


@pytest.mark.parametrize("name", sorted(DIALOG_AND_ROUTING))
def test_what_sets_up_or_routes_the_dialog_cannot_be_allowed(name: str) -> None:
    assert name in NEVER_ALLOWED
    for spelled in (name, name.upper(), name.title()):
        with pytest.raises(InvalidArgument, match="no policy can allow") as caught:
            check_allowed({"Subject", spelled})
        assert caught.value.argument == "allowed_headers"
        assert repr(spelled) in caught.value.problem


@pytest.mark.parametrize("given", [{3}, [None], (b"X-A",), {""}, ["X-\r\n"]], ids=repr)
def test_what_is_no_header_name_cannot_be_allowed(given: Any) -> None:
    with pytest.raises(InvalidArgument, match="no header name") as caught:
        check_allowed(given)
    assert caught.value.argument == "allowed_headers"


@pytest.mark.parametrize("given", ["X-Name", None, 3, {"X-Name": "1"}], ids=repr)
def test_what_is_no_set_of_names_is_refused(given: Any) -> None:
    with pytest.raises(InvalidArgument, match="give a set of header names"):
        check_allowed(given)


def test_names_come_back_as_they_are() -> None:
    assert check_allowed(["Subject", "X-One"]) == frozenset({"Subject", "X-One"})
    assert check_allowed(frozenset()) == frozenset()
