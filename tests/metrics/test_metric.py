"""Metrics: names, own metrics, errors."""

import numpy as np
import pytest

from layerkit import losses, metrics, ops
from layerkit.errors import UnknownNameError


def test_names():
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
    assert isinstance(metrics.get("AUC"), metrics.AUC)
    with pytest.raises(UnknownNameError, match="Unknown metric 'presicion'. Did you mean 'Precision'"):
        metrics.get("presicion")


def test_own_metric():
    class Largest(metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.value = self.add_variable((), "zeros", name="value")
            self.inner = metrics.Mean()

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(ops.maximum(self.value, ops.max(y_pred)))
            self.inner.update_state(y_pred)

        def result(self):
            return {"largest": self.value.value, "mean": self.inner.result()}

    metric = Largest()
    metric([0.0, 0.0], [2.0, 4.0])
    found = {name: value.item() for name, value in metric.result().items()}
    assert found == {"largest": 4.0, "mean": 3.0}
    assert [v.path for v in metric.variables] == ["largest/value", "mean/total", "mean/count"]
    metric.reset_state()
    assert metric.result()["largest"].item() == 0


def test_directions_for_callbacks():
    assert metrics.MeanSquaredError()._direction == "down"
    assert metrics.CategoricalAccuracy()._direction == "up"
    assert metrics.MeanMetricWrapper(losses.mean_squared_error)._direction == "down"


def test_top_k_counts_ties_as_larger_ones_only():
    assert metrics.sparse_top_k_categorical_accuracy([1], [[0.5, 0.5, 0.1]], k=1).tolist() == [1.0]
    assert metrics.sparse_top_k_categorical_accuracy([2], [[0.5, 0.5, 0.1]], k=2).tolist() == [0.0]
    assert metrics.sparse_top_k_categorical_accuracy([2], [[1, 2, 0]], k=2, from_sorted_ids=True).tolist() == [1.0]


def test_arguments_out_of_range():
    with pytest.raises(ValueError, match="`curve` must be one of 'ROC', 'PR', got curve='roc'"):
        metrics.AUC(curve="roc")
    with pytest.raises(ValueError, match="`thresholds` must lie between 0 and 1, got 1.5"):
        metrics.Precision(thresholds=1.5)
    with pytest.raises(ValueError, match="`threshold` must be a number, got threshold=nan"):
        metrics.BinaryAccuracy(threshold=float("nan"))
    assert metrics.BinaryAccuracy(threshold=2)([1, 0], [2.5, 1.5]).item() == 1  # of logits


def test_auc_of_perfect_and_useless_predictions():
    labels = np.array([0, 0, 1, 1])
    assert metrics.AUC()(labels, np.array([0.1, 0.2, 0.8, 0.9])).item() == pytest.approx(1, abs=1e-6)
    assert metrics.AUC()(labels, np.full(4, 0.5)).item() == pytest.approx(0.5, abs=1e-6)
