"""A machine as it was at a revision of the git repository one stands in.

The tree of the revision is written to a temporary directory and the target is imported there, in
a process of its own: the work tree is not touched. The code of that revision runs.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fsm_diagrams.errors import TargetError
from fsm_diagrams.model import Machine
from fsm_diagrams.saved import from_json

__all__ = ["LIMIT_S", "load_at"]

LIMIT_S = 120.0
"""The longest that git or the import of a revision may take, in seconds."""

#: Runs in the tree of the revision. This library is the one that asks, whatever the tree holds:
#: an older one might not know how to save a machine.
_PROGRAM = """
import sys
target, ours, root, *places = sys.argv[1:]
sys.path.insert(0, ours)
import fsm_diagrams.from_table, fsm_diagrams.saved, fsm_diagrams.sources
sys.path[:1] = places
from fsm_diagrams.errors import DiagramError
try:
    machine = fsm_diagrams.sources.load(target)
    origin = sys.modules[target.partition(":")[0]].__file__ or ""
    if not origin.startswith(root):
        raise DiagramError(f"{target}: was imported from {origin}, which is not in the repository")
    answer = fsm_diagrams.saved.to_json(machine)
except DiagramError as error:
    sys.exit(str(error))
sys.stdout.buffer.write(b"\\0" + answer.encode())
"""


def load_at(revision: str, target: str) -> Machine:
    """The machine that a target named at a revision.

    Args:
        revision: anything git knows as a commit.
        target: ``package.module:object``, or the path of a saved machine.

    Raises:
        TargetError: there is no git, no repository or no such revision, or the target cannot be
            read there.
    """
    top = Path(_git(Path.cwd(), "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    where = f"{target} at {revision}"
    try:
        commit = _git(top, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    except TargetError as error:
        raise TargetError(f"{where}: the repository {top} has no such revision") from error
    name = commit.decode().strip()
    if _is_file(target):
        path = (Path.cwd() / target).resolve()
        if not path.is_relative_to(top.resolve()):
            raise TargetError(f"{where}: the file is not in the repository {top}")
        inside = path.relative_to(top.resolve()).as_posix()
        return from_json(_decoded(_git(top, "show", f"{name}:{inside}"), where), where)
    with tempfile.TemporaryDirectory(prefix="fsm-diagrams-") as made:
        root = Path(made).resolve()
        archive = _git(top, "archive", "--format=tar", name)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(root, filter="data")
        return from_json(_import(root, top.resolve(), target, where), where)


def _is_file(target: str) -> bool:
    return target.endswith(".json") or Path(target).is_file()


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise TargetError(f"{where}: is no text") from error


def _import(root: Path, top: Path, target: str, where: str) -> str:
    here = Path(__file__).resolve().parents[1]
    places = [str(place) for place in _places(root, top)]
    command = [sys.executable, "-c", _PROGRAM, target, str(here), str(root), *places]
    done = _run(command, root, where)
    # What the target itself printed stands before the mark.
    _, mark, answer = done.stdout.rpartition(b"\0")
    if done.returncode or not mark:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"it ended with {done.returncode}"
        raise TargetError(f"{where}: {reason.removeprefix(f'{target}: ')}")
    return _decoded(answer, where)


def _places(root: Path, top: Path) -> list[Path]:
    """Where targets are imported from now, in the tree of the revision."""
    now = [Path.cwd(), *(Path(place) for place in sys.path if place)]
    inside = [place.resolve() for place in now if place.resolve().is_relative_to(top)]
    places = [root / place.relative_to(top) for place in inside]
    return list(dict.fromkeys(place for place in (*places, root) if place.is_dir()))


def _git(where: Path, *words: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise TargetError("a revision needs git, which is not on the PATH")
    done = _run([git, *words], where, f"git {words[0]}")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"it ended with {done.returncode}"
        raise TargetError(f"git {words[0]}: {reason.removeprefix('fatal: ')}")
    return done.stdout


def _run(command: Sequence[str], where: Path, what: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - git, and the interpreter that runs this
            command, cwd=where, check=False, capture_output=True, timeout=LIMIT_S
        )
    except subprocess.TimeoutExpired as error:
        raise TargetError(f"{what}: took more than {LIMIT_S:.0f} s") from error
