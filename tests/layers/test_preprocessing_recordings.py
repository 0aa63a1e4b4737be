"""Layers that prepare data against recordings of Keras."""

import json
from typing import Any

import numpy as np
import pytest

from layerkit import layers
from layerkit.serialization import deserialize_keras_object, serialize_keras_object
from tests.recordings.loader import cases

CASES = cases("preprocessing")
each = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


def _given(case: dict[str, Any]) -> Any:
    if case["class"] == "HashedCrossing":
        return [np.array(one) for one in case["inputs"]]
    return np.array(case["inputs"]) if isinstance(case["inputs"], list) else case["inputs"]


def _made(case: dict[str, Any]) -> layers.Layer:
    layer = getattr(layers, case["class"])(**case["kwargs"])
    if case["adapted_to"] is not None:
        layer.adapt(case["adapted_to"])
    return layer


def _check(layer: layers.Layer, case: dict[str, Any]) -> None:
    output = layer(_given(case)).numpy()
    assert output.dtype == case["output"].dtype
    tolerance = {"rtol": 2e-4, "atol": 2e-4} if case["class"].endswith("Spectrogram") else {"rtol": 2e-6, "atol": 1e-6}
    if output.dtype.kind == "i":
        np.testing.assert_array_equal(output, case["output"])
    else:
        np.testing.assert_allclose(output, case["output"], **tolerance)


@each
def test_as_keras(case: dict[str, Any]) -> None:
    layer = _made(case)
    _check(layer, case)
    if case["vocabulary"] is not None:
        assert layer.get_vocabulary() == case["vocabulary"]
    if case["boundaries"] is not None:
        np.testing.assert_allclose(layer.bin_boundaries, case["boundaries"], rtol=1e-6)


@each
def test_state_outlives_a_config_in_json(case: dict[str, Any]) -> None:
    layer = _made(case)
    layer(_given(case))
    text = json.dumps(serialize_keras_object(layer))
    again = deserialize_keras_object(json.loads(text))
    assert json.dumps(serialize_keras_object(again)) == text
    if layer.weights:
        again.set_weights(layer.get_weights())
    _check(again, case)


@each
def test_config_of_keras(case: dict[str, Any]) -> None:
    """A config that Keras wrote is read, and what Keras has in it is here by the same name."""
    again = getattr(layers, case["class"]).from_config(case["config"])
    own = json.loads(json.dumps(again.get_config()))
    learned = ("vocabulary_size", "vocabulary", "idf_weights")  # Keras leaves out what the layer has learned
    changed = {name for name, value in case["config"].items() if name not in own or own[name] != value}
    assert changed <= {"trainable", "dtype", *learned, "mean", "variance"}
