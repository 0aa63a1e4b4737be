"""Functional models to and from Keras 3's format: layers with their calls, tensors named by where they come from."""

from __future__ import annotations

from typing import Any

from layerkit import ops, tree
from layerkit.errors import unknown_name
from layerkit.graph.operation import Operation
from layerkit.graph.tensor import Tensor
from layerkit.layers.core import InputLayer
from layerkit.models.model import Model
from layerkit.models.network import AppliedOperation, Network, Step
from layerkit.ops.deferred import FUNCTIONS
from layerkit.registry import snake_case
from layerkit.serialization import custom_object_scope, deserialize_keras_object, serialize_keras_object

OWN_OPERATIONS = "layerkit.ops"
"""The module under which operations are written."""


def get_config(model: Any) -> dict[str, Any]:
    """The config of a functional model."""
    network: Network = model.network
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": [_entry(network, operation) for operation in network.operations],
        "input_layers": _places(network, model._inputs_struct),
        "output_layers": _places(network, model._outputs_struct),
    }


def _places(network: Network, struct: Any) -> Any:
    """A structure of tensors as one of [layer's name, call, output]."""
    return tree.map_structure(lambda tensor: _history(network, tensor), struct)


def _history(network: Network, tensor: Tensor) -> list:
    """Where a tensor comes from: [layer's name, call, output]. An inner functional model's calls count from 1."""
    name, number, index = network.places[id(tensor)]
    inner = any(layer.name == name and isinstance(layer, Model._functional) for layer in network.operations)
    return [name, number + inner, index]


def _entry(network: Network, operation: Any) -> dict[str, Any]:
    if isinstance(operation, AppliedOperation):
        applied = operation.operation
        attributes = applied.attributes() if isinstance(applied, Operation) else {}
        config = {"name": operation.name, **{name: serialize_keras_object(value) for name, value in attributes.items()}}
        entry = {
            "module": OWN_OPERATIONS,
            "class_name": operation.kind,
            "config": config,
            "registered_name": operation.kind,
        }
    else:
        entry = serialize_keras_object(operation)
    entry["name"] = operation.name
    entry["inbound_nodes"] = [_call(network, step) for step in network.calls_of(operation)]
    return entry


def _call(network: Network, step: Step) -> dict[str, Any]:
    def serialized(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return serialize_keras_object(x)
        if id(x) in network.places:
            history = _history(network, x)
            return {
                "class_name": "__keras_tensor__",
                "config": {"shape": list(x.shape), "dtype": x.dtype, "keras_history": history},
            }
        value = x.numpy()
        return {"class_name": "__tensor__", "config": {"value": value.tolist(), "dtype": x.dtype}}

    return {
        "args": [tree.map_structure(serialized, arg) for arg in step.args],
        "kwargs": {name: tree.map_structure(serialized, arg) for name, arg in step.kwargs.items()},
    }


class _Rebuilding:
    """Calls the layers of a config again, as soon as the tensors that each call needs are there."""

    def __init__(self, config: dict[str, Any], custom_objects: Any) -> None:
        self.called: dict[str, Any] = {}
        self.outputs: dict[tuple[str, int], list[Tensor]] = {}
        self.first: dict[str, int] = {}
        waiting: list[tuple[str, int, dict]] = []
        # Keras counts the calls of inner functional models from 1, what layerkit once wrote all calls from 0.
        from_zero = {name for name, number, _ in _histories(config["layers"]) if number == 0}
        from_zero |= {name for name, number, _ in _listed(config["output_layers"]) if number == 0}
        with custom_object_scope(custom_objects or {}):
            for entry in config["layers"]:
                name = entry.get("name") or entry["config"]["name"]
                self.called[name] = _called(entry)
                if isinstance(self.called[name], InputLayer):
                    self.outputs[name, 0] = [self.called[name].output]
                calls = entry.get("inbound_nodes", ())
                self.first[name] = int(isinstance(self.called[name], Model._functional) and name not in from_zero)
                waiting += [(name, number, call) for number, call in enumerate(calls, self.first[name])]
            self._run(waiting)

    def _run(self, waiting: list[tuple[str, int, dict]]) -> None:
        while waiting:
            later = [(name, number, call) for name, number, call in waiting if not self._ready(name, number, call)]
            if len(later) == len(waiting):
                raise ValueError(
                    f"The config's layers need tensors that none of them gives: {[name for name, _, _ in waiting]}."
                )
            waiting = later

    def _ready(self, name: str, number: int, call: dict) -> bool:
        """Make a call if its tensors are there (and a shared layer's earlier calls were made)."""
        histories = _histories(call)
        if number > self.first[name] and (name, number - 1) not in self.outputs:
            return False
        if any((history[0], history[1]) not in self.outputs for history in histories):
            return False
        args = [self._filled(arg) for arg in call["args"]]
        kwargs = {key: self._filled(arg) for key, arg in call["kwargs"].items()}
        given = self.called[name](*args, **kwargs)
        self.outputs[name, number] = [leaf for leaf in tree.flatten(given) if isinstance(leaf, Tensor)]
        return True

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            name, number, index = value["config"]["keras_history"]
            return self.outputs[name, number][index]
        if isinstance(value, dict) and "class_name" in value:
            return deserialize_keras_object(value)
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._filled(item) for item in value]
        return value

    def tensors(self, places: Any) -> Any:
        """A structure of [layer's name, call, output] as one of tensors."""
        if isinstance(places, dict):
            return {key: self.tensors(place) for key, place in places.items()}
        if len(places) == 3 and isinstance(places[0], str):
            return self.outputs[places[0], places[1]][places[2]]
        return [self.tensors(place) for place in places]


