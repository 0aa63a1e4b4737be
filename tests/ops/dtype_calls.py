"""The calls whose result dtypes are recorded from Keras (dtypes.json), for `keras.ops` and `layerkit.ops` alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ARRAYS = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "float16", "float32", "float64",
)  # fmt: skip
PYTHON: dict[str, Any] = {"python bool": True, "python int": 2, "python float": 2.5}
OPERANDS = (*ARRAYS, *PYTHON)

BINARY_NAMES = """
    add subtract multiply divide true_divide divide_no_nan floor_divide mod fmod power maximum minimum fmax fmin arctan2
    hypot logaddexp logaddexp2 heaviside nextafter gcd lcm ldexp
    bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift bitwise_right_shift
    equal not_equal less less_equal greater greater_equal isclose allclose isin logical_and logical_or logical_xor
    matmul dot tensordot inner outer cross vdot kron append correlate
"""
UNARY_NAMES = """
    abs absolute negative sign square sqrt rsqrt reciprocal exp exp2 expm1 log log10 log1p log2 cbrt fabs
    floor ceil round trunc sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh sinc deg2rad rad2deg
    erf erfc erfinv isnan isinf isfinite isposinf isneginf signbit logical_not bitwise_not bitwise_invert nan_to_num
    sum prod max min amax amin mean median std var any all argmax argmin count_nonzero ptp average logsumexp
    nansum nanprod nanmax nanmin nanmean nanmedian nanstd nanvar nanargmax nanargmin norm
    cumsum cumprod nancumsum nancumprod sort argsort diff trapezoid corrcoef
    copy ravel flip fliplr flipud transpose squeeze diag diagonal diagflat tril triu trace rot90 hstack vstack dstack
    stack concatenate unstack zeros_like ones_like empty_like vander
    relu relu6 leaky_relu elu selu celu silu gelu softplus softsign sigmoid log_sigmoid hard_sigmoid hard_silu hard_tanh
    hard_shrink soft_shrink tanh_shrink squareplus sparse_plus sparse_sigmoid sparsemax softmax log_softmax glu
    rms_normalization normalize
"""


def _named(name: str) -> Callable:
    return lambda ops, *x: getattr(ops, name)(*x)


def _condition() -> np.ndarray:
    return np.eye(4, dtype=bool)


BINARY: dict[str, Callable] = {name: _named(name) for name in BINARY_NAMES.split()}
BINARY |= {
    "concatenate": lambda ops, a, b: ops.concatenate([a, b]),
    "stack": lambda ops, a, b: ops.stack([a, b]),
    "where": lambda ops, a, b: ops.where(_condition(), a, b),
    "clip": lambda ops, a, b: ops.clip(a, b, b),
    "einsum": lambda ops, a, b: ops.einsum("ij,jk->ik", a, b),
}
UNARY: dict[str, Callable] = {name: _named(name) for name in UNARY_NAMES.split()}
UNARY |= {
    "moments": lambda ops, x: ops.moments(x, 0),
    "quantile": lambda ops, x: ops.quantile(x, 0.5),
    "percentile": lambda ops, x: ops.percentile(x, 50),
    "nanquantile": lambda ops, x: ops.nanquantile(x, 0.5),
    "top_k": lambda ops, x: ops.top_k(x, 2),
    "one_hot": lambda ops, x: ops.one_hot(x, 3),
    "expand_dims": lambda ops, x: ops.expand_dims(x, 0),
    "reshape": lambda ops, x: ops.reshape(x, (2, 8)),
    "pad": lambda ops, x: ops.pad(x, 1),
    "tile": lambda ops, x: ops.tile(x, 2),
    "repeat": lambda ops, x: ops.repeat(x, 2),
    "roll": lambda ops, x: ops.roll(x, 1),
    "threshold": lambda ops, x: ops.threshold(x, 1, 2),
    "full_like": lambda ops, x: ops.full_like(x, 2),
    "clip by ints": lambda ops, x: ops.clip(x, 0, 2),
    "clip by floats": lambda ops, x: ops.clip(x, 0.5, 2.5),
}
# What NumPy indexes or reads as square is square.
SHAPES = {"cross": (3, 3), "correlate": (4,), "heaviside": (4, 4)}


def shape_of(name: str) -> tuple[int, ...]:
    """The shape of a call's operands."""
    return (1, 16) if name == "squeeze" else SHAPES.get(name, (4, 4))


def dtypes_of(given: Any) -> str:
    """The dtype of a result, or those of several."""
    if isinstance(given, (tuple, list)):
        return " ".join(dict.fromkeys(dtypes_of(one) for one in given))
    return np.dtype(getattr(given.dtype, "name", given.dtype)).name


def load() -> dict[str, dict[str, dict[tuple[str, ...], str]]]:
    """The recorded results by kind ("unary", "binary"), function and dtypes of operands."""
    record = json.loads(Path(__file__).with_name("dtypes.json").read_text())
    unary = {
        name: dict(zip(((a,) for a in ARRAYS), table["results"].split(", "), strict=True))
        for table in record["unary"]
        for name in table["functions"].split(", ")
    }
    binary = {
        name: {
            (a, b): dtype
            for a, row in table["results"].items()
            for b, dtype in zip(OPERANDS, row.split(", "), strict=True)
        }
        for table in record["binary"]
        for name in table["functions"].split(", ")
    }
    return {"unary": unary, "binary": binary}
