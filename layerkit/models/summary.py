"""The table that `Model.summary` prints."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from layerkit import tree
from layerkit.layers.layer import Layer
from layerkit.layers.operation import ComposedOperation
from layerkit.models.network import kind_of

COLUMNS = [("Layer (type)", "<"), ("Output Shape", "<"), ("Param #", ">")]
CONNECTIONS = ("Connected to", "<")
TRAINABLE = ("Trainable", "^")


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print a table of a model's layers; see `Model.summary`. Raises ValueError for a width that is too small."""
    text = summary_text(model, line_length, positions, expand_nested, show_trainable, layer_range)
    if print_fn is None:
        print(text)
    else:
        print_fn(text + "\n")


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> str:
    """The table and the totals as text."""
    network = _branching_network(model)
    columns = [*COLUMNS] if network is None else [*COLUMNS, CONNECTIONS]
    positions = positions or ([0.45, 0.80, 1.0] if network is None else [0.3, 0.56, 0.74, 1.0])
    default_length = 88 if network is None else 108
    if show_trainable:
        default_length += 12
        positions = [position * 0.9 for position in positions] + [1.0]
        columns.append(TRAINABLE)
    length = line_length or min(default_length, shutil.get_terminal_size().columns - 4)
    layers = getattr(model, "operations", None) or model.layers
    rows: list[list[str]] = []
    for layer in layers[slice(*_bounds(layers, layer_range))]:
        rows += _rows(layer, network, expand_nested, show_trainable, 0)
    lines = [f'Model: "{model.name}"', *_table(columns, rows, _widths(positions, length)), *_totals(model)]
    return "\n".join(lines)


def _branching_network(model: Any) -> Any | None:
    """The graph of a functional model whose calls are no plain sequence."""
    network = getattr(model, "network", None) if hasattr(model, "operations") else None
    if network is None:
        return None
    depths = [step.depth for step in network.steps]
    called = [id(step.called) for step in network.steps]
    plain = (
        len(network.inputs) == 1
        and len(set(depths)) == len(depths)
        and len(set(called)) == len(called)
        and all(len(step.inputs) == 1 for step in network.steps)
    )
    return None if plain else network


def _widths(positions: Sequence[float], length: int) -> list[int]:
    """The width of each column's text; a border and a space stand on either side of it."""
    ends = [int(position * length) for position in positions]
    widths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if min(widths) < 4:
        raise ValueError("Insufficient console width to print summary.")
    return _narrowed(widths, length)


def _narrowed(widths: list[int], length: int) -> list[int]:
    """Texts narrower by the spaces and borders around them, each column giving up its share of what is left to save."""
    excess = sum(widths) + 3 * len(widths) + 1 - length
    narrowed = []
    for at, width in enumerate(widths):
        share = round(excess / (len(widths) - at))
        narrowed.append(width - share)
        excess -= share
    return narrowed


def _rows(layer: Any, network: Any, expand_nested: bool, show_trainable: bool, level: int) -> list[list[str]]:
    prefix = "   " * level + "└ " if level else ""
    fields = [f"{prefix}{layer.name} ({kind_of(layer)})", _shape_text(layer, network), _parameters_text(layer)]
    if network is not None:
        fields.append(_connections_text(layer, network))
    if show_trainable:
        fields.append("-" if not isinstance(layer, Layer) or not layer.weights else "Y" if layer.trainable else "N")
    rows = [fields]
    if expand_nested and getattr(layer, "layers", None):
        for inner in layer.layers:
            rows += _rows(inner, network, expand_nested, show_trainable, level + 1)
    return rows


def _parameters_text(layer: Any) -> str:
    if not isinstance(layer, Layer):
        return "0"
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _shape_text(layer: Any, network: Any) -> str:
    if isinstance(layer, ComposedOperation):
        if layer._inbound_nodes:
            shapes = [tensor.shape for tensor in layer._inbound_nodes[-1].outputs]
        elif layer._build_shapes:
            shapes = _flat_shapes(layer.compute_output_shape(*layer._build_shapes.values()))
        else:
            return "?"
    else:
        shapes = [tensor.shape for tensor in network.calls_of(layer)[0].node.outputs] if network else ["?"]
    texts = ["(" + ", ".join(map(str, shape)) + ")" for shape in shapes]
    return texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"


