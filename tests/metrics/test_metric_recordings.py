"""Metrics against three updates of real Keras."""

import numpy as np
import pytest

from layerkit import losses, metrics
from layerkit.registry import reset_names
from layerkit.tracing import compile_function
from tests.recordings.loader import cases

CASES = [*cases("metrics"), *cases("further_metrics")]


def made(case):
    reset_names()
    kwargs = dict(case["kwargs"])
    if "fn" in kwargs:
        kwargs["fn"] = getattr(losses, kwargs["fn"])
    return getattr(metrics, case["class"])(**kwargs)


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_three_updates(case, traced):
    metric = made(case)

    def update(arguments, weight):
        metric.update_state(*arguments, sample_weight=weight)

    run = compile_function(update, interpret=True).run if traced else update
    for step in case["updates"]:
        run(step["arguments"], step["sample_weight"])
        np.testing.assert_allclose(metric.result().numpy(), step["result"], rtol=2e-5, atol=2e-6)
    assert len(metric.variables) == len(case["variables"])
    for variable, expected in zip(metric.variables, case["variables"], strict=True):
        # Keras sums AUC's counts up by buckets, which leaves rounding errors where there is nothing.
        np.testing.assert_allclose(variable.numpy(), expected, rtol=2e-5, atol=1e-5)
    metric.reset_state()
    assert not any(variable.numpy().any() for variable in metric.variables)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_config(case):
    metric = made(case)
    config = metric.get_config()
    if config.get("label_weights"):
        case["config"]["label_weights"] = np.round(case["config"]["label_weights"], 6).tolist()
    assert {name: config[name] for name in case["config"]} == case["config"]
    assert metric.name == case["metric_name"]
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric)
    assert again.get_config() == config
