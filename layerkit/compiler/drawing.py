"""Draws directed acyclic graphs as SVG: boxes in layers, arrows between them; needs no other program."""

from __future__ import annotations

import re
from collections.abc import Sequence

from layerkit.compiler.layered_layout import (
    LABEL_SIZE,
    LINE,
    PADDING,
    TEXT_SIZE,
    TITLE_SIZE,
    Diagram,
    Layout,
    Net,
    Place,
    arrange,
    text_width,
)

PALETTE = (
    "#cfe3f7", "#fde0c2", "#d2edd0", "#e6d9f2", "#fbd4d6", "#d3eeee", "#fbf0b8", "#e9dccf", "#dfe7b9", "#f6d6ea",
    "#d5dbf5", "#c9ecd9",
)  # fmt: skip
PLAIN = "#ffffff"
FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
MARGIN = 16


def draw(diagrams: Sequence[Diagram]) -> str:
    """The SVG of diagrams, one below the other.

    >>> from layerkit.compiler.layered_layout import Box, Edge
    >>> picture = draw([Diagram([Box("a", ("A",)), Box("b", ("B",))], [Edge("a", "b", "float32[3]")])])
    >>> picture.startswith("<svg"), picture.count("<rect")
    (True, 3)
    """
    groups: dict[str, str] = {}
    for diagram in diagrams:
        for box in diagram.boxes:
            if box.group:
                groups.setdefault(box.group, PALETTE[len(groups) % len(PALETTE)])
    body, top, width = [], MARGIN, 0.0
    for diagram in diagrams:
        if diagram.title:
            body.append(_text(MARGIN, top + LINE, diagram.title, TITLE_SIZE + 2, "start", 'font-weight="bold"'))
            top += 2 * LINE
            width = max(width, text_width(diagram.title, TITLE_SIZE + 2))
        turn = _Turn(arrange(diagram))
        body.append(f'<g transform="translate({MARGIN} {top:g})">')
        body += _drawn(turn, groups)
        body.append("</g>")
        top += turn.height + MARGIN
        width = max(width, turn.width)
    width += 2 * MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{top:.0f}" '
        f'viewBox="0 0 {width:.0f} {top:.0f}" font-family="{FONT}">'
    )
    return "\n".join([head, f'<rect width="100%" height="100%" fill="{PLAIN}"/>', *body, "</svg>\n"])


class _Turn:
    """A layout in the direction of its diagram."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._sideways = layout.diagram.sideways
        self._backwards = layout.diagram.direction in ("BT", "RL")
        self.width, self.height = self._swapped(layout.width, layout.height)

    def point(self, across: float, along: float) -> tuple[float, float]:
        """Where a point of the layout lies in the picture."""
        return self._swapped(across, self.layout.height - along if self._backwards else along)

    def text(self, across: float, along: float) -> str:
        """The same as text of a path."""
        x, y = self.point(across, along)
        return f"{x:.1f} {y:.1f}"

    def rectangle(self, place: Place) -> tuple[float, float, float, float]:
        """Left, top, width and height of a place."""
        left = place.x - place.width / 2
        corners = self.point(left, place.y), self.point(left + place.width, place.y + place.height)
        (x0, x1), (y0, y1) = (sorted(pair) for pair in zip(*corners, strict=True))
        return x0, y0, x1 - x0, y1 - y0

    def _swapped(self, across: float, along: float) -> tuple[float, float]:
        return (along, across) if self._sideways else (across, along)


def _drawn(turn: _Turn, groups: dict[str, str]) -> list[str]:
    layout = turn.layout
    starts, ends = _ports(layout)
    lines, labels = [], []
    for at, net in enumerate(layout.nets):
        lines.append(_net(net, starts[at], ends, turn))
        if net.label:
            _, room = layout.diagram.label_size(net.label)
            x, y = turn.point(starts[at], net.source.y + net.source.height + room / 2)
            halo = 'fill="#555" stroke="#fff" stroke-width="3" paint-order="stroke"'
            labels.append(_text(x, y + LABEL_SIZE / 2 - 0.5, net.label, LABEL_SIZE, "middle", halo))
    return [*lines, *labels, *(_box(place, turn, groups) for place in layout.boxes)]


def _ports(layout: Layout) -> tuple[list[float], dict[tuple[Place, Place], float]]:
    """Where on a box's lower side each net starts, and where on its upper side each link ends."""
    starts = [net.source.x for net in layout.nets]
    leaving: dict[Place, list[int]] = {}
    for at, net in enumerate(layout.nets):
        leaving.setdefault(net.source, []).append(at)
    for place, own in leaving.items():
        own.sort(
            key=lambda at: min(lower.x for upper, lower in layout.nets[at].links if upper is layout.nets[at].source)
        )
        widths = [layout.diagram.label_size(layout.nets[at].label)[0] for at in own]
        x = place.x - sum(widths) / 2
        for at, width in zip(own, widths, strict=True):
            starts[at] = x + width / 2
            x += width
    ends: dict[tuple[Place, Place], float] = {}
    for place in layout.boxes:
        above = sorted(place.above, key=lambda other: other.x)
        step = min(18.0, (place.width - 2 * PADDING) / max(len(above), 1))
        for at, other in enumerate(above):
            ends[other, place] = place.x + (at - (len(above) - 1) / 2) * step
    return starts, ends


def _net(net: Net, start: float, ends: dict[tuple[Place, Place], float], turn: _Turn) -> str:
    at, layout = turn.text, turn.layout
    path, heads = [], []
    for upper, lower in net.links:
        begin = start if upper is net.source else upper.x
        end = ends.get((upper, lower), lower.x)
        floor, top = layout.floors[upper.layer], lower.y
        bend = (top - floor) / 2
        labelled = net.label and upper is net.source
        leaves = upper.y + upper.height + (layout.diagram.label_size(net.label)[1] if labelled else 0)
        path.append(f"M{at(begin, leaves)}L{at(begin, floor)}C{at(begin, floor + bend)} {at(end, top - bend)} ")
        if lower.box is None:
            path.append(f"{at(end, top)}L{at(end, lower.y + lower.height)}")
        else:
            path.append(at(end, top - 5))
            heads.append(f"M{at(end, top)}L{at(end - 3, top - 6)}L{at(end + 3, top - 6)}z")
    title = f"<title>{escape(net.label)}</title>" if net.label else ""
    line = f'<path d="{"".join(path)}" fill="none" stroke="#8a8f98"/>'
    return f'<g>{title}{line}<path d="{"".join(heads)}" fill="#8a8f98"/></g>'


def _box(place: Place, turn: _Turn, groups: dict[str, str]) -> str:
    box = place.box
    left, top, width, height = turn.rectangle(place)
    colour = box.colour or groups.get(box.group, PLAIN)
    corner = height / 2 if box.round else 4
    parts = ['<g class="box">', f"<title>{escape(box.tooltip)}</title>" if box.tooltip else ""]
    parts.append(
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="{corner:g}" fill="{escape(colour)}" stroke="#5b6270"/>'
    )
    for at, line in enumerate(box.lines):
        y = top + (height - LINE * len(box.lines)) / 2 + LINE * at + 11
        size, style = (TEXT_SIZE, 'fill="#444"') if at else (TITLE_SIZE, 'font-weight="bold" fill="#1b1f27"')
        parts.append(_text(left + width / 2, y, line, size, "middle", style))
    return "".join([*parts, "</g>"])


def _text(x: float, y: float, text: str, size: float, anchor: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {style}>{escape(text)}</text>'


def escape(text: str) -> str:
    """Text as it may stand in XML, in elements and in attributes; characters that XML does not know become a '?'."""
    text = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
