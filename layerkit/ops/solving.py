"""Determinants, inverses and linear equations. Leading axes are a batch."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np

from layerkit.dtypes import is_float
from layerkit.errors import ShapeError
from layerkit.graph.gradients import sum_to_shape
from layerkit.graph.operation import Spec, as_tensor, broadcast_shapes
from layerkit.graph.tensor import Tensor
from layerkit.ops.decompositions import SVD, OfMatrices, SolveTriangular, computed, matrix_chain, matrix_transpose
from layerkit.ops.elementwise import cast
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import broadcast_to, expand_dims, squeeze


class Inverse(OfMatrices):
    """The inverse of matrices [..., n, n]; LinAlgError for a singular one."""

    square = True

    def infer(self, x: Tensor) -> Spec:
        self.check(x)
        return x.shape, x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        return computed("inv", np.linalg.inv, x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (-matrix_chain(matrix_transpose(y), g, matrix_transpose(y)),)


class Determinant(OfMatrices):
    """The determinants [...] of matrices [..., n, n]; the gradient needs an inverse."""

    square = True

    def infer(self, x: Tensor) -> Spec:
        self.check(x)
        return x.shape[:-2], x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.linalg.det(x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (expand_dims(g * y, (-2, -1)) * matrix_transpose(Inverse()(x)),)


class SlogDet(OfMatrices):
    """The signs [...] and the logarithms [...] of the absolute determinants of matrices [..., n, n]."""

    square = True
    outputs: ClassVar[int] = 2

    def infer(self, x: Tensor) -> list[Spec]:
        self.check(x)
        return [(x.shape[:-2], x.dtype)] * 2

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tuple(np.linalg.slogdet(x))

    def gradient(self, g: list[Tensor | None], y: list[Tensor], x: Tensor) -> tuple:
        if g[1] is None:  # the sign alone: its slope is 0
            return (None,)
        return (expand_dims(g[1], (-2, -1)) * matrix_transpose(Inverse()(x)),)


class Solve(OfMatrices):
    """The y with a y = b: a [..., n, n] and b [..., n, k], whose leading axes broadcast."""

    square = True

    def infer(self, a: Tensor, b: Tensor) -> Spec:
        self.check(a)
        if b.ndim < 2 or (b.shape[-2] != a.shape[-1] and None not in (b.shape[-2], a.shape[-1])):
            raise ShapeError(f"the right side needs an axis of size {a.shape[-1]} as its last but one.")
        return (*broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return computed("solve", np.linalg.solve, a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        gb = Solve()(matrix_transpose(a), g)
        ga = -matrix_chain(gb, matrix_transpose(y))
        return sum_to_shape(ga, a.shape), sum_to_shape(gb, b.shape)


class PseudoInverse(OfMatrices):
    """The Moore-Penrose inverse [..., n, m] of matrices [..., m, n].

    Singular values up to `rcond` times the largest count as 0.
    """

    rcond: float

    def infer(self, x: Tensor) -> Spec:
        self.check(x)
        return (*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        return computed("pinv", functools.partial(np.linalg.pinv, rcond=self.rcond), x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        # G. Golub and V. Pereyra, "The differentiation of pseudo-inverses", 1973, equation 4.12, transposed.
        yt, gt = matrix_transpose(y), matrix_transpose(g)
        gx = -matrix_chain(yt, g, yt)
        right = matrix_chain(gt, y, yt)
        left = matrix_chain(yt, y, gt)
        return (gx + right - matrix_chain(x, y, right) + left - matrix_chain(left, y, x),)


def det(x: object) -> Tensor:
    """The determinants [...] of square matrices [..., n, n]. The gradient of a singular one raises LinAlgError.

    >>> round(float(det([[1.0, 2.0], [3.0, 4.0]])), 4)
    -2.0
    """
    return Determinant()(x)


def slogdet(x: object) -> tuple[Tensor, Tensor]:
    """The sign and the logarithm of the absolute determinant of square matrices [..., n, n], both [...]."""
    return tuple(SlogDet()(x))


def logdet(x: object) -> Tensor:
    """The logarithm of the absolute determinant of square matrices [..., n, n]."""
    return SlogDet()(x)[1]


def inv(x: object) -> Tensor:
    """The inverse of square matrices [..., n, n].

    Raises ShapeError where they are not square, numpy.linalg.LinAlgError (a ValueError) where singular.
    """
    return Inverse()(x)


def _sides(name: str, a: object, b: object) -> tuple[Tensor, Tensor, bool]:
    """Both sides of linear equations; whether the right one was vectors [..., m], which become columns."""
    a, b = OfMatrices.prepare(Solve(), [a, b])
    vectors = b.ndim == a.ndim - 1
    if a.ndim < 2 or b.ndim < 1 or not (vectors or b.ndim == a.ndim):
        raise ShapeError(f"ops.{name} takes a [..., m, n] and b [..., m] or [..., m, k]; got {a.shape} and {b.shape}.")
    b = expand_dims(b, -1) if vectors else b
    if a.shape[-2] != b.shape[-2] and None not in (a.shape[-2], b.shape[-2]):
        raise ShapeError(
            f"ops.{name}: a has {a.shape[-2]} rows and b {b.shape[-2]}; they have to be equal. "
            f"Got shapes {a.shape} and {b.shape[:-1] if vectors else b.shape}."
        )
    return a, b, vectors


def solve(a: object, b: object) -> Tensor:
    """The x with a x = b: a [..., n, n], b [..., n] or [..., n, k], and x as b.

    Raises ShapeError for other shapes, numpy.linalg.LinAlgError (a ValueError) for a singular matrix.

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
    [1.0, 0.5]
    """
    a, b, vectors = _sides("solve", a, b)
    y = Solve()(a, b)
    return squeeze(y, -1) if vectors else y


def solve_triangular(a: object, b: object, lower: bool = False) -> Tensor:
    """The x with a x = b, of a [..., n, n] only the upper (or lower) triangle being read; b [..., n] or [..., n, k].

    A zero on the diagonal gives infinities. Raises ShapeError for other shapes.
    """
    a, b, vectors = _sides("solve_triangular", a, b)
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if batch != a.shape[:-2]:
        a = broadcast_to(a, (*batch, *a.shape[-2:]))
    if batch != b.shape[:-2]:
        b = broadcast_to(b, (*batch, *b.shape[-2:]))
    y = SolveTriangular(bool(lower))(a, b)
    return squeeze(y, -1) if vectors else y


def _smallest_share(x: Tensor, factor: int = 1) -> float:
    """The share of the largest singular value below which one counts as 0, by the dtype's precision."""
    if None in x.shape[-2:]:
        raise ShapeError(f"the precision of matrices of shape {x.shape} is not known: give the smallest share.")
    return factor * max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)


