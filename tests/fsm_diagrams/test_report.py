from __future__ import annotations

from fsm_diagrams.report import Report, Section

REPORT = Report(
    "Changes of a|b",
    "2 rows.",
    (Section("Rows <new>", ("x -> y", "two\nlines")), Section("Nothing", ())),
)


def test_a_report_as_text() -> None:
    assert REPORT.text() == "Changes of a|b: 2 rows.\n\nRows <new>:\n  x -> y\n  two lines\n"


def test_a_report_as_markdown_says_what_it_says_and_no_markup() -> None:
    assert REPORT.markdown() == (
        "### Changes of a\\|b\n\n2 rows.\n\n**Rows &lt;new&gt;**\n\n- x -&gt; y\n- two lines\n"
    )
