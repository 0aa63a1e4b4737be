"""fit, evaluate, predict and the methods of batches against real Keras."""

import numpy as np
import pytest

from layerkit import layers, losses, metrics, models, optimizers, regularizers
from layerkit.registry import reset_names
from tests.recordings.loader import cases
from tests.recordings.models import MODELS


class keras:
    layers, regularizers, losses, metrics, optimizers = layers, regularizers, losses, metrics, optimizers
    Sequential, Model, Input = models.Sequential, models.Model, layers.Input


def by_samples(case):
    """The mean of each of several losses counts samples, as in Keras on JAX; on TensorFlow batches count alike."""
    for path, noted in case.get("differs_from_jax", {}).items():
        *way, last = path.strip("/").split("/")
        place = case
        for key in way:
            place = place[key]
        place[int(last) if isinstance(place, list) else last] = noted["jax"]
    return case


FITS = [by_samples(case) for case in cases("training") if case["kind"] == "fit"]
BATCHES = [case for case in cases("training") if case["kind"] == "batches"]
CLOSE = {"rtol": 2e-4, "atol": 2e-5}


def compiled(case, **options):
    reset_names()
    model = MODELS[case["model"]](keras)
    model.set_weights(case["start"])
    arguments = dict(case["compile"])
    if isinstance(arguments["loss"], dict) and "class_name" in arguments["loss"]:
        arguments["loss"] = losses.deserialize(arguments["loss"])
    if isinstance(arguments["optimizer"], dict):
        arguments["optimizer"] = optimizers.deserialize(arguments["optimizer"])
    if isinstance(arguments.get("metrics"), list):
        arguments["metrics"] = [metrics.get(m) if isinstance(m, dict) else m for m in arguments["metrics"]]
    model.compile(**arguments, **options)
    return model


def assert_logs(found, expected):
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.filterwarnings("ignore:The data ended after")
@pytest.mark.parametrize("case", FITS, ids=lambda case: case["name"])
def test_fit(case):
    model = compiled(case, run_eagerly=True)
    options = dict(case["fit"])
    if "class_weight" in options:
        options["class_weight"] = {int(label): weight for label, weight in options["class_weight"].items()}
    history = model.fit(case["x"], case["y"], **options)
    assert list(history.history) == list(case["history"])
    for name, values in case["history"].items():
        np.testing.assert_allclose(history.history[name], values, err_msg=name, **CLOSE)
    assert history.epoch == case["epochs"]
    assert history.params == case["params"]
    for variable, expected in zip(model.weights, case["weights"], strict=True):
        np.testing.assert_allclose(variable.numpy(), expected, err_msg=variable.path, **CLOSE)
    assert [variable.path for variable in model.optimizer.variables] == case["optimizer_paths"]
    assert model.metrics_names == case["metrics_names"]
    x, y = case["evaluate"]["x"], case["evaluate"]["y"]
    assert_logs(model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True), case["evaluate"]["dictionary"])
    assert_logs(model.evaluate(x, y, batch_size=4, verbose=0), case["evaluate"]["list"])
    assert_outputs(model.predict(x, batch_size=4, verbose=0), case["predict"])


def assert_outputs(found, expected):
    if isinstance(expected, dict):
        assert set(found) == set(expected)
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], **CLOSE)
    elif isinstance(expected, list):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, **CLOSE)
    else:
        np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.parametrize("case", BATCHES, ids=lambda case: case["name"])
def test_batches(case):
    model = compiled(case, run_eagerly=True)
    x, y, weight = case["x"], case["y"], case["sample_weight"]
    class_weight = case["class_weight"] and {int(label): value for label, value in case["class_weight"].items()}
    calls = {
        "train_on_batch": lambda: model.train_on_batch(x, y),
        "train_on_batch return_dict": lambda: model.train_on_batch(x, y, return_dict=True),
        "train_on_batch sample_weight": lambda: model.train_on_batch(x, y, sample_weight=weight),
        "train_on_batch class_weight": lambda: model.train_on_batch(x, y, class_weight=class_weight),
        "reset_metrics": lambda: model.reset_metrics() or [],
        "train_on_batch again": lambda: model.train_on_batch(x, y, return_dict=True),
        "test_on_batch": lambda: model.test_on_batch(case["test_x"], case["test_y"]),
        "test_on_batch return_dict": lambda: model.test_on_batch(case["test_x"], case["test_y"], return_dict=True),
    }
    for step in case["results"]:
        assert_logs(calls[step["method"]](), step["returned"])
    assert_outputs(model.predict_on_batch(case["test_x"]), case["predict_on_batch"])
    for variable, expected in zip(model.weights, case["weights"], strict=True):
        np.testing.assert_allclose(variable.numpy(), expected, err_msg=variable.path, **CLOSE)
