"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import dtype_of, is_float, result_type
from layerkit.errors import ShapeError
from layerkit.graph.gradients import sum_to_shape
from layerkit.graph.operation import Kernelled, Spec, as_tensor, broadcast_shapes, cast_to
from layerkit.graph.tensor import Tensor
from layerkit.kernels.launch import Launch, Operand
from layerkit.kernels.matmul_launch import matmul_launches
from layerkit.ops.shape import reshape, swapaxes


class MatMul(Kernelled):
    """The matrix product over the last two axes; leading axes broadcast."""

    strided: ClassVar[tuple[int, ...]] = (0, 1)

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        a, b = (as_tensor(x) for x in inputs)
        dtype = result_type(dtype_of(a), dtype_of(b))
        return [cast_to(a, dtype), cast_to(b, dtype)]

    def infer(self, a: Tensor, b: Tensor) -> Spec:
        if a.ndim < 2 or b.ndim < 2:
            raise ShapeError("both have to have at least 2 axes.")
        if a.shape[-1] != b.shape[-2] and None not in (a.shape[-1], b.shape[-2]):
            raise ShapeError(
                f"the last axis of the first has size {a.shape[-1]}, the last but one of the second {b.shape[-2]}; "
                "they have to be equal."
            )
        return (*broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), a.dtype

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.matmul(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        if b.ndim == 2 and a.ndim > 2:
            # One product over all rows instead of a batch of products that is summed afterwards.
            rows, g_rows = reshape(a, (-1, a.shape[-1])), reshape(g, (-1, g.shape[-1]))
            return MatMul()(g, swapaxes(b, -1, -2)), MatMul()(swapaxes(rows, 0, 1), g_rows)
        ga, gb = MatMul()(g, swapaxes(b, -1, -2)), MatMul()(swapaxes(a, -1, -2), g)
        return sum_to_shape(ga, a.shape), sum_to_shape(gb, b.shape)

    def supports(self, a: Tensor, b: Tensor) -> bool:
        return is_float(a.dtype) and a.dtype != "float16"

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return matmul_launches(*inputs, *outputs)


class DenseProduct(Kernelled):
    """activation(a @ b + bias) with the bias and the activation in the product's epilogue; made by the compiler."""

    activation: str | None = None
    strided: ClassVar[tuple[int, ...]] = (0, 1)

    def infer(self, a: Tensor, b: Tensor, bias: Tensor) -> Spec:
        return MatMul().infer(a, b)

    def reference(self, a: np.ndarray, b: np.ndarray, bias: np.ndarray) -> np.ndarray:
        y = np.matmul(a, b) + bias
        return np.maximum(y, 0) if self.activation == "relu" else y

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        a, b, bias = inputs
        return matmul_launches(a, b, *outputs, bias=bias, activation=self.activation)


def matmul(x1: object, x2: object) -> Tensor:
    """The matrix product, with NumPy's rules for vectors and leading axes."""
    a, b = as_tensor(x1), as_tensor(x2)
    if not a.ndim or not b.ndim:
        raise ShapeError(f"ops.matmul takes no scalars; got shapes {a.shape} and {b.shape}.")
    row, column = a.ndim == 1, b.ndim == 1
    y = MatMul()(reshape(a, (1, -1)) if row else a, reshape(b, (-1, 1)) if column else b)
    if row:
        y = reshape(y, y.shape[:-2] + y.shape[-1:])
    return reshape(y, y.shape[:-1]) if column else y


MatMul.of = staticmethod(matmul)
