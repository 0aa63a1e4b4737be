"""Lays out a directed acyclic graph: boxes in layers, edges from each to later ones.

The method of Sugiyama, Tagawa and Toda (Methods for Visual Understanding of Hierarchical System Structures, 1981): each
box takes the layer behind the last of those that it needs, long edges pass a place of their own in every layer between,
the order in each layer follows the barycenters of the neighbours, and the places within a layer minimise the squared
distances to them. The same graph is always laid out alike.

All this is said of edges from above to below. In another direction a place's x and width lie across the edges all the
same, and y and height along them; who draws it turns it.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

TITLE_SIZE, TEXT_SIZE, LABEL_SIZE = 12, 10, 9
LINE = 14  # height of a line of text
LABEL_ROOM = LABEL_SIZE + 5
PADDING = 8
SPACE = 16  # between neighbours in a layer
GAP = 30  # between layers; more where edges go far to the side
MOST_GAP = 90
FARTHEST = 5  # layers that an edge from a box goes down before the box is rather drawn again
ORDERING_SWEEPS = 16
PLACING_SWEEPS = 32
BOTH_SIDES_SWEEPS = 12  # the last of them, which look above and below
STRAIGHTENING_PASSES = 4
PULL = (1.0, 2.0, 8.0)  # of an edge between neighbours, by how many of its ends are passages


@dataclass(frozen=True)
class Box:
    """A node of the drawing.

    Args:
        key: what edges call it.
        lines: its text; the first line is the title.
        colour: of the inside; "": by the group.
        group: boxes of a group have one colour of the palette; "": white.
        tooltip: shown where the mouse rests on it.
        round: whether it has round ends, as values have that no operation makes.
        repeat: whether it is drawn again for readers far below, instead of a long edge; only without edges to it.
    """

    key: Hashable
    lines: tuple[str, ...]
    colour: str = ""
    group: str = ""
    tooltip: str = ""
    round: bool = False
    repeat: bool = False


@dataclass(frozen=True)
class Edge:
    """An arrow between two boxes, by their keys. Those of one source and label leave it as one line."""

    source: Hashable
    target: Hashable
    label: str = ""


@dataclass(frozen=True)
class Diagram:
    """One graph of a drawing.

    Args:
        direction: of the edges: "TB" from above to below, "BT", "LR" from left to right, or "RL".
    """

    boxes: Sequence[Box]
    edges: Sequence[Edge]
    title: str = ""
    direction: str = "TB"

    @property
    def sideways(self) -> bool:
        """Whether its edges go to the left or to the right."""
        return self.direction in ("LR", "RL")

    def label_size(self, label: str) -> tuple[float, float]:
        """How much room a label takes across the edges and along them."""
        width = text_width(label, LABEL_SIZE) + PADDING
        return (LABEL_ROOM, width) if self.sideways else (width, LABEL_ROOM)


@dataclass(eq=False)
class Place:
    """What stands in a layer: a box, or (without one) the passage of a long edge."""

    layer: int
    box: Box | None = None
    width: float = 6.0
    height: float = 0.0
    x: float = 0.0  # of the middle
    y: float = 0.0  # of the upper end
    above: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)


@dataclass(eq=False)
class Net:
    """The edges of one source and label: a line that branches.

    `links` go from one layer to the next.
    """

    source: Place
    label: str
    targets: list[Place] = field(default_factory=list)
    links: list[tuple[Place, Place]] = field(default_factory=list)


@dataclass
class Layout:
    """A diagram with places.

    Attributes:
        layers: from above to below, each from left to right.
        floors: where each layer ends with the labels below its boxes: edges turn sideways behind it.
    """

    diagram: Diagram
    layers: list[list[Place]]
    nets: list[Net]
    floors: list[float] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0

    @property
    def boxes(self) -> list[Place]:
        """The places that hold boxes."""
        return [place for layer in self.layers for place in layer if place.box is not None]


def arrange(diagram: Diagram) -> Layout:
    """Find a place for everything. Raises ValueError where the edges form a cycle or name no box."""
    layout = _layered(diagram)
    _order(layout.layers)
    _place_across(layout.layers)
    _straighten(layout.layers)
    _place_down(layout)
    return layout


def text_width(text: str, size: float) -> float:
    """About the width of a text in a font without serifs, rather too much than too little."""
    return size * sum(0.34 if c in " .,:;'|!()[]/ijlIft" else 0.92 if c in "mwMW@%" else 0.62 for c in text)


def _layered(diagram: Diagram) -> Layout:
    """Boxes in layers, and long edges led through passages; the order within a layer is that of the boxes."""
    places = {box.key: Place(0, box, *_size(box, diagram)) for box in diagram.boxes}
    nets: dict[tuple, Net] = {}
    for edge in diagram.edges:
        if edge.source not in places or edge.target not in places:
            raise ValueError(f"{edge} leads from or to a box that is not there.")
        net = nets.setdefault((edge.source, edge.label), Net(places[edge.source], edge.label))
        target = places[edge.target]
        if target not in net.targets:
            net.targets.append(target)
    _choose_layers(list(places.values()), list(nets.values()))
    repeated = _repeat(list(nets.values()))
    everything = [*places.values(), *(net.source for net in repeated)]
    layers: list[list[Place]] = [[] for _ in range(1 + max((place.layer for place in everything), default=-1))]
    for place in everything:
        layers[place.layer].append(place)
    all_nets = [*nets.values(), *repeated]
    for net in all_nets:
        way = [net.source]
        for layer in range(net.source.layer + 1, max(target.layer for target in net.targets)):
            way.append(Place(layer))
            layers[layer].append(way[-1])
            net.links.append((way[-2], way[-1]))
        net.links += [(way[target.layer - 1 - net.source.layer], target) for target in net.targets]
        for upper, lower in net.links:
            upper.below.append(lower)
            lower.above.append(upper)
    return Layout(diagram, layers, all_nets)


def _size(box: Box, diagram: Diagram) -> tuple[float, float]:
    widths = [text_width(line, TEXT_SIZE) for line in box.lines[1:]]
    widths += [1.08 * text_width(line, TITLE_SIZE) for line in box.lines[:1]]  # in bold
    width = max(widths, default=0) + 2 * PADDING + (PADDING if box.round else 0)
    height = LINE * len(box.lines) + PADDING
    across, along = (height, width) if diagram.sideways else (width, height)
    labels = {edge.label for edge in diagram.edges if edge.source == box.key}
    return max(across, sum(diagram.label_size(label)[0] for label in labels)), along


def _choose_layers(places: Sequence[Place], nets: Sequence[Net]) -> None:
    """The longest way from above; then down towards its readers what this makes the edges no longer for."""
    needs: dict[Place, list[Place]] = {place: [] for place in places}
    gives: dict[Place, list[Net]] = {place: [] for place in places}
    for net in nets:
        gives[net.source].append(net)
        for target in net.targets:
            needs[target].append(net.source)
    waiting = {place: len(sources) for place, sources in needs.items()}
    ready = [place for place in places if not waiting[place]]
    for place in ready:
        for net in gives[place]:
            for target in net.targets:
                target.layer = max(target.layer, place.layer + 1)
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
    if len(ready) < len(places):
        raise ValueError("The edges form a cycle; a drawing in layers has none.")
    for place in reversed(ready):
        if gives[place] and len(set(needs[place])) <= len(gives[place]):
            place.layer = min(target.layer for net in gives[place] for target in net.targets) - 1


def _repeat(nets: Sequence[Net]) -> list[Net]:
    """Nets from boxes drawn again, for the far ones of the targets, which leave their net."""
    made = []
    for net in nets:
        if not net.source.box.repeat:
            continue
        targets = sorted(net.targets, key=lambda target: target.layer)
        current = net
        current.targets = []
        for target in targets:
            if current.targets and target.layer - current.source.layer > FARTHEST:
                source = net.source
                again = Place(target.layer - 1, source.box, source.width, source.height)
                current = Net(again, net.label)
                made.append(current)
            current.targets.append(target)
    return made


def _order(layers: list[list[Place]]) -> None:
    """Sweep down and up, sorting each layer by the middle of its neighbours; the order with fewest crossings stays."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(ORDERING_SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for at in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            beside = {place: rank for rank, place in enumerate(layers[at - 1 if down else at + 1])}
            middles = {}
            for rank, place in enumerate(layers[at]):
                near = [beside[other] for other in (place.above if down else place.below)]
                middles[place] = sum(near) / len(near) if near else rank
            layers[at].sort(key=middles.__getitem__)
        found = _crossings(layers)
        if found < fewest:
            best, fewest = [list(layer) for layer in layers], found
    layers[:] = best


