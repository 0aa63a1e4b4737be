"""Pictures of models: SVG by itself, Graphviz source, and PNG with CairoSVG (the extra `plots`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerkit.compiler.drawing import draw
from layerkit.compiler.layered_layout import Box, Diagram, Edge
from layerkit.errors import NotBuiltError
from layerkit.layers import InputLayer
from layerkit.models import Functional, Sequential
from layerkit.models.network import kind_of
from layerkit.utils.extras import optional_module

__all__ = ["model_to_dot", "plot_model"]

SVG_DPI = 96
DIRECTIONS = ("TB", "BT", "LR", "RL")


@dataclass(frozen=True)
class _Labels:
    """What a box says."""

    show_shapes: bool
    show_dtype: bool
    show_layer_names: bool
    show_layer_activations: bool
    show_trainable: bool
    expand_nested: bool

    def lines(self, called: Any, inputs: tuple, outputs: tuple) -> tuple[str, ...]:
        """The lines of a call's box, with the tensors that it reads and gives."""
        kind = kind_of(called)
        found = [f"{called.name} ({kind})" if self.show_layer_names else kind]
        activation = getattr(called, "activation", None)
        if self.show_layer_activations and activation is not None:
            found.append(f"Activation: {getattr(activation, '__name__', None) or type(activation).__name__}")
        if self.show_shapes:
            if inputs:
                found.append(f"Input shape: {_shapes(inputs)}")
            found.append(f"Output shape: {_shapes(outputs)}")
        if self.show_dtype and outputs:
            found.append("Output dtype: " + ", ".join(dict.fromkeys(x.dtype for x in outputs)))
        if self.show_trainable and getattr(called, "weights", ()):
            found.append(f"Trainable: {called.trainable}")
        return tuple(found)


def _shapes(tensors: tuple) -> str:
    return ", ".join(f"({', '.join(map(str, x.shape))})" for x in tensors) or "?"


