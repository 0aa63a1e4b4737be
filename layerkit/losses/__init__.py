"""Losses: classes, functions, and what their names mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from layerkit.errors import UnknownNameError, unknown_name
from layerkit.losses.crossentropy import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    KLDivergence,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    kl_divergence,
    sparse_categorical_crossentropy,
)
from layerkit.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from layerkit.losses.loss import Loss, LossFunctionWrapper
from layerkit.losses.overlap import Dice, Tversky, dice, tversky
from layerkit.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)
from layerkit.losses.robust import CategoricalGeneralizedCrossEntropy, categorical_generalized_cross_entropy
from layerkit.losses.sequence import CTC, ctc
from layerkit.losses.similarity import Circle, circle
from layerkit.registry import registry
from layerkit.serialization import deserialize_keras_object, get_object, serialize_keras_object

__all__ = [
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "CTC", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle", "CosineSimilarity", "Dice", "Hinge", "Huber",
    "KLDivergence", "LogCosh", "Loss", "LossFunctionWrapper", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge",
    "Tversky", "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_generalized_cross_entropy", "categorical_hinge", "circle",
    "cosine_similarity", "ctc", "deserialize", "dice", "get", "hinge", "huber", "kl_divergence", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "poisson", "serialize", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
]  # fmt: skip


def serialize(loss: Loss | Callable) -> dict[str, Any]:
    """A loss or a function of (y_true, y_pred) as JSON can hold it."""
    return serialize_keras_object(loss)


def deserialize(name: dict[str, Any] | str, custom_objects: Mapping[str, Any] | None = None) -> Loss | Callable:
    """What `serialize` wrote. Raises UnknownNameError for a name that nothing has."""
    if isinstance(name, str) and name in registry("loss function"):
        return registry("loss function").find(name)
    return deserialize_keras_object(name, custom_objects, kind="loss")


def get(identifier: Any) -> Loss | Callable | None:
    """The loss for a name, a configuration, a class, an object or None.

    The name of a class gives an object made without arguments, the name of a function the function.

    Raises:
        UnknownNameError: nothing has the name.
        TypeError: the identifier is nothing of these kinds.

    Example:
        >>> get("mse").__name__
        'mean_squared_error'
    """
    if isinstance(identifier, str) and identifier in registry("loss function"):
        return registry("loss function").find(identifier)
    try:
        return get_object("loss", identifier)
    except UnknownNameError:
        if not isinstance(identifier, str):
            raise
        raise unknown_name("loss", identifier, [*registry("loss function"), *registry("loss")]) from None
