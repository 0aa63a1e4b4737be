"""The compiled steps of training, evaluation and prediction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit import tree
from layerkit.data import pack_x_y_sample_weight
from layerkit.graph import Tensor, as_tensor
from layerkit.tracing import CompiledFunction


class Step:
    """A function of a batch, traced and compiled once for each signature of batches.

    Args:
        function: takes what `train_step` takes: x, (x, y) or (x, y, sample_weight), of symbolic tensors.
        name: for messages.
        lazy: interpret a signature's first runs where that is cheap and nothing has been compiled yet.
    """

    def __init__(self, function: Callable[[Any], Any], name: str, lazy: bool = False):
        self._compiled = CompiledFunction(
            lambda x, y, sample_weight: function(pack_x_y_sample_weight(x, y, sample_weight)), name, lazy=lazy
        )
        self._signature: tuple | None = None
        self._latest: Any = None
        self._lock = threading.Lock()

    def run(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Run on a batch; what it gives may be overwritten by the next run."""
        with self._lock:
            return self._run(x, y, sample_weight)

    def run_copied(self, x: Any) -> Any:
        """Run on inputs and give arrays of their own, also where several threads do so at once."""
        with self._lock:
            return copied(self._run(x, None, None))

    def _run(self, x: Any, y: Any, sample_weight: Any) -> Any:
        """Single arrays of the same shapes as before, which most batches are, are not flattened and looked up."""
        arrays = [part for part in (x, y, sample_weight) if part is not None]
        signature = (
            y is None,
            *[(array.shape, array.dtype) if type(array) is np.ndarray else None for array in arrays],
        )
        if signature == self._signature:
            return self._latest.run(arrays)
        if None in signature:
            return self._compiled.run(x, y, sample_weight)
        self._latest = self._compiled.traced((x, y, sample_weight), [x, y, sample_weight])
        self._signature = signature
        return self._latest.run(arrays)


class EagerStep:
    """The function of a batch itself, on tensors with values, run anew for each batch: for debugging."""

    def __init__(self, function: Callable[[Any], Any]):
        self._function = function

    def run(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Run on a batch."""
        batch = tree.map_structure(lambda part: None if part is None else as_tensor(part), (x, y, sample_weight))
        given = self._function(pack_x_y_sample_weight(*batch))
        return tree.map_structure(lambda leaf: leaf.numpy() if isinstance(leaf, Tensor) else leaf, given)

    def run_copied(self, x: Any) -> Any:
        """Run on inputs."""
        return copied(self.run(x))


def python_logs(logs: dict[str, Any] | None) -> dict[str, Any]:
    """Results as Python numbers, sorted by name; dictionaries among them are merged in, longer arrays copied."""
    found: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            found.update(python_logs(value))
        else:
            array = np.asarray(value)
            found[name] = array.item() if array.size == 1 else array.copy()
    return found


def copied(outputs: Any) -> Any:
    """A structure of arrays with memory of their own."""
    return outputs.copy() if isinstance(outputs, np.ndarray) else tree.map_structure(_copied_leaf, outputs)


def _copied_leaf(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


class Collected:
    """The outputs of batches, put together along the first axis.

    Args:
        samples: how many samples there will be, where that is known: then each output is written in its place.
    """

    def __init__(self, samples: int | None):
        self._samples = samples
        self._structure: Any = None
        self._parts: list[list[np.ndarray]] = []
        self._whole: list[np.ndarray] | None = None
        self._filled = 0

    def add(self, outputs: Any) -> None:
        """Take a batch's outputs [batch, ...]; they are copied."""
        leaves = [np.asarray(leaf) for leaf in tree.flatten(outputs)]
        if self._structure is None:
            self._structure = tree.map_structure(lambda _: 0, outputs)
            if self._samples is not None and all(leaf.ndim for leaf in leaves):
                self._whole = [np.empty((self._samples, *leaf.shape[1:]), leaf.dtype) for leaf in leaves]
        end = self._filled + len(leaves[0]) if leaves[0].ndim else None
        if self._whole is not None and end is not None and self._fits(leaves, end):
            for whole, leaf in zip(self._whole, leaves, strict=True):
                whole[self._filled : end] = leaf
            self._filled = end
            return
        if self._whole is not None:
            # Batches of another shape: go on with parts.
            self._parts = [[whole[: self._filled]] if self._filled else [] for whole in self._whole]
            self._whole = None
        self._parts = self._parts or [[] for _ in leaves]
        for parts, leaf in zip(self._parts, leaves, strict=True):
            parts.append(leaf.copy())

    def _fits(self, leaves: list[np.ndarray], end: int) -> bool:
        return end <= self._samples and all(
            len(leaf) == end - self._filled and leaf.shape[1:] == whole.shape[1:]
            for leaf, whole in zip(leaves, self._whole, strict=True)
        )

    def result(self) -> Any:
        """The outputs of all batches. Raises ValueError where batches' outputs do not fit together."""
        if self._structure is None:
            return None
        if self._whole is not None:
            leaves = [whole[: self._filled] for whole in self._whole]
        else:
            leaves = [np.concatenate(parts) if parts[0].ndim else np.stack(parts) for parts in self._parts]
        return tree.pack_sequence_as(self._structure, leaves)
