"""Products of matrices, and sums of products over axes by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import dtype_of, is_float, result_type
from layerkit.errors import ShapeError
from layerkit.graph.gradients import sum_to_shape
from layerkit.graph.operation import Kernelled, Spec, as_tensor, broadcast_shapes, cast_to
from layerkit.graph.tensor import Shape, Tensor
from layerkit.kernels.integer_product_launch import DTYPES as INTEGERS
from layerkit.kernels.integer_product_launch import integer_launches
from layerkit.kernels.launch import Launch, Operand
from layerkit.kernels.matmul_launch import ACTIVATIONS, contraction_launches, matmul_launches
from layerkit.kernels.product_layout import matrix_axes, product_of
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import expand_dims, swapaxes, transpose


class _Product(Kernelled, abstract=True):
    """Any product of two operands that are read through their strides."""

    strided: ClassVar[tuple[int, ...]] = (0, 1)

    def supports(self, a: Tensor, b: Tensor, *bias: Tensor) -> bool:
        return a.dtype in ("float32", "float64") or a.dtype in INTEGERS


class MatMul(_Product):
    """The matrix product over the last two axes; leading axes broadcast. Of int8 it is an int32."""

    def __call__(self, *inputs: object) -> Tensor:
        """Also of vectors, for the operator @."""
        vectors = any(x.ndim == 1 for x in map(as_tensor, inputs))
        return matmul(*inputs) if vectors else super().__call__(*inputs)

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        a, b = (as_tensor(x) for x in inputs)
        dtype = product_dtype(a, b)
        return [cast_to(a, dtype), cast_to(b, dtype)]

    def infer(self, a: Tensor, b: Tensor) -> Spec:
        if a.ndim < 2 or b.ndim < 2:
            raise ShapeError("both have to have at least 2 axes.")
        _check_summed(a, b, b.ndim - 2)
        return (*_leading_shape(a.shape, b.shape), a.shape[-2], b.shape[-1]), a.dtype

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.matmul(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        a_axes, b_axes, y_axes = matrix_axes(a.ndim, b.ndim, y.ndim)
        # One product that sums over the leading axes too, instead of a batch of products that is summed afterwards.
        if a.ndim == 2 < b.ndim:
            return contract(g, y_axes, b, b_axes, a_axes), MatMul()(swapaxes(a, 0, 1), g)
        if b.ndim == 2 < a.ndim:
            return MatMul()(g, swapaxes(b, 0, 1)), contract(a, a_axes, g, y_axes, b_axes)
        ga, gb = MatMul()(g, swapaxes(b, -1, -2)), MatMul()(swapaxes(a, -1, -2), g)
        return sum_to_shape(ga, a.shape), sum_to_shape(gb, b.shape)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return _matrix_launches(*inputs, *outputs)


class DenseProduct(_Product):
    """activation(a @ b + bias) with the bias and the activation in the product's epilogue; made by the compiler."""

    activation: str | None = None

    def infer(self, a: Tensor, b: Tensor, bias: Tensor) -> Spec:
        return MatMul().infer(a, b)

    def reference(self, a: np.ndarray, b: np.ndarray, bias: np.ndarray) -> np.ndarray:
        y = np.matmul(a, b) + bias
        return np.maximum(y, y.dtype.type(0)) if self.activation == "relu" else y

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        a, b, bias = inputs
        return _matrix_launches(a, b, *outputs, bias=bias, activation=self.activation)


def _matrix_launches(
    a: Operand, b: Operand, out: Operand, bias: Operand | None = None, activation: str | None = None
) -> list[Launch]:
    if out.dtype.name not in INTEGERS:
        return matmul_launches(a, b, out, bias=bias, activation=activation)
    axes = matrix_axes(len(a.shape), len(b.shape), len(out.shape))
    vector = out.shape[-1] == 1 or bias is not None
    return integer_launches(product_of(a, b, out, *axes, vector=vector), bias, bool(ACTIVATIONS[activation]))


