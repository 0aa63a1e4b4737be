"""Losses of overlaps, embeddings, label sequences and wrong labels: values and gradients."""

from typing import Any

import keras
import numpy as np

from .losses import _case
from .running import generator, normal, plain


def _data(class_: str, shape: tuple[int, ...], name: str) -> tuple[np.ndarray, np.ndarray]:
    rng = generator(name, "data")
    raw = normal(rng, *shape)
    labels = rng.integers(0, 3, shape[:1], dtype="int32")
    match class_:
        case "Circle":
            return labels, raw / np.linalg.norm(raw, axis=-1, keepdims=True)
        case "CTC":
            # TensorFlow's gradient is another one where a 0 stands between labels.
            lengths = rng.integers(1, 4, (shape[0], 1))
            sequences = rng.integers(1, shape[-1], (shape[0], 3), dtype="int32")
            return np.where(np.arange(3) < lengths, sequences, 0).astype("int32"), 2 * raw
        case "CategoricalGeneralizedCrossEntropy":
            exponentials = np.exp(raw)
            return labels, exponentials / exponentials.sum(-1, keepdims=True)
        case "CategoricalFocalCrossentropy":
            exponentials = np.exp(raw)
            return np.eye(shape[-1], dtype="float32")[labels], exponentials / exponentials.sum(-1, keepdims=True)
    return rng.integers(0, 2, shape).astype("float32"), 1 / (1 + np.exp(-raw))


VARIATIONS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Dice", {}, (4, 3)),
    ("Dice", {"axis": [1, 2, 3]}, (2, 3, 4, 1)),
    ("Dice", {"axis": -1}, (4, 3)),
    ("Tversky", {}, (4, 3)),
    ("Tversky", {"alpha": 0.2, "beta": 0.9, "axis": [1, 2]}, (2, 3, 4)),
    ("Circle", {}, (6, 4)),
    ("Circle", {"gamma": 4.0, "margin": 0.2}, (8, 3)),
    ("Circle", {"gamma": 4.0, "remove_diagonal": False}, (8, 3)),
    ("CTC", {}, (4, 9, 5)),
    ("CategoricalGeneralizedCrossEntropy", {}, (5, 4)),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.8}, (5, 4)),
    ("CategoricalFocalCrossentropy", {}, (5, 4)),
    ("CategoricalFocalCrossentropy", {"alpha": 0.6, "gamma": 1.5, "label_smoothing": 0.1}, (5, 4)),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, (5, 4)),
]
FUNCTIONS = {
    "Dice": "dice",
    "Tversky": "tversky",
    "Circle": "circle",
    "CTC": "ctc",
    "CategoricalGeneralizedCrossEntropy": "categorical_generalized_cross_entropy",
    "CategoricalFocalCrossentropy": "categorical_focal_crossentropy",
}


def _references() -> dict[str, Any]:
    rng = generator("circle", "references")
    vectors = [normal(rng, size, 3) for size in (4, 5)]
    y_pred, references = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in vectors)
    labels, ref_labels = np.int32([0, 1, 2, 1]), np.int32([0, 1, 0, 2, 1])
    kwargs = {"ref_labels": ref_labels, "ref_embeddings": references, "remove_diagonal": False, "gamma": 3.0}
    value = plain(keras.losses.circle(labels, y_pred, **kwargs))
    return {
        "name": "circle-references", "function": "circle", "kwargs": kwargs, "y_true": labels, "y_pred": y_pred,
        "value": value,
    }  # fmt: skip


def make() -> list[dict[str, Any]]:
    """Cases of the classes (key "class"), then of the functions (key "function")."""
    found = []
    for index, (class_, kwargs, shape) in enumerate(VARIATIONS):
        data = _data(class_, shape, f"{class_}{index}")
        whole = class_ in ("Dice", "Tversky") and "axis" not in kwargs
        for reduction in ("sum_over_batch_size", "none"):
            given = {**kwargs, "reduction": reduction}
            found.append(_case(f"{class_}-{index:02d}-{reduction}", class_, given, data))
        if not whole:
            weights = np.abs(normal(generator(class_, index, "weights"), shape[0]))
            found.append(_case(f"{class_}-{index:02d}-weighted", class_, kwargs, data, weights))
        name = FUNCTIONS[class_]
        given = {"q": 0.5} | kwargs if "q" in kwargs or class_ == "CategoricalGeneralizedCrossEntropy" else kwargs
        value = plain(getattr(keras.losses, name)(*data, **given))
        found.append(
            {"name": f"{name}-{index:02d}", "function": name, "kwargs": given, "y_true": data[0], "y_pred": data[1],
             "value": value}
        )  # fmt: skip
    return [*found, _references()]
