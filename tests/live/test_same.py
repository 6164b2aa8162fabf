from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.live.same import differences
from tests.live.scenarios import SCENARIOS as LIVE
from warm_transfer.testing.scenario import SCENARIOS, run


def written(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_every_live_scenario_has_a_simulated_one() -> None:
    assert set(LIVE) <= set(SCENARIOS)


def test_a_journal_is_the_same_as_itself_whatever_its_times_and_ids(tmp_path: Path) -> None:
    lines = [dict(line) for line in run(SCENARIOS["merged"]).journal]
    for line in lines:
        line["t_s"], line["transfer"] = line["t_s"] * 2, "another"

    assert differences("merged", written(tmp_path / "journal.jsonl", lines)) == []


def test_the_order_of_ringing_and_the_open_room_does_not_count(tmp_path: Path) -> None:
    lines = [dict(line) for line in run(SCENARIOS["merged"]).journal]
    assert [lines[2]["event"], lines[3]["event"]] == ["CONSULT_RANG", "CONSULT_OPENED"]
    lines[2], lines[3] = lines[3], lines[2]

    assert differences("merged", written(tmp_path / "journal.jsonl", lines)) == []


def test_by_which_sign_a_merged_call_learns_that_its_agent_leaves_does_not_count(
    tmp_path: Path,
) -> None:
    lines = [dict(line) for line in run(SCENARIOS["sigterm-drain-timeout"]).journal]
    [end] = [line for line in lines if line["after"] == "ended" and line["handling"] == "row"]
    assert end["event"] == "CALLER_ROOM_LOST"
    broke = {**end, "event": "MERGE_BROKE", "after": "merged", "row": "merged x MERGE_BROKE"}
    lines.insert(lines.index(end), broke)
    end["event"] = "JOB_SHUTTING_DOWN"
    end["row"] = end["row"].replace("CALLER_ROOM_LOST", "JOB_SHUTTING_DOWN")

    journal = tmp_path / "journal.jsonl"
    assert differences("sigterm-drain-timeout", written(journal, lines)) == []

    end["effects"] = end["effects"][:-1]
    assert differences("sigterm-drain-timeout", written(journal, lines)) != []


def test_a_missing_step_and_another_effect_are_found(tmp_path: Path) -> None:
    lines = [dict(line) for line in run(SCENARIOS["merged"]).journal]
    del lines[4]
    lines[-1]["effects"] = []

    found = differences("merged", written(tmp_path / "journal.jsonl", lines))

    assert any("CONSULT_ANSWERED" in line for line in found)
    assert any("CALLER_HUNG_UP" in line for line in found)
