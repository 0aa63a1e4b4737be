"""What `vector_math` is written in: LLVM instructions on scalars that Python has no spelling for.

Everything takes float32 or float64 and stays in that type.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.abi import exact  # noqa: F401

CONTRACT = ("contract",)
BITS = {types.float32: ir.IntType(32), types.float64: ir.IntType(64)}
MANTISSA = {types.float32: 23, types.float64: 52}
BIAS = {types.float32: 127, types.float64: 1023}


def _llvm_type(dtype: types.Float) -> ir.Type:
    return ir.FloatType() if dtype == types.float32 else ir.DoubleType()


def _number(value: float, dtype: types.Float) -> ir.Constant:
    return ir.Constant(_llvm_type(dtype), float(np.float32(value)) if dtype == types.float32 else float(value))


def _to_integer_magic(dtype: types.Float) -> float:
    """1.5 * 2**mantissa: a float of this size holds an integer in its low bits."""
    return 1.5 * 2.0 ** MANTISSA[dtype]


def constant(float32: float, float64: float) -> Callable:
    """A function of x that gives one of two constants, in x's type."""

    @intrinsic
    def value(typing, x):
        chosen = float32 if x == types.float32 else float64
        return x(x), lambda context, builder, signature, values: _number(chosen, x)

    return value


def polynomial(float32: tuple[float, ...], float64: tuple[float, ...]) -> Callable:
    """A function of x: the polynomial with the coefficients of x's type, constant term first, by Horner's rule."""

    @intrinsic
    def horner(typing, x):
        coefficients = float32 if x == types.float32 else float64

        def codegen(context, builder, signature, values):
            result = _number(coefficients[-1], x)
            for coefficient in reversed(coefficients[:-1]):
                product = builder.fmul(result, values[0], flags=CONTRACT)
                result = builder.fadd(product, _number(coefficient, x), flags=CONTRACT)
            return result

        return x(x), codegen

    return horner


@intrinsic
def like(typing, value, x):
    """A literal number in the type of x (a bare literal would pull float32 arithmetic up to float64)."""

    def codegen(context, builder, signature, values):
        return builder.fptrunc(values[0], ir.FloatType()) if x == types.float32 else values[0]

    return x(types.float64, x), codegen


@intrinsic
def select(typing, condition, x, y):
    """`x if condition else y` as a select: both sides are computed, nothing branches, and NaN is kept."""
    return x(types.boolean, x, x), lambda context, builder, signature, values: builder.select(*values)


def _llvm_function(name: str, arity: int = 1) -> Callable:
    def codegen(context, builder, signature, values):
        dtype = values[0].type
        function = builder.module.declare_intrinsic(f"llvm.{name}", [dtype], ir.FunctionType(dtype, [dtype] * arity))
        return builder.call(function, values)

    if arity == 2:

        @intrinsic
        def call(typing, x, y):
            return x(x, x), codegen
    else:

        @intrinsic
        def call(typing, x):
            return x(x), codegen

    return call


absolute = _llvm_function("fabs")
copysign = _llvm_function("copysign", 2)
floor = _llvm_function("floor")
ceil = _llvm_function("ceil")
trunc = _llvm_function("trunc")
nearest = _llvm_function("rint")  # half to even
square_root = _llvm_function("sqrt")


@intrinsic
def nearest_small(typing, x):
    """Round an x below 2**(mantissa - 1) to a whole number, half to even; cheaper than `nearest`."""

    def codegen(context, builder, signature, values):
        magic = _number(_to_integer_magic(x), x)
        return builder.fsub(builder.fadd(values[0], magic, flags=CONTRACT), magic, flags=CONTRACT)

    return x(x), codegen


@intrinsic
def power_of_two(typing, n):
    """2**n for a whole number n of the normal exponents; NaN and others give some number."""

    def codegen(context, builder, signature, values):
        bits = BITS[n]
        shifted = builder.fadd(values[0], _number(_to_integer_magic(n) + BIAS[n], n), flags=CONTRACT)
        shifted = builder.shl(builder.bitcast(shifted, bits), ir.Constant(bits, MANTISSA[n]))
        return builder.bitcast(shifted, _llvm_type(n))

    return n(n), codegen


@intrinsic
def split_exponent(typing, x):
    """(m, e) with x = m * 2**e and m in [sqrt(1/2), sqrt(2)), for a normal x > 0."""

    def codegen(context, builder, signature, values):
        bits, width = BITS[x], ir.Constant(BITS[x], MANTISSA[x])
        integer, unsigned = (np.int32, np.float32) if x == types.float32 else (np.int64, np.float64)
        root = ir.Constant(bits, int(unsigned(math.sqrt(0.5)).view(integer)))
        magic = ir.Constant(bits, int(unsigned(_to_integer_magic(x)).view(integer)))
        word = builder.bitcast(values[0], bits)
        exponent = builder.ashr(builder.sub(word, root), width)
        m = builder.bitcast(builder.sub(word, builder.shl(exponent, width)), _llvm_type(x))
        e = builder.bitcast(builder.add(magic, exponent), _llvm_type(x))
        e = builder.fsub(e, _number(_to_integer_magic(x), x), flags=CONTRACT)
        return context.make_tuple(builder, signature.return_type, (m, e))

    return types.UniTuple(x, 2)(x), codegen


@intrinsic
def high_half(typing, x):
    """Clear the low half of x's mantissa, so that its square is exact."""

    def codegen(context, builder, signature, values):
        bits = BITS[x]
        mask = ir.Constant(bits, -(1 << (MANTISSA[x] // 2 + 1)))
        return builder.bitcast(builder.and_(builder.bitcast(values[0], bits), mask), _llvm_type(x))

    return x(x), codegen


@intrinsic
def exact_remainder(typing, x, y):
    """Remainder x - y * trunc(x / y) without rounding: C's fmod."""
    return x(x, y), lambda context, builder, signature, values: builder.frem(*values)
