"""What `vector_math` is written in: numbers whose arithmetic emits LLVM instructions.

A function of `Number`s is ordinary Python that runs while a kernel is compiled, and leaves its instructions where the
kernel calls it: no function is typed or compiled by itself, and no call is left in a loop to keep it from being
vectorised. All numbers of a function are float32 or all are float64; literals take the type of what they meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from llvmlite import ir
from llvmlite.ir.instructions import FastMathFlags
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.abi import LLVM_TYPES
from layerkit.kernels.lanes import CONTRACT

FLOAT, DOUBLE = LLVM_TYPES["float32"], LLVM_TYPES["float64"]
BITS = {FLOAT: ir.IntType(32), DOUBLE: ir.IntType(64)}
MANTISSA = {FLOAT: 23, DOUBLE: 52}
BIAS = {FLOAT: 127, DOUBLE: 1023}


class _Sealed(FastMathFlags):
    """Flags of a call to which Numba cannot add those of the kernel around it."""

    def __init__(self) -> None:
        super().__init__()
        set.update(self, CONTRACT)

    def add(self, name: str) -> None:
        """Leave the flags as they are."""


class Truth:
    """A condition that is being emitted."""

    __slots__ = ("builder", "value")

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.builder, self.builder.and_(self.value, other.value))

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.builder, self.builder.or_(self.value, other.value))

    def __xor__(self, other: Truth) -> Truth:
        return Truth(self.builder, self.builder.xor(self.value, other.value))


class Number:
    """A float32 or float64 that is being emitted: operators append instructions that may be contracted, no more."""

    __slots__ = ("builder", "value")
    flags: tuple[str, ...] = CONTRACT

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    @property
    def type(self) -> ir.Type:
        """LLVM's float or double, of a vector the type of its lanes."""
        kind = self.value.type
        return kind.element if isinstance(kind, ir.VectorType) else kind

    def like(self, value: float | Number | ir.Value) -> Number:
        """A literal in this number's type, or a value as it is."""
        if isinstance(value, Number):
            return value
        if not isinstance(value, ir.Value):
            value = _literal(self.value.type, float(np.float32(value)) if self.type == FLOAT else float(value))
        return type(self)(self.builder, value)

    def bits(self, value: int) -> ir.Constant:
        """A literal in the integer type of this number's size."""
        return _literal(_integers_like(self.value.type), value)

    def as_bits(self) -> ir.Value:
        """The number's bits as an integer of its size."""
        return self.builder.bitcast(self.value, _integers_like(self.value.type))

    def _arithmetic(self, name: str, left: float | Number, right: float | Number) -> Number:
        emit = getattr(self.builder, name)
        return self.like(emit(self.like(left).value, self.like(right).value, flags=self.flags))

    def _compared(self, symbol: str, other: float | Number) -> Truth:
        compare = self.builder.fcmp_unordered if symbol == "!=" else self.builder.fcmp_ordered
        return Truth(self.builder, compare(symbol, self.value, self.like(other).value, flags=self.flags))

    def __add__(self, other: float | Number) -> Number:
        return self._arithmetic("fadd", self, other)

    def __radd__(self, other: float) -> Number:
        return self._arithmetic("fadd", other, self)

    def __sub__(self, other: float | Number) -> Number:
        return self._arithmetic("fsub", self, other)

    def __rsub__(self, other: float) -> Number:
        return self._arithmetic("fsub", other, self)

    def __mul__(self, other: float | Number) -> Number:
        return self._arithmetic("fmul", self, other)

    def __rmul__(self, other: float) -> Number:
        return self._arithmetic("fmul", other, self)

    def __truediv__(self, other: float | Number) -> Number:
        return self._arithmetic("fdiv", self, other)

    def __rtruediv__(self, other: float) -> Number:
        return self._arithmetic("fdiv", other, self)

    def __neg__(self) -> Number:
        return self._arithmetic("fsub", -0.0, self)

    def __lt__(self, other: float | Number) -> Truth:
        return self._compared("<", other)

    def __le__(self, other: float | Number) -> Truth:
        return self._compared("<=", other)

    def __gt__(self, other: float | Number) -> Truth:
        return self._compared(">", other)

    def __ge__(self, other: float | Number) -> Truth:
        return self._compared(">=", other)

    def __eq__(self, other: float | Number) -> Truth:
        return self._compared("==", other)

    def __ne__(self, other: float | Number) -> Truth:
        return self._compared("!=", other)

    __hash__ = None


