"""Tensor: an edge of a graph, or an array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from layerkit.dtypes import standardize_dtype
from layerkit.errors import GraphError

if TYPE_CHECKING:
    from layerkit.graph.node import Node

Shape = tuple[int | None, ...]

SIZE_CONSTANT = "size"
"""Name of constants that come from sizes (as 1/n in a mean): the compiler does not look at their value, so that a batch
of one sample, where 1/n is 1, needs no kernels of its own."""


class Tensor:
    """A value: with an array (eager), or without one (symbolic: what a node of a graph will give).

    Attributes:
        shape: sizes; None where a symbolic tensor's size is not known.
        dtype: the dtype's name.
        node: the node that gives it, None for an array and for an input.
        index: which of the node's outputs it is.

    NumPy's operators, indexing and functions work on it; on a symbolic tensor they record nodes.
    """

    __slots__ = ("__weakref__", "_array", "dtype", "index", "mask", "name", "node", "shape")
    __array_priority__ = 1000

    def __init__(
        self,
        shape: Shape,
        dtype: str,
        array: np.ndarray | None = None,
        node: Node | None = None,
        index: int = 0,
        name: str | None = None,
    ) -> None:
        self.shape = tuple(shape)
        self.dtype = dtype
        self._array = array
        self.node = node
        self.index = index
        self.name = name
        self.mask = None  # which steps of a sequence count; set by layers that make or pass one on

    @classmethod
    def of(cls, array: np.ndarray) -> Tensor:
        """An eager tensor over an array (not copied)."""
        return cls(array.shape, standardize_dtype(array.dtype), array)

    @property
    def symbolic(self) -> bool:
        """Whether it holds no array."""
        return self._array is None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int | None:
        """Number of elements, None where a size is not known."""
        return None if None in self.shape else int(np.prod(self.shape, dtype=np.int64))

    def numpy(self) -> np.ndarray:
        """The array. Raises GraphError for a symbolic tensor."""
        if self._array is None:
            raise GraphError(
                f"{self!r} is symbolic: it has no values until its graph runs. Inside a layer, a loss or a traced "
                "function use layerkit.ops instead of NumPy or Python conditions on its values."
            )
        return self._array

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and np.dtype(dtype) != array.dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def item(self) -> float | int | bool:
        """The one element as a Python number."""
        return self.numpy().item()

    def tolist(self) -> object:
        """The elements as nested lists."""
        return self.numpy().tolist()

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __index__(self) -> int:
        return self.numpy().__index__()

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a tensor without axes")
        if self.shape[0] is None:
            raise GraphError(f"The length of {self!r} is not known.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        if self._array is None:
            label = f" name={self.name!r}" if self.name else ""
            return f"<Tensor shape={self.shape} dtype={self.dtype}{label} symbolic>"
        return f"<Tensor shape={self.shape} dtype={self.dtype}\n{self._array!r}>"

    def __format__(self, specification: str) -> str:
        return format(self.item(), specification) if specification else repr(self)

    __hash__ = object.__hash__
