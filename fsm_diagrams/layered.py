"""A layered layout in pure Python: nodes in ranks, and lines that cross neither node nor label.

Links run from rank to rank; one that spans several has a lane of its own in each rank between,
and its label is the widest of these lanes. A line moves sideways only between two ranks, where
nothing else stands, so it cannot cross a label. Lengths are CSS pixels, and whole ones, so that
the same graph is the same text on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Layout", "Link", "Node", "Point", "Ranking", "place", "rank"]

Point = tuple[int, int]
"""x to the right, y downwards."""

#: Sweeps after which the order or the places of a rank were no longer seen to improve.
ORDER_SWEEPS = 12
PLACE_SWEEPS = 24
STRAIGHTEN_SWEEPS = 3
#: The least room between two neighbours of a rank: half of it belongs to each.
NODE_GAP, LANE_GAP = 30, 14
#: The room between two ranks, and how much more it is where lines go far sideways.
RANK_GAP, RANK_GAP_MAX = 26, 78
#: The usual room between two lines that meet the same side of a box.
PORT_GAP = 16
_FAR = 1e9


@dataclass(frozen=True, slots=True)
class Node:
    """A box to place; a port is one without size, in the first or the last rank."""

    key: str
    width: int = 0
    height: int = 0
    loops: int = 0
    """How much of the width, on the right, is for lines from the node to itself."""
    first: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A line to draw between two different nodes, with room for its label."""

    key: str
    source: str
    target: str
    width: int = 0
    height: int = 0
    source_at: int | None = None
    """Where on the source it starts, from the left; None leaves it to the layout."""
    target_at: int | None = None

    @property
    def labelled(self) -> bool:
        """Whether there is a label to make room for."""
        return self.height > 0


