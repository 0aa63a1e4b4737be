"""Pictures of a description of a graph: Graphviz source, and diagrams for our own drawing."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from layerkit.compiler.layered_layout import Box, Diagram, Edge
from layerkit.compiler.listing import counted, sized, tooltip

if TYPE_CHECKING:
    from layerkit.compiler.inspection import Description, NodeInfo, UnitInfo, Value

VALUE_COLOUR, VARIABLE_COLOUR, RESULT_COLOUR = "#eef0f3", "#fff7d6", "#e3e6ea"
WIDEST_DETAILS = 34


def diagrams(description: Description, title: str = "") -> Iterator[Diagram]:
    """The graph as a diagram, and those inside its operations of control flow."""
    boxes: list[Box] = []
    edges: list[Edge] = []
    makers: dict[str, Hashable] = {}

    def link(value: Value, target: Hashable, own: dict[str, Hashable] | None = None) -> None:
        source = (own or {}).get(value.name, makers.get(value.name))
        if source is None and not value.constant:
            # A value of the graph around this one.
            source = makers[value.name] = ("outer", value.name)
            boxes.append(Box(source, (value.name,), VALUE_COLOUR, "", str(value), True, True))
        if not value.constant:
            edges.append(Edge(source, target, value.kind))

    for place, (role, values) in enumerate((("input", description.inputs), ("variable", description.reads))):
        colour = VARIABLE_COLOUR if place else VALUE_COLOUR
        for at, value in enumerate(values):
            makers[value.name] = (role, at)
            boxes.append(
                Box(
                    (role, at),
                    (value.name,),
                    colour,
                    "",
                    f"{role} {value.path or value.name}: {value.kind}",
                    True,
                    True,
                )
            )
    inside: list[tuple[str, Description]] = []
    for number, unit in enumerate(description.units):
        own = {value.name: (number, at) for at, node in enumerate(unit.nodes) for value in node.outputs}
        for at, node in enumerate(unit.nodes):
            key = (number, at)
            for value in node.inputs:
                link(value, key, own)
            for value in node.outputs:
                if not node.recomputed:
                    makers[value.name] = key
            group = unit.short if not description.compiled else str(unit.number or "")
            group = "" if unit.short == "view" else group
            boxes.append(Box(key, _box_lines(unit, node), "", group, tooltip(unit, node)))
            inside += [(f"{node.outputs[0].name} {role}" if node.outputs else role, one)
                       for role, one in node.subgraphs.items()]  # fmt: skip
    results = [(f"output {at}", value) for at, value in enumerate(description.outputs)]
    results += [(f"assign {path}", value) for path, value in description.assigned]
    for name, value in results:
        boxes.append(Box(name, (name,), RESULT_COLOUR, "", f"{name} = {value}", True))
        link(value, name)
    yield Diagram(boxes, edges, title)
    for name, one in inside:
        yield from diagrams(one, f"{title} {name}".strip())


def _box_lines(unit: UnitInfo, node: NodeInfo) -> tuple[str, ...]:
    name, _, attributes = node.operation.partition("(")
    constants = [value.name for value in node.inputs if value.constant]
    lines = [name]
    details = ", ".join([*([attributes[:-1]] if attributes else []), *constants])
    details = re.sub("(, )?activation=None", "", details)
    if details:
        lines.append(details if len(details) <= WIDEST_DETAILS else details[: WIDEST_DETAILS - 1] + "…")
    place = f"{unit.number}: {unit.short}" if unit.number else unit.short
    if node.operations:
        place += f" · {counted(node.operations)} op"
    lines.append(place)
    return tuple(lines)


def dot(description: Description) -> str:
    """Graphviz source: values, nodes in clusters by kernel, and what edges carry."""
    head = [
        "digraph {",
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=11];',
        '  edge [fontname="Helvetica", fontsize=9, color="#666666"];',
    ]
    return "\n".join([*head, *_dot_graph(description, "", {}), "}"]) + "\n"


def _dot_graph(description: Description, prefix: str, makers: dict[str, str]) -> Iterator[str]:
    """Statements of one graph; `makers` has the identifiers of what makes the values around it."""
    makers = dict(makers)
    edges: list[str] = []

    def link(value: Value, target: str, own: dict[str, str]) -> None:
        source = own.get(value.name, makers.get(value.name))
        if source is not None and not value.constant:
            edges.append(f"  {source} -> {target} [label={_quoted(value.kind)}];")

    named = [("in", value, VALUE_COLOUR) for value in description.inputs]
    named += [("var", value, VARIABLE_COLOUR) for value in description.reads]
    for at, (role, value, colour) in enumerate(named):
        key = makers[value.name] = f"{prefix}{role}{at}"
        yield f"  {key} [label={_quoted(value.name, value.kind)}, shape=ellipse, fillcolor={_quoted(colour)}];"
    for number, unit in enumerate(description.units):
        cluster = len(unit.nodes) > 1
        if cluster:
            yield f"  subgraph {_quoted(f'cluster_{prefix}{number}')} {{"
            yield f'  label={_quoted(f"{unit.number} {unit.label}", _effort(unit))}; color="#5b6270"; fontsize=10;'
        own = {value.name: f"{prefix}n{number}_{at}" for at, node in enumerate(unit.nodes) for value in node.outputs}
        inside: list[tuple[str, str, Description]] = []
        for at, node in enumerate(unit.nodes):
            key = f"{prefix}n{number}_{at}"
            for value in node.inputs:
                link(value, key, own)
            if not node.recomputed:
                makers.update((value.name, key) for value in node.outputs)
            constants = ", ".join(value.name for value in node.inputs if value.constant)
            where = "" if cluster else node.where
            lines = [node.operation, constants, where, _effort(node if cluster else unit)]
            yield f"  {key} [label={_quoted(*filter(None, lines))}, tooltip={_quoted(tooltip(unit, node))}];"
            inside += [(key, role, one) for role, one in node.subgraphs.items()]
        if cluster:
            yield "  }"
        for key, role, one in inside:
            own_prefix = f"{key}_{''.join(c if c.isalnum() else '_' for c in role)}_"
            yield f"  subgraph {_quoted(f'cluster_{own_prefix}')} {{"
            yield f"  label={_quoted(role)}; style=dashed; {own_prefix} [label={_quoted(role)}, shape=plaintext];"
            yield from _dot_graph(one, own_prefix, makers)
            yield "  }"
            edges.append(f"  {key} -> {own_prefix} [style=dashed, arrowhead=none];")
    results = [(f"output {at}", value) for at, value in enumerate(description.outputs)]
    results += [(f"assign {path}", value) for path, value in description.assigned]
    for at, (name, value) in enumerate(results):
        key = f"{prefix}out{at}"
        yield f"  {key} [label={_quoted(name)}, shape=ellipse, fillcolor={_quoted(RESULT_COLOUR)}];"
        link(value, key, {})
    yield from edges


def _effort(what: NodeInfo | UnitInfo) -> str:
    return f"{counted(what.operations)} operations, {sized(what.bytes)}"


def _quoted(*lines: str) -> str:
    r"""A Graphviz string of lines.

    >>> print(_quoted('a "b"', r"c\d"))
    "a \"b\"\nc\\d"
    """
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for line in lines]
    return '"' + "\\n".join(escaped) + '"'
