"""One row or more per metric class: the arguments to make it, and what to update it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from layerkit import losses, metrics
from tests.samples.losses import binary, labels, one_hot, positive, real


def values(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray]:
    return (random.uniform(-1, 1, shape),)


def numbers(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    return random.integers(0, 3, shape), random.integers(0, 3, shape)


@dataclass(frozen=True)
class Sample:
    """How to try a metric."""

    cls: type
    data: Callable
    arguments: dict[str, Any] = field(default_factory=dict)

    def make(self, **more: Any) -> metrics.Metric:
        return self.cls(**self.arguments, **more)

    def arrays(self, seed: int = 0) -> list[np.ndarray]:
        found = self.data(np.random.default_rng(seed), (6, 3))
        return [array.astype("float32") if array.dtype.kind == "f" else array.astype("int32") for array in found]

    def __str__(self) -> str:
        return f"{self.cls.__name__}{self.arguments or ''}"


def both_one_hot(random: np.random.Generator, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    return one_hot(random, shape)[0].astype(int), random.uniform(0.1, 0.9, shape)


SAMPLES = [
    Sample(metrics.Mean, values),
    Sample(metrics.Sum, values),
    Sample(metrics.MeanMetricWrapper, real, {"fn": losses.mean_squared_error}),
    Sample(metrics.Accuracy, numbers),
    Sample(metrics.BinaryAccuracy, binary),
    Sample(metrics.CategoricalAccuracy, one_hot),
    Sample(metrics.SparseCategoricalAccuracy, labels),
    Sample(metrics.TopKCategoricalAccuracy, one_hot, {"k": 2}),
    Sample(metrics.SparseTopKCategoricalAccuracy, labels, {"k": 2}),
    Sample(metrics.MeanSquaredError, real),
    Sample(metrics.RootMeanSquaredError, real),
    Sample(metrics.MeanAbsoluteError, real),
    Sample(metrics.MeanAbsolutePercentageError, positive),
    Sample(metrics.MeanSquaredLogarithmicError, positive),
    Sample(metrics.LogCoshError, real),
    Sample(metrics.CosineSimilarity, real),
    Sample(metrics.R2Score, real),
    Sample(metrics.R2Score, real, {"class_aggregation": None, "num_regressors": 2}),
    Sample(metrics.KLDivergence, one_hot),
    Sample(metrics.Poisson, positive),
    Sample(metrics.Hinge, binary),
    Sample(metrics.SquaredHinge, binary),
    Sample(metrics.CategoricalHinge, one_hot),
    Sample(metrics.BinaryCrossentropy, binary),
    Sample(metrics.CategoricalCrossentropy, one_hot),
    Sample(metrics.SparseCategoricalCrossentropy, labels),
    Sample(metrics.Precision, binary),
    Sample(metrics.Precision, one_hot, {"top_k": 2, "class_id": 1}),
    Sample(metrics.Recall, binary, {"thresholds": [0.3, 0.6]}),
    Sample(metrics.TruePositives, binary),
    Sample(metrics.TrueNegatives, binary),
    Sample(metrics.FalsePositives, binary),
    Sample(metrics.FalseNegatives, binary),
    Sample(metrics.AUC, binary, {"num_thresholds": 20}),
    Sample(metrics.AUC, binary, {"num_thresholds": 20, "curve": "PR", "multi_label": True}),
    Sample(metrics.SensitivityAtSpecificity, binary, {"specificity": 0.6, "num_thresholds": 20}),
    Sample(metrics.SpecificityAtSensitivity, binary, {"sensitivity": 0.6, "num_thresholds": 20}),
    Sample(metrics.PrecisionAtRecall, one_hot, {"recall": 0.6, "num_thresholds": 20, "class_id": 1}),
    Sample(metrics.RecallAtPrecision, binary, {"precision": 0.6, "num_thresholds": 1}),
    Sample(metrics.F1Score, one_hot, {"average": "weighted"}),
    Sample(metrics.F1Score, one_hot),
    Sample(metrics.FBetaScore, binary, {"average": "micro", "beta": 2.0, "threshold": 0.4}),
    Sample(metrics.PearsonCorrelation, real),
    Sample(metrics.ConcordanceCorrelation, real),
    Sample(metrics.IoU, numbers, {"num_classes": 3, "target_class_ids": [0, 2], "dtype": "float32"}),
    Sample(metrics.BinaryIoU, binary, {"threshold": 0.4, "dtype": "float32"}),
    Sample(metrics.MeanIoU, numbers, {"num_classes": 3, "ignore_class": 1, "dtype": "float32"}),
    Sample(metrics.OneHotIoU, both_one_hot, {"num_classes": 3, "target_class_ids": [1], "dtype": "float32"}),
    Sample(metrics.OneHotMeanIoU, both_one_hot, {"num_classes": 3, "dtype": "float32"}),
]
