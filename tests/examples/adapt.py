"""Changes the import of an application, and takes the vendors' models out of it.

What is changed, and nothing else:

* ``WarmTransferTask`` and what else we have is imported from ``warm_transfer``;
* imports of ``livekit.plugins`` give way to one of `tests.examples.offline`;
* the models of each ``AgentSession(...)`` give way to ``**offline.models()``;
* ``noise_cancellation=`` is None.
"""

from __future__ import annotations

import ast
import difflib

import warm_transfer

__all__ = ["adapted", "difference"]

INCUMBENT = "livekit.agents.beta.workflows"
OFFLINE = "from tests.examples import offline"
MODELS = frozenset({"llm", "stt", "tts", "vad", "turn_detection", "turn_handling"})


class _Edits(ast.NodeVisitor):
    """Collects lines to replace, as (first, last) from 1 on with what comes instead."""

    def __init__(self) -> None:
        self.edits: dict[tuple[int, int], list[str]] = {}
        self._offline_is_imported = False

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if module == INCUMBENT:
            self._put(node, _imports(node))
        elif module.split(".")[:2] == ["livekit", "plugins"]:
            self._put(node, [] if self._offline_is_imported else [OFFLINE])
            self._offline_is_imported = True

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        instead = ["**offline.models(),"]
        for keyword in node.keywords:
            if name == "AgentSession" and keyword.arg in MODELS:
                self._put(keyword, instead)
                instead = []
            elif keyword.arg == "noise_cancellation":
                self._put(keyword, ["noise_cancellation=None,"])

    def _put(self, node: ast.ImportFrom | ast.keyword, instead: list[str]) -> None:
        assert node.end_lineno is not None
        indent = " " * node.col_offset
        self.edits[node.lineno, node.end_lineno] = [indent + line for line in instead]


def _imports(node: ast.ImportFrom) -> list[str]:
    ours = [each for each in node.names if each.name in warm_transfer.__all__]
    theirs = [each for each in node.names if each not in ours]
    lines = []
    for module, names in ((INCUMBENT, theirs), ("warm_transfer", ours)):
        if names:
            lines.append(f"from {module} import {', '.join(ast.unparse(each) for each in names)}")
    return lines


def adapted(source: str) -> str:
    """The application with its import changed and its models taken out."""
    found = _Edits()
    found.visit(ast.parse(source))
    lines = source.splitlines()
    for (first, last), instead in sorted(found.edits.items(), reverse=True):
        lines[first - 1 : last] = instead
    return "\n".join(lines) + "\n"


def difference(before: str, after: str) -> str:
    """What was changed, as a reviewer reads it: the changed lines with one line around them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@"))) + "\n"
