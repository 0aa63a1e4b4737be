"""Recurrent layers and wrappers against recordings of real Keras, made from its JSON with the same weights."""

import json

import numpy as np
import pytest

from layerkit import layers, ops, tree
from layerkit.graph import as_tensor, gradients
from layerkit.tracing import compile_function
from tests.recordings.loader import cases

CASES = cases("recurrent")
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


def _made(case: dict) -> layers.Layer:
    layer = layers.deserialize(case["layer"])
    assert layer.built
    layer.set_weights(case["weights"])
    return layer


def _call(layer: layers.Layer, inputs: list, mask: object) -> list:
    given = {} if mask is None else {"mask": mask}
    if len(inputs) > 1:
        given["initial_state"] = list(inputs[1:])
    return tree.flatten(layer(inputs[0], **given))


def _close(ours: object, recorded: np.ndarray, scale: float) -> None:
    ours = np.asarray(ours)
    assert ours.shape == recorded.shape
    np.testing.assert_allclose(
        ours, recorded, rtol=scale, atol=scale * max(1.0, float(np.abs(recorded).max(initial=0)))
    )


@each
def test_outputs_eager(case: dict) -> None:
    layer = _made(case)
    found = _call(layer, case["inputs"], case["mask"])
    assert len(found) == len(case["outputs"])
    for ours, recorded in zip(found, case["outputs"], strict=True):
        _close(ours, recorded, 1e-5)
    if case["name"].startswith(("RNN-stacked", "Bidirectional-other")):
        # Keras' shape rule has other nests of states than its call, and takes both directions to be of one size.
        return
    shape = layer.compute_output_shape(case["inputs"][0].shape)
    assert json.loads(json.dumps(shape)) == case["computed_shape"]


@each
def test_outputs_and_gradients_compiled(case: dict) -> None:
    layer = _made(case)
    weights = layer.trainable_weights
    mask, count = case["mask"], len(case["inputs"])

    def differentiated(given: list, r: list, *keep: object) -> list:
        outputs = _call(layer, given, keep[0] if keep else None)
        loss = sum(ops.sum(y * one) for y, one in zip(outputs, r, strict=True))
        found = gradients([loss], [*given, *(v.value for v in weights)])
        return [*outputs, *(as_tensor(np.zeros(0)) if g is None else g for g in found)]

    found = compile_function(differentiated)(case["inputs"], case["r"], *(() if mask is None else (mask,)))
    slopes = found[len(case["outputs"]) :]
    for ours, recorded in zip(found, case["outputs"], strict=False):
        _close(ours, recorded, 1e-5)
    assert len(slopes) == len(case["gradients"]) == count + len(weights)
    for ours, recorded in zip(slopes, case["gradients"], strict=True):
        _close(ours if ours.size else np.zeros_like(recorded), recorded, 3e-5)


@each
def test_weights_and_config(case: dict) -> None:
    layer = _made(case)
    if case["name"].partition("-")[0] != "Bidirectional":  # Keras names a layer that a file built by itself alone
        assert [v.path for v in layer.weights] == case["weight_paths"]
    ours = json.loads(json.dumps(layers.serialize(layer)))
    if case["name"].startswith("SimpleRNN"):  # Keras loses the seed
        assert ours["config"].pop("seed") in (None, 3)
    assert _without_state(ours) == _without_state(case["layer"])


def _without_state(config: object) -> object:
    """Without what says whether inner layers were built, and the state of initializers."""
    if isinstance(config, dict):
        return {name: _without_state(value) for name, value in config.items() if name != "build_config"}
    return [_without_state(item) for item in config] if isinstance(config, list) else config
