"""Control flow: operations that run graphs of their own, several times or one of several.

What their bodies take from around them are inputs of the operation, so a body is a graph that stands by itself. The
compiler makes instructions of the plan of them, so a loop of any length is one native call.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.errors import GraphError
from layerkit.graph.branch_gradient import branch_gradient
from layerkit.graph.graph import Graph
from layerkit.graph.interpreter import Interpreter
from layerkit.graph.loop_gradient import loop_gradient
from layerkit.graph.operation import Operation, Spec
from layerkit.graph.tape import taping
from layerkit.graph.tensor import Tensor


class Control(Operation, abstract=True):
    """An operation with graphs of its own."""

    def subgraphs(self) -> dict[str, Graph]:
        """The graphs that it runs, by what they are for."""
        raise NotImplementedError

    def infer(self, *x: Tensor) -> Spec | list[Spec]:
        """What its graphs give."""
        specs = self.specs(x)
        return specs[0] if self.outputs == 1 else specs

    def _compute(self, tensors: Sequence[Tensor]) -> Tensor | list[Tensor]:
        if not taping():
            return super()._compute(tensors)
        given = self.applied(tensors)  # the tape remembers what the bodies do, each time that one runs
        return given[0] if self.outputs == 1 else given

    def applied(self, x: Sequence[Tensor]) -> list[Tensor]:
        """The outputs for tensors with values, by applying the operations of its graphs one by one."""
        raise NotImplementedError

    def as_list(self, given: object) -> list:
        """Outputs, or gradients of them, as a list where there is only one as well."""
        return [given] if self.outputs == 1 else list(given)


class Loop(Control):
    """A body that runs `turns` times, with values carried from turn to turn, slices read and results stacked.

    Inputs: what is carried, what is scanned [turns, ...], what the body takes from around it.
    Outputs: what was carried at the end, then the stacked results [turns, ...].

    The body's inputs are the carried values, a slice of each scanned input and what it takes; its outputs the new
    carried values and the results of the turn. `reverse` begins at the last slice.
    """

    body: Graph
    carried: int
    scanned: int
    turns: int | None
    reverse: bool = False

    @property
    def outputs(self) -> int:
        """How many outputs there are."""
        return len(self.body.outputs)

    def subgraphs(self) -> dict[str, Graph]:
        return {"body": self.body}

    def __repr__(self) -> str:
        return f"Loop(turns={self.turns}, carried={self.carried}, scanned={self.scanned}, reverse={self.reverse})"

    def specs(self, tensors: Sequence[Tensor]) -> list[Spec]:
        """The carried values' and the results'."""
        given = [(x.shape, x.dtype) for x in self.body.outputs]
        return given[: self.carried] + [((self.turns, *shape), dtype) for shape, dtype in given[self.carried :]]

    def reference(self, *x: np.ndarray) -> object:
        carried, scanned = list(x[: self.carried]), x[self.carried : self.carried + self.scanned]
        taken = x[self.carried + self.scanned :]
        stacks = [np.empty((self.turns, *y.shape), y.dtype) for y in self.body.outputs[self.carried :]]
        body = Interpreter(self.body)
        for turn in reversed(range(self.turns)) if self.reverse else range(self.turns):
            given = body.run([*carried, *(one[turn] for one in scanned), *taken])
            carried = given[: self.carried]
            for stack, result in zip(stacks, given[self.carried :], strict=True):
                stack[turn] = result
        given = [*carried, *stacks]
        return given[0] if self.outputs == 1 else given

    def applied(self, x: Sequence[Tensor]) -> list[Tensor]:
        """The outputs for tensors with values, turn by turn."""
        carried, scanned = list(x[: self.carried]), x[self.carried : self.carried + self.scanned]
        taken = x[self.carried + self.scanned :]
        results: list[list[Tensor]] = []
        for turn in reversed(range(self.turns)) if self.reverse else range(self.turns):
            given = _apply(self.body, [*carried, *(one[turn] for one in scanned), *taken])
            carried = given[: self.carried]
            results.append(given[self.carried :])
        if not results:
            return carried + [Tensor.of(np.empty((0, *y.shape), y.dtype)) for y in self.body.outputs[self.carried :]]
        in_order = reversed(results) if self.reverse else results
        return carried + [Operation.registry["Stack"](0)(*stack) for stack in zip(*in_order, strict=True)]

    def gradient(self, g: object, y: object, *x: Tensor) -> list[Tensor | None]:
        return loop_gradient(self.as_list(g), self.as_list(y), x)


class While(Control):
    """A body that runs as long as a condition holds, at most `limit` times.

    Inputs: what is carried, then what condition and body take from around them. Outputs: what was carried at the end.
    """

    condition: Graph
    body: Graph
    carried: int
    limit: int | None = None

    @property
    def outputs(self) -> int:
        """How many outputs there are."""
        return self.carried

    def subgraphs(self) -> dict[str, Graph]:
        return {"condition": self.condition, "body": self.body}

    def __repr__(self) -> str:
        return f"While(carried={self.carried}, limit={self.limit})"

    def specs(self, tensors: Sequence[Tensor]) -> list[Spec]:
        """The carried values'."""
        return [(x.shape, x.dtype) for x in self.body.outputs]

    def reference(self, *x: np.ndarray) -> object:
        carried, taken = list(x[: self.carried]), x[self.carried :]
        condition, body = Interpreter(self.condition), Interpreter(self.body)
        turn = 0
        while (self.limit is None or turn < self.limit) and bool(condition.run([*carried, *taken])[0]):
            carried = body.run([*carried, *taken])
            turn += 1
        return carried[0] if self.outputs == 1 else carried

    def applied(self, x: Sequence[Tensor]) -> list[Tensor]:
        """The outputs for tensors with values, turn by turn."""
        carried, taken = list(x[: self.carried]), x[self.carried :]
        turn = 0
        while (self.limit is None or turn < self.limit) and bool(_apply(self.condition, [*carried, *taken])[0]):
            carried = _apply(self.body, [*carried, *taken])
            turn += 1
        return carried

    def gradient(self, g: object, y: object, *x: Tensor) -> list[Tensor | None]:
        raise GraphError(
            "ops.while_loop has no gradient: how many turns it takes is not known, so what they need can't be kept. "
            "Use ops.fori_loop with bounds that are Python integers, or ops.scan."
        )


