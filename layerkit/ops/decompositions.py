"""Factorisations of matrices: cholesky, eigh, eig, svd, qr, lu_factor. Leading axes are a batch.

The references are LAPACK's by NumPy. The gradients follow from the factors' defining equations. In theory they are
infinite where eigenvalues or singular values are equal; pairs of equal ones are left out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import dtype_of, floatx, is_float, result_type
from layerkit.errors import DtypeError, GraphError, ShapeError
from layerkit.graph.operation import Operation, Spec, as_tensor, cast_to
from layerkit.graph.tensor import Tensor
from layerkit.ops.arrays import eye, tril, triu
from layerkit.ops.elementwise import where
from layerkit.ops.matrix_product import MatMul
from layerkit.ops.shape import concatenate, expand_dims, swapaxes


class OfMatrices(Operation, abstract=True):
    """Takes matrices [..., m, n] of one float type; integers become the default one."""

    square: ClassVar[bool] = False

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        tensors = [as_tensor(x) for x in inputs]
        dtype = result_type(*(dtype_of(x) for x in tensors))
        return [cast_to(x, dtype if is_float(dtype) else floatx()) for x in tensors]

    def check(self, x: Tensor) -> None:
        """Raise ShapeError for what is no matrix (or no square one), DtypeError for half precision."""
        if x.ndim < 2:
            raise ShapeError("a matrix has at least 2 axes: [..., m, n].")
        if self.square and x.shape[-1] != x.shape[-2] and None not in x.shape[-2:]:
            raise ShapeError("the matrix has to be square: its last two axes of the same size.")
        if x.dtype == "float16":
            raise DtypeError("linear algebra is computed in float32 or float64: cast the matrix first.")


def computed(function: str, compute: Callable, x: np.ndarray, *others: np.ndarray) -> object:
    """What NumPy computes of matrices x [..., m, n] and others.

    Raises numpy.linalg.LinAlgError with the function, the shape and the first matrix that NumPy refuses, eagerly and in
    a compiled step: there NaN, as JAX gives, would be found much later.
    """
    try:
        return compute(x, *others)
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError(
            f"ops.{function}: {str(error).rstrip('.').lower()}{_first_refused(compute, x, *others)}. "
            f"Got matrices of shape {x.shape} and dtype {x.dtype}."
        ) from None


def _first_refused(compute: Callable, x: np.ndarray, *others: np.ndarray) -> str:
    if x.ndim == 2 or any(other.shape[:-2] != x.shape[:-2] for other in others):
        return ""
    for place in np.ndindex(x.shape[:-2]):
        try:
            compute(x[place], *(other[place] for other in others))
        except np.linalg.LinAlgError:
            return f" (that at {list(place)})"
    return ""


def matrix_transpose(x: Tensor) -> Tensor:
    """The matrices with rows and columns exchanged."""
    return swapaxes(x, -1, -2)


def matrix_chain(*factors: Tensor) -> Tensor:
    """The product of matrices, from left to right."""
    y = factors[0]
    for factor in factors[1:]:
        y = MatMul()(y, factor)
    return y


def _symmetric_part(x: Tensor) -> Tensor:
    """(x + x^T) / 2."""
    return (x + matrix_transpose(x)) * 0.5


def _scaled_columns(x: Tensor, scale: Tensor) -> Tensor:
    return x * expand_dims(scale, -2)


def _inverse_gaps(values: Tensor) -> Tensor:
    """1 / (values_j - values_i) at [..., i, j], 0 where they are equal, as on the diagonal."""
    gaps = expand_dims(values, -2) - expand_dims(values, -1)
    equal = gaps == 0
    return where(equal, 0, 1 / where(equal, 1, gaps))


def _mean_with_transpose(x: np.ndarray) -> np.ndarray:
    return (x + np.swapaxes(x, -1, -2)) * x.dtype.type(0.5)


class Cholesky(OfMatrices):
    """The lower triangular l with l l^T = x, of the symmetric part of x [..., n, n]; LinAlgError if not definite."""

    square = True

    def infer(self, x: Tensor) -> Spec:
        self.check(x)
        return x.shape, x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        return computed("cholesky", np.linalg.cholesky, _mean_with_transpose(x))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        # I. Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527, equation 10.
        inner = matrix_chain(matrix_transpose(y), tril(g))
        lower = (tril(inner) + tril(inner, -1)) * 0.5
        left = SolveTriangular(lower=False)(matrix_transpose(y), lower)
        right = matrix_transpose(SolveTriangular(lower=False)(matrix_transpose(y), matrix_transpose(left)))
        return (_symmetric_part(right),)


class SolveTriangular(OfMatrices):
    """The y with a y = b by substitution: a [..., n, n], of which one triangle is read, and b [..., n, k]."""

    lower: bool
    square = True

    def infer(self, a: Tensor, b: Tensor) -> Spec:
        self.check(a)
        if b.shape[:-2] != a.shape[:-2] or b.shape[-2] != a.shape[-1]:
            raise ShapeError(f"the right side has to have shape {(*a.shape[:-1], 'k')}.")
        return b.shape, b.dtype

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        y = np.zeros_like(b)
        size = a.shape[-1]
        for i in range(size) if self.lower else reversed(range(size)):
            known = slice(0, i) if self.lower else slice(i + 1, size)
            rest = b[..., i, :] - (a[..., i : i + 1, known] @ y[..., known, :])[..., 0, :]
            with np.errstate(divide="ignore", invalid="ignore"):  # infinite where it has no solution
                y[..., i, :] = rest / a[..., i, i, None]
        return y

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        gb = SolveTriangular(not self.lower)(matrix_transpose(a), g)
        ga = matrix_chain(gb, matrix_transpose(y))
        return -(tril(ga) if self.lower else triu(ga)), gb


class Eigh(OfMatrices):
    """Eigenvalues [..., n] in ascending order and eigenvectors, as columns, of the symmetric part of x [..., n, n]."""

    square = True
    outputs: ClassVar[int] = 2

    def infer(self, x: Tensor) -> list[Spec]:
        self.check(x)
        return [(x.shape[:-1], x.dtype), (x.shape, x.dtype)]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tuple(computed("eigh", np.linalg.eigh, _mean_with_transpose(x)))

    def gradient(self, g: list[Tensor | None], y: list[Tensor], x: Tensor) -> tuple:
        (gw, gv), (w, v) = g, y
        gx = None
        if gv is not None:
            gx = matrix_chain(v, _inverse_gaps(w) * matrix_chain(matrix_transpose(v), gv), matrix_transpose(v))
        if gw is not None:
            by_values = matrix_chain(_scaled_columns(v, gw), matrix_transpose(v))
            gx = by_values if gx is None else gx + by_values
        return (_symmetric_part(gx),)


class Eig(OfMatrices):
    """Eigenvalues [..., n] and eigenvectors, as columns, of matrices whose eigenvalues are all real."""

    square = True
    outputs: ClassVar[int] = 2

    def infer(self, x: Tensor) -> list[Spec]:
        self.check(x)
        return [(x.shape[:-1], x.dtype), (x.shape, x.dtype)]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w, v = computed("eig", np.linalg.eig, x)
        if np.iscomplexobj(w) and np.any(w.imag):
            raise ValueError("ops.eig: the matrix has complex eigenvalues; it gives real ones only.")
        return w.real.astype(x.dtype), v.real.astype(x.dtype)


class SVD(OfMatrices):
    """Matrices u, vectors s (in descending order) and matrices vh of x = u diag(s) vh; x [..., m, n].

    `full_matrices`: u [..., m, m] and vh [..., n, n]; else u [..., m, k] and vh [..., k, n] with k = min(m, n).
    """

    full_matrices: bool = False
    outputs: ClassVar[int] = 3

    def infer(self, x: Tensor) -> list[Spec]:
        self.check(x)
        batch, (m, n) = x.shape[:-2], x.shape[-2:]
        k = None if None in (m, n) else min(m, n)
        rows, columns = (m, n) if self.full_matrices else (k, k)
        return [((*batch, m, rows), x.dtype), ((*batch, k), x.dtype), ((*batch, columns, n), x.dtype)]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return tuple(computed("svd", functools.partial(np.linalg.svd, full_matrices=self.full_matrices), x))

    def gradient(self, g: list[Tensor | None], y: list[Tensor], x: Tensor) -> tuple:
        # J. Townsend, "Differentiating the singular value decomposition", 2016.
        (gu, gs, gvh), (u, s, vh) = g, y
        m, n = x.shape[-2:]
        k = min(m, n)
        if self.full_matrices and m != n:
            if gu is not None or gvh is not None:
                raise GraphError(
                    "The full matrices of ops.svd have no gradient, as their last columns are not unique; "
                    "svd(..., full_matrices=False) has one."
                )
            u, vh = u[..., :k], vh[..., :k, :]
        v = matrix_transpose(vh)
        factors = _inverse_gaps(s * s)
        gx = 0
        if gs is not None:
            gx = matrix_chain(_scaled_columns(u, gs), vh)
        if gu is not None:
            inner = matrix_chain(matrix_transpose(u), gu)
            middle = _scaled_columns(factors * (inner - matrix_transpose(inner)), s)
            gx = gx + matrix_chain(u, middle, vh)
            if m > k:
                gx = gx + matrix_chain(_scaled_columns(gu - matrix_chain(u, inner), 1 / s), vh)
        if gvh is not None:
            gv = matrix_transpose(gvh)
            inner = matrix_chain(matrix_transpose(v), gv)
            middle = expand_dims(s, -1) * (factors * (inner - matrix_transpose(inner)))
            gx = gx + matrix_chain(u, middle, vh)
            if n > k:
                gx = gx + matrix_chain(_scaled_columns(u, 1 / s), matrix_transpose(gv - matrix_chain(v, inner)))
        return (gx,)


class QR(OfMatrices):
    """Orthonormal columns q and the upper triangle r of x = q r; x [..., m, n].

    `complete`: q [..., m, m] and r [..., m, n]; else q [..., m, k] and r [..., k, n] with k = min(m, n).
    """

    complete: bool = False
    outputs: ClassVar[int] = 2

    def infer(self, x: Tensor) -> list[Spec]:
        self.check(x)
        batch, (m, n) = x.shape[:-2], x.shape[-2:]
        k = m if self.complete else None if None in (m, n) else min(m, n)
        return [((*batch, m, k), x.dtype), ((*batch, k, n), x.dtype)]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tuple(np.linalg.qr(x, mode="complete" if self.complete else "reduced"))

    def gradient(self, g: list[Tensor | None], y: list[Tensor], x: Tensor) -> tuple:
        (gq, gr), (q, r) = g, y
        m, n = x.shape[-2:]
        if self.complete and m > n:
            raise GraphError(
                f"ops.qr(mode='complete') of {m} by {n} matrices has no gradient, as the last columns are not unique; "
                "mode='reduced' has one."
            )
        gq = q * 0 if gq is None else gq
        gr = r * 0 if gr is None else gr
        if m >= n:
            return (_qr_gradient(gq, gr, q, r),)
        # The first m columns alone determine q; the others are q times theirs of r.
        other, g_other = x[..., m:], gr[..., m:]
        first = _qr_gradient(gq + matrix_chain(other, matrix_transpose(g_other)), gr[..., :m], q, r[..., :m])
        return (concatenate([first, matrix_chain(q, g_other)], -1),)


def _qr_gradient(gq: Tensor, gr: Tensor, q: Tensor, r: Tensor) -> Tensor:
    """S. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions", 2018: m >= n."""
    inner = matrix_chain(r, matrix_transpose(triu(gr))) - matrix_chain(matrix_transpose(gq), q)
    mirrored = tril(inner) + matrix_transpose(tril(inner, -1))
    # (gq + q mirrored) r^-T
    return matrix_transpose(SolveTriangular(lower=False)(r, matrix_transpose(gq + matrix_chain(q, mirrored))))


