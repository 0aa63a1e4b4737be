"""Keras' legacy `.h5` layout: the whole model in one HDF5 file, weights under the layers' names.

What Keras does not keep there but exact resumption needs is in a further group, `layerkit_state`, which Keras ignores.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from layerkit.graph.variable import Variable
from layerkit.saving.errors import SavedFileError
from layerkit.saving.hdf5_reading import Group, StoredArray
from layerkit.saving.hdf5_writing import unique_paths, write_array, write_names
from layerkit.saving.legacy_config import model_config, training_config
from layerkit.saving.matching import Matching, match_optimizer

if TYPE_CHECKING:
    import h5py

KERAS_VERSION = "3.15.1"
"""The version of Keras whose files these are like."""

FORMAT_VERSION = 1
"""Of `layerkit_state`; a file with a higher one is refused."""

STATE = "layerkit_state"
_TOP = "top_level_model_weights"
_BUILT_FOR = "optimizer_variables"


def legacy_weights(layer: Any) -> list[Variable]:
    """A layer's weights in the order of these files: all that are trained come first."""
    return layer.trainable_weights + layer.non_trainable_weights


def _top_weights(model: Any) -> list[Variable]:
    kept = {id(variable) for variable in model.weights}
    return [v for v in model._trainable_variables + model._non_trainable_variables if id(v) in kept]


def _hidden_state(model: Any) -> list[Variable]:
    """The variables that are no weights: the states of random generators."""
    weights = {id(variable) for variable in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


# Writing


def write_model(file: h5py.File, model: Any, include_optimizer: bool = True) -> None:
    """Fill a file with a model: configuration, weights, and if compiled, its arguments and the optimizer's state."""
    file.attrs["keras_version"] = KERAS_VERSION
    file.attrs["backend"] = "layerkit"
    file.attrs["layerkit_version"] = sys.modules["layerkit"].__version__
    file.attrs["layerkit_format"] = np.int64(FORMAT_VERSION)
    file.attrs["model_config"] = model_config(model)
    training = training_config(model) if include_optimizer else None
    if training is not None:
        file.attrs["training_config"] = training
    write_layers(file.create_group("model_weights"), model)
    optimizer = model.optimizer if training is not None else None
    if optimizer is not None:
        _write_variables(file.create_group("optimizer_weights"), optimizer.variables)
    _write_state(file.create_group(STATE), model, optimizer)


def write_layers(group: h5py.Group, model: Any) -> None:
    """Fill a group with the weights of all layers."""
    write_names(group, "layer_names", [layer.name for layer in model.layers])
    group.attrs["backend"] = "layerkit"
    group.attrs["keras_version"] = KERAS_VERSION
    for layer in model.layers:
        _write_variables(group.create_group(layer.name), legacy_weights(layer))
    _write_variables(group.create_group(_TOP), _top_weights(model))


def _write_variables(group: h5py.Group, variables: list[Variable]) -> None:
    paths = unique_paths(variable.path for variable in variables)
    write_names(group, "weight_names", paths)
    for path, variable in zip(paths, variables, strict=True):
        write_array(group, path, variable.array)


def _write_state(group: h5py.Group, model: Any, optimizer: Any) -> None:
    _write_variables(group, _hidden_state(model))
    if optimizer is not None and optimizer.built:
        places = {id(variable): at for at, variable in enumerate(model.weights)}
        group.attrs[_BUILT_FOR] = np.asarray(
            [places[id(v)] for v in optimizer._trainable_variables if id(v) in places], np.int64
        )


# Reading


def check_version(root: Group) -> None:
    """Raise SavedFileError for a file of a later layerkit."""
    version = root.numbers("layerkit_format")
    if version is not None and version.size == 1 and version[0] > FORMAT_VERSION:
        raise SavedFileError(
            f"{root.file!r} was written by layerkit {root.text('layerkit_version')}, whose format {version[0]} this "
            f"version does not know (it knows up to {FORMAT_VERSION}). Update layerkit."
        )


def _stored(group: Group) -> list[StoredArray]:
    names = group.text_list("weight_names")
    if names is None:
        raise SavedFileError(f"Cannot load {group.file!r}: at {group.path!r}: the attribute 'weight_names' is missing.")
    return [group.array(name) for name in names]


def match_layers(group: Group, model: Any, matching: Matching, by_name: bool = False) -> None:
    """Match the layers that have weights, in order (their names may differ) or by their names."""
    names = group.text_list("layer_names")
    if names is None:
        raise SavedFileError(
            f"Cannot load {group.file!r}: at {group.path or '/'!r}: the attribute 'layer_names' is missing."
        )
    stored = {name: _stored(group.group(name)) for name in names}
    layers = {layer.name: layer for layer in model.layers}
    if by_name:
        pairs = [(layers[name], name) for name in stored if name in layers]
    else:
        saved = [name for name, arrays in stored.items() if arrays]
        expected = [layer for layer in model.layers if legacy_weights(layer)]
        if len(saved) != len(expected):
            _report_counts(matching, expected, saved, stored)
            return
        pairs = list(zip(expected, saved, strict=True))
    for layer, name in pairs:
        owner = f"layer {layer.name!r}" + (f" ({name!r} in the file)" if name != layer.name else "")
        matching.layer(owner, legacy_weights(layer), stored[name], whole=False)
    if group.has(_TOP):
        matching.layer("the model's own weights", _top_weights(model), _stored(group.group(_TOP)), whole=False)


def _report_counts(matching: Matching, expected: list, saved: list[str], stored: dict[str, list[StoredArray]]) -> None:
    """With another number of layers an order says nothing, so names tell what is missing and what is too much."""
    matching.skip_mismatch = False
    names = [layer.name for layer in expected]
    matching.problem(
        f"the model has {len(names)} layers with weights ({', '.join(names) or 'none'}), the file {len(saved)}."
    )
    for layer in expected:
        if layer.name not in saved:
            shapes = ", ".join(f"{v.name} {v.shape}" for v in legacy_weights(layer))
            matching.problem(f"layer {layer.name!r}: the file has no layer of this name for its weights {shapes}.")
    for name in saved:
        if name not in names:
            shapes = ", ".join(str(array.shape) for array in stored[name])
            matching.problem(f"layer {name!r}: it is in the file ({shapes}), but not in the model.")


def match_optimizer_weights(root: Group, model: Any, matching: Matching) -> None:
    """Match the optimizer's state, if the file has one."""
    if not root.has("optimizer_weights"):
        return
    match_optimizer(matching, model.optimizer, _stored(root.group("optimizer_weights")), model.trainable_variables)


def optimized_variables(root: Group, model: Any) -> list[Variable] | None:
    """The variables that the saved optimizer had slots for; None where these are the trained ones, as usual."""
    places = root.group(STATE).numbers(_BUILT_FOR) if root.has(STATE) else None
    weights = model.weights
    if places is None or any(not 0 <= place < len(weights) for place in places):
        return None
    variables = [weights[place] for place in places]
    trained = model.trainable_variables
    same = len(variables) == len(trained) and all(a is b for a, b in zip(variables, trained, strict=True))
    return None if same else variables


def match_state(root: Group, model: Any, matching: Matching) -> None:
    """Match the states of random generators, if the file has them; where they do not fit, warn and leave them."""
    if not root.has(STATE):
        return
    own = Matching(root.file)
    own.layer("the states of random generators", _hidden_state(model), _stored(root.group(STATE)))
    if own.problems:
        warnings.warn(f"Not loaded from {root.file!r}, they start anew: {own.problems[0]}", stacklevel=5)
    matching.pairs += own.pairs
