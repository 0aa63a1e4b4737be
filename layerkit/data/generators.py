"""Python generators and other iterables of batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import Any

from layerkit import tree
from layerkit.data.base import Adapter, Batch
from layerkit.data.batch import class_weight_to_sample_weight, spread_sample_weight, unpack_x_y_sample_weight
from layerkit.data.convert import as_arrays, number_of_samples


def standardize_batch(
    batch: Any, source: str, class_weight: dict[int, float] | None = None, floatx: str = "float32"
) -> Batch:
    """A batch of user code as (x, y, sample_weight) of NumPy arrays.

    Args:
        batch: an array or dictionary (x), or a tuple or list of one to three items.
        source: what errors call the code that made the batch.
        class_weight: class number -> weight, where the batch has no sample weights.
        floatx: dtype name of floating-point data.

    Raises:
        ValueError, TypeError: the batch is of another form; a note names `source`.
    """
    try:
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        x, y = as_arrays(x, "x", floatx), as_arrays(y, "y", floatx)
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError("You cannot pass `class_weight` for batches that have sample weights.")
            sample_weight = class_weight_to_sample_weight(y, class_weight, floatx)
        else:
            sample_weight = spread_sample_weight(y, as_arrays(sample_weight, "sample_weight", floatx))
        number_of_samples({"x": x, "y": y, "sample_weight": sample_weight})
    except (ValueError, TypeError) as error:
        error.add_note(f"In a batch from {source}.")
        raise
    return tree.map_structure(_in_memory, (x, y, sample_weight), none_is_leaf=False)


def _in_memory(array: Any) -> Any:
    """HDF5 data sets are read: a batch is used now."""
    return array[:]


class IterableAdapter(Adapter):
    """Batches of an iterable (read anew each epoch) or of an iterator or generator (read on, once).

    The order is the iterable's own.

    Raises:
        ValueError: the iterable is an iterator that yields nothing.
    """

    def __init__(self, iterable: Iterable[Any], class_weight: dict[int, float] | None = None, floatx: str = "float32"):
        self.iterable = iterable
        self.once = iter(iterable) is iterable
        """Whether an epoch goes on where the one before stopped."""
        self._class_weight = class_weight
        self._floatx = floatx
        self._source = type(iterable).__name__ if not self.once else f"the {type(iterable).__name__} passed as `x`"
        if not self.once and isinstance(iterable, Sized):
            self.num_batches = len(iterable)
            if self.num_batches == 0:
                raise ValueError(f"The {type(iterable).__name__} passed as `x` has no batches: its length is 0.")

    def batches(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch; `start` of them are read and dropped first."""
        for batch in islice(self.iterable, start, None):
            yield standardize_batch(batch, self._source, self._class_weight, self._floatx)
