"""Metrics: three updates with and without sample weights, the result after each, and the state at the end."""

from typing import Any

import keras
import numpy as np

from .running import as_json, generator, normal, plain

UPDATES = 3
SAMPLES = 7


def _of(class_: str, data: str, classes: int = 4, **kwargs: Any) -> dict[str, Any]:
    return {"class": class_, "data": data, "classes": classes, "kwargs": kwargs}


METRICS = [
    _of("Accuracy", "labels"),
    _of("Accuracy", "label columns"),
    _of("BinaryAccuracy", "binary"),
    _of("BinaryAccuracy", "binary", threshold=0.7),
    _of("BinaryAccuracy", "binary", classes=1),
    _of("CategoricalAccuracy", "one hot"),
    _of("CategoricalAccuracy", "one hot sequences"),
    _of("SparseCategoricalAccuracy", "sparse"),
    _of("SparseCategoricalAccuracy", "sparse columns"),
    _of("SparseCategoricalAccuracy", "sparse sequences"),
    _of("TopKCategoricalAccuracy", "one hot", k=2),
    _of("TopKCategoricalAccuracy", "one hot", classes=7),
    _of("SparseTopKCategoricalAccuracy", "sparse", k=2),
    _of("SparseTopKCategoricalAccuracy", "sparse", classes=7),
    _of("SparseTopKCategoricalAccuracy", "sparse sequences", k=2),
    _of("Mean", "values"),
    _of("Mean", "values", classes=1),
    _of("Sum", "values"),
    _of("MeanMetricWrapper", "real", fn="mean_squared_error"),
    _of("MeanSquaredError", "real"),
    _of("MeanSquaredError", "real", classes=1),
    _of("RootMeanSquaredError", "real"),
    _of("MeanAbsoluteError", "real"),
    _of("MeanAbsolutePercentageError", "real"),
    _of("MeanSquaredLogarithmicError", "real"),
    _of("LogCoshError", "real"),
    _of("CosineSimilarity", "real"),
    _of("R2Score", "real"),
    _of("KLDivergence", "one hot"),
    _of("Poisson", "one hot"),
    _of("Hinge", "binary"),
    _of("BinaryCrossentropy", "binary"),
    _of("BinaryCrossentropy", "binary", label_smoothing=0.1),
    _of("BinaryCrossentropy", "real", from_logits=True),
    _of("CategoricalCrossentropy", "one hot"),
    _of("CategoricalCrossentropy", "one hot", label_smoothing=0.1),
    _of("SparseCategoricalCrossentropy", "sparse"),
    _of("SparseCategoricalCrossentropy", "sparse", from_logits=True),
    _of("SparseCategoricalCrossentropy", "sparse", ignore_class=1),
    _of("Precision", "binary"),
    _of("Precision", "binary", thresholds=[0.2, 0.5, 0.8]),
    _of("Precision", "one hot", top_k=2),
    _of("Precision", "one hot", class_id=1),
    _of("Precision", "one hot", class_id=1, top_k=2),
    _of("Recall", "binary"),
    _of("Recall", "binary", thresholds=[0.2, 0.5, 0.8]),
    _of("Recall", "one hot", top_k=2),
    _of("Recall", "one hot", class_id=1),
    _of("AUC", "binary", classes=1),
    _of("AUC", "binary"),
    _of("AUC", "binary", num_thresholds=20, summation_method="minoring"),
    _of("AUC", "binary", num_thresholds=20, summation_method="majoring"),
    _of("AUC", "binary", curve="PR", num_thresholds=50),
    _of("AUC", "binary", curve="PR", num_thresholds=20, summation_method="majoring"),
    _of("AUC", "binary", multi_label=True, num_labels=4, num_thresholds=30),
    _of("AUC", "binary", multi_label=True, num_labels=4, label_weights=[0.1, 0.2, 0.3, 0.4], num_thresholds=30),
    _of("AUC", "binary", thresholds=[0.1, 0.4, 0.5, 0.9]),
    _of("AUC", "real", from_logits=True, num_thresholds=30),
]


def _data(kind: str, classes: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Arguments of update_state before the sample weight."""
    time = (3,) if kind.endswith("sequences") else ()
    raw = normal(rng, SAMPLES, *time, classes)
    exponentials = np.exp(2 * raw)
    probabilities = exponentials / exponentials.sum(-1, keepdims=True)
    labels = rng.integers(0, classes, (SAMPLES, *time), dtype="int32")
    match kind.split()[0]:
        case "values":
            return (raw, raw + normal(rng, *raw.shape)) if kind.endswith("twice") else (raw,)
        case "real":
            # Targets of 0 or 1 so that the same data suit logits.
            return rng.integers(0, 2, raw.shape).astype("float32"), raw
        case "binary":
            return rng.integers(0, 2, raw.shape).astype("float32"), 1 / (1 + np.exp(-raw))
        case "one":
            return np.eye(classes, dtype="float32")[labels], probabilities
        case "sparse":
            return labels[:, None] if "columns" in kind else labels, probabilities
    predicted = np.where(rng.random(SAMPLES) < 0.5, labels, 0).astype("int32")
    return (labels[:, None], predicted[:, None]) if "columns" in kind else (labels, predicted)


def _case(name: str, sample: dict[str, Any], weighted: bool) -> dict[str, Any]:
    keras.utils.clear_session()
    rng = generator(name)
    kwargs = dict(sample["kwargs"])
    if "fn" in kwargs:
        kwargs["fn"] = getattr(keras.losses, kwargs["fn"])
    metric = getattr(keras.metrics, sample["class"])(**kwargs)
    updates = []
    for _ in range(UPDATES):
        data = _data(sample["data"], sample["classes"], rng)
        weight = np.abs(normal(rng, SAMPLES)) if weighted else None
        metric.update_state(*data, sample_weight=weight)
        updates.append({"arguments": list(data), "sample_weight": weight, "result": plain(metric.result())})
    return {
        "name": name,
        "class": sample["class"],
        "kwargs": as_json(sample["kwargs"]),
        "updates": updates,
        "metric_name": metric.name,
        "variables": [plain(variable) for variable in metric.variables],
        "variable_paths": [variable.path for variable in metric.variables],
        "config": as_json(metric.get_config()),
    }


def make() -> list[dict[str, Any]]:
    """Every metric twice: without sample weights, then with them."""
    found = []
    for index, sample in enumerate(METRICS):
        for weighted in (False, True):
            name = f"{sample['class']}-{index:02d}{'-weighted' if weighted else ''}"
            found.append(_case(name, sample, weighted))
    return found
