"""The data that layers adapt to, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from layerkit.data import PyDataset
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.layers.layer import Layer


def batches(data: Any, layer: Layer, steps: int | None = None, lists_are_batches: bool = True) -> Iterator[Any]:
    """The batches of inputs in the data that `adapt` got.

    Args:
        data: an array or tensor (one batch), a `PyDataset`, or an iterable or generator of batches; of a batch
            (x, y) or (x, y, sample_weight), a tuple, x counts.
        layer: what errors name.
        steps: how many batches to take, where there are several.
        lists_are_batches: whether a list holds batches; if not, a list or tuple is one array.

    Raises:
        TypeError: the data are of another kind.
        ValueError: there is no batch.
    """
    if _is_array(data) or (isinstance(data, list | tuple | str | bytes) and not lists_are_batches):
        yield data
        return
    if isinstance(data, PyDataset):
        data = _of_dataset(data)
    elif not isinstance(data, Iterable) or isinstance(data, str | bytes | dict):
        raise TypeError(
            f"{type(layer).__name__} {layer.name!r}: adapt() takes an array, a PyDataset or an iterable of batches; "
            f"got {type(data).__name__}."
        )
    found = False
    for batch in islice(data, steps):
        found = True
        yield batch[0] if isinstance(batch, tuple) and not isinstance(batch[0], str | bytes) else batch
    if not found:
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r}: adapt() received an empty iterable (no batches). Expected at "
            "least one batch; a generator that was read before is empty."
        )


def _is_array(data: Any) -> bool:
    return isinstance(data, np.ndarray | np.generic | Tensor | Variable) or (
        hasattr(data, "__array__") and hasattr(data, "dtype")
    )


def _of_dataset(data: PyDataset) -> Iterator[Any]:
    data.on_epoch_begin()
    for at in range(len(data)):
        yield data[at]
    data.on_epoch_end()
