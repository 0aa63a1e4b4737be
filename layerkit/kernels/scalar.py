"""The names that generated kernels use: pointers, dtypes, and scalar functions."""

from llvmlite import ir
from numba import float32, float64, int8, int16, int32, int64, types, uint8, uint16, uint32, uint64
from numba.extending import intrinsic
from numpy import inf

from layerkit.kernels.abi import POINTERS, inline
from layerkit.kernels.lanes import drain, either, fetch, stream
from layerkit.kernels.random import (
    normal_float32,
    normal_float64,
    random_bits,
    scaled_float32,
    scaled_float64,
    truncated_normal_float32,
    truncated_normal_float64,
    uniform_float32,
    uniform_float64,
)
from layerkit.kernels.vector_math import *

for _dtype, _pointer in POINTERS.items():
    globals()[f"{_dtype}_at"] = _pointer


def _extreme(name: str, comparison: str):
    @intrinsic
    def extreme(typing, a, b):
        if a != b:
            return None

        def codegen(context, builder, signature, values):
            llvm_type = values[0].type
            if isinstance(a, types.Float):
                # IEEE 754-2019 maximum and minimum: NaN where either is. LLVM vectorises reductions by them.
                kind = ir.FunctionType(llvm_type, [llvm_type] * 2)
                return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", [llvm_type], kind), values)
            compare = builder.icmp_signed if getattr(a, "signed", False) else builder.icmp_unsigned  # a bool has none
            return builder.select(compare(comparison, *values), *values)

        return a(a, b), codegen

    return extreme


maximum = _extreme("maximum", ">")
minimum = _extreme("minimum", "<")


@inline
def absolute(x):
    return abs(x)


@inline
def sign_int(x):
    return (x > 0) - (x < 0)


@inline
def same(x):
    return x


@inline
def floor_divide_int(a, b):
    # The least integer by -1 does not fit: it wraps, as in NumPy.
    return -a if b == -1 else a // b


@inline
def floor_divide_uint(a, b):
    return a // b


@inline
def mod_int(a, b):
    return a % b
