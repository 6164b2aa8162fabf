from __future__ import annotations

from fsm_diagrams.layered import Layout, Link, Node, place, rank

CHAIN = [("a", "b"), ("b", "c"), ("c", "d")]


def _laid(nodes: list[Node], links: list[Link]) -> Layout:
    return place(nodes, links, rank(nodes, links))


def _boxes(names: str) -> list[Node]:
    return [Node(name, 60, 30) for name in names]


def test_each_node_stands_below_those_that_lead_to_it() -> None:
    laid = _laid(_boxes("abc"), [Link("1", "a", "b"), Link("2", "b", "c"), Link("3", "a", "c")])
    tops = [laid.nodes[name][1] for name in "abc"]
    assert tops == sorted(set(tops))


def test_what_closes_a_circle_runs_upwards() -> None:
    links = [Link("down", "a", "b", 40, 20), Link("up", "b", "a", 40, 20)]
    nodes = _boxes("ab")
    assert rank(nodes, links).upwards == {"up"}
    way = _laid(nodes, links).lines["up"]
    assert way[0][1] > way[-1][1]


def test_a_label_has_a_rank_and_room_of_its_own() -> None:
    laid = _laid(_boxes("ab"), [Link("1", "a", "b", 200, 50)])
    x, y = laid.labels["1"]
    assert laid.nodes["a"][1] + 30 < y
    assert y + 50 < laid.nodes["b"][1]
    assert laid.width == 200
    assert x == 0


def test_two_parallel_lines_do_not_cross_when_they_need_not() -> None:
    nodes = _boxes("abxy")
    links = [Link("1", "a", "y"), Link("2", "b", "x")]
    laid = _laid(nodes, links)
    first, second = laid.lines["1"], laid.lines["2"]
    assert (first[0][0] < second[0][0]) == (first[-1][0] < second[-1][0])


def test_a_chain_is_straight() -> None:
    links = [Link(str(number), a, b, 50, 20) for number, (a, b) in enumerate(CHAIN)]
    laid = _laid(_boxes("abcd"), links)
    assert len({x for way in laid.lines.values() for x, _ in way}) == 1


def test_a_long_line_is_straight_beside_a_chain() -> None:
    links = [Link(str(number), a, b, 50, 20) for number, (a, b) in enumerate(CHAIN)]
    laid = _laid(_boxes("abcd"), [*links, Link("by", "a", "d", 30, 20)])
    inner = laid.lines["by"][2:-2]
    assert len({x for x, _ in inner}) == 1


def test_ports_are_in_the_first_and_the_last_rank() -> None:
    nodes = [*_boxes("ab"), Node("in", first=True), Node("out", last=True)]
    links = [Link("1", "in", "a"), Link("2", "a", "b", 40, 20), Link("3", "a", "out", 40, 20)]
    laid = _laid(nodes, links)
    assert laid.nodes["in"][1] == 0
    assert laid.nodes["out"][1] == laid.height
    assert "3" in laid.labels


def test_a_line_ends_where_it_is_told_to() -> None:
    nodes = [Node("a", 200, 30), Node("b", 60, 30)]
    laid = _laid(nodes, [Link("1", "a", "b", source_at=150)])
    assert laid.lines["1"][0] == (laid.nodes["a"][0] + 150, 30)


def test_nothing_is_nothing() -> None:
    assert _laid([], []) == Layout(0, 0, {}, {}, {})


def test_the_order_is_improved_after_the_first_walk() -> None:
    links = [Link(a + b, a, b) for a, b in [("a", "y"), ("a", "z"), ("b", "x"), ("b", "y")]]
    laid = _laid(_boxes("abxyz"), links)
    xs = [laid.nodes[name][0] for name in "zyx"]
    assert xs in (sorted(xs), sorted(xs, reverse=True))
