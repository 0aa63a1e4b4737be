"""Counter-based random numbers inside kernels: the bits of `threefry.py`, one function call an element.

A fused kernel draws element i's number where it uses it, and a backward pass draws it again. The round keys depend
on the key alone, so LLVM computes them once before the loop; over the index everything is vectorised.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.threefry import PARITY, ROTATIONS, ROUNDS
from layerkit.kernels.vector_primitives import exact

I32 = ir.IntType(32)


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


@intrinsic
def random_bits_pair(typing, key0, key1, index):
    """Two words of 32 random bits for an int64 index; the keys are integers of which the low 32 bits count."""

    def codegen(context, builder, signature, values):
        key0, key1, index = values
        low, high = builder.trunc(index, I32), builder.trunc(builder.lshr(index, ir.Constant(index.type, 32)), I32)
        pair = _threefry(builder, builder.trunc(key0, I32), builder.trunc(key1, I32), low, high, ROUNDS)
        return context.make_tuple(builder, signature.return_type, pair)

    return types.UniTuple(types.uint32, 2)(types.int64, types.int64, types.int64), codegen


def _top_bits(shift: int, dtype: types.Float) -> Callable:
    """A function of a word: its bits above the lowest `shift` as a float. They are few enough to be signed."""

    @intrinsic
    def convert(typing, word):
        def codegen(context, builder, signature, values):
            kept = builder.lshr(values[0], ir.Constant(I32, shift))
            return builder.sitofp(kept, context.get_value_type(dtype))

        return dtype(types.uint32), codegen

    return convert


top24 = _top_bits(8, types.float32)
top27 = _top_bits(5, types.float64)
top26 = _top_bits(6, types.float64)


@exact
def random_bits(key0, key1, index):
    """32 random bits for the key and an index, uint32."""
    return random_bits_pair(key0, key1, index)[0]


@exact
def uniform_float32(key0, key1, index):
    """A number in [0, 1) for the key and an index, of 24 bits."""
    return top24(random_bits_pair(key0, key1, index)[0]) * np.float32(2.0**-24)


@exact
def uniform_float64(key0, key1, index):
    """A number in [0, 1) for the key and an index, of 53 bits."""
    high, low = random_bits_pair(key0, key1, index)
    return (top27(high) * 67108864.0 + top26(low)) * 2.0**-53
