"""Tensor: an edge of a graph, or an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerkit.dtypes import tensor_dtype
from layerkit.errors import GraphError, ShapeError
from layerkit.registry import auto_name

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
        dtype: the dtype's name; "string" for an array of texts.
        node: the node that gives it, None for an array and for an input.
        index: which of the node's outputs it is.

    NumPy's operators, indexing and functions work on it; on a symbolic tensor they record nodes.
    """

    __slots__ = ("__weakref__", "_array", "dtype", "index", "mask", "name", "node", "shape")
    __array_priority__ = 1000
    sparse = ragged = False  # there are dense tensors only
    record_history = True

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
        return cls(array.shape, tensor_dtype(array.dtype), array)

    @property
    def _keras_mask(self) -> Tensor | None:
        """`mask`, by the name under which Keras' guides print it."""
        return self.mask

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


class _Symbolic(type):
    """The class of KerasTensor, of which every tensor without an array is an instance."""

    def __instancecheck__(cls, x: object) -> bool:
        return isinstance(x, Tensor) and x.symbolic if cls is KerasTensor else super().__instancecheck__(x)


class KerasTensor(Tensor, metaclass=_Symbolic):
    """A symbolic tensor made by hand, to build a `Function` or a model on. Every symbolic tensor is an instance.

    Args:
        shape: sizes, None where a size is not known.
        dtype: the dtype.
        sparse: not supported; raises NotImplementedError.
        ragged: not supported; raises NotImplementedError.
        record_history: whether what is computed from it can be the output of a function or a model.
        name: its name; by default `keras_tensor` with a number.

    Raises ShapeError for a shape that is none.

    >>> x = KerasTensor((None, 3))
    >>> (x + 1).shape, isinstance(x + 1, KerasTensor), isinstance(Tensor.of(np.ones(3)), KerasTensor)
    ((None, 3), True, False)
    """

    __slots__ = ("record_history",)

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: object = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
    ) -> None:
        for argument, value in (("sparse", sparse), ("ragged", ragged)):
            if value:
                raise NotImplementedError(
                    f"KerasTensor doesn't support `{argument}`, only dense tensors; got {value!r}."
                )
        known = isinstance(shape, Sequence) and not isinstance(shape, str)
        if not known or any(n is not None and (not hasattr(n, "__index__") or n < 0) for n in shape):
            raise ShapeError(
                f"KerasTensor: `shape` must be a tuple of sizes that are not negative, or None where a size is not "
                f"known; got {shape!r}."
            )
        sizes = tuple(None if n is None else int(n) for n in shape)
        super().__init__(sizes, tensor_dtype(dtype), name=name or auto_name("KerasTensor"))
        self.record_history = bool(record_history)
