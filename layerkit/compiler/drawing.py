"""Draws directed acyclic graphs as SVG: boxes in layers, arrows from above to below; needs no other program."""

from __future__ import annotations

import re
from collections.abc import Sequence

from layerkit.compiler.layered_layout import (
    LABEL_ROOM,
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
        layout = arrange(diagram)
        body.append(f'<g transform="translate({MARGIN} {top:g})">')
        body += _drawn(layout, groups)
        body.append("</g>")
        top += layout.height + MARGIN
        width = max(width, layout.width)
    width += 2 * MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{top:.0f}" '
        f'viewBox="0 0 {width:.0f} {top:.0f}" font-family="{FONT}">'
    )
    return "\n".join([head, f'<rect width="100%" height="100%" fill="{PLAIN}"/>', *body, "</svg>\n"])


def _drawn(layout: Layout, groups: dict[str, str]) -> list[str]:
    starts, ends = _ports(layout)
    lines, labels = [], []
    for at, net in enumerate(layout.nets):
        lines.append(_net(net, starts[at], ends, layout.floors))
        if net.label:
            y = net.source.y + net.source.height + LABEL_SIZE + 2
            halo = 'fill="#555" stroke="#fff" stroke-width="3" paint-order="stroke"'
            labels.append(_text(starts[at], y, net.label, LABEL_SIZE, "middle", halo))
    return [*lines, *labels, *(_box(place, groups) for place in layout.boxes)]


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
        widths = [text_width(layout.nets[at].label, LABEL_SIZE) + PADDING for at in own]
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


def _net(net: Net, start: float, ends: dict[tuple[Place, Place], float], floors: Sequence[float]) -> str:
    path, heads = [], []
    for upper, lower in net.links:
        begin = start if upper is net.source else upper.x
        end = ends.get((upper, lower), lower.x)
        floor, top = floors[upper.layer], lower.y
        bend = (top - floor) / 2
        leaves = upper.y + upper.height + (LABEL_ROOM if net.label and upper is net.source else 0)
        path.append(f"M{begin:.1f} {leaves:.1f}V{floor:.1f}")
        if lower.box is None:
            path.append(f"C{begin:.1f} {floor + bend:.1f} {end:.1f} {top - bend:.1f} {end:.1f} {top:.1f}")
            path.append(f"V{lower.y + lower.height:.1f}")
        else:
            path.append(f"C{begin:.1f} {floor + bend:.1f} {end:.1f} {top - bend:.1f} {end:.1f} {top - 5:.1f}")
            heads.append(f"M{end:.1f} {top:.1f}l-3 -6h6z")
    title = f"<title>{escape(net.label)}</title>" if net.label else ""
    line = f'<path d="{"".join(path)}" fill="none" stroke="#8a8f98"/>'
    return f'<g>{title}{line}<path d="{"".join(heads)}" fill="#8a8f98"/></g>'


def _box(place: Place, groups: dict[str, str]) -> str:
    box = place.box
    colour = box.colour or groups.get(box.group, PLAIN)
    corner = place.height / 2 if box.round else 4
    parts = ['<g class="box">', f"<title>{escape(box.tooltip)}</title>" if box.tooltip else ""]
    parts.append(
        f'<rect x="{place.x - place.width / 2:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" '
        f'height="{place.height:.1f}" rx="{corner:g}" fill="{escape(colour)}" stroke="#5b6270"/>'
    )
    for at, line in enumerate(box.lines):
        y = place.y + PADDING / 2 + LINE * at + 11
        size, style = (TEXT_SIZE, 'fill="#444"') if at else (TITLE_SIZE, 'font-weight="bold" fill="#1b1f27"')
        parts.append(_text(place.x, y, line, size, "middle", style))
    return "".join([*parts, "</g>"])


def _text(x: float, y: float, text: str, size: float, anchor: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {style}>{escape(text)}</text>'


def escape(text: str) -> str:
    """Text as it may stand in XML, in elements and in attributes; characters that XML does not know become a '?'."""
    text = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
