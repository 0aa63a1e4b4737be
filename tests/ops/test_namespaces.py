"""The namespaces `ops.numpy` and `ops.nn` are those of Keras."""

import json
from pathlib import Path

import numpy as np
import pytest

import layerkit
from layerkit import ops
from layerkit.ops import numpy as knp

API = json.loads((Path(__file__).parents[2] / "docs/keras_api.json").read_text())["modules"]
NAMESPACES = {"keras.ops.nn": ops.nn, "keras.ops.numpy": ops.numpy}


@pytest.mark.parametrize("keras_name", NAMESPACES)
def test_the_list_of_names_is_keras(keras_name):
    assert sorted(NAMESPACES[keras_name].NAMES) == sorted(API[keras_name])


@pytest.mark.parametrize("keras_name", NAMESPACES)
def test_what_ops_has_the_namespace_has(keras_name):
    namespace = NAMESPACES[keras_name]
    names = [name for name in API[keras_name] if hasattr(ops, name)]
    assert sorted(namespace.__all__) == sorted(names)
    assert all(getattr(namespace, name) is getattr(ops, name) for name in names)


def test_they_compute_and_record():
    assert knp.mean(np.array([1.0, 3.0], "float32")).numpy() == 2
    inputs = layerkit.Input((3,))
    model = layerkit.Model(inputs, ops.nn.relu(knp.subtract(inputs, 1.0)))
    np.testing.assert_array_equal(model(np.array([[0, 1, 3]], "float32")), [[0, 0, 2]])
