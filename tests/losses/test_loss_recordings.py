"""Losses against the values and gradients that real Keras gives."""

import numpy as np
import pytest

from layerkit import losses, ops
from layerkit.graph import gradients
from layerkit.graph.graph import trace
from layerkit.graph.interpreter import Interpreter
from tests.recordings.loader import cases

ALL = [*cases("losses"), *cases("further_losses")]
CLASSES = [case for case in ALL if "class" in case]
FUNCTIONS = [case for case in ALL if "function" in case]


def value_and_gradient(loss, case):
    def run(y_pred):
        value = loss(case["y_true"], y_pred, sample_weight=case["sample_weight"])
        return [value, gradients([ops.sum(value)], [y_pred])[0]]

    y_pred = case["y_pred"]
    return Interpreter(trace(run, [(y_pred.shape, str(y_pred.dtype))])).run([y_pred])


@pytest.mark.parametrize("case", CLASSES, ids=lambda case: case["name"])
def test_class(case):
    loss = getattr(losses, case["class"])(**case["kwargs"])
    value, gradient = value_and_gradient(loss, case)
    np.testing.assert_allclose(value, case["value"], rtol=2e-5, atol=2e-6)
    if case["gradient"] is not None:
        np.testing.assert_allclose(gradient, case["gradient"], rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("case", CLASSES, ids=lambda case: case["name"])
def test_config(case):
    loss = getattr(losses, case["class"])(**case["kwargs"])
    config = loss.get_config()
    assert {name: config[name] for name in case["config"]} == case["config"]
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == config
    assert loss.name == case["loss_name"]


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case["name"])
def test_function(case):
    value = getattr(losses, case["function"])(case["y_true"], case["y_pred"], **case["kwargs"])
    np.testing.assert_allclose(value.numpy(), case["value"], rtol=2e-5, atol=2e-6)
