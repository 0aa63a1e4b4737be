"""Floor 1: tensors, variables, operations, tracing and differentiation."""

from layerkit.graph.gradients import gradients
from layerkit.graph.graph import Graph, current_graph, layer_path, trace
from layerkit.graph.node import Node
from layerkit.graph.operation import Composite, Elementwise, Kernelled, Operation, Reduction, View, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable

__all__ = [
    "Composite", "Elementwise", "Graph", "Kernelled", "Node", "Operation", "Reduction", "Tensor", "Variable", "View",
    "as_tensor", "current_graph", "gradients", "layer_path", "trace",
]  # fmt: skip
