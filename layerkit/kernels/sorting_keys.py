"""The integer keys that elements are sorted by, and the way back."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

KEYS = {"float32": "int32", "float64": "int64", "int32": "int32", "int64": "int64", "bool": "uint8"}
"""dtype name -> that of the keys which `order_key` makes."""


@intrinsic
def value_of_key(typing, key, like):
    """The number that `order_key` made a key of, 0 for -0 and one NaN for all."""
    if isinstance(like, types.Integer):
        return like(key, like), lambda context, builder, signature, values: values[0]

    def codegen(context, builder, signature, values):
        integer = values[0].type
        sign = builder.ashr(values[0], ir.Constant(integer, integer.width - 1))
        bits = builder.xor(values[0], builder.lshr(sign, ir.Constant(integer, 1)))
        return builder.bitcast(bits, values[1].type)

    return like(key, like), codegen
