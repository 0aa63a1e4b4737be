"""The multiply of convolutions to few channels: lanes over the depth, and a sum over the lanes at the end.

`convolution_microkernel.tile_multiply` has the output's channels in its lanes, so one channel of output wastes 15
lanes of 16. Here a lane is a place of the depth; each channel reads the image again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from layerkit.kernels.convolution_microkernel import ROWS
from layerkit.kernels.lanes import I64, Lanes, declared


@functools.cache
def tile_dots(dtype: str) -> Callable:
    """Build the function that computes up to `ROWS` pixels of one output channel.

    It is called like `convolution_microkernel.tile_multiply` with `packed`. The innermost of the three loops is over
    neighbours in both operands (a3 and b3 are 1), and the one column of the result is written.
    """

    @intrinsic
    def dots(
        typing, a, table, a_offsets, b, n1, a1, b1, n2, a2, b2, n3, a3, b3, initial, out, out_offsets,
        rows, columns, option,
    ):  # fmt: skip
        def codegen(context, builder, signature, values):
            _emit(builder, dtype, *values)
            return context.get_dummy_value()

        return types.void(types.intp, types.CPointer(types.intp), *(types.intp,) * 17), codegen

    return dots


def _emit(
    builder: ir.IRBuilder, dtype: str, a, table, a_offsets, b, n1, a1, b1, n2, a2, b2, n3, a3, b3, initial, out,
    out_offsets, rows, columns, option,
) -> None:  # fmt: skip
    lanes = Lanes(builder, dtype)
    itemsize = I64(lanes.align)
    offsets = builder.gep(table, [a_offsets])
    starts = [builder.add(a, builder.mul(builder.load(builder.gep(offsets, [I64(i)])), itemsize)) for i in range(ROWS)]
    sums = [cgutils.alloca_once(builder, lanes.type) for _ in range(ROWS)]
    for total in sums:
        builder.store(lanes.zero, total)
    a1, b1, a2, b2 = (builder.mul(stride, itemsize) for stride in (a1, b1, a2, b2))
    with cgutils.for_range(builder, n1) as outer, cgutils.for_range(builder, n2) as inner:
        a_at = builder.add(builder.mul(outer.index, a1), builder.mul(inner.index, a2))
        b_at = builder.add(b, builder.add(builder.mul(outer.index, b1), builder.mul(inner.index, b2)))

        def add(offset: ir.Value, mask: ir.Value | None) -> None:
            factor = lanes.load(lanes.pointer(builder.add(b_at, offset)), mask)
            a_here = builder.add(a_at, offset)
            for start, total in zip(starts, sums, strict=True):
                value = lanes.load(lanes.pointer(builder.add(start, a_here)), mask)
                builder.store(lanes.fma(value, factor, builder.load(total)), total)

        lanes.for_vectors(n3, add)
    zero = ir.Constant(lanes.scalar, 0.0)
    relu = builder.icmp_signed("!=", option, I64(0))
    lowest = builder.select(relu, zero, ir.Constant(lanes.scalar, float("-inf")))
    bias = builder.load(lanes.pointer(initial), align=lanes.align)
    reduce = declared(
        builder.module, f"llvm.vector.reduce.fadd.{lanes.suffix}", lanes.scalar, [lanes.scalar, lanes.type]
    )
    results = [builder.call(reduce, [bias, builder.load(total)], fastmath=("reassoc",)) for total in sums]
    for i, value in enumerate(results):
        with builder.if_then(builder.icmp_signed("<", I64(i), rows)):
            place = builder.load(builder.gep(table, [builder.add(out_offsets, I64(i))]))
            # An ordered comparison is false for NaN, so NaN passes through relu.
            value = builder.select(builder.fcmp_ordered("<", value, lowest), lowest, value)
            builder.store(value, lanes.pointer(builder.add(out, builder.mul(place, itemsize))), align=lanes.align)
