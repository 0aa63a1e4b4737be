"""The namespace `ops.linalg`: linear algebra under its names in Keras' `keras.ops.linalg`."""

from layerkit.ops.contraction import norm
from layerkit.ops.decompositions import cholesky, cholesky_inverse, eig, eigh, lu_factor, qr, svd
from layerkit.ops.differentiation import jvp
from layerkit.ops.solving import det, inv, lstsq, matrix_rank, pinv, solve, solve_triangular

__all__ = [
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "jvp", "lstsq", "lu_factor", "matrix_rank", "norm",
    "pinv", "qr", "solve", "solve_triangular", "svd",
]  # fmt: skip