class Contraction(_Product):
    """y[y_axes]: the sum of a[a_axes] * b[b_axes] over the axes that y has not; names are numbers.

    Each operand has its axes in any order, and nothing is copied for it. Every axis is one of at least two of the three
    tensors; where y has axes of one operand alone, the last is such a one. Made by `contract`, which sees to that.
    """

    a_axes: tuple[int, ...]
    b_axes: tuple[int, ...]
    y_axes: tuple[int, ...]
    takes_complex: ClassVar[bool] = True

    def infer(self, a: Tensor, b: Tensor) -> Spec:
        sizes: dict[int, int | None] = {}
        for x, axes in ((a, self.a_axes), (b, self.b_axes)):
            if len(axes) != x.ndim:
                raise ShapeError(f"{len(axes)} names for the {x.ndim} axes of shape {x.shape}.")
            for at, (name, size) in enumerate(zip(axes, x.shape, strict=True)):
                known = sizes.get(name)
                if None not in (known, size) and known != size:
                    raise ShapeError(
                        f"axis {at} of the second has size {size}, but axis {self.a_axes.index(name)} of the first, "
                        f"which goes with it, has size {known}."
                    )
                sizes[name] = size if known is None else known
        return tuple(sizes[name] for name in self.y_axes), a.dtype

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        sizes = {**dict(zip(self.a_axes, a.shape, strict=True)), **dict(zip(self.b_axes, b.shape, strict=True))}
        batch, rows, columns, summed = self._groups()

        def grouped(x: np.ndarray, axes: tuple[int, ...], *groups: list[int]) -> np.ndarray:
            order = [axes.index(name) for group in groups for name in group]
            return x.transpose(order).reshape([math.prod(sizes[name] for name in group) for group in groups])

        y = np.matmul(grouped(a, self.a_axes, batch, rows, summed), grouped(b, self.b_axes, batch, summed, columns))
        order = [*batch, *rows, *columns]
        return y.reshape([sizes[name] for name in order]).transpose([order.index(name) for name in self.y_axes])

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        a_axes, b_axes, y_axes = self.a_axes, self.b_axes, self.y_axes
        return contract(g, y_axes, b, b_axes, a_axes), contract(a, a_axes, g, y_axes, b_axes)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        (a, b), (y,) = inputs, outputs
        a_axes, b_axes = self.a_axes, self.b_axes
        _, rows, columns, _ = self._groups()
        if not rows:
            a, b, a_axes, b_axes = b, a, b_axes, a_axes
        vector = not rows or not columns
        if y.dtype.name in INTEGERS:
            return integer_launches(product_of(a, b, y, a_axes, b_axes, self.y_axes, vector=vector))
        return contraction_launches(a, b, y, a_axes, b_axes, self.y_axes, vector=vector)

    def _groups(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """The axes of all three tensors, of a and y, of b and y, and the summed ones."""
        of_a, of_b = set(self.a_axes), set(self.b_axes)
        return (
            [name for name in self.y_axes if name in of_a & of_b],
            [name for name in self.y_axes if name not in of_b],
            [name for name in self.y_axes if name not in of_a],
            [name for name in self.a_axes if name not in self.y_axes],
        )


def contract(
    a: Tensor, a_axes: Sequence[object], b: Tensor, b_axes: Sequence[object], y_axes: Sequence[object]
) -> Tensor:
    """y[y_axes]: the sum of a[a_axes] * b[b_axes] over the axes that y has not, by the simplest operation.

    Args:
        a: of the same dtype as `b`.
        a_axes: a name for each axis, each once; no name is of one of the three tensors only.
        b: sizes are equal to those of `a` for the same names.
        b_axes: like `a_axes`.
        y_axes: the result's, in any order.

    >>> x = as_tensor(np.arange(6.0).reshape(2, 3))
    >>> contract(x, "ij", x, "kj", "ki").tolist()
    [[5.0, 14.0], [14.0, 50.0]]
    """
    a_axes, b_axes, y_axes = tuple(a_axes), tuple(b_axes), tuple(y_axes)
    summed = [name for name in a_axes if name not in y_axes]
    if not summed:
        return _spread(a, a_axes, y_axes) * _spread(b, b_axes, y_axes)
    shared = set(a_axes) & set(b_axes)
    if a_axes == b_axes and is_float(a.dtype):
        # Sums of elementwise products fuse with what makes the factors.
        kept = [name for name in a_axes if name in y_axes]
        y = reduce_sum(a * b, [a_axes.index(name) for name in summed])
        return transpose(y, [kept.index(name) for name in y_axes]) if kept else y
    if is_float(a.dtype) and _matrices(a_axes, b_axes, y_axes, shared):
        return MatMul()(a, b)
    order = y_axes
    if y_axes and y_axes[-1] in shared:
        own = [name for name in y_axes if name not in shared]
        order = (*(name for name in y_axes if name in shared), *own) if own else y_axes
    numbers: dict[object, int] = {}
    for name in (*a_axes, *b_axes):
        numbers.setdefault(name, len(numbers))
    axes = (tuple(numbers[name] for name in names) for names in (a_axes, b_axes, order))
    y = Contraction(*axes)(a, b)
    return y if order == y_axes else transpose(y, [order.index(name) for name in y_axes])


def _spread(x: Tensor, axes: tuple, y_axes: tuple) -> Tensor:
    """The tensor with its axes in their places of y, and axes of size 1 for the others."""
    x = transpose(x, [axes.index(name) for name in y_axes if name in axes])
    missing = [at for at, name in enumerate(y_axes) if name not in axes]
    return expand_dims(x, missing) if missing else x


def _matrices(a_axes: tuple, b_axes: tuple, y_axes: tuple, shared: set) -> bool:
    """Whether the axes are those of a matrix product as they stand; its bias can then become part of it."""
    k, *rest = (name for name in a_axes if name in shared and name not in y_axes)
    own = [name for name in b_axes if name not in shared]
    if rest or len(own) != 1 or a_axes[-1] != k or len(a_axes) < 2:
        return False
    batch = a_axes[:-2] if len(b_axes) > 2 else ()
    return b_axes == (*batch, k, own[0]) and y_axes == (*a_axes[:-1], own[0]) and a_axes[-2] not in shared


def product_dtype(*x: Tensor) -> str:
    """The dtype of a product of matrices: the common one, but int32 where all are int8."""
    dtype = result_type(*(dtype_of(one) for one in x))
    return "int32" if dtype == "int8" and all(one.dtype == "int8" for one in x) else dtype


def _check_summed(a: Tensor, b: Tensor, b_axis: int, place: str = "") -> None:
    if a.shape[-1] != b.shape[b_axis] and None not in (a.shape[-1], b.shape[b_axis]):
        raise ShapeError(
            f"{place}axis {a.ndim - 1} of the first, of shape {a.shape}, has size {a.shape[-1]}, but axis {b_axis} of "
            f"the second, of shape {b.shape}, has size {b.shape[b_axis]}; they are summed over and have to be equal."
        )


def _leading_shape(a: Shape, b: Shape) -> Shape:
    """The shape that the leading axes of two stacks of matrices broadcast to."""
    for place in range(-min(len(a), len(b)), -2):
        if None not in (a[place], b[place]) and 1 not in (a[place], b[place]) and a[place] != b[place]:
            raise ShapeError(
                f"the leading axes do not broadcast: axis {len(a) + place} of the first, of shape {a}, has size "
                f"{a[place]}, but axis {len(b) + place} of the second, of shape {b}, has size {b[place]}."
            )
    return broadcast_shapes(a[:-2], b[:-2])


def matmul(x1: object, x2: object) -> Tensor:
    """The matrix product, with NumPy's rules for vectors and leading axes. The product of two int8 is an int32.

    Args:
        x1: [..., m, k], or [k].
        x2: [..., k, n], or [k].

    Returns [..., m, n], without m or n where that operand is a vector.
    Raises ShapeError for scalars and for sizes that do not fit.

    >>> matmul(np.array([[1, 2], [3, 4]]), np.array([1, 1])).tolist()
    [3, 7]
    """
    a, b = as_tensor(x1), as_tensor(x2)
    if not a.ndim or not b.ndim:
        raise ShapeError(f"ops.matmul takes no scalars; got shapes {a.shape} and {b.shape}.")
    if a.ndim > 1 and b.ndim > 1:
        return MatMul()(a, b)
    _check_summed(a, b, max(b.ndim - 2, 0), "ops.matmul: ")
    dtype = product_dtype(a, b)
    a_axes = ("k",) if a.ndim == 1 else (*range(a.ndim - 1), "k")
    b_axes = ("k",) if b.ndim == 1 else (*range(b.ndim - 2), "k", "n")
    y_axes = [name for name in (*a_axes, *b_axes) if name != "k"]
    return contract(cast_to(a, dtype), a_axes, cast_to(b, dtype), b_axes, y_axes)
