"""What a run on a complete stack needs from the environment, checked before anybody is dialled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit

from tests.live.errors import CannotRun
from tests.live.server import VARIABLES, Server
from warm_transfer.dialable import check_destination
from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.auto import is_cloud
from warm_transfer.livekit.bridge_objects import (
    NUMBER_VARIABLE,
    PREFIX_VARIABLE,
    TRUNK_VARIABLE,
    BridgeObjects,
    bridge_from_environment,
)
from warm_transfer.policy import TransferPolicy

__all__ = ["ALL", "NAMES", "Accept", "Settings", "reasons_not_to_run", "settings_of", "wanted"]

TRUNK, CALL_TO, ACCEPT = "WT_TRUNK_ID", "WT_CALL_TO", "WT_ACCEPT"
NAMES = ("relay", "shared_room", "sip_bridge", "move")
ALL = "all"

Accept = Literal["app", "human"]
"""Who says yes: the application after a short briefing, or the person at the phone."""

_SCHEMES = ("ws", "wss", "http", "https")


@dataclass(frozen=True, slots=True)
class Settings:
    """A stack, and whom to ring on it."""

    server: Server
    trunk_id: str
    call_to: str
    """Personal data: shown to nobody."""
    accept: Accept
    bridge: BridgeObjects | None
    """What the environment names; None leaves it to a look."""


def settings_of(environ: Mapping[str, str]) -> Settings:
    """Read the environment.

    Raises:
        CannotRun: a variable is missing or cannot be used, with its name.
    """
    missing = [name for name in (*VARIABLES, TRUNK, CALL_TO) if not environ.get(name)]
    if missing:
        raise CannotRun(f"--phone real needs a whole stack: set {', '.join(missing)}")
    url, key, secret = (environ[name] for name in VARIABLES)
    _check_url(url)
    accept = environ.get(ACCEPT) or "app"
    if accept not in ("app", "human"):
        raise CannotRun(f'{ACCEPT} is {accept!r}: set it to "app" or "human", or leave it out')
    return Settings(
        server=Server(url, key, secret),
        trunk_id=environ[TRUNK],
        call_to=_number(environ[CALL_TO]),
        accept=cast("Accept", accept),
        bridge=_bridge(environ),
    )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise CannotRun("LIVEKIT_URL is no address: set it to one such as wss://example.org")


def _number(call_to: str) -> str:
    try:
        return check_destination(call_to, TransferPolicy())
    except InvalidArgument as error:
        # Its words are about an argument, and do not repeat the number.
        raise CannotRun(f"{CALL_TO} {error.problem}: {error.remedy}") from error


def _bridge(environ: Mapping[str, str]) -> BridgeObjects | None:
    bridge = bridge_from_environment(environ)
    alone = [name for name in (NUMBER_VARIABLE, PREFIX_VARIABLE) if environ.get(name)]
    if bridge is None and alone:
        raise CannotRun(f"{' and '.join(alone)} without {TRUNK_VARIABLE}: set all, or none")
    if bridge is not None and bridge.trunk_id == environ[TRUNK]:
        raise CannotRun(
            f"{TRUNK_VARIABLE} and {TRUNK} are the same trunk: one leads to the SIP service"
            " itself, the other one to the phone"
        )
    return bridge


def wanted(merge: str) -> tuple[str, ...]:
    """The strategies that ``--merge`` asks for; ``auto`` has nothing to be compared with here.

    Raises:
        CannotRun: there is none of that name.
    """
    if merge == ALL:
        return NAMES
    if merge in NAMES:
        return (merge,)
    raise CannotRun(f"--merge {merge}: with --phone real it is one of {', '.join(NAMES)}, {ALL}")


def reasons_not_to_run(url: str, bridge: BridgeObjects | None) -> Mapping[str, str]:
    """The strategies that cannot run at a server, each with the reason.

    Args:
        url: the server's address.
        bridge: the bridge there, None when there is none.
    """
    reasons: dict[str, str] = {}
    if bridge is None:
        reasons["sip_bridge"] = (
            f"no bridge is set up: `warm-transfer bridge setup`, or set {TRUNK_VARIABLE}"
        )
    if not is_cloud(url):
        reasons["move"] = "only the vendor's cloud moves participants"
    return reasons