def _listed(places: Any) -> list[list]:
    """The places [layer's name, call, output] of a structure of them."""
    if isinstance(places, dict):
        return [place for inner in places.values() for place in _listed(inner)]
    if len(places) == 3 and isinstance(places[0], str):
        return [places]
    return [place for inner in places for place in _listed(inner)]


def _histories(value: Any) -> list[list]:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [value["config"]["keras_history"]]
        return [history for item in value.values() for history in _histories(item)]
    if isinstance(value, list | tuple):
        return [history for item in value for history in _histories(item)]
    return []


def _called(entry: dict[str, Any]) -> Any:
    """The layer of an entry, or the operation: layerkit's by its class, Keras' by its function's name."""
    module = entry.get("module") or ""
    if module.startswith(OWN_OPERATIONS):
        if entry["class_name"] in FUNCTIONS:
            return FUNCTIONS.find(entry["class_name"])
        attributes = {name: _hashable(value) for name, value in entry["config"].items() if name != "name"}
        if entry["class_name"] not in Operation.registry:
            raise unknown_name("operation", entry["class_name"], Operation.registry)
        return Operation.registry[entry["class_name"]](**attributes)
    if module.startswith("keras.src.ops") or module.startswith("keras.ops"):
        return _keras_operation(entry)
    return deserialize_keras_object(entry, kind="layer")


def _keras_operation(entry: dict[str, Any]) -> Any:
    name = {"TrueDivide": "divide", "GetItem": "get_item"}.get(entry["class_name"], snake_case(entry["class_name"]))
    attributes = {key: value for key, value in entry["config"].items() if key not in ("name", "dtype")}
    if name == "get_item":
        return lambda x, key: x[tuple(key) if isinstance(key, list) else key]
    function = getattr(ops, name, None)
    if function is None:
        raise unknown_name("operation of Keras", entry["class_name"], Operation.registry)
    return lambda *args, **kwargs: function(*args, **kwargs, **attributes)


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list | tuple) else value


def rebuild(config: dict[str, Any], custom_objects: Any = None) -> tuple[Any, Any, dict[str, Any]]:
    """The inputs and outputs of a config's model, and the other arguments of its constructor.

    Raises ValueError where the layers are not connected.
    """
    made = _Rebuilding(config, custom_objects)
    rest = {"name": config["name"]} if config.get("name") is not None else {}
    if config.get("trainable") is False:  # True would unfreeze what is frozen inside
        rest["trainable"] = False
    return made.tensors(config["input_layers"]), made.tensors(config["output_layers"]), rest
