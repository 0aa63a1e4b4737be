"""Arrays in memory or in HDF5 files as shuffled batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from layerkit import tree
from layerkit.data.base import Adapter, Batch
from layerkit.data.batch import class_weight_to_sample_weight, spread_sample_weight
from layerkit.data.convert import as_arrays, number_of_samples

DEFAULT_BATCH_SIZE = 32


class ArrayAdapter(Adapter):
    """Batches of arrays.

    The order of an epoch depends on the generator given and the epoch's number alone, so training that
    is resumed in the middle of an epoch sees the same batches.

    Args:
        x: inputs; whatever `as_arrays` takes.
        y: targets, or None.
        sample_weight: weights [samples] or nested like `y`, or None.
        batch_size: samples in a batch; by default 32, or what makes `steps` batches.
        steps: batches in an epoch, where `batch_size` is not given.
        shuffle: True for a new order of all samples each epoch, `"batch"` for a new order inside each batch.
        class_weight: class number -> weight, instead of `sample_weight`.
        rng: source of the shuffling; one that is seeded by the system where None.
        floatx: dtype name of floating-point data.
    """

    num_batches: int
    batch_size: int
    num_samples: int

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        shuffle: bool | str = False,
        class_weight: dict[int, float] | None = None,
        rng: np.random.Generator | None = None,
        floatx: str = "float32",
    ):
        x, y = as_arrays(x, "x", floatx), as_arrays(y, "y", floatx)
        if sample_weight is not None and class_weight is not None:
            raise ValueError("You cannot pass `class_weight` and `sample_weight` at the same time.")
        if class_weight is not None:
            sample_weight = class_weight_to_sample_weight(y, class_weight, floatx)
        else:
            sample_weight = spread_sample_weight(y, as_arrays(sample_weight, "sample_weight", floatx))
        self.num_samples = number_of_samples({"x": x, "y": y, "sample_weight": sample_weight})
        if batch_size is None:
            batch_size = math.ceil(self.num_samples / steps) if steps else DEFAULT_BATCH_SIZE
        self.batch_size = batch_size
        self.num_batches = math.ceil(self.num_samples / batch_size)
        self.shuffle = shuffle
        self._seed = int((rng or np.random.default_rng()).integers(2**63)) if shuffle else 0
        self._structure = (x, y, sample_weight)
        self._simple = not any(tree.is_nested(part) for part in self._structure)
        self._parts = [part is not None for part in self._structure]
        self.arrays = [leaf for leaf in tree.flatten(self._structure) if leaf is not None]
        """The leaves of (x, y, sample_weight), what is None left out."""

    def selections(self, epoch: int = 0, start: int = 0) -> Iterator[slice | np.ndarray]:
        """Which samples make each batch of an epoch: a slice, or int64 indices where they are shuffled."""
        size, samples = self.batch_size, self.num_samples
        if not self.shuffle:
            for low in range(start * size, samples, size):
                yield slice(low, min(low + size, samples))
            return
        random = np.random.default_rng([self._seed, epoch])
        if self.shuffle == "batch":
            for low in range(0, samples, size):
                order = low + random.permutation(min(size, samples - low))
                if low >= start * size:  # those before are drawn all the same
                    yield order
            return
        order = random.permutation(samples)
        for low in range(start * size, samples, size):
            yield order[low : low + size]

    def copy_batch(self, selection: slice | np.ndarray, buffers: Sequence[np.ndarray]) -> None:
        """Copy the samples of a selection into the first rows of a buffer for each of `arrays`.

        The buffers have the arrays' dtypes; nothing is allocated for arrays in memory.
        """
        for array, buffer in zip(self.arrays, buffers, strict=True):
            if type(selection) is slice:
                buffer[: selection.stop - selection.start] = array[selection]
            else:
                # Without a mode NumPy would build the rows elsewhere first, in case an index is wrong.
                array.take(selection, 0, buffer[: len(selection)], "clip")

    def batches(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the one numbered `start`: views, or buffers that are used again."""
        arrays = self.arrays
        full = self._buffers(self.batch_size) if self.shuffle else []
        buffers, batch = full, self._pack(full if full else arrays)
        for selection in self.selections(epoch, start):
            if type(selection) is slice:
                yield self._pack([array[selection] for array in arrays])
                continue
            if len(selection) != len(buffers[0]):
                buffers = [buffer[: len(selection)] for buffer in full]
                batch = self._pack(buffers)
            for array, buffer in zip(arrays, buffers, strict=True):
                array.take(selection, 0, buffer, "clip")
            yield batch

    def _buffers(self, size: int) -> list[np.ndarray]:
        size = min(size, self.num_samples)
        return [np.empty((size, *array.shape[1:]), array.dtype) for array in self.arrays]

    def _pack(self, leaves: list[np.ndarray]) -> Batch:
        """Leaves in the structure of (x, y, sample_weight)."""
        rest = iter(leaves)
        if self._simple:
            has_x, has_y, has_weight = self._parts
            return next(rest) if has_x else None, next(rest) if has_y else None, next(rest) if has_weight else None
        return tree.map_structure(lambda _: next(rest), self._structure, none_is_leaf=False)