def _of_rank_two(name: str, x: object) -> Tensor:
    x = as_tensor(x)
    if x.ndim < 2:
        raise ShapeError(f"ops.{name} takes matrices [..., m, n]; got shape {x.shape}.")
    return x if is_float(x.dtype) else cast(x, None)


def pinv(x: object, rcond: float | None = None) -> Tensor:
    """The Moore-Penrose pseudo-inverse [..., n, m] of matrices [..., m, n].

    Args:
        x: the matrices.
        rcond: singular values up to this share of the largest count as 0; None: 10 max(m, n) times the dtype's epsilon.
    """
    x = _of_rank_two("pinv", x)
    return PseudoInverse(_smallest_share(x, 10) if rcond is None else float(rcond))(x)


def lstsq(a: object, b: object, rcond: float | None = None) -> Tensor:
    """The x for which |a x - b| is least, of several the shortest: a [m, n], b [m] or [m, k], x [n] or [n, k].

    Args:
        a: the matrix.
        b: the right side.
        rcond: singular values up to this share of the largest count as 0; None: max(m, n) times the dtype's epsilon.

    Raises ShapeError for other shapes.
    """
    a, b, vectors = _sides("lstsq", a, b)
    if a.ndim != 2:
        raise ShapeError(f"ops.lstsq takes one matrix [m, n]; got shape {a.shape}.")
    y = matrix_chain(PseudoInverse(_smallest_share(a) if rcond is None else float(rcond))(a), b)
    return squeeze(y, -1) if vectors else y


def matrix_rank(x: object, tol: float | None = None) -> Tensor:
    """How many singular values of matrices [..., m, n] are above `tol`; int32 [...].

    `tol=None`: max(m, n) times the dtype's epsilon times the largest one.
    """
    x = _of_rank_two("matrix_rank", x)
    s = SVD(False)(x)[1]
    least = reduce_max(s, -1, keepdims=True) * _smallest_share(x) if tol is None else float(tol)
    return cast(reduce_sum(cast(s > least, "int32"), -1), "int32")
