"""Counter-based random numbers inside kernels: the bits of `threefry.py`, one function call an element.

A fused kernel draws element i's number where it uses it, and a backward pass draws it again. The round keys depend
on the key alone, so LLVM computes them once before the loop; over the index everything is vectorised.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.inverse_normal import DEVIATIONS, scaled, shares
from layerkit.kernels.threefry import PARITY, ROTATIONS, ROUNDS
from layerkit.kernels.vector_primitives import BITS, DOUBLE, FLOAT, Number, select, split_exponent

I32 = ir.IntType(32)
STRICT = ("",)
"""No flag, and yet not nothing: to an instruction without flags Numba gives those of the kernel around it."""
INDEX = (types.int64,) * 3  # types of the keys and the index


def _threefry(builder: ir.IRBuilder, key0: ir.Value, key1: ir.Value, x0: ir.Value, x1: ir.Value, rounds: int) -> tuple:
    """Emit the rounds, unrolled. Written in LLVM's integers because Numba widens those of 32 bits to 64."""
    keys = (key0, key1, builder.xor(builder.xor(ir.Constant(I32, PARITY), key0), key1))
    x0, x1 = builder.add(x0, key0), builder.add(x1, key1)
    for i in range(rounds):
        rotation = ROTATIONS[i % 8]
        x0 = builder.add(x0, x1)
        left, right = builder.shl(x1, ir.Constant(I32, rotation)), builder.lshr(x1, ir.Constant(I32, 32 - rotation))
        x1 = builder.xor(builder.or_(left, right), x0)
        if i % 4 == 3:
            s = i // 4 + 1
            x0 = builder.add(x0, keys[s % 3])
            x1 = builder.add(x1, builder.add(keys[(s + 1) % 3], ir.Constant(I32, s)))
    return x0, x1


def _words(builder: ir.IRBuilder, values: list[ir.Value]) -> tuple:
    """Two words of 32 random bits for two keys and an int64 index."""
    key0, key1, index = values
    low, high = builder.trunc(index, I32), builder.trunc(builder.lshr(index, ir.Constant(index.type, 32)), I32)
    return _threefry(builder, builder.trunc(key0, I32), builder.trunc(key1, I32), low, high, ROUNDS)


class StrictNumber(Number):
    """A number each step of which is rounded once: nothing is contracted, so NumPy's floats have the same bits."""

    __slots__ = ()

    def like(self, value: float | Number | ir.Value) -> StrictNumber:
        """A literal in this number's type, or a value as it is."""
        return StrictNumber(self.builder, super().like(value).value)

    def _arithmetic(self, name: str, left: float | Number, right: float | Number) -> StrictNumber:
        emit = getattr(self.builder, name)
        return StrictNumber(self.builder, emit(self.like(left).value, self.like(right).value, flags=STRICT))


class _Emitted:
    """The `Arithmetic` of numbers that are being emitted."""

    split_exponent = staticmethod(split_exponent)

    def __init__(self, kind: ir.Type) -> None:
        self.double = kind == DOUBLE

    def smaller(self, x: StrictNumber, limit: float) -> StrictNumber:
        """The smaller of x and a number."""
        return x.like(select(x < limit, x, limit))


def _top_bits(builder: ir.IRBuilder, word: ir.Value, shift: int, kind: ir.Type) -> Number:
    """The bits of a word above the lowest `shift` as a float. They are few enough to be signed."""
    return Number(builder, builder.sitofp(builder.lshr(word, ir.Constant(I32, shift)), kind))


@intrinsic
def random_bits(typing, key0, key1, index):
    """32 random bits for an int64 index, uint32; the keys are integers of which the low 32 bits count."""
    return types.uint32(*INDEX), lambda context, builder, signature, values: _words(builder, values)[0]


@intrinsic
def uniform_float32(typing, key0, key1, index):
    """A number in [0, 1) for the key and an index, of 24 bits."""

    def codegen(context, builder, signature, values):
        return (_top_bits(builder, _words(builder, values)[0], 8, FLOAT) * 2.0**-24).value

    return types.float32(*INDEX), codegen


@intrinsic
def uniform_float64(typing, key0, key1, index):
    """A number in [0, 1) for the key and an index, of 53 bits."""

    def codegen(context, builder, signature, values):
        high, low = _words(builder, values)
        high, low = _top_bits(builder, high, 5, DOUBLE), _top_bits(builder, low, 6, DOUBLE)
        return ((high * 67108864.0 + low) * 2.0**-53).value

    return types.float64(*INDEX), codegen


def _deviation(distribution: str, dtype: str):
    """A function of the key and an index: the number that `inverse_normal.draw` gives there."""
    kind, number = (DOUBLE, types.float64) if dtype == "float64" else (FLOAT, types.float32)

    @intrinsic
    def deviation(typing, key0, key1, index):
        def codegen(context, builder, signature, values):
            m, word = _Emitted(kind), lambda value: ir.Constant(I32, value)
            high, low = _words(builder, values)
            magnitude, low = builder.and_(high, word(0x7FFFFFFF)), builder.lshr(low, word(10))

            def share(mask: int, low_mask: int) -> StrictNumber:
                high_part, low_part = (
                    StrictNumber(builder, builder.sitofp(builder.xor(part, word(flipped)), kind))
                    for part, flipped in ((magnitude, mask), (low, low_mask))
                )
                return shares(m, high_part, low_part if m.double else None)

            z = DEVIATIONS[distribution](m, share(0, 0), share(0x7FFFFFFF, 0x3FFFFF)).value
            bits = BITS[kind]
            sign = builder.and_(high, word(-0x80000000))
            if m.double:
                sign = builder.shl(builder.zext(sign, bits), ir.Constant(bits, 32))
            return builder.bitcast(builder.xor(builder.bitcast(z, bits), sign), kind)

        return number(*INDEX), codegen

    return deviation


normal_float32, normal_float64 = (_deviation("normal", dtype) for dtype in ("float32", "float64"))
truncated_normal_float32, truncated_normal_float64 = (
    _deviation("truncated_normal", dtype) for dtype in ("float32", "float64")
)


def _scaled(number: types.Float):
    @intrinsic
    def scale_and_shift(typing, x, scale, shift):
        def codegen(context, builder, signature, values):
            return scaled(*(StrictNumber(builder, value) for value in values)).value

        return number(number, number, number), codegen

    return scale_and_shift


scaled_float32, scaled_float64 = _scaled(types.float32), _scaled(types.float64)