def _crossings(layers: Sequence[Sequence[Place]]) -> int:
    count = 0
    for upper, lower in zip(layers, layers[1:], strict=False):
        rank = {place: at for at, place in enumerate(lower)}
        seen: list[int] = []
        for place in upper:
            ends = sorted(rank[other] for other in place.below)
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def _place_across(layers: Sequence[Sequence[Place]]) -> None:
    """Where in its layer each place lies: near its neighbours, and no two of them over each other."""
    for layer in layers:
        x = 0.0
        for place in layer:
            place.x = x + place.width / 2
            x += place.width + SPACE
    above = {place: _pulls(place, place.above) for layer in layers for place in layer}
    below = {place: _pulls(place, place.below) for layer in layers for place in layer}
    everywhere = {place: above[place] + below[place] for place in above}
    for sweep in range(PLACING_SWEEPS):
        down = sweep % 2 == 0
        pulls = everywhere if sweep >= PLACING_SWEEPS - BOTH_SIDES_SWEEPS else above if down else below
        for layer in layers if down else reversed(layers):
            wishes = []
            for place in layer:
                total = moment = 0.0
                for strength, other in pulls[place]:
                    total += strength
                    moment += strength * other.x
                wishes.append((moment / total, total) if total else (place.x, 0.01))
            _settle(layer, wishes)