def _literal(kind: ir.Type, value: float) -> ir.Constant:
    return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)


def _integers_like(kind: ir.Type) -> ir.Type:
    return ir.VectorType(BITS[kind.element], kind.count) if isinstance(kind, ir.VectorType) else BITS[kind]


def elementary(function: Callable[..., Number], dtype: str, arity: int) -> Callable:
    """The function of one or two `Number`s as a function of a dtype for Numba code."""
    kind = getattr(types, dtype)

    def emit(context, builder, signature, values):
        return function(*(Number(builder, value) for value in values)).value

    if arity == 2:

        @intrinsic
        def call(typing, x, y):
            return kind(kind, kind), emit
    else:

        @intrinsic
        def call(typing, x):
            return kind(kind), emit

    return call


def constant(float32: float, float64: float) -> Callable[[Number], Number]:
    """A function of x that gives one of two constants, in x's type."""
    return lambda x: x.like(float32 if x.type == FLOAT else float64)


def polynomial(float32: tuple[float, ...], float64: tuple[float, ...]) -> Callable[[Number], Number]:
    """A function of x: the polynomial with the coefficients of x's type, constant term first, by Horner's rule."""

    def horner(x: Number) -> Number:
        coefficients = float32 if x.type == FLOAT else float64
        result = x.like(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            result = result * x + coefficient
        return result

    return horner


def select(condition: Truth, x: Number | float, y: Number | float) -> Number:
    """`x if condition else y` as a select: both sides are computed, nothing branches, and NaN is kept."""
    number = x if isinstance(x, Number) else y
    chosen = number.builder.select(condition.value, number.like(x).value, number.like(y).value)
    return number.like(chosen)


def called(name: str, *x: Number, arguments: Sequence[ir.Value] | None = None) -> Number:
    """What a function of LLVM or of the C library gives, by its name for the type of x: of x or of other arguments."""
    values = [one.value for one in x] if arguments is None else list(arguments)
    module, kind = x[0].builder.module, ir.FunctionType(x[0].value.type, [value.type for value in values])
    function = module.globals.get(name) or ir.Function(module, kind, name)
    call = x[0].builder.call(function, values)
    if x[0].flags:
        call.fastmath = _Sealed()
    return x[0].like(call)


def suffix(x: Number) -> str:
    """What LLVM appends to an intrinsic's name for the type of x."""
    kind = x.value.type
    lanes = f"v{kind.count}" if isinstance(kind, ir.VectorType) else ""
    return f"{lanes}{'f32' if x.type == FLOAT else 'f64'}"


def _instruction(name: str) -> Callable[..., Number]:
    """A function that LLVM has an instruction for."""
    return lambda *x: called(f"llvm.{name}.{suffix(x[0])}", *x)


absolute = _instruction("fabs")
copysign = _instruction("copysign")
floor = _instruction("floor")
ceil = _instruction("ceil")
trunc = _instruction("trunc")
nearest = _instruction("rint")  # half to even
square_root = _instruction("sqrt")
multiplied_added = _instruction("fma")  # x * y + z, rounded once


def widened(x: Number) -> Number:
    """A float32 as float64."""
    return Number(x.builder, x.builder.fpext(x.value, DOUBLE))


def narrowed(x: Number) -> Number:
    """A float64 rounded to float32."""
    return Number(x.builder, x.builder.fptrunc(x.value, FLOAT))


def _to_integer_magic(x: Number) -> float:
    """1.5 * 2**mantissa: a float of this size holds an integer in its low bits."""
    return 1.5 * 2.0 ** MANTISSA[x.type]


def nearest_small(x: Number) -> Number:
    """Round an x below 2**(mantissa - 1) to a whole number, half to even; cheaper than `nearest`."""
    magic = _to_integer_magic(x)
    return x + magic - magic


def power_of_two(n: Number) -> Number:
    """2**n for a whole number n of the normal exponents; NaN and others give some number."""
    builder, shifted = n.builder, n + (_to_integer_magic(n) + BIAS[n.type])
    shifted = builder.shl(builder.bitcast(shifted.value, BITS[n.type]), n.bits(MANTISSA[n.type]))
    return n.like(builder.bitcast(shifted, n.type))


def _nearest_shifted(x: Number, scale: float | Number, bias: int) -> tuple[Number, ir.Value]:
    """(n, n + bias in the place of an exponent) with n = x * scale rounded to a whole number, half to even.

    One multiply-add leaves n in the low bits of a float, which are then shifted.
    """
    magic = _to_integer_magic(x) + bias
    shifted = x * scale + magic
    return shifted - magic, x.builder.shl(x.builder.bitcast(shifted.value, BITS[x.type]), x.bits(MANTISSA[x.type]))


def nearest_with_power(x: Number, scale: float | Number) -> tuple[Number, Number]:
    """(n, 2**n) with n the whole number nearest to x * scale; the power where its exponent is a normal one."""
    n, power = _nearest_shifted(x, scale, BIAS[x.type])
    return n, x.like(x.builder.bitcast(power, x.type))


def nearest_with_exponent(x: Number, scale: float | Number) -> tuple[Number, ir.Value]:
    """n, the whole number nearest to x * scale, and what `exponent_added` takes for it."""
    return _nearest_shifted(x, scale, 0)


def exponent_added(x: Number, exponent: ir.Value) -> Number:
    """Scale x by the power 2**n, where that gives a normal number."""
    return x.like(x.builder.bitcast(x.builder.add(x.builder.bitcast(x.value, BITS[x.type]), exponent), x.type))


def split_exponent(x: Number) -> tuple[Number, Number]:
    """(m, e) with x = m * 2**e and m in [sqrt(1/2), sqrt(2)), for a normal x > 0."""
    builder, width = x.builder, x.bits(MANTISSA[x.type])
    integer, number = (np.int32, np.float32) if x.type == FLOAT else (np.int64, np.float64)
    root = x.bits(int(number(math.sqrt(0.5)).view(integer)))
    magic = x.bits(int(number(_to_integer_magic(x)).view(integer)))
    word = builder.bitcast(x.value, BITS[x.type])
    exponent = builder.ashr(builder.sub(word, root), width)
    m = builder.bitcast(builder.sub(word, builder.shl(exponent, width)), x.type)
    e = x.like(builder.bitcast(builder.add(magic, exponent), x.type))
    return x.like(m), e - _to_integer_magic(x)


def split_exponent_scaled(x: Number) -> tuple[Number, Number]:
    """(m, e * 2**mantissa) with m and e as of `split_exponent`, in two instructions less; fast for float32."""
    builder = x.builder
    root = x.bits(int(np.float32(math.sqrt(0.5)).view(np.int32)))
    word = builder.bitcast(x.value, BITS[x.type])
    exponent = builder.and_(builder.sub(word, root), x.bits(-1 << MANTISSA[x.type]))
    m = builder.bitcast(builder.sub(word, exponent), x.type)
    return x.like(m), x.like(builder.sitofp(exponent, x.type))


def high_half(x: Number) -> Number:
    """Clear the low half of x's mantissa, so that its square is exact."""
    mask = x.bits(-(1 << (MANTISSA[x.type] // 2 + 1)))
    word = x.builder.and_(x.builder.bitcast(x.value, BITS[x.type]), mask)
    return x.like(x.builder.bitcast(word, x.type))


def exact_remainder(x: Number, y: Number) -> Number:
    """Remainder x - y * trunc(x / y) without rounding: C's fmod."""
    return x.like(x.builder.frem(x.value, y.value, flags=CONTRACT))
