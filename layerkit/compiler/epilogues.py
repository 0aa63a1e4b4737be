"""Epilogues: a bias and an activation right behind a matrix product or a convolution go into its kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from layerkit.graph.node import Node
from layerkit.graph.operation import Operation
from layerkit.graph.tensor import Tensor

# Which operation takes over: it has the attributes of the first and `activation`, and the bias as its third input.
FUSED = {"MatMul": "DenseProduct", "Conv": "ConvBiasActivation"}


def fuse_epilogues(nodes: Sequence[Node], results: Sequence[Tensor]) -> list[Node]:
    """The nodes with products, bias additions and relus put together where nothing else needs what lies between."""
    uses = Counter(id(x) for node in nodes for x in node.inputs)
    uses.update(id(x) for x in results)
    followers: dict[int, Node] = {}
    for node in nodes:
        for x in node.inputs:
            followers[id(x)] = node
    taken: set[int] = set()
    replaced: dict[int, Node] = {}
    for node in nodes:
        name = FUSED.get(type(node.operation).__name__)
        product = node.outputs[0]
        if name not in Operation.registry or not node.operation.supports(*node.inputs) or uses[id(product)] != 1:
            continue
        addition = followers.get(id(product))
        bias = _bias_of(addition, product)
        if bias is None:
            continue
        last, activation = addition, None
        y = addition.outputs[0]
        follower = followers.get(id(y)) if uses[id(y)] == 1 else None
        if _is(follower, "Relu"):
            last, activation = follower, "relu"
            taken.add(id(addition))
        elif _is(follower, "MaxPool") and uses[id(follower.outputs[0])] == 1:
            # The two commute; where no gradient needs what lies between, the relu is free before the pooling.
            relu = followers.get(id(follower.outputs[0]))
            if _is(relu, "Relu"):
                activation = "relu"
                taken.add(id(follower))
                replaced[id(relu)] = Node(follower.operation, [y], relu.outputs, follower.path)
        taken.add(id(node))
        operation = Operation.registry[name](**node.operation.attributes(), activation=activation)
        replaced[id(last)] = Node(operation, [*node.inputs, bias], last.outputs, node.path)
    return [replaced.get(id(node), node) for node in nodes if id(node) not in taken]


def _is(node: Node | None, name: str) -> bool:
    return node is not None and type(node.operation).__name__ == name


def _bias_of(addition: Node | None, product: Tensor) -> Tensor | None:
    """The vector that a node adds to each row of a product."""
    if addition is None or type(addition.operation).__name__ != "Add" or addition.outputs[0].shape != product.shape:
        return None
    a, b = addition.inputs
    bias = b if a is product else a
    while bias.node is not None and type(bias.node.operation).__name__ == "Reshape" and bias.size == bias.shape[-1]:
        bias = bias.node.inputs[0]
    return bias if bias.shape == product.shape[-1:] and bias is not product else None