def _pulls(place: Place, neighbours: Sequence[Place]) -> list[tuple[float, Place]]:
    """How strongly neighbours pull: passages harder, so that long edges become straight.

    The weights are those of Gansner et al., A Technique for Drawing Directed Graphs, 1993.
    """
    return [(PULL[(place.box is None) + (other.box is None)], other) for other in neighbours]


def _settle(layer: Sequence[Place], wishes: Sequence[tuple[float, float]]) -> None:
    """The places nearest to the wishes (weighted squares) that keep the order and the distances.

    With the distances taken off, this is isotonic regression, solved by pooling adjacent violators.
    """
    offsets, x = [], 0.0
    for at, place in enumerate(layer):
        x += (layer[at - 1].width + place.width) / 2 + SPACE if at else 0.0
        offsets.append(x)
    pools: list[list[float]] = []  # [mean, weight, members]
    for (wish, strength), offset in zip(wishes, offsets, strict=True):
        pools.append([wish - offset, strength, 1])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            mean, weight, members = pools.pop()
            before = pools[-1]
            before[0] = (before[0] * before[1] + mean * weight) / (before[1] + weight)
            before[1] += weight
            before[2] += members
    means = [mean for mean, _, members in pools for _ in range(int(members))]
    for place, mean, offset in zip(layer, means, offsets, strict=True):
        place.x = mean + offset


def _straighten(layers: Sequence[Sequence[Place]]) -> None:
    """Bring what follows one another in a line to one x, as far as the neighbours leave room."""
    beside: dict[Place, tuple[Place | None, Place | None]] = {}
    for layer in layers:
        for place, left, right in zip(layer, [None, *layer], [*layer[1:], None], strict=False):
            beside[place] = left, right
    following = {place: _following(place) for place in beside}
    followers = set(following.values())
    first = [place for place in beside if place not in followers]
    for _ in range(STRAIGHTENING_PASSES):
        for place in first:
            run: list[Place] = []
            low, high = float("-inf"), float("inf")
            step: Place | None = place
            while step is not None:
                left, right = beside[step]
                own_low = left.x + (left.width + step.width) / 2 + SPACE if left else float("-inf")
                own_high = right.x - (right.width + step.width) / 2 - SPACE if right else float("inf")
                if max(low, own_low) > min(high, own_high):
                    _align(run, low, high)
                    run, low, high = [], float("-inf"), float("inf")
                run.append(step)
                low, high = max(low, own_low), min(high, own_high)
                step = following[step]
            _align(run, low, high)


def _following(place: Place) -> Place | None:
    """The place below that continues the line: a long edge's next passage, or the one neighbour of one neighbour."""
    if place.box is None:
        for other in place.below:
            if other.box is None:
                return other
    return place.below[0] if len(place.below) == 1 and len(place.below[0].above) == 1 else None


def _align(run: Sequence[Place], low: float, high: float) -> None:
    if len(run) > 1:
        middle = sorted(place.x for place in run)[len(run) // 2]
        for place in run:
            place.x = min(max(middle, low), high)


def _place_down(layout: Layout) -> None:
    layers = layout.layers
    left = min((place.x - place.width / 2 for layer in layers for place in layer), default=0.0)
    aside, room = [0.0] * len(layers), [0.0] * len(layers)
    for net in layout.nets:
        if net.label:
            room[net.source.layer] = max(room[net.source.layer], layout.diagram.label_size(net.label)[1])
        for upper, lower in net.links:
            aside[upper.layer] = max(aside[upper.layer], abs(upper.x - lower.x))
    y = 0.0
    for at, layer in enumerate(layers):
        height = max(place.height for place in layer)
        for place in layer:
            place.x -= left
            if place.box is None:
                place.height = height
            place.y = y
            layout.width = max(layout.width, place.x + place.width / 2)
        layout.height = y + height
        layout.floors.append(y + height + room[at])
        y = layout.floors[at] + min(GAP + 0.08 * aside[at], MOST_GAP)