@dataclass
class _Picture:
    """Boxes and arrows, and the nested models that boxes belong to."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=dict)
    """The path of each nested model -> the keys of the boxes in it."""

    def add(self, lines: tuple[str, ...], kind: str, model: str) -> str:
        key = f"n{len(self.boxes)}"
        self.boxes.append(Box(key, lines, group=kind, tooltip=model))
        self.members.setdefault(model, []).append(key)
        return key


def _network(model: Any) -> Any:
    """The calls of a functional or sequential model; None for one that a class computes.

    Raises NotBuiltError for a sequential model without shapes, and for a model that has not been built.
    """
    if not getattr(model, "built", False):
        raise NotBuiltError(
            f"Model '{model.name}' has not yet been built. Build it first by calling `build()` or by calling it on a "
            "batch of data."
        )
    return model.network if _is_graph(model) else None


def _is_graph(called: Any) -> bool:
    return isinstance(called, Functional | Sequential)


def _picture(model: Any, labels: _Labels) -> _Picture:
    picture = _Picture()
    network = _network(model)
    if network is None:
        _add_layer(picture, model, labels)
    else:
        makers = {id(x): _input(picture, network.input_layer(x), labels, "") for x in network.inputs}
        _add_calls(picture, network, makers, labels, "")
    return picture


def _add_layer(picture: _Picture, layer: Any, labels: _Labels) -> None:
    """The box of a model whose class computes it, with what it was last called on."""
    node = layer._inbound_nodes[-1] if layer._inbound_nodes else None
    inputs, outputs = (node.inputs, node.outputs) if node else ((), ())
    picture.add(labels.lines(layer, inputs, outputs), type(layer).__name__, "")


def _input(picture: _Picture, layer: InputLayer, labels: _Labels, path: str) -> str:
    return picture.add(labels.lines(layer, (), tuple(layer._inbound_nodes[0].outputs)), "InputLayer", path)


def _add_calls(picture: _Picture, network: Any, makers: dict[int, str], labels: _Labels, path: str) -> None:
    """A box for each call, or those of a nested model; `makers` has the box of each tensor."""
    for step in network.steps:
        inner = step.called if labels.expand_nested and _is_graph(step.called) else None
        if inner is not None:
            _add_nested(picture, inner, step, makers, labels, f"{path}/{inner.name}".lstrip("/"))
            continue
        inputs, outputs = tuple(step.inputs), tuple(step.node.outputs)
        kind = kind_of(step.called)
        key = picture.add(labels.lines(step.called, inputs, outputs), kind, path)
        for source in dict.fromkeys(makers[id(x)] for x in inputs):
            picture.edges.append(Edge(source, key))
        makers.update((id(x), key) for x in outputs)


def _add_nested(picture: _Picture, inner: Any, step: Any, makers: dict[int, str], labels: _Labels, path: str) -> None:
    network = inner.network
    own = {}
    for given, x in zip(step.inputs, network.inputs, strict=True):
        own[id(x)] = _input(picture, network.input_layer(x), labels, path)
        picture.edges.append(Edge(makers[id(given)], own[id(x)]))
    _add_calls(picture, network, own, labels, path)
    makers.update((id(y), own[id(x)]) for x, y in zip(network.outputs, step.node.outputs, strict=True))


def _dot(picture: _Picture, rankdir: str, dpi: int, splines: str, subgraph: bool, name: str) -> Iterator[str]:
    head = f"subgraph {_quoted(f'cluster_{name}')}" if subgraph else "digraph"
    yield f"{head} {{"
    if subgraph:
        yield f'  label={_quoted(name)}; style="dashed";'
    yield f"  rankdir={rankdir}; dpi={dpi}; splines={_quoted(splines)}; concentrate=true;"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica"];'
    for path, keys in picture.members.items():
        if path:
            inside = f"label={_quoted(path)}; style=dashed; {'; '.join(keys)};"
            yield f"  subgraph {_quoted(f'cluster_{path}')} {{ {inside} }}"
    for box in picture.boxes:
        yield f"  {box.key} [label={_quoted(*box.lines)}];"
    for edge in picture.edges:
        yield f"  {edge.source} -> {edge.target};"
    yield "}"


def _quoted(*lines: str) -> str:
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'


class Dot:
    """Graphviz source of a model, as `pydot.Dot` has it where it matters: `to_string` and `write`."""

    def __init__(self, source: str) -> None:
        self._source = source

    def to_string(self) -> str:
        """The source."""
        return self._source

    __str__ = to_string

    def write(self, path: Any) -> None:
        """Write the source to a file."""
        Path(path).write_text(self._source, encoding="utf-8")


def _check(rankdir: str, removed: dict[str, Any]) -> None:
    if removed.pop("layer_range", None) is not None:
        raise ValueError("Argument `layer_range` is no longer supported.")
    if removed:
        raise ValueError(f"Unrecognized keyword arguments: {removed}")
    if rankdir not in DIRECTIONS:
        raise ValueError(f"`rankdir` is one of {', '.join(map(repr, DIRECTIONS))}. Received: rankdir={rankdir!r}")


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Dot:
    """A model as Graphviz source; Graphviz is not needed for that.

    Args:
        model: built. One that a class computes is one box.
        show_shapes: of what each layer reads and gives.
        show_dtype: of what each layer gives.
        show_layer_names: or only what kind they are.
        rankdir: "TB" for from above to below, "BT", "LR" or "RL".
        expand_nested: whether models in the model are drawn with their layers, in a cluster.
        dpi: of what Graphviz makes of it.
        subgraph: whether it is to stand in another graph, as a cluster.
        show_layer_activations: whether to tell the activation of layers that have one.
        show_trainable: whether to tell it of layers with weights.
        splines: how Graphviz leads edges.
        kwargs: none; `layer_range` of Keras 2 is refused, as in Keras 3.

    Raises NotBuiltError for a model that is not built, ValueError for other arguments.
    """
    _check(rankdir, kwargs)
    labels = _Labels(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    return Dot("\n".join(_dot(_picture(model, labels), rankdir, dpi, splines, subgraph, model.name)) + "\n")


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draw a model into a file, by its ending: .svg, .dot (Graphviz source), or .png and .pdf (the extra `plots`).

    Graphviz is not needed. In a notebook the picture shows as the call's value.

    Args:
        model: built. One that a class computes is one box. A layer called twice is two boxes.
        to_file: path.
        show_shapes: of what each layer reads and gives.
        show_dtype: of what each layer gives.
        show_layer_names: or only what kind they are.
        rankdir: "TB" for from above to below; "BT", "LR" from left to right, or "RL".
        expand_nested: whether models in the model are drawn with their layers.
        dpi: of a .png.
        show_layer_activations: whether to tell the activation of layers that have one.
        show_trainable: whether to tell it of layers with weights.
        splines: how Graphviz leads edges.
        kwargs: none; `layer_range` of Keras 2 is refused, as in Keras 3.

    Returns what a notebook shows, with the SVG in `data`; for .dot the source (see `model_to_dot`).

    Raises:
        NotBuiltError: the model is not built.
        ValueError: other arguments.
        ImportError: .png and .pdf without CairoSVG.
    """
    _check(rankdir, kwargs)
    ending = os.path.splitext(os.fspath(to_file))[1].lower()
    labels = _Labels(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    if ending == ".dot":
        source = Dot("\n".join(_dot(_picture(model, labels), rankdir, dpi, splines, False, model.name)) + "\n")
        source.write(to_file)
        return source
    if ending not in (".svg", ".png", ".pdf"):
        raise ValueError(f"plot_model writes .svg, .png, .pdf and .dot files. Received: to_file={to_file!r}")
    picture = _picture(model, labels)
    svg = draw([Diagram(_with_paths(picture), picture.edges, direction=rankdir)])
    if ending == ".svg":
        Path(to_file).write_text(svg, encoding="utf-8")
    else:
        purpose = f"plot_model to a {ending} file (.svg files need nothing)"
        cairo = optional_module("cairosvg", "cairosvg", "plots", purpose)
        convert = cairo.svg2png if ending == ".png" else cairo.svg2pdf
        convert(bytestring=svg.encode(), write_to=os.fspath(to_file), scale=dpi / SVG_DPI)
    return Svg(svg)


def _with_paths(picture: _Picture) -> list[Box]:
    """The boxes; those of nested models say in which they are."""
    return [
        Box(box.key, (*box.lines, f"in {box.tooltip}") if box.tooltip else box.lines, group=box.group)
        for box in picture.boxes
    ]


class Svg:
    """A picture, as notebooks show it."""

    def __init__(self, data: str) -> None:
        self.data = data

    def _repr_svg_(self) -> str:
        return self.data
