"""The graph of a functional model: which calls lead from its inputs to its outputs, and in which order they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from layerkit import tree
from layerkit.errors import GraphError
from layerkit.graph.node import Node
from layerkit.graph.operation import Operation
from layerkit.graph.tensor import Tensor
from layerkit.layers.core import InputLayer
from layerkit.layers.operation import ComposedOperation
from layerkit.ops.deferred import FunctionCall
from layerkit.registry import snake_case


class AppliedOperation:
    """An operation (or a function of `layerkit.ops`) straight on symbolic tensors, with a name in its model.

    It stands among the layers, but is none.
    """

    def __init__(self, operation: Operation | FunctionCall, name: str) -> None:
        self.operation = operation
        self.name = name

    @property
    def kind(self) -> str:
        """The operation's class, or the function's name."""
        return self.operation.name if isinstance(self.operation, FunctionCall) else type(self.operation).__name__

    @property
    def label(self) -> str:
        """How a summary names its kind: as a class."""
        return "".join(part[:1].upper() + part[1:] for part in self.kind.split("_"))

    def __repr__(self) -> str:
        return f"<{self.label} name={self.name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the operation."""
        return self.operation(*args, **kwargs)


def kind_of(called: ComposedOperation | AppliedOperation) -> str:
    """How a summary names what is called: by its class."""
    return called.label if isinstance(called, AppliedOperation) else type(called).__name__


class Step:
    """One call of a layer or an operation: what is called, with which tensors in its arguments, and what it gives."""

    def __init__(self, node: Node, called: ComposedOperation | AppliedOperation, depth: int) -> None:
        self.node, self.called, self.depth = node, called, depth
        args, kwargs = node.arguments if node.arguments is not None else (node.inputs, {})
        self.args, self.kwargs = args, kwargs
        self.plain = not kwargs and all(isinstance(arg, Tensor) for arg in args)

    def run(self, values: dict[int, Any]) -> None:
        """Call with the values of the inputs, by the tensors' identities, and put in those of the outputs."""
        if self.plain:
            outputs = self.called(*[values.get(id(arg), arg) for arg in self.args])
        else:
            args, kwargs = tree.map_structure(
                lambda x: values.get(id(x), x) if isinstance(x, Tensor) else x, (self.args, self.kwargs)
            )
            outputs = self.called(*args, **kwargs)
        if isinstance(outputs, Tensor):
            values[id(self.node.outputs[0])] = outputs
            return
        flat = [leaf for leaf in tree.flatten(outputs) if isinstance(leaf, Tensor)]
        for tensor, value in zip(self.node.outputs, flat, strict=True):
            values[id(tensor)] = value

    @property
    def inputs(self) -> list[Tensor]:
        """The symbolic tensors among its arguments, in order."""
        return [leaf for leaf in tree.flatten((self.args, self.kwargs)) if isinstance(leaf, Tensor) and leaf.symbolic]


