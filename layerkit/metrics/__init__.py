"""Metrics: classes, functions, and what their names mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from layerkit.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from layerkit.metrics.confusion import (
    AUC,
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from layerkit.metrics.measures import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    R2Score,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from layerkit.metrics.metric import Metric
from layerkit.metrics.reduction import Mean, MeanMetricWrapper, Sum
from layerkit.serialization import deserialize_keras_object, get_object, serialize_keras_object

__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy", "CategoricalCrossentropy",
    "CategoricalHinge", "CosineSimilarity", "FalseNegatives", "FalsePositives", "Hinge", "KLDivergence",
    "LogCoshError", "Mean", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanMetricWrapper",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Metric", "Poisson", "Precision", "R2Score", "Recall",
    "RootMeanSquaredError", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "SquaredHinge", "Sum", "TopKCategoricalAccuracy", "TrueNegatives",
    "TruePositives", "binary_accuracy", "categorical_accuracy", "deserialize", "get", "serialize",
    "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]  # fmt: skip


def serialize(metric: Metric | Callable) -> dict[str, Any]:
    """A metric or a function of (y_true, y_pred) as JSON can hold it."""
    return serialize_keras_object(metric)


def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Metric | Callable:
    """What `serialize` wrote. Raises UnknownNameError for a name that nothing has."""
    if config.get("class_name") == "function":
        return deserialize_keras_object(config, custom_objects)
    return deserialize_keras_object(config, custom_objects, kind="metric")


def get(identifier: Any) -> Metric | Callable | None:
    """The metric for a name, a configuration, a class, an object, a function or None.

    Raises:
        UnknownNameError: nothing has the name.
        TypeError: the identifier is nothing of these kinds.

    Example:
        >>> get("mse")
        <MeanSquaredError name=mean_squared_error>
    """
    return get_object("metric", identifier)
