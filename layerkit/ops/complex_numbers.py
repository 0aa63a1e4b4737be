"""Complex numbers: their parts, and which operations take them.

The gradient of a real loss L by a complex z = x + iy is dL/dx - i dL/dy, so that dL = Re(g dz). Under this convention,
which is JAX's, the rules of holomorphic operations (sums, products, exp ...) are the same as for real numbers, without
a conjugation anywhere, and a real number that becomes a complex one gets the real part of the gradient. A complex
output from which gradients start counts by its real part.

An operation says with `takes_complex` that its reference and its gradient hold for complex numbers; the others refuse
them. There are no kernels for complex numbers: compiled functions call the references between native segments.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import complex_of, dtype_of, is_complex, real_of, result_type, standardize_dtype
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.gradients import sum_to_shape
from layerkit.graph.operation import Operation, Spec, as_tensor, broadcast_shapes, cast_to
from layerkit.graph.tensor import Tensor
from layerkit.ops.comparison import Equal, Isfinite, Isnan, NotEqual, equal
from layerkit.ops.cumulative import CumProd, CumSum, LinearRecurrence
from layerkit.ops.elementwise import (
    Absolute,
    Add,
    Cast,
    Divide,
    Exp,
    Expm1,
    Log,
    Log1p,
    Log2,
    Log10,
    Multiply,
    Negative,
    Power,
    Rsqrt,
    Sqrt,
    Square,
    StopGradient,
    Subtract,
    Where,
)
from layerkit.ops.indexing import AddAlongAxis, ScatterAddRows, TakeAlongAxis, TakeRows, UpdateRows
from layerkit.ops.matrix_product import MatMul
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import Prod, Sum
from layerkit.ops.shape import (
    BroadcastTo,
    Concatenate,
    Pad,
    Reshape,
    Slice,
    SliceGradient,
    Stack,
    Transpose,
    reshape,
    stack,
    zeros_like,
)
from layerkit.ops.trigonometry import (
    Arccos,
    Arccosh,
    Arcsin,
    Arcsinh,
    Arctan,
    Arctanh,
    Cos,
    Cosh,
    Sin,
    Sinh,
    Tan,
    Tanh,
    arctan2,
    cos,
    sin,
)

for _kind in (
    Absolute, Add, AddAlongAxis, Arccos, Arccosh, Arcsin, Arcsinh, Arctan, Arctanh, BroadcastTo, Cast, Concatenate,
    Cos, Cosh, CumProd, CumSum, Divide, Equal, Exp, Expm1, Isfinite, Isnan, LinearRecurrence, Log, Log10, Log1p,
    Log2, MatMul, Multiply, Negative, NotEqual, Pad, Power, Prod, Reshape, Rsqrt, ScatterAddRows, Sin, Sinh, Slice,
    SliceGradient, Sqrt, Square, Stack, StopGradient, Subtract, Sum, TakeAlongAxis, TakeRows, Tan, Tanh, Transpose,
    UpdateRows, Where,
):  # fmt: skip
    _kind.takes_complex = True


class ComplexOf(Operation):
    """The complex numbers of real and imaginary parts, which broadcast."""

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        """Both parts as float32, or as float64 where either is."""
        dtype = real_of(complex_of(result_type(*(dtype_of(as_tensor(x)) for x in inputs))))
        return [cast_to(as_tensor(x), dtype) for x in inputs]

    def infer(self, real: Tensor, imaginary: Tensor) -> Spec:
        return broadcast_shapes(real.shape, imaginary.shape), complex_of(real.dtype)

    def reference(self, real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
        # Part by part: in real + 1j * imaginary an infinite part makes the other one NaN.
        z = np.empty(np.broadcast_shapes(real.shape, imaginary.shape), complex_of(real.dtype.name))
        z.real, z.imag = real, imaginary
        return z

    def gradient(self, g: Tensor, y: Tensor, real: Tensor, imaginary: Tensor) -> tuple:
        return sum_to_shape(RealPart()(g), real.shape), sum_to_shape(-ImaginaryPart()(g), imaginary.shape)


class _Part(Operation, abstract=True):
    takes_complex = True

    def infer(self, z: Tensor) -> Spec:
        if not is_complex(z.dtype):
            raise DtypeError("it takes complex numbers.")
        return z.shape, real_of(z.dtype)


class RealPart(_Part):
    """The real parts of complex numbers."""

    def reference(self, z: np.ndarray) -> np.ndarray:
        return z.real

    def gradient(self, g: Tensor, y: Tensor, z: Tensor) -> tuple:
        return (cast_to(g, z.dtype),)


class ImaginaryPart(_Part):
    """The imaginary parts of complex numbers."""

    def reference(self, z: np.ndarray) -> np.ndarray:
        return z.imag

    def gradient(self, g: Tensor, y: Tensor, z: Tensor) -> tuple:
        return (ComplexOf()(zeros_like(g), -g),)


class Conjugate(_Part):
    """The complex numbers with their imaginary parts negated."""

    def infer(self, z: Tensor) -> Spec:
        return z.shape, complex_of(super().infer(z)[1])

    def reference(self, z: np.ndarray) -> np.ndarray:
        return np.conj(z)

    def gradient(self, g: Tensor, y: Tensor, z: Tensor) -> tuple:
        return (Conjugate()(g),)


def real(x: object) -> Tensor:
    """The real parts; real numbers are their own."""
    x = as_tensor(x)
    return RealPart()(x) if is_complex(x.dtype) else x


def imag(x: object) -> Tensor:
    """The imaginary parts; of real numbers zeros of their dtype.

    >>> imag([1 + 2j, 3.0]).tolist()
    [2.0, 0.0]
    """
    x = as_tensor(x)
    if is_complex(x.dtype):
        return ImaginaryPart()(x)
    return BroadcastTo(x.shape)(np.zeros((), x.dtype))


def conjugate(x: object) -> Tensor:
    """The numbers with their imaginary parts negated; real numbers stay."""
    x = as_tensor(x)
    return Conjugate()(x) if is_complex(x.dtype) else x


def conj(x: object) -> Tensor:
    """The numbers with their imaginary parts negated; real numbers stay.

    >>> conj([1 + 2j]).tolist()
    [(1-2j)]
    """
    return conjugate(x)


def isreal(x: object) -> Tensor:
    """Whether the imaginary part is 0.

    >>> isreal([1 + 2j, 3.0]).tolist()
    [False, True]
    """
    return equal(imag(x), 0)


def angle(x: object) -> Tensor:
    """The angle in radians of each number in the complex plane, from -pi to pi: 0 or pi for real numbers.

    At 0 the gradient is not defined, and is NaN.

    >>> (angle([1j, -2.0]) / np.pi).tolist()
    [0.5, 1.0]
    """
    x = as_float(as_tensor(x))
    return arctan2(imag(x), real(x))


def polar(abs_: object, angle: object) -> Tensor:
    """The complex numbers of absolute values and angles in radians, which broadcast.

    >>> polar(2.0, [0.0]).tolist()
    [(2+0j)]
    """
    size, turn = as_float(as_tensor(abs_)), as_float(as_tensor(angle))
    return ComplexOf()(size * cos(turn), size * sin(turn))


def view_as_complex(x: object) -> Tensor:
    """The complex numbers [...] of pairs [..., 2] of real and imaginary parts.

    complex128 for float64, complex64 for other dtypes. Raises ShapeError where the last axis has another size.

    >>> view_as_complex([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [(1+2j), (3+4j)]
    """
    x = as_tensor(x)
    if not x.ndim or x.shape[-1] != 2:
        raise ShapeError(f"ops.view_as_complex takes a last axis of 2, real and imaginary; got shape {x.shape}.")
    return ComplexOf()(x[..., 0], x[..., 1])


def view_as_real(x: object) -> Tensor:
    """The pairs [..., 2] of real and imaginary parts of numbers [...].

    >>> view_as_real([1 + 2j]).tolist()
    [[1.0, 2.0]]
    """
    return stack([real(x), imag(x)], -1)


class Bitcast(Operation):
    """The bytes of the elements, taken for those of another dtype: there are then more or fewer along the last axis."""

    dtype: str
    takes_complex = True

    def infer(self, x: Tensor) -> Spec:
        old, new = np.dtype(x.dtype).itemsize, np.dtype(self.dtype).itemsize
        if old == new:
            return x.shape, self.dtype
        if not x.ndim:
            raise ShapeError(f"a number of {old} bytes can't be taken for one of {new}.")
        size = x.shape[-1]
        if size is not None and size * old % new:
            raise ShapeError(f"the {size * old} bytes along the last axis are not a multiple of {new}.")
        return (*x.shape[:-1], None if size is None else size * old // new), self.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, order="C")
        # Any byte but 0 is True.
        return x.view(np.uint8) != 0 if self.dtype == "bool" else x.view(self.dtype)


def view(x: object, dtype: object = None) -> Tensor:
    """The same bytes as elements of another dtype; along the last axis there are then more or fewer. A copy.

    There is a gradient between complex numbers and their parts only.
    Raises ShapeError where the bytes of the last axis do not make whole elements.

    >>> view(np.array([1, 256], "int32"), "uint8").tolist()
    [1, 0, 0, 0, 0, 1, 0, 0]
    """
    x = as_tensor(x)
    dtype = x.dtype if dtype is None else standardize_dtype(dtype)
    if dtype == x.dtype:
        return x
    cast_bits = Bitcast(dtype)
    shape, _ = cast_bits.infer(x)
    if x.ndim and x.dtype == real_of(dtype) and None not in shape:
        return ComplexOf()(x[..., ::2], x[..., 1::2])
    if x.ndim and dtype == real_of(x.dtype) and None not in shape:
        return reshape(view_as_real(x), shape)
    return cast_bits(x)