class Network:
    """The calls between inputs and outputs.

    Args:
        inputs: symbolic tensors; the graph is cut there.
        outputs: symbolic tensors.

    Attributes:
        steps: the calls in the order in which they run, without the input layers.
        operations: layers and operations, the inputs first: by falling depth, and within a depth as met from the
            outputs, as Keras orders them.
        places: a tensor's identity -> (name of what gives it, number of the call, number of the output).

    Raises GraphError where an output needs an input that is not given, and ValueError where two layers have one name.
    """

    def __init__(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        self.inputs, self.outputs = list(inputs), list(outputs)
        self._input_layers = {id(tensor): _input_layer(tensor) for tensor in self.inputs}
        self._met: dict[int, int] = {}  # what is called -> when it was first met
        nodes = self._sorted_nodes()
        depths, called_depths = self._depths(nodes)
        self._check_connected(nodes)
        called = self._called_by_node(nodes)
        ordered = sorted(nodes, key=lambda node: -depths[id(node)])
        self.steps = [Step(node, called[id(node)], depths[id(node)]) for node in ordered]
        found: dict[int, tuple[int, int, Any]] = {}
        for step in self.steps:
            key = _identity(step.node)
            found[id(step.called)] = (-called_depths[key], self._met[key], step.called)
        for tensor in self.inputs:
            layer = self._input_layers[id(tensor)]
            depth = called_depths.get(id(tensor), 0)
            found[id(layer)] = (-depth, self._met.get(id(tensor), -1), layer)
        self.operations = [entry[2] for entry in sorted(found.values(), key=lambda entry: entry[:2])]
        self._check_names()
        self.places = self._find_places()

    def _sorted_nodes(self) -> list[Node]:
        """The nodes above the outputs, each after those that it needs."""
        given = {id(tensor) for tensor in self.inputs}
        order: list[Node] = []
        begun: set[int] = set()
        waiting: list[tuple[Tensor | Node, bool]] = [(tensor, False) for tensor in reversed(self.outputs)]
        while waiting:
            item, finished = waiting.pop()
            if finished:
                order.append(item)
                continue
            if id(item) in given:
                self._met.setdefault(id(item), len(self._met))
                continue
            node = item.node
            if node is None or id(node) in begun:
                continue
            begun.add(id(node))
            self._met.setdefault(_identity(node), len(self._met))
            waiting.append((node, True))
            waiting += [(tensor, False) for tensor in reversed(node.inputs) if tensor.symbolic]
        return order

    def _depths(self, nodes: list[Node]) -> tuple[dict[int, int], dict[int, int]]:
        """How many calls are between each node (and what it calls, and each input) and the outputs, at most."""
        depths: dict[int, int] = {}
        called: dict[int, int] = {}
        inside = {id(node) for node in nodes}
        given = {id(tensor) for tensor in self.inputs}
        for node in reversed(nodes):
            key = _identity(node)
            depth = max(depths.get(id(node), 0), called.get(key, 0))
            depths[id(node)] = called[key] = depth
            for tensor in node.inputs:
                if id(tensor) in given:
                    called[id(tensor)] = max(called.get(id(tensor), 0), depth + 1)
                elif tensor.node is not None and id(tensor.node) in inside:
                    depths[id(tensor.node)] = max(depths.get(id(tensor.node), 0), depth + 1)
        return depths, called

    def _check_connected(self, nodes: list[Node]) -> None:
        known = {id(tensor) for tensor in self.inputs}
        for node in nodes:
            missing = [tensor for tensor in node.inputs if tensor.symbolic and id(tensor) not in known]
            if missing or isinstance(node.operation, InputLayer):
                lost = node.operation.name if isinstance(node.operation, InputLayer) else repr(missing[0])
                raise GraphError(
                    f"Graph disconnected: the outputs need {lost}, which is not among the model's inputs "
                    f"{[tensor.name for tensor in self.inputs]}."
                )
            known.update(id(tensor) for tensor in node.outputs)
        for tensor in self.outputs:
            if id(tensor) not in known:
                raise GraphError(f"Graph disconnected: the output {tensor!r} does not come from the model's inputs.")

    def _called_by_node(self, nodes: list[Node]) -> dict[int, ComposedOperation | AppliedOperation]:
        """Each node's layer, or its operation under a name that no other has."""
        layers = {node.operation.name for node in nodes if isinstance(node.operation, ComposedOperation)}
        taken = layers | {layer.name for layer in self._input_layers.values()}
        numbers: Counter[str] = Counter()
        called: dict[int, ComposedOperation | AppliedOperation] = {}
        for node in nodes:
            if isinstance(node.operation, ComposedOperation):
                called[id(node)] = node.operation
                continue
            prefix = (
                node.operation.name
                if isinstance(node.operation, FunctionCall)
                else snake_case(type(node.operation).__name__)
            )
            name = prefix
            while name in taken:
                numbers[prefix] += 1
                name = f"{prefix}_{numbers[prefix]}"
            taken.add(name)
            called[id(node)] = AppliedOperation(node.operation, name)
        return called

    def _check_names(self) -> None:
        for name, count in Counter(operation.name for operation in self.operations).items():
            if count > 1:
                raise ValueError(
                    f'The name "{name}" is used {count} times in the model. All operation names should be unique. '
                    f"Got {[operation.name for operation in self.operations]}."
                )

    def _find_places(self) -> dict[int, tuple[str, int, int]]:
        """Where each tensor comes from; a layer's calls in this model are numbered as they were made."""
        places = {id(tensor): (self._input_layers[id(tensor)].name, 0, 0) for tensor in self.inputs}
        for operation in self.operations:
            for number, step in enumerate(self.calls_of(operation)):
                for index, tensor in enumerate(step.node.outputs):
                    places[id(tensor)] = (operation.name, number, index)
        return places

    def calls_of(self, operation: ComposedOperation | AppliedOperation) -> list[Step]:
        """The calls of a layer in this model, in the order in which they were made."""
        steps = [step for step in self.steps if step.called is operation]
        if len(steps) < 2:
            return steps
        made = {id(node): at for at, node in enumerate(operation._inbound_nodes)}
        return sorted(steps, key=lambda step: made[id(step.node)])

    def input_layer(self, tensor: Tensor) -> InputLayer:
        """The layer of an input."""
        return self._input_layers[id(tensor)]

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        """The outputs for values of the inputs."""
        values = {id(tensor): value for tensor, value in zip(self.inputs, inputs, strict=True)}
        for step in self.steps:
            step.run(values)
        return [values[id(tensor)] for tensor in self.outputs]


def _input_layer(tensor: Tensor) -> InputLayer:
    """The layer that gives an input; a tensor from the middle of another model gets one."""
    if tensor.node is not None and isinstance(tensor.node.operation, InputLayer):
        return tensor.node.operation
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _identity(node: Node) -> int:
    """What is called: the layer, or for operations of `layerkit.ops`, which are values, the call itself."""
    return id(node.operation) if isinstance(node.operation, ComposedOperation) else id(node)
