from __future__ import annotations

from tests.compare.page import page
from tests.compare.rows import HELD, hole_row, scene_row
from tests.compare.scenes import SCENES
from tests.compare.verdict import Shown, Spread, Verdict

SETTING = {"date": "2026-01-02", "agents": "1", "server": "2", "python": "3", "cores": 4}


def side(said: str, back: Spread | None, *, owed: bool = True) -> Shown:
    times = {"dial": Spread(10, 10, 10), "music": Spread(20, 20, 20), "back": back}
    return Shown(owed={"it": owed}, said=said, times_ms=times, runs=3)


def a_page() -> str:
    rows = [
        hole_row("H1", "Left | alone.", None, Shown(owed={HELD: True}, said="held"), reason="why"),
        scene_row(
            SCENES["busy"],
            "real",
            side("stays on hold", None, owed=False),
            side("is back", Spread(100, 90, 120)),
            side("moved", Spread(300, 290, 310)),
        ),
    ]
    return page({"setting": SETTING, "rows": [row.stored() for row in rows]})


def test_a_row_shows_both_sides_the_times_and_what_the_verdict_rests_on() -> None:
    text = a_page()
    assert "| H1 | Left \\| alone. | why | held | `not_drivable` |" in text
    assert "stays on hold. Moving server: moved | is back | `better` | only ours: it" in text
    assert "never, moving 300 (290 to 310) → 100 (90 to 120)" in text
    assert "Of 2 rows: 1 `better`, 0 `equal`, 0 `behind`, 1 `not_drivable`." in text
    assert "2026-01-02 with livekit-agents 1, livekit-server 2, Python 3, 4 cores" in text


def test_the_rules_of_the_verdicts_stand_on_the_page() -> None:
    text = a_page()
    for verdict in Verdict:
        assert f"| `{verdict}` | " in text
