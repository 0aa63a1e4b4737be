"""Attention, normalisations, convolutions, pooling and what else `layers` has no cases of, against real Keras."""

import json

import numpy as np
import pytest

from layerkit import layers, ops
from layerkit.graph import as_tensor, gradients, trace
from layerkit.graph.interpreter import Interpreter
from tests.recordings.loader import cases

# Keras on JAX cannot run values of another size than keys.
CASES = [case for name in ("attention_layers", "further_layers") for case in cases(name) if "failed" not in case]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


def _outputs(layer: layers.Layer, case: dict, inputs: list) -> list:
    given = [inputs] if case["together"] == "list" else inputs
    outputs = layer(*given, **case["call"], **case["masks"])
    return list(outputs) if isinstance(outputs, tuple) else [outputs]


def _made(case: dict, **more: object) -> layers.Layer:
    inside = {key: layers.deserialize(value) for key, value in case["kwargs"].items() if key == "layer"}
    layer = getattr(layers, case["class"])(**{**case["kwargs"], **inside}, **more)
    _outputs(layer, case, case["inputs"])
    layer.set_weights(case["weights"])
    return layer


def _close(ours: object, recorded: np.ndarray, scale: float = 1e-5) -> None:
    ours = np.asarray(ours)
    assert ours.shape == recorded.shape
    tolerance = scale * max(1.0, float(np.abs(recorded).max(initial=0)))
    np.testing.assert_allclose(ours, recorded, rtol=scale, atol=tolerance)


@each
def test_outputs(case: dict) -> None:
    found = _outputs(_made(case), case, case["inputs"])
    for ours, recorded in zip(found, case["outputs"], strict=True):
        _close(ours, recorded)


@each
def test_gradients(case: dict) -> None:
    if case["call"].get("training"):
        pytest.skip("JAX goes through the assignment of a normalized kernel; TensorFlow, PyTorch and layerkit do not")
    layer, count = _made(case), len(case["inputs"])
    weights = layer.trainable_weights
    moving = [at for at, x in enumerate(case["inputs"]) if x.dtype.kind == "f"]

    def differentiated(*inputs: object) -> list:
        found = _outputs(layer, case, list(inputs))
        loss = sum((ops.sum(y * r) for y, r in zip(found, case["r"], strict=True)), start=0.0)
        found = gradients([loss], [*(inputs[at] for at in moving), *(v.value for v in weights)])
        return [as_tensor(0.0) if slope is None else slope for slope in found]

    given = case["inputs"]
    found = Interpreter(trace(differentiated, [(x.shape, x.dtype.name) for x in given])).run(given)
    recorded = [case["gradients"][at] for at in moving] + case["gradients"][count:]
    for ours, theirs in zip(found, recorded, strict=True):
        _close(ours if np.shape(ours) else np.broadcast_to(ours, theirs.shape), theirs, 3e-5)


@each
def test_weight_names_and_config(case: dict) -> None:
    layer = _made(case, name=case["config"]["name"])
    assert [v.path for v in layer.weights] == case["weight_paths"]
    assert [v.trainable for v in layer.weights] == case["trainable"]
    assert json.loads(json.dumps(layer.get_config())) == case["config"]