class LUFactor(OfMatrices):
    """L (its unit diagonal left out) and U in one matrix [..., m, n], and the pivots [..., min(m, n)], int32.

    Row i was exchanged with row pivots[i], for one i after the other: LAPACK's `getrf`.
    """

    outputs: ClassVar[int] = 2

    def infer(self, x: Tensor) -> list[Spec]:
        self.check(x)
        k = None if None in x.shape[-2:] else min(x.shape[-2:])
        return [(x.shape, x.dtype), ((*x.shape[:-2], k), "int32")]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        m, n = x.shape[-2:]
        lu = x.reshape(-1, m, n).copy()
        pivots = np.zeros((len(lu), min(m, n)), np.int32)
        every = np.arange(len(lu))
        for i in range(min(m, n)):
            pivot = i + np.argmax(np.abs(lu[:, i:, i]), axis=1)
            pivots[:, i] = pivot
            rows = lu[every, pivot]
            lu[every, pivot], lu[every, i] = lu[every, i], rows
            head = lu[:, i, i, None]
            # A column of zeros has no pivot: it stays, and U is singular.
            lu[:, i + 1 :, i] /= np.where(head == 0, 1, head)
            lu[:, i + 1 :, i + 1 :] -= lu[:, i + 1 :, i, None] * lu[:, i, None, i + 1 :]
        return lu.reshape(x.shape), pivots.reshape(*x.shape[:-2], min(m, n))


