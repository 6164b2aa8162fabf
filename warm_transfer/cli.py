"""The command ``warm-transfer``.

Exit codes: 0 as wished, 1 something is wrong with what was shown, 2 the request cannot be met,
130 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import atexit
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from warm_transfer.errors import InvalidArgument, JournalError, WarmTransferError
from warm_transfer.journal import read, replay
from warm_transfer.logs import mask
from warm_transfer.states import DELIVERED
from warm_transfer.table import TABLE

__all__ = ["main"]

_STOPPED = 130
"""As shells have it for Ctrl-C."""

_NATIVE_GRACE_S = 0.2
"""For threads of the native library to return from what they have begun."""

DEFAULT_JOURNAL = Path("build/demo/journal.jsonl")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:
        # The parser has said what is wrong, or has shown its help.
        return stop.code if isinstance(stop.code, int) else 0
    try:
        code: int = arguments.run(arguments)
    except BrokenPipeError:
        # Whoever read our output has gone, as `| head` does; what is buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (WarmTransferError, OSError) as error:
        sys.stderr.write(f"warm-transfer: {error}\n")
        return 2
    if code == _STOPPED:
        sys.stderr.write("warm-transfer: stopped\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="warm-transfer", description="Warm transfer for LiveKit.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="run a whole transfer in the simulated world")
    demo.add_argument("scenario", nargs="?", default="merged", help="a name of --list, or a line")
    demo.add_argument("--list", action="store_true", help="list the scenarios")
    demo.add_argument("--replay", metavar="JOURNAL", help="show a recorded journal again")
    demo.add_argument(
        "--journal", metavar="FILE", type=Path, help=f"a new file to keep it in ({DEFAULT_JOURNAL})"
    )
    demo.set_defaults(run=_demo)
    _add_doctor(commands.add_parser("doctor", help="look whether transfers can work at a server"))
    bridge = commands.add_parser("bridge", help="the bridge, which merges without the agent")
    bridge_commands = bridge.add_subparsers(required=True, metavar="COMMAND")
    _add_setup(bridge_commands.add_parser("setup", help="create, verify or remove it"))
    return parser


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="the server's address (LIVEKIT_URL)")
    parser.add_argument("--api-key", metavar="KEY", help="(LIVEKIT_API_KEY)")
    parser.add_argument(
        "--api-secret", metavar="SECRET", help="better in the environment (LIVEKIT_API_SECRET)"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON object")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = "Looks at a LiveKit server. Dials nobody unless asked."
    _add_server(parser)
    parser.add_argument("--trunk", metavar="ID", help="outbound trunk (LIVEKIT_SIP_OUTBOUND_TRUNK)")
    parser.add_argument("--call", metavar="NUMBER", help="ring this number once, and hang up")
    parser.add_argument("--ring-seconds", metavar="S", type=float, help="how long (20)")
    parser.add_argument("--bridge", action="store_true", help="place a call over the bridge")
    parser.add_argument("--timeout", metavar="S", type=float, help="for all of it (90)")
    parser.set_defaults(run=_doctor)


def _add_setup(parser: argparse.ArgumentParser) -> None:
    parser.description = "Creates or corrects the objects by which the SIP service calls itself."
    _add_server(parser)
    parser.add_argument(
        "--sip-address", metavar="HOST[:PORT]", help="where the SIP service reaches itself"
    )
    parser.add_argument(
        "--allow", metavar="ADDRESS", action="append", default=[], help="from where it may call"
    )
    parser.add_argument("--transport", help="auto, udp, tcp or tls")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--remove", action="store_true", help="remove what it has created")
    parser.set_defaults(run=_bridge_setup)


def _doctor(arguments: argparse.Namespace) -> int:
    # Threads of livekit's native library that still report while Python ends abort the process.
    # What is registered before the library is loaded runs after it has been told to stop.
    atexit.unregister(time.sleep)
    atexit.register(time.sleep, _NATIVE_GRACE_S)
    from warm_transfer.livekit.doctor.command import doctor  # noqa: PLC0415 - loads livekit

    return doctor(arguments, _say)


def _bridge_setup(arguments: argparse.Namespace) -> int:
    from warm_transfer.livekit.doctor.command import bridge_setup  # noqa: PLC0415 - as above

    return bridge_setup(arguments, _say)


def _demo(arguments: argparse.Namespace) -> int:
    if arguments.list:
        return _list()
    if arguments.replay is not None:
        return _replay(arguments.replay)
    return _run(arguments.scenario, arguments.journal)


def _list() -> int:
    from warm_transfer.testing.scenario import SCENARIOS  # noqa: PLC0415 - loads livekit

    width = max(map(len, SCENARIOS))
    for name, scenario in SCENARIOS.items():
        _say(f"{name:{width}}  {scenario.description}")
    return 0


def _replay(path: str) -> int:
    """Show each transfer of a journal, and check that this table decides as recorded."""
    transfers: dict[str, list[dict[str, Any]]] = {}
    for line in read(path):
        transfers.setdefault(line["transfer"], []).append(line)
    if not transfers:
        raise JournalError(path, "holds no transfer")
    return max(_replayed(name, lines) for name, lines in transfers.items())


def _replayed(name: str, lines: list[dict[str, Any]]) -> int:
    """Show one transfer; its exit code. Those behind it are shown whatever is wrong with it."""
    try:
        return 0 if _replay_one(name, lines) else 1
    except JournalError as error:
        _say("not replayed\n")
        sys.stderr.write(f"warm-transfer: {error}\n")
        return 2


def _replay_one(name: str, lines: list[dict[str, Any]]) -> bool:
    """Show one transfer, and check it if it is of this table; whether it is."""
    _say(f"transfer {name}")
    _say(_HEAD)
    for line in lines:
        _say(_row(line))
        if "detail" in line["payload"]:
            _say(f"{'':12}{line['payload']['detail']}")
    versions = {line["table"] for line in lines}
    if len(versions) == 1 and TABLE.version not in versions:
        # A counterexample, or a journal from before an upgrade.
        _say(
            f"recorded with another table ({versions.pop()}); this one is {TABLE.version}: "
            "shown as recorded, not replayed\n"
        )
        return False
    for _step in replay(lines):
        pass
    _say("replayed: every step decides as recorded\n")
    return True


def _run(wanted: str, asked: Path | None) -> int:
    from warm_transfer.testing.scenario import SCENARIOS, run, scenario  # noqa: PLC0415 - as above

    chosen = SCENARIOS.get(wanted)
    if chosen is None:
        if ";" not in wanted and " " not in wanted:
            known = ", ".join(SCENARIOS)
            raise InvalidArgument("scenario", f"is {wanted!r}", f"give one of {known}, or a line")
        chosen = scenario(wanted)
    path = _new(asked)
    _say(f"scenario {wanted}: {chosen.description}\n")
    _say(_HEAD)
    shown = _Shown(path)
    try:
        result = run(chosen, journal=shown)
    finally:
        shown.close()
    _say("")
    _tell(result)
    _say(f"journal: {path}")
    return 1 if result.left or result.outcome is None else 0


def _new(asked: Path | None) -> Path:
    """Where a journal can be begun. Only what an earlier demo has left by itself is removed."""
    if asked is None:
        DEFAULT_JOURNAL.unlink(missing_ok=True)
        return DEFAULT_JOURNAL
    if asked.exists():
        problem = f"is {str(asked)!r}, which is there already"
        raise InvalidArgument("--journal", problem, "give a new file, or show it with --replay")
    return asked


def _tell(result: Any) -> None:
    outcome = result.outcome
    if outcome is None:
        _say("no outcome: the transfer never decided")
        return
    words = f', "{mask(outcome.words)}"' if outcome.words else ""
    status = f", SIP {outcome.sip_status} {outcome.sip_phrase}" if outcome.sip_status else ""
    _say(f"outcome: {outcome.result} ({outcome.reason}{status}{words})")
    for state, seconds in result.seconds.items():
        _say(f"  {state.value:10} {seconds:10.3f} s")
    _say(f"left behind: {result.left or 'nothing'}")


class _Shown:
    """A journal that shows each step as it is taken, and keeps it in a file."""

    def __init__(self, path: Path) -> None:
        from warm_transfer.journal import FileJournal  # noqa: PLC0415 - opened when asked for

        self._file = FileJournal(path)

    def write(self, line: Mapping[str, object]) -> None:
        """Show and keep one line."""
        self._file.write(line)
        _say(_row(line))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


_HEAD = f"{'seconds':>10}  {'event':20} {'state':10} effects"


def _row(line: Mapping[str, Any]) -> str:
    changed = line["before"] != line["after"]
    state = line["after"] if changed else "."
    effects = ", ".join(effect["name"] for effect in line["effects"])
    if line["handling"] != "row":
        effects = f"({line['handling']}: {line['row'] or 'superseded'})"
    mark = " *" if changed and line["after"] in DELIVERED else ""
    return f"{line['t_s']:10.3f}  {line['event']:20} {state + mark:10} {effects}"


def _say(text: str) -> None:
    # A path or a journal can hold what the terminal has no character for.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