class Branch(Control):
    """One of several bodies, by an index that is cut to the range of what there is.

    Inputs: the index (an integer scalar), then what the bodies take from around them. Outputs: the chosen body's.
    """

    branches: tuple[Graph, ...]

    @property
    def outputs(self) -> int:
        """How many outputs there are."""
        return len(self.branches[0].outputs)

    def subgraphs(self) -> dict[str, Graph]:
        return {f"branch {at}": branch for at, branch in enumerate(self.branches)}

    def __repr__(self) -> str:
        return f"Branch(of {len(self.branches)})"

    def specs(self, tensors: Sequence[Tensor]) -> list[Spec]:
        """The first body's; all have the same."""
        return [(x.shape, x.dtype) for x in self.branches[0].outputs]

    def reference(self, index: np.ndarray, *taken: np.ndarray) -> object:
        chosen = self.branches[int(np.clip(index, 0, len(self.branches) - 1))]
        given = Interpreter(chosen).run(taken)
        return given[0] if self.outputs == 1 else given

    def applied(self, x: Sequence[Tensor]) -> list[Tensor]:
        """The outputs of the chosen body."""
        chosen = int(np.clip(x[0].numpy(), 0, len(self.branches) - 1))
        return _apply(self.branches[chosen], x[1:])

    def gradient(self, g: object, y: object, index: Tensor, *taken: Tensor) -> list[Tensor | None]:
        return [None, *branch_gradient(self.branches, self.as_list(g), index, taken)]


def _apply(graph: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    """A graph's outputs for tensors with values, operation by operation."""
    values: dict[Tensor, Tensor] = dict(zip(graph.inputs, inputs, strict=True))
    for node in graph.nodes:
        given = node.operation(*(values.get(x, x) for x in node.inputs))
        values.update(zip(node.outputs, [given] if node.operation.outputs == 1 else given, strict=True))
    return [values.get(x, x) for x in graph.outputs]
