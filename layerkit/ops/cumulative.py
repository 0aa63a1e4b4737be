"""Running sums and products along an axis, and the linear recurrence that their gradients are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import Kernelled, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.kernels.cumulative_launch import NUMBERS, accumulate_launches, recur_launches
from layerkit.kernels.launch import Launch, Operand
from layerkit.ops.elementwise import Add, cast
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.shape import Pad, Slice, reshape


class _Cumulative(Kernelled, abstract=True):
    axis: int
    reverse: bool = False

    def infer(self, *x: Tensor) -> Spec:
        if not 0 <= self.axis < x[0].ndim:
            raise ShapeError(f"axis {self.axis} is out of range for a tensor with {x[0].ndim} axes.")
        if any(one.shape != x[0].shape for one in x):
            raise ShapeError("all shapes have to be equal.")
        return x[0].shape, x[0].dtype

    def supports(self, *x: Tensor) -> bool:
        """The kernels compute with floats and integers of 32 and 64 bits."""
        return x[0].dtype in NUMBERS

    def _turned(self, x: np.ndarray) -> np.ndarray:
        return np.flip(x, self.axis) if self.reverse else x


class CumSum(_Cumulative):
    """Sums of the elements up to each one along an axis; `reverse` sums from each one to the end."""

    def reference(self, x: np.ndarray) -> np.ndarray:
        return self._turned(np.cumsum(self._turned(x), self.axis, x.dtype))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (CumSum(self.axis, not self.reverse)(g),)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return accumulate_launches(*inputs, *outputs, self.axis, "sum", self.reverse)


class CumProd(_Cumulative):
    """Products of the elements up to each one along an axis; `reverse` multiplies from each one to the end."""

    def reference(self, x: np.ndarray) -> np.ndarray:
        return self._turned(np.cumprod(self._turned(x), self.axis, x.dtype))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        # y[k] has the factors before x[i], those behind it up to x[k], and x[i]: so by x[i] it is y[i - 1] times the
        # products behind, which a recurrence from the end sums up. Nothing is divided by x, which may be 0.
        behind = _moved(x, self.axis, back=not self.reverse, filler=0)
        before = _moved(y, self.axis, back=self.reverse, filler=1)
        return (before * LinearRecurrence(self.axis, not self.reverse)(behind, g),)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return accumulate_launches(*inputs, *outputs, self.axis, "prod", self.reverse)


class LinearRecurrence(_Cumulative):
    """y[i] = a[i] * y[i - 1] + b[i] along an axis, where the first is b's; `reverse` goes from the end to the start."""

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        return Add().prepare(inputs)

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        y = np.array(b)
        a_first, y_first = (np.moveaxis(self._turned(x), self.axis, 0) for x in (a, y))
        for i in range(1, len(y_first)):
            y_first[i] += a_first[i] * y_first[i - 1]
        return y

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        # What y[i] adds to the later ones comes back by the same recurrence from the other end.
        gb = LinearRecurrence(self.axis, not self.reverse)(_moved(a, self.axis, back=not self.reverse, filler=0), g)
        return gb * _moved(y, self.axis, back=self.reverse, filler=0), gb

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return recur_launches(*inputs, *outputs, self.axis, self.reverse)


def _moved(x: Tensor, axis: int, back: bool, filler: float) -> Tensor:
    """Each element in the place of the one before it (`back`) or behind it, and the filler where there is none."""
    n = x.shape[axis]
    if not n:
        return x
    start = tuple(int(back and at == axis) for at in range(x.ndim))
    size = tuple(n - 1 if at == axis else m for at, m in enumerate(x.shape))
    widths = tuple(((0, 1) if back else (1, 0)) if at == axis else (0, 0) for at in range(x.ndim))
    return Pad(widths, filler)(Slice(start, size, (1,) * x.ndim)(x))


def cumsum(x: object, axis: int | None = None, dtype: object = None) -> Tensor:
    """Sums of the elements up to each one along an axis, or of the flattened x (None).

    >>> cumsum(np.array([1, 2, 3])).tolist()
    [1, 3, 6]
    """
    x, axis = _prepared(x, axis, dtype)
    return CumSum(axis)(x)


def cumprod(x: object, axis: int | None = None, dtype: object = None) -> Tensor:
    """Products of the elements up to each one along an axis, or of the flattened x (None).

    Its gradient is right where elements are 0 as well.

    >>> cumprod(np.array([[1, 2], [3, 4]]), axis=1).tolist()
    [[1, 2], [3, 12]]
    """
    x, axis = _prepared(x, axis, dtype)
    return CumProd(axis)(x)


def _prepared(x: object, axis: int | None, dtype: object) -> tuple[Tensor, int]:
    x = as_tensor(x) if axis is not None else reshape(x, (-1,))
    if dtype is not None:
        x = cast(x, dtype)
    elif x.dtype == "bool":
        x = cast(x, "int32")
    return x, normalize_axes(0 if axis is None else axis, x.ndim)[0]
