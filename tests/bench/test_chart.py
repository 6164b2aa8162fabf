from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.bench.chart import COLOURS, bars, lines
from tests.bench.pictures import pictures
from tests.bench.stored import stored

SVG = "{http://www.w3.org/2000/svg}"


def words(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own drawing


def test_a_bar_is_as_long_as_its_median_and_never_is_a_word() -> None:
    svg = bars("T <&>", {"a": {"x": (1.0, 10.0, 20.0), "y": None}, "b": {"x": (1, 5, 6)}}, "ms")
    root = ET.fromstring(svg)  # noqa: S314 - our own drawing
    widths = [
        float(each.get("width", ""))
        for each in root.iter(f"{SVG}rect")
        if each.get("fill") == COLOURS[0] and each.get("x") == "250"
    ]
    assert widths == [190.0, 95.0]
    assert {"T <&>", "a", "b", "x", "y", "never", "10 ms", "5 ms"} <= set(words(svg))


def test_lines_run_from_the_axis_and_rise_with_the_value() -> None:
    svg = lines("T", {"s": [(1, 0.0), (10, 5.0), (100, 10.0)]}, across="calls", up="%", log=True)
    dots = [
        (float(each.get("cx", "")), float(each.get("cy", "")))
        for each in ET.fromstring(svg).iter(f"{SVG}circle")  # noqa: S314 - our own drawing
    ]
    assert dots == [(70.0, 276.0), (350.0, 166.0), (630.0, 56.0)]
    assert {"T (%)", "s", "calls", "1", "10", "100", "0"} <= set(words(svg))


def test_every_part_has_a_picture_and_the_same_figures_give_the_same_bytes() -> None:
    drawn = pictures(stored())
    assert sorted(drawn) == ["engine.svg", "imports.svg", "load.svg", "real.svg", "scale.svg"]
    assert drawn == pictures(stored())
    assert "never" in words(drawn["real.svg"])
    assert pictures({"real": None}) == {}
