"""What the caller said, written down so that it stays data.

One JSON object a line, between markers that cannot be guessed. Control and format characters,
line separators and unassigned ones are escaped, so that a line is one line for every reader and
shows all that is in it.
"""

from __future__ import annotations

import json
import secrets
import unicodedata
from collections.abc import Iterable

from livekit.agents import llm

__all__ = ["data_lines", "transcript"]


def transcript(chat_ctx: llm.ChatContext | None) -> str:
    """What was said with the caller, as data between markers.

    Only what caller and agent said is taken: no instructions, no tool calls, no tool results.
    """
    marker = secrets.token_hex(8)
    said: list[dict[str, str]] = []
    for message in chat_ctx.messages() if chat_ctx is not None else ():
        text = message.text_content
        if message.role in ("user", "assistant") and text:
            speaker = "caller" if message.role == "user" else "agent"
            said.append({"speaker": speaker, "said": text})
    lines = data_lines(said)
    return "\n".join([f"<<record {marker}>>", *lines, f"<<end of record {marker}>>"])


def data_lines(items: Iterable[dict[str, str]]) -> list[str]:
    """One line of JSON for each item; every character that cannot be seen is escaped."""
    texts = (json.dumps(each, ensure_ascii=False) for each in items)
    return ["".join(map(_visible, text)) for text in texts]


def _visible(character: str) -> str:
    # C*: control, format (zero width, direction, tags), surrogate, private, unassigned; Zl and
    # Zp: line and paragraph separators, which JSON leaves alone and a reader takes for line ends.
    category = unicodedata.category(character)
    hidden = category[0] == "C" or category in ("Zl", "Zp")
    return json.dumps(character)[1:-1] if hidden else character
