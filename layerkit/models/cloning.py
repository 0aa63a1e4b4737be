"""A model like another, with layers of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit import tree
from layerkit.graph.tensor import KerasTensor, Tensor
from layerkit.layers.core import Input, InputLayer
from layerkit.layers.layer import Layer
from layerkit.layers.operation import ComposedOperation
from layerkit.models.functional import Functional, takes_inputs_and_outputs
from layerkit.models.model import Model
from layerkit.models.network import Network, Step
from layerkit.models.sequential import Sequential
from layerkit.serialization import deserialize_keras_object, serialize_keras_object


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model of the same layers with new weights, compiled as the model is (with a new optimizer).

    Args:
        model: a functional or sequential model; another one is made again from its config.
        input_tensors: symbolic tensors to build on in place of new inputs, in the structure of the model's.
        clone_function: layer -> the layer to take in its place; by default one of the same config.
        call_function: (layer, *args, **kwargs) -> outputs, in place of a plain call; for functional models.
        recursive: whether inner models are cloned layer by layer too. Then call_function is for functional ones.
        **kwargs: `cache`, a dictionary of the clones made so far, by the layers' `id`.

    Raises:
        TypeError: what is to be cloned is no model.
        ValueError: this kind of model has no use for an argument, or `input_tensors` do not fit the model's inputs.
    """
    cache: dict[int, Any] | None = kwargs.pop("cache", None)
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {tuple(kwargs)}")
    if not isinstance(model, Model):
        raise TypeError(f"clone_model: `model` must be a Model, got {model!r} of type {type(model).__name__}.")
    if clone_function is not None and not callable(clone_function):
        raise ValueError(f"Expected `clone_function` argument to be a callable. Received: {clone_function!r}")
    if isinstance(model, Sequential) and call_function is not None:
        raise ValueError(
            "`call_function` argument is not supported with Sequential models: their layers are listed, not called. "
            f"Received call_function={call_function!r}"
        )
    if isinstance(model, Sequential | Functional):
        clone = _cloning(clone_function, call_function, recursive, {} if cache is None else cache)
        if isinstance(model, Sequential):
            return _compiled_alike(_clone_sequential(model, clone, input_tensors), model)
        return _compiled_alike(_clone_functional(model, clone, input_tensors, call_function), model)
    if input_tensors is not None or clone_function is not None or call_function is not None:
        raise ValueError(
            "Arguments `clone_function`, `call_function` and `input_tensors` are only supported for Sequential "
            f"and Functional models. Received model of type {type(model).__name__!r}"
        )
    return deserialize_keras_object(serialize_keras_object(model), {type(model).__name__: type(model)})


def _cloning(
    clone_function: Callable | None, call_function: Callable | None, recursive: bool, cache: dict[int, Any]
) -> Callable[[Any], Any]:
    """A function that clones a layer, the same one once."""
    own = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))

    def clone(layer: Any) -> Any:
        if id(layer) not in cache:
            if recursive and isinstance(layer, Functional | Sequential):
                call = call_function if isinstance(layer, Functional) else None
                cache[id(layer)] = clone_model(layer, None, clone_function, call, recursive=True, cache=cache)
            else:
                cache[id(layer)] = own(layer)
        return cache[id(layer)]

    return clone


def _compiled_alike(made: Any, model: Any) -> Any:
    if model.compiled:
        made.compile_from_config(model.get_compile_config())
    return made


def _clone_sequential(model: Sequential, clone: Callable, input_tensors: Any) -> Sequential:
    layers = [clone(layer) for layer in model.layers]
    first = model._layers[0] if model._layers and isinstance(model._layers[0], InputLayer) else None
    name = first.name if first is not None else None
    if input_tensors is not None:
        given = tree.flatten(input_tensors)
        if len(given) != 1 or not isinstance(given[0], KerasTensor):
            raise ValueError(
                "Argument `input_tensors` must be a symbolic tensor, since a Sequential model has one input. Received: "
                f"input_tensors={input_tensors!r}"
            )
        layers = [Input(tensor=given[0], name=name), *layers]
    elif first is not None:
        inputs = Input(batch_shape=first.batch_shape, dtype=first.dtype, name=name, optional=first.optional)
        layers = [inputs, *layers]
    return Sequential(layers, name=model.name, trainable=model.trainable)


def _clone_functional(
    model: Functional, clone: Callable, input_tensors: Any, call_function: Callable | None
) -> Functional:
    network: Network = model.network
    inputs = _new_inputs(network) if input_tensors is None else _given_inputs(model, input_tensors)
    values: dict[int, Any] = {id(old): new for old, new in zip(network.inputs, inputs, strict=True)}
    for step in network.steps:
        called = clone(step.called) if isinstance(step.called, ComposedOperation) else step.called
        _run_clone(step, called, values, call_function)

    def new(struct: Any) -> Any:
        return tree.map_structure(lambda x: values[id(x)] if isinstance(x, Tensor) else x, struct)

    made = type(model) if takes_inputs_and_outputs(type(model)) else Functional
    return made(new(model._inputs_struct), new(model._outputs_struct), name=model.name)


def _new_inputs(network: Network) -> list[Tensor]:
    layers = [network.input_layer(x) for x in network.inputs]
    return [Input(batch_shape=x.batch_shape, dtype=x.dtype, name=x.name, optional=x.optional) for x in layers]


def _given_inputs(model: Functional, input_tensors: Any) -> list[Tensor]:
    given = tree.flatten(input_tensors)
    if not all(isinstance(x, KerasTensor) for x in given):
        raise ValueError(f"All entries in `input_tensors` must be symbolic tensors. Received: {input_tensors!r}")
    try:
        tree.assert_same_structure(input_tensors, model.input)
    except ValueError as error:
        raise ValueError(
            f"`input_tensors` must have the same structure as model.input.\nReference structure: {model.input}\n"
            f"Received structure: {input_tensors}"
        ) from error
    return given


def _run_clone(step: Step, called: Any, values: dict[int, Any], call_function: Callable | None) -> None:
    args, kwargs = tree.map_structure(
        lambda x: values.get(id(x), x) if isinstance(x, Tensor) else x, (tuple(step.args), step.kwargs)
    )
    given = called(*args, **kwargs) if call_function is None else call_function(called, *args, **kwargs)
    flat = [leaf for leaf in tree.flatten(given) if isinstance(leaf, Tensor)]
    for tensor, value in zip(step.node.outputs, flat, strict=True):
        values[id(tensor)] = value
