"""Graphs with strings in three stages: what is made of strings, the numbers' graph, the strings that are made of it.

Strings never reach a plan. What their numbers depend on runs on the host before it, by the references; what gives
strings, as a StringLookup with `invert`, runs after it. So the compiler knows numbers only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from layerkit.dtypes import STRING
from layerkit.errors import GraphError
from layerkit.graph.copying import copy_nodes
from layerkit.graph.graph import Graph
from layerkit.graph.interpreter import Interpreter
from layerkit.graph.node import Node
from layerkit.graph.tensor import Tensor


def holds_strings(graph: Graph) -> bool:
    """Whether strings go in, or are made inside."""
    made = (y for node in graph.nodes for y in node.outputs)
    return any(x.dtype == STRING for x in graph.inputs) or any(y.dtype == STRING for y in made)


class Stages:
    """A graph with strings, cut in three.

    Attributes:
        numeric: the graph between the host's stages, which an Executable or an Interpreter runs.
        runs_numbers: whether there is anything in it.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        first = _nodes_before(graph)
        last = {node for node in graph.nodes if node not in first and _gives_strings(node)}
        before, after = ([node for node in graph.nodes if node in stage] for stage in (first, last))
        between = [node for node in graph.nodes if node not in first and node not in last]
        assigned = graph.assigned().values()
        for_numbers = _symbolic(_inputs_of(between), assigned)
        for_last = _symbolic(_inputs_of(after))
        results = _symbolic(graph.outputs)

        early = [y for y in _outputs_of(before) if y in for_numbers or y in for_last or y in results]
        _check_sizes(early)
        self._before = Interpreter(_stage(graph, graph.inputs, before, early))
        self._taken = [x for x in (*graph.inputs, *early) if x in for_numbers]
        self._given = [y for y in _outputs_of(between) if y in for_last or y in results]
        self.numeric = _numeric(graph, self._taken, between, self._given)
        self.runs_numbers = bool(between or assigned)
        made_last = _outputs_of(after)
        self._after = Interpreter(
            _stage(graph, [x for x in for_last if x not in made_last], after, [y for y in made_last if y in results])
        )
        # The plan may assign the variables that the last stage and the outputs read: they are taken before it runs.
        self._late_reads = {v: x for v, x in graph.reads.items() if x in for_last or x in results}
        self._after.graph.reads.clear()
        self._after.graph.state.clear()

    def before(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What the host makes of the graph's inputs before the plan runs."""
        return self._before.run(arrays)

    def like(self, other: Stages) -> bool:
        """Whether `before` computes the same."""
        mine, theirs = self._before.graph, other._before.graph
        return [node.operation for node in mine.nodes] == [node.operation for node in theirs.nodes] and len(
            mine.outputs
        ) == len(theirs.outputs)

    def fits(self, early: Sequence[np.ndarray]) -> bool:
        """Whether what `before` gave has the shapes that the graph was traced for."""
        return [array.shape for array in early] == [y.shape for y in self._before.graph.outputs]

    def run(self, arrays: Sequence[np.ndarray], early: Sequence[np.ndarray], numbers: object) -> list[np.ndarray]:
        """The graph's outputs.

        Args:
            arrays: the inputs.
            early: what `before` gave for them.
            numbers: runs `numeric`.
        """
        values = dict(zip(self._graph.inputs, arrays, strict=True))
        values.update(zip(self._before.graph.outputs, early, strict=True))
        values.update((tensor, variable.array.copy()) for variable, tensor in self._late_reads.items())
        if self.runs_numbers:
            given = numbers.run([values[x] for x in self._taken])
            values.update(zip(self._given, given, strict=True))
        if self._after.graph.nodes:
            given = self._after.run([values[x] for x in self._after.graph.inputs])
            values.update(zip(self._after.graph.outputs, given, strict=True))
        return [self._value(y, values) for y in self._graph.outputs]

    def _value(self, y: Tensor, values: dict[Tensor, np.ndarray]) -> np.ndarray:
        return values[y] if y.symbolic else y.numpy()


def _gives_strings(node: Node) -> bool:
    return any(y.dtype == STRING for y in node.outputs)


def _nodes_before(graph: Graph) -> set[Node]:
    """The nodes that make numbers of strings, with all that these depend on."""
    wanted: set[Tensor] = set()
    found: set[Node] = set()
    for node in reversed(graph.nodes):
        of_strings = any(x.dtype == STRING for x in node.inputs) and not _gives_strings(node)
        if of_strings or any(y in wanted for y in node.outputs):
            found.add(node)
            wanted.update(x for x in node.inputs if x.symbolic)
    return found


def _inputs_of(nodes: Iterable[Node]) -> Iterable[Tensor]:
    return (x for node in nodes for x in node.inputs)


def _outputs_of(nodes: Iterable[Node]) -> dict[Tensor, None]:
    return {y: None for node in nodes for y in node.outputs}


def _check_sizes(tensors: Iterable[Tensor]) -> None:
    for y in tensors:
        if None in y.shape:
            raise GraphError(
                f"{y.node.operation!r} gives shape {y.shape}: a size depends on strings that the same step makes of "
                "numbers. Fix it (as `output_sequence_length` of TextVectorization does)."
            )


def _symbolic(*groups: Iterable[Tensor]) -> dict[Tensor, None]:
    """The symbolic ones, each once, in order."""
    return {x: None for group in groups for x in group if x.symbolic}


def _numeric(graph: Graph, inputs: Sequence[Tensor], nodes: Sequence[Node], outputs: Sequence[Tensor]) -> Graph:
    """The part of a graph between the host's stages: a copy, whose inputs come from no node, as a compiler has it."""
    numeric = Graph()
    now = {id(x): numeric.placeholder(x.shape, x.dtype, name=x.name) for x in inputs}
    with numeric.recording():
        copy_nodes(nodes, now)
    numeric.reads = graph.reads
    numeric.state = {variable: now.get(id(x), x) for variable, x in graph.state.items()}
    numeric.outputs = [now[id(y)] for y in outputs]
    return numeric


def _stage(graph: Graph, inputs: Sequence[Tensor], nodes: list[Node], outputs: list[Tensor]) -> Graph:
    """A part of a graph. It reads the variables that it uses, and assigns none."""
    stage = Graph()
    stage.inputs, stage.nodes, stage.outputs = list(inputs), nodes, outputs
    used = _symbolic(_inputs_of(nodes))
    stage.reads = {variable: tensor for variable, tensor in graph.reads.items() if tensor in used}
    stage.state = dict(stage.reads)
    return stage
