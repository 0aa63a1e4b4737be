"""Node: one application of an operation (or, in a functional model, of a layer) to tensors."""

from __future__ import annotations

from collections.abc import Sequence

from layerkit.graph.tensor import Tensor


class Node:
    """Records what was called with what and what it gives.

    Attributes:
        operation: the Operation, or the Layer in a functional model's graph.
        inputs: the tensors it reads, in order.
        outputs: the tensors it gives.
        arguments: for a layer, the call's (args, kwargs) with the tensors in their places.
        path: the path of the layer that was being called, for messages.

    The outputs know their node, unless it is not to be `linked` (a tape knows it then), or an input keeps no history.
    """

    __slots__ = ("arguments", "inputs", "operation", "outputs", "path")

    def __init__(
        self,
        operation: object,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        path: str = "",
        arguments: tuple | None = None,
        linked: bool = True,
    ) -> None:
        self.operation = operation
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.path = path
        self.arguments = arguments
        if linked and all(x.record_history for x in self.inputs):
            for index, output in enumerate(self.outputs):
                output.node, output.index = self, index

    def __repr__(self) -> str:
        return f"<Node {self.operation!r} {[t.shape for t in self.inputs]} -> {[t.shape for t in self.outputs]}>"
