"""``python -m tests.diagrams``: write ``docs/diagrams``, or with ``--check`` compare it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.diagrams.pages import pages

__all__ = ["main", "stale", "write"]

PLACE = Path(__file__).resolve().parents[2] / "docs" / "diagrams"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or compare; 0 when all is as it should be, 1 when something is stale."""
    parser = argparse.ArgumentParser(prog="python -m tests.diagrams", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, say what is stale")
    wanted = pages()
    found = stale(wanted, PLACE)
    if not parser.parse_args(arguments).check:
        write(wanted, PLACE)
        sys.stdout.write(f"{PLACE}: {len(found)} of {len(wanted)} files written\n")
        return 0
    for name in found:
        sys.stdout.write(f"{PLACE / name}: stale; 'make diagrams' renews it\n")
    if not found:
        sys.stdout.write(f"{PLACE}: {len(wanted)} files up to date\n")
    return 1 if found else 0


def stale(wanted: Mapping[str, str], place: Path) -> list[str]:
    """The files that differ, are missing, or are of nothing that there is."""
    there = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    differ = {
        name
        for name, text in wanted.items()
        if name not in there or (place / name).read_bytes() != text.encode()
    }
    return sorted(differ | (there - set(wanted)))


def write(wanted: Mapping[str, str], place: Path) -> None:
    """Bring the folder up to date, and take away what is no longer made."""
    for name in stale(wanted, place):
        path = place / name
        if name not in wanted:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted[name].encode())


if __name__ == "__main__":
    sys.exit(main())