def cholesky(x: object, upper: bool = False) -> Tensor:
    """The triangular factor of symmetric positive definite matrices [..., n, n]: l l^T = x, or with `upper` u^T u = x.

    Raises ShapeError where they are not square, numpy.linalg.LinAlgError (a ValueError) where not positive definite.

    >>> cholesky([[4.0, 2.0], [2.0, 5.0]]).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    y = Cholesky()(x)
    return matrix_transpose(y) if upper else y


def cholesky_inverse(x: object, upper: bool = False) -> Tensor:
    """The inverse of a matrix by its Cholesky factor x [..., n, n], which is lower triangular unless `upper`."""
    (x,) = Cholesky().prepare([x])
    Cholesky().check(x)
    if x.shape[-1] is None:
        raise ShapeError(f"ops.cholesky_inverse needs to know the size of the matrices; got shape {x.shape}.")
    one = eye(x.shape[-1], dtype=x.dtype) + 0 * x  # for each of the batch, whose size may be unknown
    inverse = SolveTriangular(not upper)(x, one)
    other = matrix_transpose(inverse)
    return matrix_chain(inverse, other) if upper else matrix_chain(other, inverse)


def eigh(x: object) -> tuple[Tensor, Tensor]:
    """Eigenvalues [..., n], ascending, and eigenvectors (columns) [..., n, n] of symmetric matrices [..., n, n].

    Raises ShapeError where they are not square.
    """
    return tuple(Eigh()(x))


def eig(x: object) -> tuple[Tensor, Tensor]:
    """Eigenvalues [..., n] and eigenvectors (columns) [..., n, n] of square matrices; they have to be real.

    It gives real numbers only: raises ValueError where an eigenvalue is complex. It has no gradient.
    """
    return tuple(Eig()(x))


def svd(x: object, full_matrices: bool = True, compute_uv: bool = True) -> Tensor | tuple[Tensor, Tensor, Tensor]:
    """The singular value decomposition u, s, vh of matrices: x = u diag(s) vh.

    Args:
        x: the matrices [..., m, n].
        full_matrices: whether u and vh are square; else they have min(m, n) columns and rows.
        compute_uv: whether to give u and vh; else only s [..., min(m, n)].
    """
    if not compute_uv:
        return SVD(False)(x)[1]
    return tuple(SVD(bool(full_matrices))(x))


def qr(x: object, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Orthonormal columns q and the upper triangle r of matrices [..., m, n]: x = q r.

    Args:
        x: the matrices.
        mode: "reduced" (q with min(m, n) columns) or "complete" (q square).

    Raises ValueError for another mode.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"ops.qr: mode is 'reduced' or 'complete'; got {mode!r}.")
    return tuple(QR(mode == "complete")(x))


def lu_factor(x: object) -> tuple[Tensor, Tensor]:
    """L and U of matrices [..., m, n] in one matrix, and the int32 pivots [..., min(m, n)]. It has no gradient."""
    return tuple(LUFactor()(x))
