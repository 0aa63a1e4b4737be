"""Layers against recordings of real Keras: outputs, gradients, weights' order and names, configs."""

import json

import numpy as np
import pytest

from layerkit import layers, ops
from layerkit.graph import as_tensor, gradients, trace
from layerkit.graph.interpreter import Interpreter
from layerkit.layers.core import InputLayer
from layerkit.registry import registry
from tests.recordings.loader import cases

MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
KNOWN = {cls.__name__ for cls in registry("layer").things()}
CASES = [case for case in cases("layers") if "failed" not in case and case["class"] in KNOWN]
UNSUPPORTED = ("rms_scaling",)
# Keras 3.15's sparsemax gives rows that don't sum to 1; its shape rule for glu gives the input's shape.
CASES = [case for case in CASES if case["kwargs"].get("activation") not in ("sparsemax", "glu")]


def _unsupported(case: dict) -> bool:
    # "bicubic" is JAX's, which differs from TensorFlow's; `attention_layers` has recordings of it.
    return any(case["kwargs"].get(name) for name in UNSUPPORTED) or case["kwargs"].get("interpolation") == "bicubic"


def _made(case: dict) -> tuple[layers.Layer, object]:
    layer = getattr(layers, case["class"])(**case["kwargs"])
    inputs = case["inputs"] if case["class"] in MERGING else case["inputs"][0]
    layer(inputs)
    layer.set_weights(case["weights"])
    return layer, inputs


def _close(ours: object, recorded: object, scale: float = 1e-5) -> None:
    ours, recorded = np.asarray(ours), np.asarray(recorded)
    assert ours.shape == recorded.shape
    tolerance = scale * max(1.0, float(np.abs(recorded).max(initial=0)))
    np.testing.assert_allclose(ours, recorded, rtol=scale, atol=tolerance)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_output_and_state(case: dict) -> None:
    if _unsupported(case):
        pytest.skip("raises NotImplementedError")
    layer, inputs = _made(case)
    _close(layer(inputs, **case["call"]), case["output"])
    for ours, recorded in zip(layer.get_weights(), case["weights_after"] or case["weights"], strict=True):
        _close(ours, recorded)
    shape = [x.shape for x in inputs] if isinstance(inputs, list) else inputs.shape
    assert list(layer.compute_output_shape(shape)) == case["computed_shape"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_gradients(case: dict) -> None:
    if _unsupported(case):
        pytest.skip("raises NotImplementedError")
    layer, _ = _made(case)
    merging = case["class"] in MERGING
    weights = layer.trainable_weights

    def differentiated(r: object, *inputs: object) -> list:
        given = list(inputs) if merging else inputs[0]
        loss = ops.sum(layer(given, **case["call"]) * r)
        found = gradients([loss], [*inputs, *(v.value for v in weights)])
        return [as_tensor(np.zeros(0)) if g is None else g for g in found]

    given = [np.asarray(case["r"]), *case["inputs"]]
    found = Interpreter(trace(differentiated, [(x.shape, x.dtype.name) for x in given])).run(given)
    recorded = [*(case["input_gradients"] or ()), *(g for g in case["weight_gradients"] if g is not None)]
    found = [*(found[: len(case["inputs"])] if case["input_gradients"] else ()), *found[len(case["inputs"]) :]]
    assert len(found) == len(recorded)
    for ours, theirs in zip(found, recorded, strict=True):
        if theirs is not None:
            _close(ours if ours.size else np.zeros_like(theirs), theirs, 3e-5)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_weight_names_and_config(case: dict) -> None:
    if _unsupported(case):
        pytest.skip("raises NotImplementedError")
    layer, _ = _made({**case, "kwargs": {"name": case["config"]["name"], **case["kwargs"]}})
    assert [v.path for v in layer.weights] == case["weight_paths"]
    assert [v.trainable for v in layer.weights] == case["trainable"]
    assert json.loads(json.dumps(layer.get_config())) == case["config"]


def test_input_layers_config() -> None:
    config = InputLayer(shape=(3,), name="a").get_config()
    assert config == {
        "batch_shape": (None, 3), "dtype": "float32", "sparse": False, "ragged": False, "name": "a", "optional": False,
    }  # fmt: skip
