"""Losses: values and gradients of the classes, and each sample's value by the function of the same name."""

import re
from typing import Any

import keras
import numpy as np

from .running import as_json, generator, gradients, normal, plain

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")
REAL = (
    "MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError Huber LogCosh "
    "CosineSimilarity Hinge SquaredHinge CategoricalHinge KLDivergence Poisson"
).split()
CLASSES = 5


def _data(class_: str, kwargs: dict[str, Any], shape: tuple[int, ...], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions that suit a loss."""
    rng = generator(name, "data")
    raw = normal(rng, *shape)
    exponentials = np.exp(raw)
    probabilities = exponentials / exponentials.sum(-1, keepdims=True)
    labels = rng.integers(0, shape[-1], shape[:-1], dtype="int32")
    one_hot = np.eye(shape[-1], dtype="float32")[labels]
    logits = kwargs.get("from_logits")
    match class_:
        case "BinaryCrossentropy":
            return rng.integers(0, 2, shape).astype("float32"), raw if logits else 1 / (1 + np.exp(-raw))
        case "CategoricalCrossentropy":
            return one_hot, raw if logits else probabilities
        case "SparseCategoricalCrossentropy":
            return labels, raw if logits else probabilities
        case "Hinge" | "SquaredHinge":
            return np.sign(normal(rng, *shape)), raw
        case "CategoricalHinge":
            return one_hot, raw
        case "KLDivergence":
            return one_hot * np.float32(0.7) + np.float32(0.06), probabilities
        case "Poisson" | "MeanSquaredLogarithmicError":
            return np.abs(normal(rng, *shape)), exponentials
    return normal(rng, *shape), raw


def _extreme(class_: str, kwargs: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Certain predictions, right and wrong: probabilities of 0 and 1, logits of +-50."""
    low, high = (-50.0, 50.0) if kwargs.get("from_logits") else (0.0, 1.0)
    if class_ == "BinaryCrossentropy":
        return np.array([[0, 1, 0, 1]] * 2, "float32"), np.array([[low, low, high, high]] * 2, "float32")
    labels = np.array([0, 1, 2, 1], "int32")
    predicted = np.where(np.eye(3)[[0, 1, 1, 0]] > 0, high, low).astype("float32")
    return (labels if class_.startswith("Sparse") else np.eye(3, dtype="float32")[labels]), predicted


def _case(
    name: str,
    class_: str,
    kwargs: dict[str, Any],
    data: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray | None = None,
) -> dict[str, Any]:
    keras.utils.clear_session()
    y_true, y_pred = data
    loss = getattr(keras.losses, class_)(**kwargs)
    value, found = gradients(lambda predicted: loss(y_true, predicted, sample_weight=weight), [y_pred])
    return {
        "name": name,
        "class": class_,
        "kwargs": as_json(kwargs),
        "y_true": y_true,
        "y_pred": y_pred,
        "sample_weight": weight,
        "value": value,
        "gradient": found[0],
        "loss_name": loss.name,
        "config": as_json(loss.get_config()),
    }


def _variations() -> list[tuple[str, dict[str, Any], tuple[int, ...]]]:
    shapes = [(4, 3), (6, 1), (2, 3, 4)]
    found = [(class_, {}, shape) for class_ in REAL for shape in shapes]
    found += [("Huber", {"delta": 0.3}, (4, 3)), ("CosineSimilarity", {"axis": 0}, (4, 3))]
    for logits in (False, True):
        found += [("BinaryCrossentropy", {"from_logits": logits}, shape) for shape in shapes]
        found += [("BinaryCrossentropy", {"from_logits": logits, "label_smoothing": 0.1}, (4, 3))]
        for class_ in ("CategoricalCrossentropy", "SparseCategoricalCrossentropy"):
            found += [(class_, {"from_logits": logits}, shape) for shape in ((4, CLASSES), (2, 3, CLASSES))]
        found += [("CategoricalCrossentropy", {"from_logits": logits, "label_smoothing": 0.2}, (4, CLASSES))]
        for ignored in (0, 3, -1):
            kwargs = {"from_logits": logits, "ignore_class": ignored}
            found += [("SparseCategoricalCrossentropy", kwargs, shape) for shape in ((8, CLASSES), (2, 6, CLASSES))]
    found += [("BinaryFocalCrossentropy", {}, (4, 3)), ("BinaryFocalCrossentropy", {"from_logits": True}, (4, 3))]
    return found


def _class_cases() -> list[dict[str, Any]]:
    found = []

    def add(class_: str, kwargs: dict[str, Any], data: tuple, weight: np.ndarray | None = None) -> None:
        found.append(_case(f"{class_}-{len(found):03d}", class_, kwargs, data, weight))

    for index, (class_, kwargs, shape) in enumerate(_variations()):
        if class_ == "BinaryFocalCrossentropy":
            data = _data("BinaryCrossentropy", kwargs, shape, f"{class_}{index}")
        else:
            data = _data(class_, kwargs, shape, f"{class_}{index}")
        rng = generator(class_, index, "weights")
        add(class_, kwargs, data)
        if kwargs.get("axis") == 0:
            continue
        # Keras broadcasts (n, 1) over steps but refuses (n,) for values of shape (n, steps).
        add(class_, kwargs, data, np.abs(normal(rng, *shape[:-1])))
        add(class_, kwargs, data, np.abs(normal(rng, shape[0], 1)))
    reduced = ("MeanSquaredError", "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")
    for class_ in reduced:
        for reduction in REDUCTIONS:
            kwargs = {"reduction": reduction}
            data = _data(class_, kwargs, (4, CLASSES), class_)
            weights = np.abs(normal(generator(class_, "reduction"), 4))
            weights[1] = 0
            add(class_, kwargs, data)
            add(class_, kwargs, data, weights)
    for class_ in ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"):
        for logits in (False, True):
            kwargs = {"from_logits": logits, "reduction": "none"}
            add(class_, kwargs, _extreme(class_, kwargs))
    for reduction in REDUCTIONS:
        kwargs = {"reduction": reduction, "ignore_class": 2}
        data = _data("SparseCategoricalCrossentropy", kwargs, (6, CLASSES), "ignored")
        add("SparseCategoricalCrossentropy", kwargs, data, np.abs(normal(generator("ignored"), 6)))
    # Targets one axis short of, or one beyond, the predictions: Keras squeezes the last axis.
    rng = generator("squeezed")
    add("MeanSquaredError", {}, (normal(rng, 5), normal(rng, 5, 1)))
    add("MeanSquaredError", {}, (normal(rng, 5, 1), normal(rng, 5)))
    labels, logits = _data("SparseCategoricalCrossentropy", {"from_logits": True}, (4, CLASSES), "squeezed")
    add("SparseCategoricalCrossentropy", {"from_logits": True}, (labels[:, None], logits))
    return found


def _function_cases() -> list[dict[str, Any]]:
    found = []
    for index, (class_, kwargs, shape) in enumerate(_variations()):
        name = "kl_divergence" if class_ == "KLDivergence" else re.sub(r"(?<!^)(?=[A-Z])", "_", class_).lower()
        function = getattr(keras.losses, name)
        data_of = "BinaryCrossentropy" if class_ == "BinaryFocalCrossentropy" else class_
        y_true, y_pred = _data(data_of, kwargs, shape, f"{class_}{index}")
        found.append(
            {
                "name": f"{name}-{index:03d}",
                "function": name,
                "kwargs": kwargs,
                "y_true": y_true,
                "y_pred": y_pred,
                "value": plain(function(y_true, y_pred, **kwargs)),
            }
        )
    return found


def make() -> list[dict[str, Any]]:
    """Cases of the classes (key "class"), then of the functions (key "function")."""
    return _class_cases() + _function_cases()
