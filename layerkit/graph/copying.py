"""Copies of recorded nodes in the graph being recorded."""

from __future__ import annotations

from collections.abc import Iterable

from layerkit.graph.graph import current_graph
from layerkit.graph.node import Node
from layerkit.graph.tensor import Tensor


def copy_nodes(nodes: Iterable[Node], stands_for: dict[int, Tensor]) -> None:
    """Record nodes again on other tensors.

    Args:
        nodes: in topological order.
        stands_for: for the id of a tensor what stands in its place; the nodes' outputs are added.
    """
    graph = current_graph()
    for node in nodes:
        outputs = [Tensor(y.shape, y.dtype, name=y.name) for y in node.outputs]
        inputs = [stands_for.get(id(x), x) for x in node.inputs]
        graph.nodes.append(Node(node.operation, inputs, outputs, node.path))
        stands_for.update((id(old), new) for old, new in zip(node.outputs, outputs, strict=True))
