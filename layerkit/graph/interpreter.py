"""Runs a graph node by node on the NumPy references: nothing is compiled.

It is the oracle of compiled plans, and what a process uses that computes too little for compiling to pay.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import array_dtype
from layerkit.graph.graph import Graph
from layerkit.graph.tensor import Tensor


class Interpreter:
    """Executes a graph with its references.

    Args:
        graph: the graph; its inputs, outputs and variables are read from it.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Compute the outputs from the inputs' arrays and assign the variables."""
        values: dict[Tensor, np.ndarray] = dict(zip(self.graph.inputs, inputs, strict=True))
        for variable, tensor in self.graph.reads.items():
            values[tensor] = variable.array

        def value(tensor: Tensor) -> np.ndarray:
            return values[tensor] if tensor.symbolic else tensor.numpy()

        for node in self.graph.nodes:
            given = node.operation.reference(*(value(tensor) for tensor in node.inputs))
            given = [given] if node.operation.outputs == 1 else given
            for tensor, array in zip(node.outputs, given, strict=True):
                values[tensor] = np.asarray(array, array_dtype(tensor.dtype))
        # Copies first: an output or another variable's new value may be a view of memory that is assigned below.
        outputs = [np.array(value(tensor)) for tensor in self.graph.outputs]
        new = {variable: np.array(value(tensor)) for variable, tensor in self.graph.assigned().items()}
        for variable, array in new.items():
            variable.array[...] = array
        return outputs
