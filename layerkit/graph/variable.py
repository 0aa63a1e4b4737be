"""Variable: mutable state that graphs read and assign."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerkit.dtypes import standardize_dtype
from layerkit.errors import ShapeError
from layerkit.graph.graph import current_graph, current_path
from layerkit.graph.operation import Operation, as_tensor, cast_to, install_operators
from layerkit.graph.scopes import current_scope
from layerkit.graph.tape import note_read, taping
from layerkit.graph.tensor import Tensor

SYNCHRONIZATIONS = ("auto", "none", "on_write", "on_read")


class Variable:
    """An array with a name that training changes in place.

    Args:
        initializer: an array, a number, or a function `(shape, dtype) -> array`.
        shape: needed with a function.
        dtype: the dtype's name; None: the array's (float64 arrays become the default float type), or the default.
        trainable: whether gradients are taken with respect to it.
        name: its name; the path has the names of the layers around it in front.
        aggregation, synchronization, autocast: accepted as Keras has them; there is one device and no autocasting state
            here.
        layout: None; there is no distribution of an array over devices.

    Raises NotImplementedError for a layout, ValueError for an unknown synchronization.

    Its memory never moves while it lives, so compiled plans hold its address.

    >>> v = Variable(np.zeros(3), name="v")
    >>> v.assign_add(np.ones(3)).numpy()
    array([1., 1., 1.], dtype=float32)
    """

    def __init__(
        self,
        initializer: object,
        shape: tuple[int, ...] | None = None,
        dtype: object = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: None = None,
        path: str | None = None,
    ) -> None:
        if synchronization not in SYNCHRONIZATIONS:
            raise ValueError(f"synchronization is one of {', '.join(SYNCHRONIZATIONS)}; got {synchronization!r}.")
        if layout is not None:
            raise NotImplementedError(f"A Variable lies on one processor: it takes no layout; got {layout!r}.")
        if isinstance(initializer, Callable):
            if shape is None:
                raise ValueError("A Variable with an initializer function needs a shape.")
            dtype = standardize_dtype(dtype)
            value = np.asarray(initializer(tuple(shape), dtype=dtype))
        else:
            value = np.asarray(initializer)
            if dtype is None and value.dtype in (np.float64, np.float16):
                dtype = standardize_dtype(None)
            dtype = standardize_dtype(value.dtype if dtype is None else dtype)
            if shape is not None and tuple(shape) != value.shape:
                raise ShapeError(
                    f"Variable {name!r}: the given value has shape {value.shape}, "
                    f"but shape={tuple(shape)} was asked for."
                )
        self._array = aligned_copy(value, dtype)
        self.shape = self._array.shape
        self.dtype = dtype
        self.trainable = trainable
        self.autocast = autocast
        self.aggregation = aggregation
        self.name = name or "variable"
        self.path = path or (f"{current_path()}/{self.name}" if current_path() else self.name)
        self.buffer = None  # the compiler's handle of the memory
        self.regularizer = None
        self.constraint = None
        self.overwrite_with_gradient = False

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._array.size

    @property
    def array(self) -> np.ndarray:
        """The memory itself. Plans write to it; so may you, in place."""
        return self._array

    @property
    def value(self) -> Tensor:
        """Its value: an edge of the graph being traced, else an eager tensor with a copy of it."""
        scope = current_scope()
        mapped = None if scope is None else scope.get_current_value(self)
        if mapped is not None:
            return mapped
        graph = current_graph()
        tensor = graph.read(self) if graph is not None else Tensor(self.shape, self.dtype, self._array.copy())
        if taping():
            if tensor.node is not None:
                # Assigned in this trace: as on arrays, no gradient goes on through what was assigned.
                tensor = Operation.registry["StopGradient"]()(tensor)
            note_read(self, tensor)
        return tensor

    def numpy(self) -> np.ndarray:
        """A copy of the value as an array."""
        return self._array.copy()

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy() if dtype is None else self._array.astype(dtype)

    def assign(self, value: object) -> Tensor:
        """Change the value; inside a trace this is a node. Raises ShapeError for another shape."""
        value = as_tensor(value, dtype=self.dtype)
        if tuple(value.shape) != self.shape:
            raise ShapeError(
                f"Variable {self.path!r} has shape {self.shape}; "
                f"it can't be assigned a value of shape {tuple(value.shape)}."
            )
        if value.dtype != self.dtype:
            value = cast_to(value, self.dtype)
        scope = current_scope()
        if scope is not None:
            scope.add_update((self, value))
            return value
        graph = current_graph()
        if graph is None:
            self._array[...] = value.numpy()
            return value
        graph.read(self)
        graph.state[self] = value
        return value

    def assign_add(self, value: object) -> Tensor:
        """Add to the value in place."""
        return self.assign(self.value + as_tensor(value, dtype=self.dtype))

    def assign_sub(self, value: object) -> Tensor:
        """Subtract from the value in place."""
        return self.assign(self.value - as_tensor(value, dtype=self.dtype))

    def __repr__(self) -> str:
        return f"<Variable path={self.path} shape={self.shape} dtype={self.dtype}>"

    def __len__(self) -> int:
        return len(self._array)

    def __float__(self) -> float:
        return float(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __bool__(self) -> bool:
        return bool(self._array)

    __hash__ = object.__hash__


def aligned_copy(value: np.ndarray, dtype: str) -> np.ndarray:
    """A C-ordered copy that starts at a cache line."""
    value = np.asarray(value, dtype=dtype)
    memory = np.empty(value.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    copy = memory[start : start + value.nbytes].view(value.dtype).reshape(value.shape)
    copy[...] = value
    return copy


install_operators(Variable)
Variable.__getitem__ = lambda self, idx: Operation.registry["GetItem"].at(self, idx)