@dataclass(frozen=True, slots=True)
class Ranking:
    """The rank of each node, and the links that run upwards."""

    ranks: Mapping[str, int]
    upwards: frozenset[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is, from the upper left corner of the drawing."""

    width: int
    height: int
    nodes: Mapping[str, Point]
    """The upper left corner of each node."""
    lines: Mapping[str, tuple[Point, ...]]
    """The way of each link from source to target: straight down or up, or a curve sideways."""
    labels: Mapping[str, Point]
    """The upper left corner of each label."""


def rank(nodes: Sequence[Node], links: Sequence[Link]) -> Ranking:
    """Put each node below those that lead to it; what closes a circle runs upwards.

    Nodes are met in their order, so the first should be where the machine starts.
    """
    fixed = {node.key: node for node in nodes if node.first or node.last}
    free = [link for link in links if link.source not in fixed and link.target not in fixed]
    upwards = _closing_circles(nodes, free)
    upwards |= {link.key for link in links if _starts_below(link, fixed)}
    down = [(link, *_ends(link, upwards)) for link in links]
    inner = [it for it in down if it[1] not in fixed and it[2] not in fixed]
    top = int(any(node.first for node in nodes))
    ranks = _longest_paths([node.key for node in nodes if node.key not in fixed], inner, top)
    bottom = max(ranks.values(), default=0) + 1
    ranks |= {key: 0 if node.first else bottom for key, node in fixed.items()}
    short = [it for it in down if ranks[it[2]] - ranks[it[1]] < _length(it[0])]
    if short:
        # A labelled line to a port needs a rank for its label.
        ranks |= {key: value + 1 for key, value in ranks.items() if not _is_first(fixed, key)}
        ranks |= {key: bottom + 2 for key, node in fixed.items() if node.last}
    return Ranking(ranks, frozenset(upwards))


def _is_first(fixed: Mapping[str, Node], key: str) -> bool:
    return key in fixed and fixed[key].first


def _starts_below(link: Link, fixed: Mapping[str, Node]) -> bool:
    source, target = fixed.get(link.source), fixed.get(link.target)
    return bool((source and source.last) or (target and target.first))


def _length(link: Link) -> int:
    return 2 if link.labelled else 1


def _ends(link: Link, upwards: set[str] | frozenset[str]) -> tuple[str, str]:
    """The upper and the lower end."""
    if link.key in upwards:
        return link.target, link.source
    return link.source, link.target


def _closing_circles(nodes: Sequence[Node], links: Sequence[Link]) -> set[str]:
    """The links that lead back to a node from which one has come, walking depth first."""
    leaving: dict[str, list[Link]] = {node.key: [] for node in nodes}
    for link in links:
        leaving[link.source].append(link)
    found: set[str] = set()
    done: set[str] = set()
    for node in nodes:
        if node.key in done:
            continue
        open_, walk = {node.key}, [(node.key, iter(leaving[node.key]))]
        while walk:
            key, rest = walk[-1]
            following = next(rest, None)
            if following is None:
                walk.pop()
                open_.discard(key)
                done.add(key)
            elif following.target in open_:
                found.add(following.key)
            elif following.target not in done:
                open_.add(following.target)
                walk.append((following.target, iter(leaving[following.target])))
    return found


def _longest_paths(
    keys: Sequence[str], links: Sequence[tuple[Link, str, str]], top: int
) -> dict[str, int]:
    ranks = dict.fromkeys(keys, top)
    waiting = dict.fromkeys(keys, 0)
    below: dict[str, list[tuple[str, int]]] = {key: [] for key in keys}
    for link, upper, lower in links:
        waiting[lower] += 1
        below[upper].append((lower, _length(link)))
    ready = [key for key in keys if not waiting[key]]
    for upper in ready:
        for lower, length in below[upper]:
            ranks[lower] = max(ranks[lower], ranks[upper] + length)
            waiting[lower] -= 1
            if not waiting[lower]:
                ready.append(lower)
    return ranks


@dataclass(slots=True)
class _Item:
    """A node, a lane of a link, or its label, in a rank."""

    width: int
    height: int
    gap: int
    lane: bool
    x: float = 0.0
    """Its middle."""
    above: list[tuple[_Item, float, float]] = field(default_factory=list)
    """Neighbours of the rank above: item, weight, and the offset between the two middles."""
    below: list[tuple[_Item, float, float]] = field(default_factory=list)
    order: float = 0.0


@dataclass(slots=True)
class _Track:
    """A link as its items from the upper end to the lower one."""

    link: Link
    items: list[_Item]
    label: _Item | None
    upper_at: int | None
    lower_at: int | None
    upwards: bool


def place(nodes: Sequence[Node], links: Sequence[Link], ranking: Ranking) -> Layout:
    """Where the nodes, lines and labels go."""
    drawing = _Drawing(nodes, links, ranking)
    drawing.order()
    drawing.spread()
    return drawing.layout()


class _Drawing:
    def __init__(self, nodes: Sequence[Node], links: Sequence[Link], ranking: Ranking) -> None:
        self._ranking = ranking
        self._nodes = {node.key: node for node in nodes}
        self._items = {node.key: _item(node) for node in nodes}
        count = max(ranking.ranks.values(), default=0) + 1
        self._rows: list[list[_Item]] = [[] for _ in range(count)]
        for node in nodes:
            self._rows[ranking.ranks[node.key]].append(self._items[node.key])
        self._tracks = [self._track(link) for link in links]
        for track in self._tracks:
            _join(track)

    def _track(self, link: Link) -> _Track:
        upper, lower = _ends(link, self._ranking.upwards)
        first, last = self._ranking.ranks[upper], self._ranking.ranks[lower]
        lanes = [_Item(2, 0, LANE_GAP, lane=True) for _ in range(first + 1, last)]
        label = lanes[(len(lanes) - 1) // 2] if link.labelled and lanes else None
        if label:
            label.width, label.height = link.width, link.height
        for number, lane in enumerate(lanes, first + 1):
            self._rows[number].append(lane)
        items = [self._items[upper], *lanes, self._items[lower]]
        upwards = link.key in self._ranking.upwards
        ends = (link.target_at, link.source_at) if upwards else (link.source_at, link.target_at)
        return _Track(link, items, label, *ends, upwards)

    def order(self) -> None:
        """Order each rank so that few lines cross: the best of some sweeps down and up."""
        for row in self._rows:
            _number(row)
        self._walk_order()
        best, fewest = [list(row) for row in self._rows], self._crossings()
        for sweep in range(ORDER_SWEEPS):
            down = sweep % 2 == 0
            for row in self._rows if down else reversed(self._rows):
                wanted = {id(it): _mean(it.above if down else it.below, it.order) for it in row}
                row.sort(key=lambda it: wanted[id(it)])
                _number(row)
            if (count := self._crossings()) < fewest:
                best, fewest = [list(row) for row in self._rows], count
        self._rows = best
        for row in self._rows:
            _number(row)

    def _walk_order(self) -> None:
        """The order in which a walk down from the first rank meets the items."""
        met: dict[int, int] = {}
        todo = [item for row in reversed(self._rows) for item in reversed(row)]
        while todo:
            item = todo.pop()
            if id(item) not in met:
                met[id(item)] = len(met)
                todo += [below for below, _, _ in reversed(item.below)]
        for row in self._rows:
            row.sort(key=lambda item: met[id(item)])
            _number(row)

    def _crossings(self) -> int:
        count = 0
        for upper in self._rows[:-1]:
            ends = [
                it.order
                for item in upper
                for it in sorted((b for b, _, _ in item.below), key=_order)
            ]
            count += _inversions(ends)
        return count

    def spread(self) -> None:
        """Give each item the place its neighbours ask for, as far as the order lets it."""
        for row in self._rows:
            at = 0.0
            for item in row:
                item.x = at + item.width / 2
                at += item.width + item.gap
        for sweep in range(PLACE_SWEEPS):
            both = sweep >= PLACE_SWEEPS // 2
            for row in self._rows if sweep % 2 == 0 else reversed(self._rows):
                _settle(row, [_wish(it, down=sweep % 2 == 0, both=both) for it in row])
        for _ in range(STRAIGHTEN_SWEEPS):
            _straighten(self._rows, self._tracks)

    def layout(self) -> Layout:
        """The places in whole pixels."""
        items = [item for row in self._rows for item in row]
        left = min((item.x - item.width / 2 for item in items), default=0.0)
        for item in items:
            item.x = round(item.x - left)
        tops = self._tops()
        heights = [max((item.height for item in row), default=0) for row in self._rows]
        middle = {
            id(item): top + height // 2
            for row, top, height in zip(self._rows, tops, heights, strict=True)
            for item in row
        }
        band = {
            id(item): (top, top + height)
            for row, top, height in zip(self._rows, tops, heights, strict=True)
            for item in row
        }
        nodes = {key: _corner(it, middle[id(it)]) for key, it in self._items.items()}
        upper, lower = self._ports()
        return Layout(
            width=round(max((item.x + item.width / 2 for item in items), default=0.0)),
            height=tops[-1] + heights[-1] if tops else 0,
            nodes=nodes,
            lines={
                track.link.key: _way(track, upper[at], lower[at], middle, band)
                for at, track in enumerate(self._tracks)
            },
            labels={
                track.link.key: _corner(track.label, middle[id(track.label)])
                for track in self._tracks
                if track.label
            },
        )

    def _tops(self) -> list[int]:
        tops, y = [], 0
        for number, row in enumerate(self._rows):
            tops.append(y)
            far = max((abs(it.x - b.x) for it in row for b, _, _ in it.below), default=0.0)
            gap = min(RANK_GAP + round(far * 0.08), RANK_GAP_MAX)
            y += max((item.height for item in row), default=0)
            y += gap if number + 1 < len(self._rows) else 0
        return tops

    def _ports(self) -> tuple[list[int], list[int]]:
        """Where each track leaves its upper node and meets its lower one."""
        keys = {id(item): key for key, item in self._items.items()}
        sides: list[list[int]] = []
        for end, near, fixed in ((0, 1, "upper_at"), (-1, -2, "lower_at")):
            at = [0] * len(self._tracks)
            together: dict[int, list[int]] = {}
            for index, track in enumerate(self._tracks):
                item, given = track.items[end], getattr(track, fixed)
                if given is None:
                    together.setdefault(id(item), []).append(index)
                else:
                    at[index] = round(item.x - item.width / 2) + given
            for key, indices in together.items():
                wishes = sorted((self._tracks[i].items[near].x, i) for i in indices)
                node, item = self._nodes[keys[key]], self._items[keys[key]]
                left = round(item.x - item.width / 2)
                right = left + node.width - node.loops
                places = _spread_ports([wish for wish, _ in wishes], left, right)
                for (_, index), x in zip(wishes, places, strict=True):
                    at[index] = x
            sides.append(at)
        return sides[0], sides[1]


def _item(node: Node) -> _Item:
    port = node.first or node.last
    return _Item(node.width, node.height, LANE_GAP if port else NODE_GAP, lane=port)


def _join(track: _Track) -> None:
    """Let neighbours know each other, with the offset that fixed ends ask for."""
    for number, (upper, lower) in enumerate(pairwise(track.items)):
        weight = 8.0 if upper.lane and lower.lane else 2.0 if upper.lane or lower.lane else 1.0
        offset = 0.0
        if number == 0 and track.upper_at is not None:
            offset += track.upper_at - upper.width / 2
        if number == len(track.items) - 2 and track.lower_at is not None:
            offset -= track.lower_at - lower.width / 2
        upper.below.append((lower, weight, -offset))
        lower.above.append((upper, weight, offset))


def _order(item: _Item) -> float:
    return item.order


def _number(row: list[_Item]) -> None:
    for number, item in enumerate(row):
        item.order = float(number)


def _mean(neighbours: list[tuple[_Item, float, float]], without: float) -> float:
    if not neighbours:
        return without
    return sum(item.order for item, _, _ in neighbours) / len(neighbours)


def _inversions(ends: list[float]) -> int:
    """How many pairs stand in the wrong order, by a tree of partial counts."""
    size = int(max(ends, default=0.0)) + 2
    tree, count = [0] * (size + 1), 0
    for seen, end in enumerate(ends):
        at, before = int(end) + 1, 0
        while at:
            before += tree[at]
            at -= at & -at
        count += seen - before
        at = int(end) + 1
        while at <= size:
            tree[at] += 1
            at += at & -at
    return count


def _wish(item: _Item, *, down: bool, both: bool) -> tuple[float, float]:
    """Where an item would like to be, and how much."""
    near = item.above + item.below if both else item.above if down else item.below
    weight = sum(each for _, each, _ in near)
    if not weight:
        return item.x, 0.05
    return sum((it.x + offset) * each for it, each, offset in near) / weight, weight


def _settle(row: list[_Item], wishes: list[tuple[float, float]]) -> None:
    """The places nearest to the wishes in which nobody overlaps and the order stays."""
    steps, at = [], 0.0
    for number, item in enumerate(row):
        at += _apart(row[number - 1], item) if number else 0.0
        steps.append(at)
    for item, x in zip(row, _nearest(wishes, steps), strict=True):
        item.x = x


def _apart(left: _Item, right: _Item) -> float:
    """How far the middles of two neighbours must be from each other."""
    return (left.width + right.width) / 2 + (left.gap + right.gap) / 2


def _nearest(wishes: Sequence[tuple[float, float]], steps: Sequence[float]) -> list[float]:
    """The places nearest to the (wish, weight) pairs that are at least the steps apart.

    Least squares under an order is solved by pooling neighbours that want to pass each other.
    """
    pools: list[tuple[float, float, int]] = []
    for (wish, weight), step in zip(wishes, steps, strict=True):
        now = (wish - step, weight, 1)
        while pools and pools[-1][0] > now[0]:
            at, heavy, count = pools.pop()
            both = heavy + now[1]
            now = ((at * heavy + now[0] * now[1]) / both, both, count + now[2])
        pools.append(now)
    places = [at for at, _, count in pools for _ in range(count)]
    return [at + step for at, step in zip(places, steps, strict=True)]


def _spread_ports(wishes: Sequence[float], left: int, right: int) -> list[int]:
    """Where lines meet the side of a box: straight on where it can be, and never too close."""
    count = len(wishes)
    room = min(PORT_GAP, (right - left) / (count + 1))
    low, high = left + room, right - room
    steps = [room * number for number in range(count)]
    found = _nearest([(wish, 1.0) for wish in wishes], steps)
    limits = [(low + step, high - steps[-1] + step) for step in steps]
    return [round(min(max(x, a), b)) for x, (a, b) in zip(found, limits, strict=True)]


def _straighten(rows: Sequence[Sequence[_Item]], tracks: Sequence[_Track]) -> None:
    """Put the lanes of each link in as few columns as its neighbours leave room for."""
    beside: dict[int, tuple[_Item | None, _Item | None]] = {}
    for row in rows:
        padded = [None, *row, None]
        for left, item, right in zip(padded, row, padded[2:], strict=False):
            beside[id(item)] = left, right
    for track in tracks:
        run: list[_Item] = []
        low, high = -_FAR, _FAR
        for lane in track.items[1:-1]:
            left, right = beside[id(lane)]
            least = left.x + _apart(left, lane) if left else -_FAR
            most = right.x - _apart(lane, right) if right else _FAR
            if run and max(low, least) > min(high, most):
                _align(run, low, high)
                run, low, high = [], -_FAR, _FAR
            run.append(lane)
            low, high = max(low, least), min(high, most)
        _align(run, low, high)


def _align(run: Sequence[_Item], low: float, high: float) -> None:
    if run and low <= high:
        wish = sorted(lane.x for lane in run)[len(run) // 2]
        for lane in run:
            lane.x = min(max(wish, low), high)


def _corner(item: _Item, middle: int) -> Point:
    return round(item.x - item.width / 2), middle - item.height // 2


def _way(
    track: _Track,
    upper: int,
    lower: int,
    middle: Mapping[int, int],
    band: Mapping[int, tuple[int, int]],
) -> tuple[Point, ...]:
    """From source to target; inside the band of a rank a line goes straight."""
    first, last = track.items[0], track.items[-1]
    points = [
        (upper, _corner(first, middle[id(first)])[1] + first.height),
        (upper, band[id(first)][1]),
    ]
    for lane in track.items[1:-1]:
        top, bottom = band[id(lane)]
        points += [(round(lane.x), top), (round(lane.x), bottom)]
    points += [(lower, band[id(last)][0]), (lower, _corner(last, middle[id(last)])[1])]
    kept = [points[0], *(b for a, b in pairwise(points) if a != b)]
    return tuple(reversed(kept)) if track.upwards else tuple(kept)
