"""The console blocks of a page: run for real, and written as they came out.

A block of Python whose first line is a comment with a file name is that file. A line ``...`` of an
output stands for any lines there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

__all__ = ["differences", "put_command", "renewed"]

_BLOCK = re.compile(r"^```(?P<kind>console|python)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
#: Seconds; a command of a page takes less than one.
_LIMIT_S = 60
_EXIT = "(exit code $code)"
_ROOT = Path(__file__).resolve().parents[2]


def renewed(text: str, folder: Path) -> str:
    """The page with the outputs that its commands have now; what ``...`` left out stays out."""
    put_command(folder)

    def block(found: re.Match[str]) -> str:
        if found["kind"] == "python":
            _put_file(found["text"], folder)
            return found[0]
        parts = (_again(command, said, folder) for command, said in _commands(found["text"]))
        return f"```console\n{''.join(parts)}```"

    return _BLOCK.sub(block, text)


def differences(text: str, folder: Path) -> list[tuple[str, str, str]]:
    """Each command whose output is another than the page says: command, page, and output."""
    again = renewed(text, folder)
    return [
        (command, said, now)
        for (command, said), (_, now) in zip(_all(text), _all(again), strict=True)
        if said != now
    ]


def _all(text: str) -> list[tuple[str, str]]:
    blocks = [found["text"] for found in _BLOCK.finditer(text) if found["kind"] == "console"]
    return [each for block in blocks for each in _commands(block)]


def _commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block with what follows it."""
    lines = block.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("$ "):
            said = takewhile(lambda each: not each.startswith("$ "), lines[number + 1 :])
            yield line[2:].rstrip("\n"), "".join(said)


def _again(command: str, said: str, folder: Path) -> str:
    now = _run(command, folder)
    if "...\n" in said.splitlines(keepends=True):
        start, _, end = said.partition("...\n")
        fits = now.startswith(start) and now.endswith(end)
        return f"$ {command}\n{said if fits else _short(now)}"
    return f"$ {command}\n{now}"


def _short(text: str) -> str:
    """The first lines, when there are many."""
    lines = text.splitlines(keepends=True)
    few = 12
    return text if len(lines) <= few else "".join([*lines[:few], "...\n"])


def _run(command: str, folder: Path) -> str:
    told = f'PATH="{folder}/.bin:$PATH"; {command}; code=$?; [ $code = 0 ] || echo "{_EXIT}"'
    done = subprocess.run(  # noqa: S603 - the commands of our own pages
        ["/bin/bash", "-c", told],
        cwd=folder,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_LIMIT_S,
    )
    return done.stdout


def put_command(folder: Path) -> None:
    """The command as it is installed, of the interpreter that runs the tests."""
    path = folder / ".bin" / "fsm-diagrams"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'#!/bin/sh\nPYTHONPATH="{_ROOT}" exec "{sys.executable}" -m fsm_diagrams "$@"\n'
    )
    path.chmod(0o755)


def _put_file(text: str, folder: Path) -> None:
    if named := re.match(r"# (\w+\.py)\n", text):
        (folder / named[1]).write_text(text)
