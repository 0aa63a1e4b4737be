"""Counter-based random numbers inside kernels: the bits of `threefry.py`, one function call an element.

A fused kernel draws element i's number where it uses it, and a backward pass draws it again. The round keys depend
on the key alone, so LLVM computes them once before the loop; over the index everything is vectorised.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.threefry import PARITY, ROTATIONS, ROUNDS
from layerkit.kernels.vector_primitives import DOUBLE, FLOAT, Number

I32 = ir.IntType(32)
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
