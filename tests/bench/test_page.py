from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import page as module
from tests.bench.page import BEGIN, END, files, main, section
from tests.bench.stored import stored


def test_the_section_tells_every_part_and_the_goals_that_are_missed() -> None:
    text = section(stored())
    assert ", 3 runs of each kind in turns" in text
    assert "| the dial | 200 (199 to 201) | 20 (19 to 21) | 0.10 | 0.2 | met |" in text
    assert "| the release_briefing | never in 3 | 20 (19 to 21) |  | 1 | met |" in text
    assert "| core and journal | 40 (39 to 41) | 1 |" in text
    assert "| `warm_transfer` | 41 (40 to 42) | 40 |" in text
    assert "| 1,000 | 90 | 0.1 | 1.5 | 0.1 | 0 |" in text
    assert "| 2 | 2 | 10.0 | 30.0 | 5.0 | 45.0 | 1.0 |" in text
    assert "| import warm_transfer, over bare Python | 41 ms | at most 40 ms |" in text
    assert "6 of 7 goals are met. Missed:" in text


def test_a_part_that_was_not_measured_is_not_told() -> None:
    found = stored() | {"load": None, "real": None, "goals": []}
    text = section(found)
    assert "load.svg" not in text
    assert "real.svg" not in text
    assert "0 of 0 goals are met." in text


def test_only_what_stands_between_the_marks_is_written() -> None:
    text = json.dumps(stored())
    told = files(text, f"before\n{BEGIN}\nstale figures\n{END}\nafter\n")
    assert told["bench.json"] == text
    assert told["performance.md"].startswith(f"before\n{BEGIN}\n\nlivekit-agents 1, ")
    assert told["performance.md"].endswith(f"\n\n{END}\nafter\n")
    assert "stale figures" not in told["performance.md"]
    assert {"bench/real.svg", "bench/load.svg"} <= told.keys()
    with pytest.raises(ValueError, match="has not the marks"):
        files(text, "nothing")


def test_what_was_written_is_up_to_date_until_it_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(module, "MEASURED", tmp_path / "bench.json")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "performance.md").write_text(f"{BEGIN}\n{END}\n")
    assert main(["--check"]) == 0
    assert main([]) == 1
    assert "bench.json is missing" in capsys.readouterr().err
    (tmp_path / "bench.json").write_text(json.dumps(stored()))
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "docs" / "bench" / "real.svg").write_text("changed")
    (tmp_path / "docs" / "bench.json").rename(tmp_path / "elsewhere")
    assert main(["--check"]) == 1
    (tmp_path / "elsewhere").rename(tmp_path / "docs" / "bench.json")
    assert main(["--check"]) == 1
    assert capsys.readouterr().out.endswith("bench/real.svg: stale\n")
