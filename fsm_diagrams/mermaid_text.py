"""Names and labels that Mermaid reads as what they are.

Mermaid draws a wrong picture, without an error, from a state name with a space in it, and stops
at the word ``end``. So every state gets a safe id, and a label keeps only the characters known to
be harmless; all others are written as entity codes, which Mermaid decodes after parsing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from fsm_diagrams.style import Style
from fsm_diagrams.unshown import shown
from fsm_diagrams.views import Picture

__all__ = ["Key", "class_of", "ids", "in_role", "label", "names_of", "title", "torn"]

Key = tuple[str, str]
"""What an id stands for: a role, such as ``state`` or ``box``, and a name in it."""

#: Words of Mermaid's and Graphviz' grammars, and names that JavaScript objects already have.
_RESERVED = frozenset(
    {
        "accdescr",
        "acctitle",
        "as",
        "choice",
        "class",
        "classdef",
        "click",
        "constructor",
        "default",
        "descr",
        "description",
        "digraph",
        "direction",
        "edge",
        "end",
        "flowchart",
        "fork",
        "frontmatter",
        "graph",
        "hide",
        "history",
        "href",
        "interpolate",
        "join",
        "linkstyle",
        "node",
        "note",
        "null",
        "prototype",
        "root",
        "scale",
        "state",
        "statediagram",
        "strict",
        "style",
        "subgraph",
        "title",
        "toplevel",
        "tostring",
        "undefined",
        "valueof",
    }
)
_SAFE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: Mermaid makes ids of its own with these endings.
_OWN_ENDING = re.compile(r"_(start|end)\d*$", re.IGNORECASE)
#: Letters, digits and what is not read as Mermaid, Markdown or HTML inside a line. Not a space
#: after the word "direction": Mermaid finds that statement in the middle of a line.
_HARMLESS = re.compile(
    r"[^\W_]|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9])|(?<!direction) |[,()\[\]]", re.IGNORECASE
)
#: Mermaid marks its entity codes with these and decodes twice, so they cannot be escaped.
_PRIVATE = {
    "\N{LATIN SMALL LIGATURE FL}": "fl",
    "\N{PILCROW SIGN}\N{LATIN SMALL LETTER SHARP S}": "\N{PILCROW SIGN} ss",
}
#: What Mermaid takes for a line break, for mathematics (and then draws nothing at all when it is
#: none) and for an icon: the codes after which it is torn.
_TEARS = re.compile(r"#92;(?=n)|#36;(?=#36;)|(?<=fa)#58;(?=fa)|(?<=fa[bklrs])#58;(?=fa)")
#: A title is sanitised and then shown as it is: what HTML would escape needs a look-alike.
_TITLE = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "&": "\N{FULLWIDTH AMPERSAND}",
    }
)


def ids(wanted: Iterable[tuple[Key, str]]) -> dict[Key, str]:
    """A safe id for each key: the wanted name itself wherever it is one, and no id twice."""
    pairs = list(wanted)
    found: dict[Key, str] = {}
    # Names that are safe keep themselves, whatever comes before them.
    for key, name in pairs:
        if _is_safe(name) and name not in found.values():
            found[key] = name
    taken = set(found.values())
    for key, name in pairs:
        if key not in found:
            found[key] = _free(_stem(name), taken)
            taken.add(found[key])
    return {key: found[key] for key, _ in pairs}


def names_of(picture: Picture) -> Iterator[tuple[Key, str]]:
    """The ids that a picture wants in every language: of its states, and two for each group."""
    for state in picture.machine.states:
        yield ("state", state.name), state.name
    for role in ("box", "any"):
        yield from in_role(role, [group.name for group in picture.groups])


def in_role(role: str, names: Iterable[str]) -> Iterator[tuple[Key, str]]:
    """The ids that names want in a role of their own."""
    for name in names:
        yield (role, name), f"{role}_{name}"


def label(text: str, *, wrap: bool = True) -> str:
    """A text as a Mermaid label: one source line, whatever the text holds.

    With `wrap` off a line is never broken, however long it is.
    """
    lines = "<br>".join(_line(line) for line in text.splitlines() or [""])
    return lines if wrap else lines.replace(" ", "#160;")


def torn(encoded: str) -> str:
    """A label for a node of a flowchart, whose codes Mermaid decodes too early if it has a tag.

    A ``<wbr>`` stands in whatever would then be read as more than text.
    """
    return _TEARS.sub(lambda code: f"{code[0]}<wbr>", encoded)


def class_of(style: Style) -> str:
    """A style as the words of a ``classDef``."""
    words = f"fill:{style.fill},stroke:{style.stroke},color:{style.text}"
    words += ",stroke-width:2px" if style.thick else ""
    return words + (",stroke-dasharray:4 3" if style.dashed else "")


def title(text: str) -> str:
    """A text as the quoted value of ``title:`` in the front matter."""
    return json.dumps(_without_private(shown(text)).translate(_TITLE))


def _without_private(text: str) -> str:
    for private, alike in _PRIVATE.items():
        text = text.replace(private, alike)
    return text


def _is_safe(name: str) -> bool:
    plain = _SAFE_ID.fullmatch(name) and not name.endswith("_")
    return bool(plain) and name.lower() not in _RESERVED and not _OWN_ENDING.search(name)


def _stem(name: str) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    return "s_" + _OWN_ENDING.sub("", words)


def _free(stem: str, taken: set[str]) -> str:
    candidate, count = stem, 1
    while candidate in taken:
        count += 1
        candidate = f"{stem}_{count}"
    return candidate


def _line(text: str) -> str:
    if not text.strip():
        return "#160;"
    text = _without_private(text)
    harmless = {match.start() for match in _HARMLESS.finditer(text)}
    return "".join(
        char if index in harmless else f"#{_code(char)};" for index, char in enumerate(text)
    )


def _code(char: str) -> int:
    """The number of a character. HTML shows other characters for the numbers of controls."""
    return ord(shown(char))
