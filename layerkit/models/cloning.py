"""A model like another, with layers of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit import tree
from layerkit.graph.tensor import Tensor
from layerkit.layers.core import Input, InputLayer
from layerkit.layers.layer import Layer
from layerkit.models.functional import Functional
from layerkit.models.model import Model
from layerkit.models.network import Network, Step
from layerkit.models.sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """A model of the same layers with new weights.

    Args:
        model: a functional or sequential model; another one is made again from its config.
        input_tensors: symbolic tensors to build on in place of new inputs.
        clone_function: layer -> the layer to take in its place; by default one of the same config.
        call_function: (layer, *args, **kwargs) -> outputs, in place of a plain call; for functional models.
        recursive: whether inner models are cloned layer by layer too.

    Raises ValueError for arguments that this kind of model has no use for.
    """
    if not isinstance(model, Model):
        raise TypeError(f"clone_model: `model` must be a Model, got {model!r} of type {type(model).__name__}.")
    own = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))

    def clone(layer: Layer) -> Layer:
        if recursive and isinstance(layer, Functional | Sequential):
            return clone_model(layer, clone_function=clone_function, call_function=call_function, recursive=True)
        return own(layer)

    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("`call_function` argument is not supported with Sequential models.")
        return _clone_sequential(model, clone, input_tensors)
    if isinstance(model, Functional):
        return _clone_functional(model, clone, input_tensors, call_function)
    if input_tensors is not None or clone_function is not None or call_function is not None:
        raise ValueError(
            "Arguments `clone_function`, `call_function` and `input_tensors` are only supported for Sequential "
            f"and Functional models. Received model of type {type(model).__name__!r}"
        )
    return type(model).from_config(model.get_config())


def _clone_sequential(model: Sequential, clone: Callable, input_tensors: Any) -> Sequential:
    layers = [clone(layer) for layer in model.layers]
    if input_tensors is not None:
        (tensor,) = tree.flatten(input_tensors)
        return Sequential([tensor, *layers], name=model.name, trainable=model.trainable)
    if model._layers and isinstance(model._layers[0], InputLayer):
        first = model._layers[0]
        layers = [Input(batch_shape=first.batch_shape, dtype=first.dtype, name=first.name), *layers]
    return Sequential(layers, name=model.name, trainable=model.trainable)


def _clone_functional(
    model: Functional, clone: Callable, input_tensors: Any, call_function: Callable | None
) -> Functional:
    network: Network = model.network
    if input_tensors is None:
        inputs = [Input(batch_shape=x.shape, dtype=x.dtype, name=network.input_layer(x).name) for x in network.inputs]
    else:
        inputs = tree.flatten(input_tensors)
    values: dict[int, Any] = {id(old): new for old, new in zip(network.inputs, inputs, strict=True)}
    called: dict[int, Any] = {}
    for step in network.steps:
        if id(step.called) not in called:
            called[id(step.called)] = clone(step.called) if isinstance(step.called, Layer) else step.called
        _run_clone(step, called[id(step.called)], values, call_function)

    def new(struct: Any) -> Any:
        return tree.map_structure(lambda x: values[id(x)] if isinstance(x, Tensor) else x, struct)

    return type(model)(new(model._inputs_struct), new(model._outputs_struct), name=model.name)


def _run_clone(step: Step, called: Any, values: dict[int, Any], call_function: Callable | None) -> None:
    args, kwargs = tree.map_structure(
        lambda x: values.get(id(x), x) if isinstance(x, Tensor) else x, (tuple(step.args), step.kwargs)
    )
    given = called(*args, **kwargs) if call_function is None else call_function(called, *args, **kwargs)
    flat = [leaf for leaf in tree.flatten(given) if isinstance(leaf, Tensor)]
    for tensor, value in zip(step.node.outputs, flat, strict=True):
        values[id(tensor)] = value