def _flat_shapes(shapes: Any) -> list[tuple]:
    found: list[tuple] = []
    tree.map_shape_structure(lambda shape: found.append(tuple(shape)), shapes)
    return found


def _connections_text(layer: Any, network: Any) -> str:
    """What a layer is called on, as `name[call][output]`."""
    places = [
        network.places[id(tensor)]
        for step in network.calls_of(layer)
        for tensor in step.inputs
        if id(tensor) in network.places
    ]
    return ", ".join(f"{name}[{call}][{output}]" for name, call, output in places) or "-"


def _table(columns: list[tuple[str, str]], rows: list[list[str]], widths: list[int]) -> list[str]:
    """The rows in boxes, each text wrapped to its column."""
    bars = ["━" * (width + 2) for width in widths]
    thin = ["─" * (width + 2) for width in widths]
    aligned = [side for _, side in columns]
    lines = ["┏" + "┳".join(bars) + "┓"]
    lines += _cells([title for title, _ in columns], aligned, widths, "┃")
    lines.append("┡" + "╇".join(bars) + "┩")
    for at, row in enumerate(rows):
        if at:
            lines.append("├" + "┼".join(thin) + "┤")
        lines += _cells(row, aligned, widths, "│")
    lines.append("└" + "┴".join(thin) + "┘")
    return lines


def _cells(texts: list[str], aligned: list[str], widths: list[int], border: str) -> list[str]:
    wrapped = [_wrapped(text, width) for text, width in zip(texts, widths, strict=True)]
    height = max(map(len, wrapped))
    lines = []
    for at in range(height):
        parts = [lines_[at] if at < len(lines_) else "" for lines_ in wrapped]
        inside = [f" {part:{side}{width}} " for part, side, width in zip(parts, aligned, widths, strict=True)]
        lines.append(border + border.join(inside) + border)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Text broken at spaces; a word that is too long is cut, with an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in re.findall(r"\s*\S+", text):
        if line and len(line + word.rstrip()) > width:
            lines.append(line)
            line = word.lstrip()
        else:
            line += word
    lines.append(line)
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines]


def _totals(model: Any) -> list[str]:
    trained, fixed = _size(model.trainable_weights), _size(model.non_trainable_weights)
    optimizer = getattr(model, "optimizer", None)
    own = _size(optimizer.variables) if optimizer is not None and getattr(optimizer, "built", False) else None
    total = [a + b + (own[at] if own else 0) for at, (a, b) in enumerate(zip(trained, fixed, strict=True))]
    named = [("Total", total), ("Trainable", trained), ("Non-trainable", fixed)] + ([("Optimizer", own)] if own else [])
    return [f" {name} params: {count:,} ({readable_size(size)})" for name, (count, size) in named]


def _size(variables: Sequence[Any]) -> tuple[int, int]:
    """Elements and bytes."""
    return sum(v.size for v in variables), sum(v.array.nbytes for v in variables)


def readable_size(size: float) -> str:
    """Bytes in the largest unit that gives at least one.

    >>> readable_size(2048)
    '2.00 KB'
    """
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024 or unit == "TB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return ""


def _bounds(layers: Sequence[Any], layer_range: Sequence[str] | None) -> tuple[int, int]:
    """From where to where to list. Raises ValueError for names that match no layer."""
    if layer_range is None:
        return 0, len(layers)
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"layer_range must be a list or tuple of two names. Received: {layer_range}")
    found = [[at for at, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range]
    if not all(found):
        raise ValueError(f"Passed layer_names do not match the layer names in the model. Received: {layer_range}")
    first, last = found
    return (min(last), max(first) + 1) if min(first) > max(last) else (min(first), max(last) + 1)
