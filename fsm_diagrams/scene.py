"""A picture with places: boxes, arrows and labels in pixels, ready to be drawn.

Nested states and groups are boxes with a layout of their own. An arrow that crosses such a box
ends at a port on its border, and goes on from there in the layout around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from fsm_diagrams.layered import Layout, Link, Node, Point, Ranking, place, rank
from fsm_diagrams.model import Edge, Group, Machine, State
from fsm_diagrams.overlay import Paint
from fsm_diagrams.text_size import columns, title_width, wrapped
from fsm_diagrams.views import Arrow, Picture, View, picture

__all__ = ["Box", "Detail", "Route", "Said", "Scene", "Text", "scene"]

LINE_HEIGHT, TITLE_HEIGHT = 15, 19
COLUMN = 6.75
"""The width of a column at 11 px, a little over that of the usual fixed-width fonts."""
PAD = 12
LABEL_PAD = 6
START = 12
LOOP = 26


@dataclass(frozen=True, slots=True)
class Detail:
    """How much text stands in the drawing itself."""

    lines_max: int
    """Lines of a label before the rest is counted; a page that shows rows on click needs few."""
    conditions: bool
    """Whether labels carry the conditions, and boxes the rows that stay."""
    line_columns: int = 46


@dataclass(frozen=True, slots=True)
class Said:
    """A line of text, and the rows it stands for."""

    text: str
    edges: tuple[Edge, ...] = ()


Words = tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of text in a box of their own."""

    lines: Words
    at: Point
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """A state, a group, the 'these states' of a group, or a start."""

    role: str
    """``state``, ``group``, ``any`` or ``start``."""
    index: int
    """That of the state or group in the machine."""
    at: Point
    width: int
    height: int
    title: tuple[str, ...] = ()
    inside: Words = ()
    """The lines below the title."""
    encloses: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """An arrow: its points, between which it runs straight or bends sideways."""

    index: int
    """That of the arrow in the picture; -1 from a start."""
    points: tuple[Point, ...]
    label: Text | None = None
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is drawn, the enclosing boxes before what they hold."""

    picture: Picture
    width: int
    height: int
    boxes: tuple[Box, ...]
    routes: tuple[Route, ...]


def scene(machine: Machine, view: View, detail: Detail, paint: Paint | None = None) -> Scene:
    """Lay a machine out, with what a review says beside its rows."""
    usable = replace(machine, groups=tuple(_usable(machine)))
    return _Builder(picture(usable, view), detail, paint or Paint()).build()


def _usable(machine: Machine) -> Iterator[Group]:
    """The groups that can be boxes: of top-level states, none in two of them."""
    taken: set[str] = set()
    for group in machine.groups:
        known = [machine.state_named[name] for name in group.states]
        if known and not any(state.parent for state in known) and not taken & set(group.states):
            taken |= set(group.states)
            yield group


@dataclass(slots=True)
class _Part:
    """One thing to place in a box: a state, a group, its 'these states', or a start."""

    key: str
    role: str
    index: int
    title: tuple[str, ...] = ()
    inside: Words = ()
    parts: list[_Part] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    ports: list[Node] = field(default_factory=list)
    loop: Link | None = None
    ranking: Ranking = field(default_factory=lambda: Ranking({}, frozenset()))
    layout: Layout = field(default_factory=lambda: Layout(0, 0, {}, {}, {}))
    shift: Point = (0, 0)
    """From the corner of the box to that of its layout."""
    width: int = 0
    """Without the room for a loop."""
    height: int = 0
    room: tuple[int, int] = (0, 0)
    """What it takes in the layout around it, loop and all."""


@dataclass(slots=True)
class _Leg:
    """A piece of an arrow, in the layout of one box."""

    part: _Part
    link: str


class _Builder:
    def __init__(self, drawn: Picture, detail: Detail, paint: Paint) -> None:
        self._picture, self._machine, self._detail = drawn, drawn.machine, detail
        self._paint = paint
        self._root = _Part("", "root", -1)
        self._parts: dict[str, _Part] = {"": self._root}
        self._home: dict[str, str] = {}
        self._boxes: list[Box] = []
        self._corner: dict[str, Point] = {}

    def build(self) -> Scene:
        self._make_parts()
        wanted = [*self._starts(), *self._arrows()]
        pending = [_Crossing.of(self, *it) for it in wanted if it[1] != it[2]]
        for _index, source, target, label in wanted:
            if source == target:
                self._parts[source].loop = self._link("loop", source, target, label)
        for part in self._top_down():
            for crossing in pending:
                if crossing.meets == part.key:
                    part.links.append(crossing.main())
            _rank(part)
            for crossing in pending:
                if crossing.meets == part.key:
                    crossing.cross_borders(upwards=f"{crossing.key}" in part.ranking.upwards)
        for part in reversed(list(self._top_down())):
            self._size(part)
        self._put(self._root, (0, 0))
        routes = [self._route(crossing) for crossing in pending]
        routes += [self._loop(*it) for it in wanted if it[1] == it[2]]
        routes.sort(key=lambda route: route.index)
        width, height = self._root.width, self._root.height
        return Scene(self._picture, width, height, tuple(self._boxes), tuple(routes))

    def _make_parts(self) -> None:
        grouped = {name: group for group in self._picture.groups for name in group.states}
        for number, group in enumerate(self._machine.groups):
            if group in self._picture.groups:
                title = wrapped(group.label, 30)
                self._add("", _Part(f"group:{group.name}", "group", number, title))
        for number, state in enumerate(self._machine.states):
            if state.parent is not None:
                home = f"state:{state.parent}"
            else:
                home = f"group:{grouped[state.name].name}" if state.name in grouped else ""
            self._home[f"state:{state.name}"] = home
            self._parts[f"state:{state.name}"] = self._state(number, state)
        for state in self._machine.states:
            key = f"state:{state.name}"
            self._parts[self._home[key]].parts.append(self._parts[key])
        for number, group in enumerate(self._machine.groups):
            if group in self._picture.groups:
                part = _Part(f"any:{group.name}", "any", number, ("these states",))
                self._add(f"group:{group.name}", part)

    def _add(self, home: str, part: _Part) -> None:
        self._parts[part.key] = part
        self._home[part.key] = home
        self._parts[home].parts.append(part)

    def _state(self, number: int, state: State) -> _Part:
        lines = self._picture.inside.get(state.name, ())
        inside: Words = ()
        if lines and self._detail.conditions:
            inside = tuple(x for line in lines for x in self._said(line.text, line.edges))
        elif lines:
            edges = tuple(edge for line in lines for edge in line.edges)
            inside = (Said("1 row stays" if len(edges) == 1 else f"{len(edges)} rows stay", edges),)
        title = wrapped(state.text, 26)
        return _Part(f"state:{state.name}", "state", number, title, inside)

    def _starts(self) -> Iterator[tuple[int, str, str, Words]]:
        homes = [("", self._machine.initial)]
        homes += [(f"state:{state.name}", state.initial) for state in self._machine.states]
        for home, names in homes:
            if names:
                part = _Part(f"start:{home}", "start", -1)
                self._parts[part.key] = part
                self._home[part.key] = home
                # First in its box: the layout walks from there.
                self._parts[home].parts.insert(0, part)
                yield from ((-1, part.key, f"state:{name}", ()) for name in names)

    def _arrows(self) -> Iterator[tuple[int, str, str, Words]]:
        for number, arrow in enumerate(self._picture.arrows):
            source = f"{'any' if arrow.shared else 'state'}:{arrow.source}"
            yield number, source, f"state:{arrow.target}", self._label(arrow)

    def _label(self, arrow: Arrow) -> Words:
        if self._detail.conditions:
            lines = [x for line in arrow.lines for x in self._said(line.text, line.edges)]
        else:
            events: dict[str, tuple[Edge, ...]] = {}
            for line in arrow.lines:
                events[line.event] = events.get(line.event, ()) + line.edges
            lines = [x for event, edges in events.items() for x in self._said(event, edges)]
        most = self._detail.lines_max
        if len(lines) > most:
            rest = tuple(edge for line in lines[most - 1 :] for edge in line.edges)
            lines = [*lines[: most - 1], Said(f"+ {len(lines) - most + 1} more", rest)]
        return tuple(lines)

    def _said(self, text: str, edges: tuple[Edge, ...]) -> Iterator[Said]:
        looks = (self._paint.edge(edge.id) for edge in edges)
        beside = dict.fromkeys(look.text for look in looks if look and look.text)
        first, *rest = wrapped(" ".join([text, *beside]), self._detail.line_columns)
        yield Said(first, edges)
        yield from (Said(f"  {line}", edges) for line in rest)

    def _link(self, key: str, source: str, target: str, label: Words) -> Link:
        if not label:
            return Link(key, source, target)
        return Link(key, source, target, *_size(label))

    def _top_down(self) -> Iterator[_Part]:
        todo = [self._root]
        while todo:
            part = todo.pop(0)
            yield part
            todo += [each for each in part.parts if each.parts]

    def chain(self, key: str) -> list[str]:
        """A part, the box around it, and so on to the whole."""
        found = [key]
        while found[-1]:
            found.append(self._home[found[-1]])
        return found

    def part(self, key: str) -> _Part:
        return self._parts[key]

    def link(self, key: str, source: str, target: str, label: Words) -> Link:
        return self._link(key, source, target, label)

    def _size(self, part: _Part) -> None:
        """Lay the inside out, and find how large the box is."""
        for each in part.parts:
            if not each.parts:
                _size_leaf(each)
        nodes = [Node(e.key, *e.room, e.room[0] - e.width) for e in part.parts]
        fixed = {e.key: _ports_of(e) for e in part.parts}
        links = [_at_ports(link, fixed) for link in part.links]
        part.layout = place([*nodes, *part.ports], links, part.ranking)
        if part is self._root:
            part.shift = (PAD, PAD)
            part.width = part.layout.width + 2 * PAD
            part.height = part.layout.height + 2 * PAD
            return
        width, height = _title_size(part.title, part.inside)
        # A line that enters from above must not run through the title.
        left = width + PAD if any(port.first for port in part.ports) else PAD + 4
        part.shift = (left, height + PAD)
        part.width = max(left + part.layout.width + PAD + 4, width + 2 * PAD)
        part.height = part.shift[1] + part.layout.height + PAD + 4
        part.room = _with_loop(part)

    def _put(self, part: _Part, corner: Point) -> None:
        self._corner[part.key] = corner
        if part is not self._root:
            self._boxes.append(
                Box(
                    part.role,
                    part.index,
                    corner,
                    part.width,
                    part.height,
                    part.title,
                    part.inside,
                    encloses=bool(part.parts),
                )
            )
        for each in part.parts:
            x, y = part.layout.nodes[each.key]
            self._put(each, (corner[0] + part.shift[0] + x, corner[1] + part.shift[1] + y))

    def _route(self, crossing: _Crossing) -> Route:
        points: list[Point] = []
        for leg in crossing.legs:
            x, y = self._corner[leg.part.key]
            dx, dy = x + leg.part.shift[0], y + leg.part.shift[1]
            own = [(px + dx, py + dy) for px, py in leg.part.layout.lines[leg.link]]
            points += self._to_border(crossing, leg, own)
        label = None
        meets = self._parts[crossing.meets]
        if crossing.label:
            x, y = meets.layout.labels[crossing.key]
            cx, cy = self._corner[crossing.meets]
            at = (x + cx + meets.shift[0], y + cy + meets.shift[1])
            label = Text(crossing.label, at, *_size(crossing.label))
        kept = [points[0], *(b for a, b in pairwise(points) if a != b)]
        return Route(crossing.index, tuple(kept), label)

    def _to_border(self, crossing: _Crossing, leg: _Leg, own: list[Point]) -> list[Point]:
        """A leg with its straight end between the layout and the border of the box."""
        source, target = crossing.ends[leg.part.key]
        part = leg.part
        for port, at in ((source, 0), (target, -1)):
            if port.startswith("port:"):
                x = own[at][0]
                y = self._corner[part.key][1]
                end = (x, y if self._is_first(part, port) else y + part.height)
                own = [end, *own] if at == 0 else [*own, end]
        return own

    def _is_first(self, part: _Part, port: str) -> bool:
        return any(each.key == port and each.first for each in part.ports)

    def _loop(self, index: int, source: str, _target: str, label: Words) -> Route:
        part = self._parts[source]
        x, y = self._corner[source]
        right, middle = x + part.width, y + part.height // 2
        points = ((right, middle - 7), (right, middle + 7))
        width, height = _size(label)
        text = Text(label, (right + LOOP, middle - height // 2), width, height)
        return Route(index, points, text, loop=True)


class _Crossing:
    """An arrow between two parts, and the borders on its way."""

    def __init__(
        self, builder: _Builder, index: int, source: str, target: str, label: Words
    ) -> None:
        self.index, self.label = index, label
        self.key = f"{index}:{source}:{target}"
        self._builder = builder
        up, down = builder.chain(source), builder.chain(target)
        # The box in which both ends are; an end that is this box itself is met at its border.
        self.meets = next(key for key in up if key in down)
        self._out = up[: up.index(self.meets)]
        self._in = down[: down.index(self.meets)]
        self.legs: list[_Leg] = []
        self.ends: dict[str, tuple[str, str]] = {}

    @staticmethod
    def of(builder: _Builder, index: int, source: str, target: str, label: Words) -> _Crossing:
        return _Crossing(builder, index, source, target, label)

    def main(self) -> Link:
        """The leg in the box in which both ends are: the one with the label."""
        part = self._builder.part(self.meets)
        source = self._out[-1] if self._out else self._port(part, "first")
        target = self._in[-1] if self._in else self._port(part, "last")
        self.ends[self.meets] = source, target
        return self._builder.link(self.key, source, target, self.label)

    def _port(self, part: _Part, side: str) -> str:
        key = f"port:{self.key}"
        part.ports.append(Node(key, first=side == "first", last=side == "last"))
        return key

    def cross_borders(self, *, upwards: bool) -> None:
        """Add the legs inside the boxes that are left and entered, innermost first."""
        if not self._out:
            upwards = False
        self.legs = []
        for inner, box in pairwise(self._out):
            self._leg(box, inner, None, "first" if upwards else "last")
        self.legs.append(_Leg(self._builder.part(self.meets), self.key))
        for box, inner in pairwise(reversed(self._in)):
            self._leg(box, None, inner, "last" if upwards else "first")

    def _leg(self, box: str, source: str | None, target: str | None, side: str) -> None:
        part = self._builder.part(box)
        port = self._port(part, side)
        ends = source or port, target or port
        self.ends[box] = ends
        part.links.append(Link(self.key, *ends))
        self.legs.append(_Leg(part, self.key))


def _rank(part: _Part) -> None:
    nodes = [Node(each.key) for each in part.parts]
    part.ranking = rank([*nodes, *part.ports], part.links)


def _ports_of(part: _Part) -> Mapping[str, int]:
    """Where on the border of a box its ports are, by the key of the link that meets them."""
    if not part.parts:
        return {}
    return {
        port.key.removeprefix("port:"): part.shift[0] + part.layout.nodes[port.key][0]
        for port in part.ports
    }


def _at_ports(link: Link, ports: Mapping[str, Mapping[str, int]]) -> Link:
    return replace(
        link,
        source_at=ports.get(link.source, {}).get(link.key),
        target_at=ports.get(link.target, {}).get(link.key),
    )


def _size_leaf(part: _Part) -> None:
    if part.role == "start":
        part.width = part.height = START
    else:
        width, height = _title_size(part.title, part.inside)
        part.width, part.height = max(width + 2 * PAD, 64), height + PAD
    part.room = _with_loop(part)


def _with_loop(part: _Part) -> tuple[int, int]:
    """The room a box takes beside its loop, whose label makes it higher where it must."""
    if part.loop is None:
        return part.width, part.height
    part.height = max(part.height, part.loop.height)
    return part.width + LOOP + part.loop.width, part.height


def _title_size(title: tuple[str, ...], inside: Words) -> tuple[int, int]:
    width = max(
        [title_width(line) for line in title] + [_label_width(line.text) for line in inside]
    )
    height = len(title) * TITLE_HEIGHT + len(inside) * LINE_HEIGHT + (4 if inside else 0)
    return width, height + 4


def _size(label: Words) -> tuple[int, int]:
    width = max(_label_width(line.text) for line in label)
    return width + 2 * LABEL_PAD, len(label) * LINE_HEIGHT + LABEL_PAD


def _label_width(line: str) -> int:
    return round(columns(line) * COLUMN)
