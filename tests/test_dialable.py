"""What may be dialled and sent along, against the hostile and the merely mistaken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.test_headers import DIALOG_AND_ROUTING
from warm_transfer.dialable import (
    check_destination,
    check_dtmf,
    check_headers,
    check_number,
    dtmf_seconds,
)
from warm_transfer.errors import InvalidArgument
from warm_transfer.policy import TransferPolicy

PLAIN = TransferPolicy()
STARS = TransferPolicy(allow_star_codes=True)

#: How many values each of the four throws gets.
TRIES = 2100


def assert_said_well(error: InvalidArgument, argument: str, *values: str) -> None:
    """The error names the argument and a remedy, and repeats no number."""
    text = str(error)
    assert error.argument == argument
    assert text == f"`{argument}` {error.problem}; {error.remedy}"
    assert re.match(r"(give|set|use) ", error.remedy)
    assert "\n" not in text
    assert len(text) < 300
    for value in values:
        for run in re.findall(r"\d{4,}", value):
            assert run not in text


def has_control(text: str) -> bool:
    return any(unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} for each in text)


# Destinations.


@pytest.mark.parametrize(
    "value",
    [
        "15",
        "911",
        "+15105550123",
        "15105550123",
        "0049301234567",
        "123456789012345",
        "+123456789012345",
        "tel:+15105550123",
        "tel:4711",
        "sip:example.com",
        "sip:alice@example.com",
        "sips:alice@example.com",
        "sip:+15105550123@example.com:5061",
        "sip:alice@192.0.2.7",
        "sip:alice@[2001:db8::7]:5060",
        "sip:alice.smith-2_x!~'()@pbx.example.com",
        "sip:alice@example.com;transport=tls",
        "sip:alice@example.com:5061;transport=tcp",
    ],
)
def test_a_dialable_destination_comes_back_unchanged(value: str) -> None:
    assert check_destination(value, PLAIN) is value
    assert check_destination(value, STARS) is value


@pytest.mark.parametrize("value", ["*69", "#31#4711", "**21*4711#", "+*1"])
def test_star_codes_are_dialled_only_where_the_policy_allows_them(value: str) -> None:
    assert check_destination(value, STARS) is value
    with pytest.raises(InvalidArgument) as caught:
        check_destination(value, PLAIN)
    assert_said_well(caught.value, "sip_call_to", value)
    assert caught.value.remedy == (
        "set `TransferPolicy(allow_star_codes=True)` to dial feature codes"
    )


NOT_DIALABLE = [
    "1",
    "+",
    "+1",
    "1234567890123456",
    "+1234567890123456",
    "++15105550123",
    "15105550123+",
    " 15105550123",
    "15105550123 ",
    "1510 555 0123",
    "510-555-0123",
    "(510) 555-0123",
    "15105550123\n",
    "15105550123\r\nRoute: <sip:evil.example>",
    "\n15105550123",
    "1510555\x000123",
    "15105550123,,,42",
    "15105550123w42",
    "15105550123;ext=42",
    "15105550123?Replaces=1",
    "15105550123%0d%0a",
    "\u0661\u0665\u0661\u0660\u0665",
    "\uff11\uff15\uff11\uff10",
    "\u00b2\u00b3",
    "alice",
    "alice@example.com",
    "SIP:alice@example.com",
    "sip:",
    "sip:@example.com",
    "sip:alice@",
    "sip: alice@example.com",
    "sip:alice@example.com ",
    "sip:alice@example.com\r\nTo: x",
    "sip:alice@exa\tmple.com",
    "sip:alice:secret@example.com",
    "sip:alice@example.com;lr",
    "sip:alice@example.com;maddr=192.0.2.1",
    "sip:alice@example.com;method=BYE",
    "sip:alice@example.com;transport=ws",
    "sip:alice@example.com;transport=tls;lr",
    "sip:alice@example.com?Replaces=1",
    "sip:alice@example.com?Route=%3Csip:evil.example%3E",
    "sip:alice%0d%0a@example.com",
    "sip:alice@evil.example@example.com",
    "<sip:alice@example.com>",
    '"Alice" <sip:alice@example.com>',
    "sip:alice@example.com>",
    "sip:alice@-example.com",
    "sip:alice@example.com:123456",
    "sip:\u00e4lice@example.com",
    "sip:alice@\u0435xample.com",
    "*67+1",
    "sip:*67@example.com",
    "tel:",
    "tel:+",
    "tel:+1-510-555-0123",
    "tel:+15105550123;phone-context=example.com",
    "tel:+15105550123;ext=1",
    "http://example.com",
    "javascript:15105550123",
]


@pytest.mark.parametrize("value", NOT_DIALABLE)
@pytest.mark.parametrize("policy", [PLAIN, STARS])
def test_an_undialable_destination_is_refused_and_not_repeated(
    value: str, policy: TransferPolicy
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_destination(value, policy)
    assert_said_well(caught.value, "sip_call_to", value)
    assert caught.value.problem == "is no dialable address"


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_destination_is_said_to_be_missing(value: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_destination(value, PLAIN)
    assert str(caught.value) == "`sip_call_to` is missing; give a phone number or a SIP URI"


@pytest.mark.parametrize("value", [15105550123, 1.5, b"15105550123", ["15105550123"], object()])
def test_a_destination_of_another_type_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_destination(value, PLAIN)
    assert_said_well(caught.value, "sip_call_to", str(value))
    assert type(value).__name__ in caught.value.problem


@pytest.mark.parametrize("policy", [PLAIN, STARS])
def test_stars_do_not_make_a_number_longer(policy: TransferPolicy) -> None:
    with pytest.raises(InvalidArgument, match="is no dialable address"):
        check_destination("1" * 20, policy)


# Caller ids and key tones.


@pytest.mark.parametrize("value", ["", "15", "+15105550123", "123456789012345"])
def test_a_caller_id_comes_back_unchanged(value: str) -> None:
    assert check_number(value) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        15105550123,
        b"1510",
        "1",
        "+1",
        "alice",
        "sip:a@b.c",
        "*67",
        "1510 555",
        "15\n",
        "\u0661\u0665",
    ],
)
def test_what_is_no_caller_id_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_number(value)
    assert_said_well(caught.value, "sip_number", str(value))


@pytest.mark.parametrize("value", ["", "1", "ww42#", "0123456789ABCDabcd*#wW", "1" * 64])
def test_key_tones_come_back_unchanged(value: str) -> None:
    assert check_dtmf(value) == value


@pytest.mark.parametrize(
    "value", [None, 42, b"42", "E", "4 2", "42\n", "\u0664\u0662", "4,2", "p42", "1" * 65]
)
def test_what_is_no_key_tone_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_dtmf(value)
    assert_said_well(caught.value, "dtmf", str(value))


@pytest.mark.parametrize(
    ("tones", "seconds"), [("", 0.0), ("1", 0.25), ("w", 0.5), ("W", 0.5), ("ww42#", 1.75)]
)
def test_key_tones_take_their_time(tones: str, seconds: float) -> None:
    assert dtmf_seconds(tones) == seconds


# Headers.


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Account": "4711"},
        {"x-account": ""},
        {"X-Name": "Jürgen Müller, 日本"},
        {"User-to-User": "56a390f3d2b7310023a2;encoding=hex"},
        {"DIVERSION": "<sip:+15105550123@example.com>;reason=unconditional"},
        {"X-A": "a" * 512},
        {"X-" + "a" * 62: "long"},
    ],
)
def test_allowed_headers_come_back_as_they_are(headers: dict[str, str]) -> None:
    checked = check_headers(headers, PLAIN)
    assert checked == headers
    assert checked is not headers


def test_the_policy_may_allow_more_headers() -> None:
    policy = TransferPolicy(allowed_headers=frozenset({"Subject"}))
    assert check_headers({"SUBJECT": "hello"}, policy) == {"SUBJECT": "hello"}
    with pytest.raises(InvalidArgument) as caught:
        check_headers({"Subject": "hello"}, PLAIN)
    assert_said_well(caught.value, "sip_headers")
    assert "'Subject'" in caught.value.problem
    assert "`allowed_headers`" in caught.value.remedy


@pytest.mark.parametrize("name", sorted(DIALOG_AND_ROUTING))
def test_a_dialog_or_routing_header_is_refused_with_a_remedy_that_works(name: str) -> None:
    for spelled in (name, name.upper(), name.title()):
        with pytest.raises(InvalidArgument, match="is not allowed") as caught:
            check_headers({spelled: "1"}, PLAIN)
        assert_said_well(caught.value, "sip_headers")
        # A policy refuses it as well.
        assert "allowed_headers" not in caught.value.remedy


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "X A",
        "X-A ",
        " X-A",
        "X-A:",
        "X-A: 1\r\nTo",
        "X-A\r\n",
        "X-A\x00",
        "X-Ä",
        "X-A" * 22,
    ],
)
def test_what_is_no_header_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument, match="has a name that is no header name") as caught:
        check_headers({name: "1"}, PLAIN)
    assert_said_well(caught.value, "sip_headers", name)


@pytest.mark.parametrize(
    "value",
    [
        "1\r\nRoute: <sip:evil.example>",
        "1\r\n\r\n",
        "\n",
        "\r",
        "\t",
        "\x00",
        "\x1b[2J",
        "\x7f",
        "\x85",
        "\u2028",
        "\u2029",
        "\ud800",
        "a" * 513,
        None,
        4711,
        b"4711",
    ],
)
def test_an_unusable_header_value_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_headers({"X-A": value}, PLAIN)
    assert_said_well(caught.value, "sip_headers", str(value))
    assert caught.value.problem == "has an unusable value for 'X-A'"


@pytest.mark.parametrize("value", [None, "X-A: 1", [("X-A", "1")], 1])
def test_headers_that_are_no_mapping_are_refused(value: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_headers(value, PLAIN)
    assert_said_well(caught.value, "sip_headers")


@pytest.mark.parametrize("headers", [{"+15105550123": "X-Callee"}, {"X-15105550123": "\n"}])
def test_a_number_in_the_place_of_a_header_name_is_not_repeated(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_headers(headers, PLAIN)
    assert_said_well(caught.value, "sip_headers", *headers)


# Thousands of hostile values.

PIECES = [
    *"\r\n\0\t\x1b\x7f\x85\u2028\u2029\ud800 ;?@<>%,\"'\\:/[]{}|&=+*#-._~!()$^`",
    *"0123456789",
    "\r\n",
    "\r\nRoute: <sip:evil.example;lr>",
    "\r\nTo: x",
    "%0d%0a",
    "%00",
    "\u0661",
    "\uff11",
    "\u00b2",
    "\u212a",
    "\u0130",
    "\u200e",
    "\ufeff",
    "sip:",
    "sips:",
    "tel:",
    "SIP:",
    "user:secret@",
    "alice@",
    "example.com",
    "192.0.2.1",
    "[::1]",
    ":5060",
    ";transport=tcp",
    ";transport=",
    ";maddr=192.0.2.1",
    ";lr",
    ";method=BYE",
    "?Replaces=1",
    "*67",
    "##",
    "15105550123",
    "+1510555",
    "X-",
    "x-a",
    "User-to-User",
    "Diversion",
    "Via",
    "Route",
    "Replaces",
    "From",
    "Subject",
    "ww",
    "ABCD",
    "9" * 70,
    "a" * 300,
]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(max_size=3) | st.characters(), max_size=5).map(
    "".join
)

#: The first texts that Hypothesis makes are slow. Nothing is shrunk: what fails is short.
THROW = settings(
    max_examples=TRIES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def thrown(strategy: st.SearchStrategy[object], judge: Callable[[object], bool]) -> tuple[int, int]:
    """Throw values at a judge; how many there were, and how many it accepted."""
    counts = [0, 0]

    @THROW
    @given(strategy)
    def throw(value: object) -> None:
        accepted = judge(value)
        counts[0] += 1
        counts[1] += accepted

    throw()
    return counts[0], counts[1]


@pytest.mark.parametrize("policy", [PLAIN, STARS], ids=["plain", "stars"])
def test_no_hostile_destination_is_accepted(policy: TransferPolicy) -> None:
    def judge(value: object) -> bool:
        assert isinstance(value, str)
        try:
            checked = check_destination(value, policy)
        except InvalidArgument as error:
            assert_said_well(error, "sip_call_to", value)
            return False
        assert checked == value
        assert value.isascii()
        assert value.isprintable()
        assert not set(value) & set(' ?<>%,"\\{}|&$^`')
        scheme, _, rest = value.rpartition(":") if value.startswith("tel:") else ("", "", value)
        if value.startswith(("sip:", "sips:")):
            address, *parameters = value.split(";")
            assert parameters in ([], ["transport=udp"], ["transport=tcp"], ["transport=tls"])
            assert address.count("@") <= 1
            return True
        assert scheme in ("", "tel")
        digits = rest.removeprefix("+")
        if policy is STARS and not scheme and set(digits) & set("*#"):
            assert set(digits) <= set("0123456789*#")
            return True
        assert set(digits) <= set("0123456789")
        assert 2 <= len(digits) <= 15
        return True

    tried, accepted = thrown(HOSTILE, judge)
    assert tried >= TRIES
    # Otherwise nothing would have been seen of what is accepted.
    assert accepted >= 10


def test_no_hostile_header_is_accepted() -> None:
    policy = TransferPolicy(allowed_headers=frozenset({"Subject"}))

    def judge(value: object) -> bool:
        assert isinstance(value, dict)
        try:
            checked = check_headers(value, policy)
        except InvalidArgument as error:
            assert_said_well(error, "sip_headers", *value, *value.values())
            return False
        assert checked == value
        for name, text in checked.items():
            assert name.isascii()
            assert re.fullmatch(r"[^\s:;,<>@()\"\\/\[\]?={}]+", name)
            low = name.lower()
            assert low not in DIALOG_AND_ROUTING
            assert low.startswith("x-") or low in {"user-to-user", "diversion", "subject"}
            assert not has_control(name + text)
            assert len(text.encode()) <= 4 * 512
        return bool(checked)

    names = HOSTILE | st.sampled_from(["X-A", "x-b", "Subject", "Diversion", "Via", "route", "v"])
    tried, accepted = thrown(st.dictionaries(names, HOSTILE, max_size=2), judge)
    assert tried >= TRIES
    assert accepted >= 10


def test_no_hostile_caller_id_is_accepted() -> None:
    def judge(value: object) -> bool:
        assert isinstance(value, str)
        try:
            checked = check_number(value)
        except InvalidArgument as error:
            assert_said_well(error, "sip_number", value)
            return False
        assert checked == value
        assert set(value.removeprefix("+")) <= set("0123456789")
        assert value == "" or 2 <= len(value.removeprefix("+")) <= 15
        return True

    tried, accepted = thrown(HOSTILE, judge)
    assert tried >= TRIES
    assert accepted >= 10


def test_no_hostile_key_tone_is_accepted() -> None:
    def judge(value: object) -> bool:
        assert isinstance(value, str)
        try:
            checked = check_dtmf(value)
        except InvalidArgument as error:
            assert_said_well(error, "dtmf", value)
            return False
        assert checked == value
        assert set(value) <= set("0123456789abcdABCD*#wW")
        assert 0 <= dtmf_seconds(value) <= 64 * 0.5
        return True

    tried, accepted = thrown(HOSTILE, judge)
    assert tried >= TRIES
    assert accepted >= 10


def test_ten_thousand_values_are_thrown_in_all() -> None:
    assert TRIES * 5 >= 10_000
