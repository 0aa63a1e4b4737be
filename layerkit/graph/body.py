"""Bodies: functions traced to graphs of their own, for the operations that run them several times or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from layerkit import tree
from layerkit.graph.graph import Graph
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable


class Body:
    """A traced function whose graph's first inputs are its arguments.

    Args:
        function: takes tensors and gives a structure of tensors; it may use tensors from around it, and read and
            assign Variables.
        arguments: tensors of the shapes and dtypes that it is called with.

    Attributes:
        graph: the recorded graph; `graph.outputs` are the flat results.
        structure: what the function gave.
    """

    def __init__(self, function: Callable, arguments: Sequence[Tensor]) -> None:
        self.graph = Graph()
        placeholders = [self.graph.placeholder(x.shape, x.dtype) for x in arguments]
        with self.graph.recording():
            self.structure = function(*placeholders)
            self.graph.outputs = [as_tensor(x) for x in tree.flatten(self.structure) if x is not None]

    @property
    def assigned(self) -> list[Variable]:
        """The variables that the function assigns."""
        return list(self.graph.assigned())


def enclose(
    bodies: Sequence[Body], carried: Sequence[Variable] = (), results: Sequence[Sequence[Variable]] = ()
) -> list[Tensor]:
    """Make all that bodies take from around them their last inputs, the same ones for each; gives these tensors.

    Args:
        bodies: the bodies.
        carried: variables whose values are the bodies' first inputs. (They are not among the tensors given.)
        results: for each body the variables whose values at its end are its first outputs.
    """
    outer: dict[object, Tensor] = {}
    inner = [_taken(body.graph) for body in bodies]
    known = dict.fromkeys(carried)  # a list's `in` would compare values
    for taken in inner:
        for source in taken:
            if source not in known and source not in outer:
                outer[source] = source if isinstance(source, Tensor) else source.value
    for body, taken, assigned in zip(bodies, inner, results or [()] * len(bodies), strict=True):
        graph = body.graph
        stands_for = {s: taken[s] if s in taken else Tensor(x.shape, x.dtype, name=x.name) for s, x in outer.items()}
        first = {v: taken[v] if v in taken else Tensor(v.shape, v.dtype, name=v.path) for v in carried}
        now = {**stands_for, **first, **graph.state}
        graph.outputs = [now[v] for v in assigned] + graph.outputs
        graph.inputs = [*first.values(), *graph.inputs, *stands_for.values()]
        _substitute(graph, {id(s): x for s, x in stands_for.items() if isinstance(s, Tensor)})
        graph.reads, graph.state = {}, {}
    return list(outer.values())


def _taken(graph: Graph) -> dict[object, Tensor]:
    """What a graph takes from around it (tensors and variables), each with a tensor of its own to stand for it."""
    made = {id(x) for node in graph.nodes for x in node.outputs}
    made.update(id(x) for x in (*graph.inputs, *graph.reads.values()))
    taken: dict[object, Tensor] = dict(graph.reads)
    for x in (*(x for node in graph.nodes for x in node.inputs), *graph.outputs, *graph.state.values()):
        if x.symbolic and id(x) not in made and x not in taken:
            taken[x] = Tensor(x.shape, x.dtype, name=x.name)
    return taken


def _substitute(graph: Graph, stands_for: dict[int, Tensor]) -> None:
    if stands_for:
        for node in graph.nodes:
            node.inputs = tuple(stands_for.get(id(x), x) for x in node.inputs)
        graph.outputs = [stands_for.get(id(x), x) for x in graph.outputs]
