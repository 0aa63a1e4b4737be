"""Laws that every loss keeps, found through the registry."""

import json
import sys

import numpy as np
import pytest

from layerkit import losses, ops
from layerkit.errors import ShapeError
from layerkit.graph import gradients
from layerkit.graph.graph import trace
from layerkit.graph.interpreter import Interpreter
from layerkit.registry import registry
from tests.samples.losses import SAMPLES

each = pytest.mark.parametrize("sample", SAMPLES, ids=str)


def test_every_class_has_a_sample():
    # Classes of examples in docstrings, where those run too, are in no module.
    defined = [cls for cls in registry("loss").things() if hasattr(sys.modules[cls.__module__], cls.__name__)]
    assert not set(defined) - {sample.cls for sample in SAMPLES}


@each
def test_gradient_against_differences(sample):
    loss = sample.make(reduction="sum", dtype="float64")
    y_true, y_pred = sample.arrays()

    def run(predicted):
        value = loss(y_true, predicted)
        return [value, gradients([value], [predicted])[0]]

    _, gradient = Interpreter(trace(run, [(y_pred.shape, "float64")])).run([y_pred])
    step, numeric = 1e-6, np.zeros_like(y_pred)
    for place in np.ndindex(*y_pred.shape):
        up, down = y_pred.copy(), y_pred.copy()
        up[place] += step
        down[place] -= step
        numeric[place] = (loss(y_true, up).item() - loss(y_true, down).item()) / (2 * step)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-7)


@each
def test_reductions_agree(sample):
    y_true, y_pred = sample.arrays()
    weight = np.array([0.5, 2.0, 0.0, 1.0], "float32")
    values = sample.make(reduction=None)(y_true, y_pred).numpy()
    assert values.shape == (4,)
    if "ignore_class" not in sample.arguments:
        assert sample.make()(y_true, y_pred).item() == pytest.approx(values.mean(), rel=1e-5)
        weighted = sample.make(reduction="mean_with_sample_weight")(y_true, y_pred, sample_weight=weight)
        assert weighted.item() == pytest.approx((values * weight).sum() / weight.sum(), rel=1e-5)
    total = sample.make(reduction="sum")(y_true, y_pred, sample_weight=weight)
    assert total.item() == pytest.approx((values * weight).sum(), rel=1e-5)


@each
def test_a_sample_of_weight_0_counts_for_nothing(sample):
    if sample.compares:
        pytest.skip("samples of any weight are what the others are compared with")
    y_true, y_pred = sample.arrays()
    weight = np.array([1.0, 1.0, 0.0, 1.0], "float32")
    before = sample.make(reduction="sum")(y_true, y_pred, sample_weight=weight).item()
    y_pred[2] = y_pred[1]
    assert sample.make(reduction="sum")(y_true, y_pred, sample_weight=weight).item() == before


@each
def test_config_round_trip(sample):
    loss = sample.make(name="here")
    text = json.dumps(losses.serialize(loss))
    again = losses.deserialize(json.loads(text))
    assert type(again) is type(loss)
    assert json.dumps(losses.serialize(again)) == text
    y_true, y_pred = sample.arrays()
    assert again(y_true, y_pred).item() == loss(y_true, y_pred).item()


@each
def test_shapes_that_do_not_fit(sample):
    y_true, y_pred = sample.arrays()
    with pytest.raises(ShapeError, match="shape"):
        sample.make()(np.concatenate([y_true, y_true]), y_pred)


@each
def test_names(sample):
    cls = sample.cls
    if cls is losses.LossFunctionWrapper:
        return
    assert type(losses.get(cls.__name__)) is cls
    assert callable(losses.get(losses.get(cls.__name__).fn.__name__))
    assert ops.sum(losses.get(cls)(*sample.arrays())).shape == ()
