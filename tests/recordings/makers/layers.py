"""Layers: outputs, gradients with respect to inputs and weights, and what training changed."""

from typing import Any

import keras
import numpy as np

from .layer_samples import SAMPLES
from .running import as_json, generator, layer_gradients, normal, plain

MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")


def _weights(layer: keras.Layer, rng: np.random.Generator) -> list[np.ndarray]:
    """Random weights in the order of get_weights(): scales near 1, variances well above 0."""
    values = []
    for variable in layer.weights:
        value = normal(rng, *variable.shape) * np.float32(0.5)
        if variable.name.endswith("variance"):
            value = np.abs(value) + np.float32(0.3)
        elif variable.name == "gamma":
            value = value + np.float32(1)
        values.append(value)
    return values


def _inputs(sample: dict[str, Any], rng: np.random.Generator) -> list[np.ndarray]:
    if "below" in sample:
        return [rng.integers(0, sample["below"], shape, dtype="int32") for shape in sample["shapes"]]
    return [normal(rng, *shape) * np.float32(sample.get("scale", 1)) for shape in sample["shapes"]]


def _case(name: str, sample: dict[str, Any]) -> dict[str, Any]:
    rng = generator(name)
    keras.utils.clear_session()
    inputs, call, kwargs = _inputs(sample, rng), sample.get("call", {}), as_json(sample["kwargs"])
    layer = getattr(keras.layers, sample["class"])(**kwargs)
    merging = sample["class"] in MERGING
    given = inputs if merging else inputs[0]
    shape = [array.shape for array in inputs] if merging else inputs[0].shape
    layer.build(shape)
    layer.set_weights(_weights(layer, rng))
    before = layer.get_weights()
    r = normal(rng, *layer(given, **call).shape)
    layer.set_weights(before)
    input_gradients, weight_gradients = layer_gradients(layer, inputs, r, merging, call)
    output = plain(layer(given, **call))
    after = layer.get_weights()
    changed = any(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    return {
        "name": name,
        "class": sample["class"],
        "kwargs": kwargs,
        "call": call,
        "inputs": inputs,
        "weights": before,
        "weight_paths": [variable.path for variable in layer.weights],
        "trainable": [bool(variable.trainable) for variable in layer.weights],
        "output": output,
        "r": r,
        "input_gradients": input_gradients,
        "weight_gradients": weight_gradients,
        "weights_after": after if changed else None,
        "computed_shape": as_json(layer.compute_output_shape(shape)),
        "config": as_json(layer.get_config()),
    }


def make() -> list[dict[str, Any]]:
    """Every sample as a case; one that this backend cannot run holds its name and the error."""
    found, counts = [], {}
    for sample in SAMPLES:
        counts[sample["class"]] = counts.get(sample["class"], 0) + 1
        name = f"{sample['class']}-{counts[sample['class']]:02d}"
        try:
            found.append(_case(name, sample))
        except Exception as error:  # whatever the backend raises: record.py takes the other's result
            found.append({"name": name, "failed": f"{type(error).__name__}: {error}"[:300]})
    return found
