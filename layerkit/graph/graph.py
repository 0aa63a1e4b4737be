"""Graph: the nodes that one trace recorded, with the state that they read and assign."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from layerkit.graph.node import Node
from layerkit.graph.tensor import Tensor

if TYPE_CHECKING:
    from layerkit.graph.variable import Variable

_local = threading.local()


def current_graph() -> Graph | None:
    """The graph that this thread is recording, if any."""
    return getattr(_local, "graph", None)


def current_path() -> str:
    """The path of the layer that this thread is calling, "" outside of layers."""
    return getattr(_local, "path", "")


@contextmanager
def layer_path(path: str) -> Iterator[None]:
    """Nodes recorded inside carry this layer path."""
    before = current_path()
    _local.path = path
    try:
        yield
    finally:
        _local.path = before


class Graph:
    """A recorded computation.

    Attributes:
        inputs: the placeholders, in order.
        nodes: the nodes, in the order they were recorded (which is a topological order).
        reads: Variable -> the tensor of its value before the graph runs.
        state: Variable -> the tensor of its value now, at this point of the trace; what is left at the end is assigned.
        texts: tensor of strings -> an array that it holds, for operations whose output's shape depends on the texts.
    """

    def __init__(self) -> None:
        self.inputs: list[Tensor] = []
        self.nodes: list[Node] = []
        self.reads: dict[Variable, Tensor] = {}
        self.state: dict[Variable, Tensor] = {}
        self.outputs: list[Tensor] = []
        self.texts: dict[Tensor, np.ndarray] = {}

    @contextmanager
    def recording(self) -> Iterator[Graph]:
        """Operations on symbolic tensors inside become nodes of this graph."""
        before = current_graph()
        _local.graph = self
        try:
            yield self
        finally:
            _local.graph = before

    def placeholder(self, shape: Sequence[int | None], dtype: str, name: str | None = None) -> Tensor:
        """A new input."""
        tensor = Tensor(tuple(shape), dtype, name=name)
        self.inputs.append(tensor)
        return tensor

    def read(self, variable: Variable) -> Tensor:
        """The tensor of a variable's value at this point of the trace."""
        tensor = self.state.get(variable)
        if tensor is None:
            tensor = Tensor(variable.shape, variable.dtype, name=variable.path)
            self.reads[variable] = self.state[variable] = tensor
        return tensor

    def assigned(self) -> dict[Variable, Tensor]:
        """The variables whose value the graph changes, with their new values."""
        return {variable: tensor for variable, tensor in self.state.items() if self.reads.get(variable) is not tensor}

    def __str__(self) -> str:
        names: dict[Tensor, str] = {}

        def name(tensor: Tensor) -> str:
            if tensor not in names:
                if not tensor.symbolic:
                    small = tensor.numpy()
                    return str(small.item()) if small.size == 1 else f"constant{tensor.shape}"
                names[tensor] = tensor.name if tensor.node is None and tensor.name else f"%{len(names)}"
            return names[tensor]

        def declared(tensor: Tensor) -> str:
            return f"{name(tensor)}: {tensor.dtype}[{', '.join('?' if n is None else str(n) for n in tensor.shape)}]"

        lines = ["graph(" + ", ".join(declared(tensor) for tensor in self.inputs) + ")"]
        lines += [f"  read {declared(tensor)}" for tensor in self.reads.values()]
        for node in self.nodes:
            given = ", ".join(declared(tensor) for tensor in node.outputs)
            taken = ", ".join(name(tensor) for tensor in node.inputs)
            where = f"   # {node.path}" if node.path else ""
            lines.append(f"  {given} = {node.operation}({taken}){where}")
        lines += [f"  assign {variable.path} = {name(tensor)}" for variable, tensor in self.assigned().items()]
        lines.append("  return " + ", ".join(name(tensor) for tensor in self.outputs))
        return "\n".join(lines)


def trace(
    function: Callable[..., Sequence[Tensor]],
    specs: Sequence[tuple[Sequence[int | None], str]],
    texts: dict[int, np.ndarray] | None = None,
) -> Graph:
    """Call `function` once with placeholders of these (shape, dtype) and record what it does.

    The function gives a flat sequence of tensors. `texts` are arrays of the inputs of strings, by their places.
    """
    graph = Graph()
    placeholders = [graph.placeholder(shape, dtype, name=f"input{i}") for i, (shape, dtype) in enumerate(specs)]
    graph.texts = {placeholders[place]: array for place, array in (texts or {}).items()}
    with graph.recording():
        graph.outputs = list(function(*placeholders))
    graph.texts = {}
    return graph
