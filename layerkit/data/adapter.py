"""Which adapter serves which data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from layerkit.data.arrays import ArrayAdapter
from layerkit.data.base import Adapter
from layerkit.data.generators import IterableAdapter
from layerkit.data.py_dataset import PyDataset, PyDatasetAdapter

__all__ = ["Adapter", "get_adapter"]


def get_adapter(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    steps_per_epoch: int | None = None,
    shuffle: bool | str = False,
    class_weight: dict[int, float] | None = None,
    rng: np.random.Generator | None = None,
    floatx: str = "float32",
) -> Adapter:
    """The source of batches for the data that `fit`, `evaluate` or `predict` got.

    Args:
        x: arrays [samples, ...] (NumPy, pandas, HDF5, lists of numbers, or structures of them for several
            inputs), a `PyDataset`, or an iterable or generator of batches.
        y: targets, where x holds arrays.
        sample_weight: weights, where x holds arrays.
        batch_size: samples in a batch, where x holds arrays; 32 by default.
        steps_per_epoch: batches in an epoch.
        shuffle: True, False or `"batch"`; iterables and endless data sets keep their own order.
        class_weight: class number -> weight.
        rng: source of the shuffling.
        floatx: dtype that floating-point data are cast to.

    Raises:
        ValueError: an argument is of no use for this kind of data, or out of range.
        TypeError: the data are of a kind that cannot be used.

    Example:
        >>> adapter = get_adapter(np.zeros((10, 3)), batch_size=4)
        >>> [x.shape for x, _, _ in adapter.batches()]
        [(4, 3), (4, 3), (2, 3)]
    """
    _check_count("batch_size", batch_size)
    _check_count("steps_per_epoch", steps_per_epoch)
    if shuffle not in (True, False, "batch"):
        raise ValueError(f"`shuffle` must be True, False or 'batch', got {shuffle!r}.")
    if isinstance(x, Adapter):
        return x
    if isinstance(x, PyDataset):
        _refuse_targets(type(x).__name__, y, sample_weight)
        return PyDatasetAdapter(x, shuffle, class_weight, rng, floatx)
    if _is_iterable_of_batches(x):
        _refuse_targets(type(x).__name__, y, sample_weight)
        return IterableAdapter(x, class_weight, floatx)
    return ArrayAdapter(x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight, rng, floatx)


def _is_iterable_of_batches(x: Any) -> bool:
    array_like = hasattr(x, "__array__") or hasattr(x, "tocsr") or (hasattr(x, "shape") and hasattr(x, "dtype"))
    return isinstance(x, Iterable) and not array_like and not isinstance(x, list | tuple | dict | str | bytes)


def _check_count(name: str, value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1):
        raise ValueError(f"`{name}` must be a positive integer or None, got {value!r}.")


def _refuse_targets(kind: str, y: Any, sample_weight: Any) -> None:
    for name, value, meaning in (("y", y, "targets"), ("sample_weight", sample_weight, "sample weights")):
        if value is not None:
            raise ValueError(
                f"`{name}` should not be passed where `x` is a {kind}: its batches hold the {meaning}, "
                "as `(x, y)` or `(x, y, sample_weight)`."
            )
