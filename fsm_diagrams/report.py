"""What a review tool says: a title, a sentence, and lists under headings, as text or Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fsm_diagrams.markdown import escape
from fsm_diagrams.unshown import shown

__all__ = ["Report", "Section"]


@dataclass(frozen=True, slots=True)
class Section:
    """A list under a heading."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report. Sections without lines are left out."""

    title: str
    summary: str
    sections: tuple[Section, ...] = ()

    def text(self) -> str:
        """For a terminal, ending with a newline; what is one line stays one line."""
        parts = [f"{_one_line(self.title)}: {_one_line(self.summary)}"]
        for section in self._filled():
            parts += ["", f"{section.heading}:", *(f"  {_one_line(it)}" for it in section.lines)]
        return "\n".join(parts) + "\n"

    def markdown(self) -> str:
        """For a pull request, ending with a newline."""
        parts = [f"### {escape(_one_line(self.title))}", "", escape(self.summary)]
        for section in self._filled():
            parts += ["", f"**{escape(section.heading)}**", ""]
            parts += [f"- {escape(_one_line(line))}" for line in section.lines]
        return "\n".join(parts) + "\n"

    def _filled(self) -> Iterator[Section]:
        return (section for section in self.sections if section.lines)


def _one_line(text: str) -> str:
    return shown(" ".join(text.splitlines()) if text.strip() else text)
