"""Laws that every metric keeps, found through the registry."""

import json
import sys

import numpy as np
import pytest

from layerkit import metrics
from layerkit.registry import registry
from layerkit.tracing import compile_function
from tests.samples.metrics import SAMPLES

each = pytest.mark.parametrize("sample", SAMPLES, ids=str)
WEIGHT = np.array([0.5, 2.0, 0.0, 1.0, 1.5, 0.25], "float32")


def test_every_class_has_a_sample():
    # Classes of examples in docstrings, where those run too, are in no module.
    defined = [cls for cls in registry("metric").things() if hasattr(sys.modules[cls.__module__], cls.__name__)]
    assert not set(defined) - {sample.cls for sample in SAMPLES}


@each
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_traced_updates_are_the_eager_ones(sample, weight):
    eager, traced = sample.make(), sample.make()
    update = compile_function(lambda arrays, w: traced.update_state(*arrays, sample_weight=w), interpret=True)
    for seed in range(3):
        eager.update_state(*sample.arrays(seed), sample_weight=weight)
        update.run(sample.arrays(seed), weight)
    np.testing.assert_allclose(traced.result().numpy(), eager.result().numpy(), rtol=1e-6)


@each
def test_reset_forgets(sample):
    metric = sample.make()
    metric.update_state(*sample.arrays(0))
    expected = metric.result().numpy()
    metric.update_state(*sample.arrays(1))
    metric.reset_state()
    assert not any(variable.numpy().any() for variable in metric.variables)
    metric.update_state(*sample.arrays(0))
    np.testing.assert_array_equal(metric.result().numpy(), expected)


@each
def test_a_sample_of_weight_0_counts_for_nothing(sample):
    one, other = sample.make(), sample.make()
    arrays = sample.arrays()
    one.update_state(*arrays, sample_weight=WEIGHT)
    for array in arrays:
        array[2] = array[3]
    other.update_state(*arrays, sample_weight=WEIGHT)
    np.testing.assert_allclose(one.result().numpy(), other.result().numpy(), rtol=1e-6)


@each
def test_config_round_trip(sample):
    metric = sample.make(name="here")
    text = json.dumps(metrics.serialize(metric))
    again = metrics.deserialize(json.loads(text))
    assert type(again) is type(metric)
    assert json.dumps(metrics.serialize(again)) == text


@each
def test_the_result_of_nothing_is_a_number(sample):
    assert np.isfinite(sample.make().result().numpy()).all()
