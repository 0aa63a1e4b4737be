"""The shape of a batch: x, y and sample weights, packed in the tuple that `train_step` gets."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import tree
from layerkit.dtypes import TEXT_KINDS
from layerkit.errors import DtypeError, ShapeError


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The batch as user code passes it around: x, (x,), (x, y) or (x, y, sample_weight).

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, tuple | list) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """The inverse of `pack_x_y_sample_weight`: always (x, y, sample_weight), with None for what is missing.

    Raises:
        ValueError: a tuple or list has none or more than three items.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, tuple | list):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, "
            f"found a {type(data).__name__} of {len(data)} items."
        )
    return (*data, None, None)[:3]


def class_weight_to_sample_weight(y: Any, class_weight: dict[int, float], floatx: str = "float32") -> np.ndarray:
    """The weight of each sample's class.

    Args:
        y: labels [samples], [samples, 1], or one-hot [samples, classes].
        class_weight: class number -> weight; classes that it does not name weigh 1.
        floatx: dtype of the result.

    Returns:
        Array [samples].

    Raises:
        ValueError: y is nested or missing, or a class or weight is no number.
        DtypeError: labels have fractions.
    """
    if y is None or tree.is_nested(y):
        raise ValueError("`class_weight` is only supported for models with a single output `y`.")
    if not isinstance(class_weight, dict):
        raise ValueError(f"`class_weight` must be a dictionary of class number -> weight, got {class_weight!r}.")
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(axis=-1)
    if labels.ndim != 1:
        raise ShapeError(f"`class_weight` needs one label a sample, but `y` has shape {np.shape(y)}.")
    if labels.dtype.kind in TEXT_KINDS:
        raise DtypeError("`class_weight` needs class numbers in `y`, but its labels are strings or other objects.")
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.round(labels)):
        raise DtypeError("`class_weight` needs class numbers in `y`, but its labels have fractions.")
    try:
        weights = {int(label): float(weight) for label, weight in class_weight.items()}
    except (TypeError, ValueError) as error:
        raise ValueError(f"`class_weight` must map class numbers to weights, got {class_weight!r}.") from error
    classes, positions = np.unique(labels.astype(np.int64), return_inverse=True)
    return np.array([weights.get(int(label), 1.0) for label in classes], dtype=floatx)[positions]


def spread_sample_weight(y: Any, sample_weight: Any) -> Any:
    """Sample weights nested like y: one array serves every output.

    Raises:
        ValueError: there is no y, or the structures differ.
        ShapeError: one array for several outputs holds more than one weight a sample.
    """
    if sample_weight is None:
        return None
    if y is None:
        raise ValueError("`sample_weight` was passed without `y`: there is no loss for it to weigh.")
    if not tree.is_nested(y):
        if tree.is_nested(sample_weight):
            raise ValueError("`y` is a single array, but `sample_weight` is nested: pass one array.")
        return sample_weight
    if not tree.is_nested(sample_weight):
        if not (len(sample_weight.shape) == 1 or sample_weight.shape[1:] == (1,)):
            raise ShapeError(
                "One `sample_weight` array for several outputs must hold one weight a sample, shape [samples], but it "
                f"has shape {tuple(sample_weight.shape)}. Pass one array for each output for other weights."
            )
        return tree.map_structure(lambda _: sample_weight, y)
    try:
        tree.map_structure_up_to(y, lambda _: None, sample_weight)
    except ValueError as error:
        raise ValueError(f"`sample_weight` must be one array or nested like `y`. {error}") from None
    return sample_weight
