"""Rows for linear algebra, Fourier transforms, segments and distributions; `operations.py` takes them in."""

from __future__ import annotations

import numpy as np

from layerkit import ops
from layerkit.graph.operation import Operation


def _well_conditioned(*shape: int):
    """Random matrices [..., m, n] whose singular values are apart from each other and from 0."""

    def make(rng: np.random.Generator, dtype: str) -> np.ndarray:
        u, _, vh = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
        values = 1 + 0.7 * np.arange(min(shape[-2:]))
        return (u * values @ vh).astype(dtype)

    return make


def _positive_definite(*shape: int):
    """Random symmetric matrices [..., n, n] with eigenvalues apart from each other and from 0."""

    def make(rng: np.random.Generator, dtype: str) -> np.ndarray:
        q = np.linalg.qr(rng.normal(size=shape))[0]
        return (q * (1 + 0.7 * np.arange(shape[-1])) @ np.swapaxes(q, -1, -2)).astype(dtype)

    return make


def _real_eigenvalues(size: int):
    """A triangular matrix, so that its eigenvalues are its diagonal."""
    return lambda rng, dtype: (np.triu(rng.normal(size=(size, size)), 1) + np.diag(np.arange(1.0, size + 1))).astype(
        dtype
    )


def _normal(*shape: int):
    return lambda rng, dtype: rng.normal(size=shape).astype(dtype)


def _uniform(*shape: int, low: float = 0.5, high: float = 3.0):
    return lambda rng, dtype: rng.uniform(low, high, shape).astype(dtype)


def _key(rng: np.random.Generator, dtype: str) -> np.ndarray:
    return rng.integers(0, 2**32, 2, dtype=np.uint32)


def _segments(rng: np.random.Generator, dtype: str) -> np.ndarray:
    return rng.permutation(np.arange(9) % 4).astype("int32")


def rows() -> list[tuple[Operation, tuple, bool]]:
    """An operation, the makers of its inputs, and whether it has a gradient, for each row."""
    square, batch = _well_conditioned(4, 4), _well_conditioned(2, 1, 3, 3)
    wide, tall = _well_conditioned(2, 3, 5), _well_conditioned(5, 3)
    differentiable = [
        *((kind(), (x,)) for kind in (ops.Inverse, ops.Determinant, ops.SlogDet) for x in (square, batch)),
        *(
            (kind(), (_positive_definite(*shape),))
            for kind in (ops.Cholesky, ops.Eigh)
            for shape in ((4, 4), (2, 3, 3))
        ),
        *((kind(), (x,)) for kind in (ops.SVD, ops.QR) for x in (square, batch, wide, tall)),
        (ops.SVD(True), (square,)),
        (ops.QR(True), (wide,)),
        *((ops.PseudoInverse(1e-7), (x,)) for x in (square, wide, tall)),
        (ops.Solve(), (square, _normal(4, 2))),
        (ops.Solve(), (_well_conditioned(2, 1, 3, 3), _normal(3, 3, 2))),
        *((ops.SolveTriangular(lower), (_positive_definite(2, 3, 3), _normal(2, 3, 2))) for lower in (True, False)),
        *(
            (ops.Fourier(axes, inverse), (_normal(2, 3, 5), _normal(2, 3, 5)))
            for axes in (1, 2)
            for inverse in (False, True)
        ),
        *((ops.RealFourier(length), (_normal(2, 6),)) for length in (6, 5, 9)),
        *((ops.InverseRealFourier(length), (_normal(2, 4), _normal(2, 4))) for length in (6, 7, 4, 10)),
        (ops.SegmentMin(4), (_normal(9, 2), _segments)),
        (ops.SegmentMin(4), (_normal(9), _segments)),
        (ops.SegmentProd(4), (_uniform(9, 2), _segments)),
        (ops.SegmentProd(6), (_uniform(9), _segments)),
    ]
    others = [
        (ops.SVD(True), (wide,)),
        (ops.QR(True), (tall,)),
        (ops.Eig(), (_real_eigenvalues(4),)),
        *((ops.LUFactor(), (x,)) for x in (square, wide, tall)),
        (ops.RandomGamma((3, 5)), (_key, _uniform(5))),
        (ops.RandomGamma((3, 5), "float64"), (_key, _uniform(3, 1, low=0.05))),
        (ops.RandomBeta((3, 5)), (_key, _uniform(5), _uniform(3, 1))),
        (ops.RandomBinomial((3, 5)), (_key, _uniform(5, low=1, high=100), _uniform(3, 1, low=0.1, high=0.9))),
    ]
    return [(*row, True) for row in differentiable] + [(*row, False) for row in others]
