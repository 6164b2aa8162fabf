"""Machines to draw, small and hostile."""

from __future__ import annotations

from fsm_diagrams.model import Edge, Group, Ignored, Kind, Machine, Reason, State

HOSTILE = (
    "on hold",
    'say "hi"',
    "a-->b",
    "a:b;c",
    "{x}",
    "[*]",
    "<b>bold</b>",
    "`code` | pipe",
    "\N{GRINNING FACE} emoji",
    "größe",
    "end",
    "State",
    "constructor",
    "direction LR",
    "1. one",
    "* star_",
    "a#35;b",
    "two\nlines",
    "%%{init}%%",
    "<!-- /fsm-diagrams -->",
    "```",
    " ",
)

#: What Mermaid has lost of labels of several lines: signs of Markdown in a state diagram; in a
#: flowchart, which breaks long lines too, what it takes for a line break, mathematics or an icon.
LOST = (
    ",\n+-\\:ba",
    "*a*\n_b_",
    "__init__\n~~entry~~ / _shine_",
    "`c`\n<i>\\&lt;",
    "C:\\new\nfolder",
    "a name of more than 28 columns C:\\n\\nest",
    "$$x^2$$\nsquared",
    "$$+}$$\n$$$",
    "fa:fa-bell\nfab:fa-github",
)


def door(*, extra: tuple[Edge, ...] = ()) -> Machine:
    """A machine with everything: a group, a guard, a stay row, ignored and impossible pairs."""
    return Machine.of(
        "door",
        [
            State("open", kind=Kind.WAITING),
            State("shut"),
            State("gone", kind=Kind.FAILURE, final=True),
        ],
        ["PUSHED", "BURNT", "KNOCKED"],
        ["open"],
        [
            Edge("shut", "BURNT", "gone", id="shut x BURNT"),
            Edge("open", "PUSHED", "shut", guard="no wind", id="open x PUSHED [no wind]"),
            Edge("open", "PUSHED", "open", guard="wind", internal=True, id="open x PUSHED [wind]"),
            Edge("open", "BURNT", "gone", reason="fire", id="open x BURNT"),
            *extra,
        ],
        ignored=[Ignored("open", "KNOCKED", "useless")],
        impossible=[("gone", "KNOCKED")],
        reasons=[Reason("useless", "an open door needs no knock")],
        groups=[Group("there", "still there", ("open", "shut"))],
    )


def hostile() -> Machine:
    """A ring of states whose names no format may take literally."""
    following = (*HOSTILE[1:], HOSTILE[0])
    return Machine.of(
        HOSTILE[2],
        [State(name) for name in HOSTILE],
        HOSTILE,
        [HOSTILE[0]],
        [Edge(a, a, b, guard=a, id=a) for a, b in zip(HOSTILE, following, strict=True)],
    )


def lost() -> Machine:
    """Each of these texts as the name of a state, with and without a row inside, and of a frame."""
    alone = [State(text) for text in LOST]
    rows = [State(f"{text} ") for text in LOST]
    frames = [State(f" {text}") for text in LOST]
    inside = [State(f" {text} ", parent=f" {text}", final=True) for text in LOST]
    return Machine.of(
        LOST[0],
        [*alone, *rows, *frames, *inside],
        LOST,
        [],
        [
            *(Edge(f"{text} ", text, f"{text} ", guard=text, internal=True) for text in LOST),
            *(Edge(text, text, f"{text} ", guard=text) for text in LOST),
            *(Edge(f" {text}", text, f" {text}", guard=text, internal=True) for text in LOST),
        ],
    )
