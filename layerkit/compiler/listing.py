"""Writes a description of a graph as a table of text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerkit.compiler.inspection import Description, NodeInfo, UnitInfo, Value

WIDTH = 100
COUNTS = 11  # the width of a column of numbers
INDENT = 4
WIDEST_DECLARATION = 34
OUTSIDE = "(outside of layers)"
HARD_SPACE = "\x1f"  # where a line does not break


def counted(number: float) -> str:
    """A count for people.

    >>> counted(999), counted(81_920), counted(3_210_000_000)
    ('999', '81.9 k', '3.21 G')
    """
    return _scaled(number, 1000, ("", "k", "M", "G", "T", "P"))


def sized(nbytes: float) -> str:
    """A number of bytes for people.

    >>> sized(512), sized(81_920), sized(3 << 30)
    ('512 B', '80.0 KiB', '3.00 GiB')
    """
    return _scaled(nbytes, 1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB"))


def _scaled(number: float, base: int, units: Sequence[str]) -> str:
    at = 0
    while at < len(units) - 1 and number >= (999.5 if at else base):
        number, at = number / base, at + 1
    digits = 0 if at == 0 or number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:.{digits}f} {units[at]}".strip()


def text(description: Description) -> str:
    """The table: kernels with their nodes below them, operations, bytes, and the totals at the end."""
    return "\n".join([*_lines(description, 0), "", *str(description.cost).splitlines()]) + "\n"


def _lines(description: Description, margin: int) -> Iterator[str]:
    pad = " " * margin
    yield from _declarations(f"{pad}inputs ", description.inputs)
    yield from _declarations(f"{pad}reads  ", [replace(value, name=value.path) for value in description.reads])
    yield _row(f"{pad}{'plan' if description.compiled else 'graph'}", "operations", "bytes")
    kinds = [len(_declared(node.outputs)) for node in description.nodes]
    column = min(max(kinds, default=0), WIDEST_DECLARATION)
    path = ""
    for unit in description.units:
        for node in unit.nodes[:1]:
            if node.path != path:
                path = node.path
                yield f"{pad}# {path or OUTSIDE}"
        if unit.number:
            launches = f" ({unit.launches} launches)" if unit.launches > 1 else ""
            yield from _wrapped(
                f"{pad}{unit.number:>3} ", unit.label + launches, counted(unit.operations), sized(unit.bytes)
            )
        for node in unit.nodes:
            if node.path != path:
                path = node.path
                yield f"{pad}{' ' * INDENT}# {path or OUTSIDE}"
            call = f"{node.operation}({', '.join(value.name for value in node.inputs)})"
            call = f"{_declared(node.outputs):<{column}} = {call}" + ("  (again)" if node.recomputed else "")
            if description.compiled:
                numbers = (
                    (counted(node.operations), "") if len(unit.nodes) > 1 else ("", "" if unit.number else unit.short)
                )
            else:
                numbers = (counted(node.operations), sized(node.bytes))
            yield from _wrapped(pad + " " * INDENT, call, *numbers)
            for role, inside in node.subgraphs.items():
                yield f"{pad}{' ' * 2 * INDENT}{role}:"
                yield from _lines(inside, margin + 2 * INDENT)
    yield from _declarations(f"{pad}returns ", description.outputs)
    for variable, value in description.assigned:
        yield from _declarations(f"{pad}assigns ", (value,), f"{variable} = ")


def _declared(values: Sequence[Value]) -> str:
    return ", ".join(map(str, values))


def _row(left: str, *numbers: str) -> str:
    room = WIDTH - COUNTS * len(numbers)
    return (f"{left:<{room}}" + "".join(f"{number:>{COUNTS}}" for number in numbers)).rstrip()


def _wrapped(head: str, content: str, *numbers: str) -> Iterator[str]:
    """A row whose text goes on below where it is too long; the numbers stand in the first line."""
    room = WIDTH - (COUNTS * len(numbers) + 1 if any(numbers) else 0)
    first, *others = _fold(head, content, " " * (len(head) + 4), room)
    yield _row(first, *numbers)
    yield from others


def _declarations(head: str, values: Sequence[Value], before: str = "") -> Iterator[str]:
    if values:
        yield from _fold(head, before + _declared(values), " " * len(head), WIDTH)


def _fold(head: str, content: str, rest: str, width: int) -> list[str]:
    """Lines of a text, broken at spaces but not within declarations, shapes and tuples."""
    content = content.replace(": ", f":{HARD_SPACE}")
    whole = re.sub(r"\[[^][]*\]|(?<==)\([^=]*\)(?=[,)])", lambda match: match.group().replace(" ", HARD_SPACE), content)
    lines = textwrap.wrap(whole, width, initial_indent=head, subsequent_indent=rest, break_on_hyphens=False)
    return [line.replace(HARD_SPACE, " ") for line in lines]


def tooltip(unit: UnitInfo, node: NodeInfo) -> str:
    """All that is known of a node, in lines."""
    lines = [f"{_declared(node.outputs)} = {node.operation}"]
    lines += [f"reads {value}" for value in node.inputs]
    if node.path:
        lines.append(f"layer {node.path}")
    lines.append(f"{node.where}{' (computed again)' if node.recomputed else ''}")
    lines.append(f"{counted(node.operations)} operations")
    if len(unit.nodes) > 1:
        lines.append(f"{sized(unit.bytes)} moved by the kernel")
    else:
        lines.append(f"{sized(unit.bytes)} moved")
    return "\n".join(lines)
