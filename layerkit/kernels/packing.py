"""Blocks of a matrix copied to where the microkernel reads them in order, in LLVM vectors.

A packed block has a row of `width` elements (whole vectors) for every k, one behind the other. What lies behind the
last column is undefined: the microkernel computes with it but stores none of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.abi import LLVM_TYPES, vector_length
from layerkit.kernels.microkernel import I64, ITEMSIZE

I32 = ir.IntType(32)


@functools.cache
def block_transposer(dtype: str) -> Callable:
    """`transpose(rows, depth, source, source_row, packed, width)`: pack VL columns of B out of rows of its transpose.

    `source` has 1 to VL `rows` of 1 to VL contiguous elements (`depth`), `source_row` elements apart. Element (i, k)
    goes to `k * width + i` of `packed`, which is written for all VL values of k and i.
    """
    length = vector_length(dtype)

    @intrinsic
    def transpose(typing, rows, depth, source, source_row, packed, width):
        def codegen(context, builder, signature, values):
            name = f"layerkit_transpose_{dtype}"
            function = builder.module.globals.get(name) or _define_transpose(builder.module, name, dtype, length)
            builder.call(function, values)
            return context.get_dummy_value()

        return types.void(*(types.intp,) * 6), codegen

    return transpose


def _define_transpose(module: ir.Module, name: str, dtype: str, length: int) -> ir.Function:
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * 6), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    rows, depth, source, source_row, packed, width = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    last = builder.sub(rows, I64(1))
    row_addresses = []
    for i in range(length):
        number = builder.select(builder.icmp_signed("<", I64(i), last), I64(i), last)
        offset = builder.mul(builder.mul(number, source_row), I64(ITEMSIZE[dtype]))
        row_addresses.append(builder.add(source, offset))
    whole = builder.icmp_signed("==", depth, I64(length))
    with builder.if_else(whole) as (all_of_it, cut):
        with all_of_it:
            _transpose_block(builder, dtype, length, row_addresses, packed, width, None)
        with cut:
            _transpose_block(builder, dtype, length, row_addresses, packed, width, depth)
    builder.ret_void()
    return function


def _transpose_block(builder, dtype, length, row_addresses, packed, width, depth) -> None:
    """Transpose in the parts of 128 bits within which processors shuffle fast.

    The parts are loaded into the place where their transpose belongs, so nothing crosses from one part to another.
    """
    size = ITEMSIZE[dtype]
    scalar = LLVM_TYPES[dtype]
    per_part = 16 // size
    part, vector = ir.VectorType(scalar, per_part), ir.VectorType(scalar, length)
    mask = ir.VectorType(ir.IntType(1), per_part)
    for first in range(0, length, per_part):
        columns = []
        for i in range(per_part):
            parts = []
            for row in range(i, length, per_part):
                at = builder.inttoptr(builder.add(row_addresses[row], I64(first * size)), part.as_pointer())
                if depth is None:
                    parts.append(builder.load(at, align=size))
                    continue
                load = declared(
                    builder.module, f"llvm.masked.load.v{per_part}f{8 * size}.p0", part, [at.type, I32, mask, part]
                )
                present = lanes(builder, builder.sub(depth, I64(first)), per_part)
                parts.append(builder.call(load, [at, I32(size), present, ir.Constant(part, [0.0] * per_part)]))
            columns.append(_concatenated(builder, parts, scalar))
        for i, row in enumerate(_transposed_parts(builder, columns, per_part, length)):
            target = builder.mul(builder.mul(width, I64(first + i)), I64(size))
            at = builder.inttoptr(builder.add(packed, target), vector.as_pointer())
            builder.store(row, at, align=size)


def _concatenated(builder: ir.IRBuilder, parts: list[ir.Value], scalar: ir.Type) -> ir.Value:
    while len(parts) > 1:
        count = 2 * parts[0].type.count
        order = ir.Constant(ir.VectorType(I32, count), list(range(count)))
        parts = [builder.shuffle_vector(x, y, order) for x, y in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _transposed_parts(builder: ir.IRBuilder, rows: list[ir.Value], per_part: int, length: int) -> list[ir.Value]:
    """Transpose the square blocks that the 128-bit parts of `per_part` vectors form."""

    def interleaved(x: ir.Value, y: ir.Value, high: bool, group: int) -> ir.Value:
        order = []
        for part in range(0, length, per_part):
            start = part + (per_part // 2 if high else 0)
            for element in range(start, start + per_part // 2, group):
                order += range(element, element + group)
                order += range(length + element, length + element + group)
        return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(I32, length), order))

    if per_part == 2:
        return [interleaved(*rows, high, 1) for high in (False, True)]
    a, b, c, d = rows
    low = interleaved(a, b, False, 1), interleaved(c, d, False, 1)
    high = interleaved(a, b, True, 1), interleaved(c, d, True, 1)
    return [interleaved(*pair, upper, 2) for pair in (low, high) for upper in (False, True)]


def lanes(builder: ir.IRBuilder, count: ir.Value, length: int) -> ir.Value:
    """The mask of the first `count` lanes (none, if negative)."""
    wide = ir.VectorType(I32, length)
    one = builder.insert_element(ir.Constant(wide, ir.Undefined), builder.trunc(count, I32), I32(0))
    everywhere = builder.shuffle_vector(one, ir.Constant(wide, ir.Undefined), ir.Constant(wide, [0] * length))
    return builder.icmp_signed("<", ir.Constant(wide, list(range(length))), everywhere)


def declared(module: ir.Module, name: str, result: ir.Type, arguments: list[ir.Type]) -> ir.Function:
    """The function of a name in a module, declared where it is not yet."""
    return module.globals.get(name) or ir.Function(module, ir.FunctionType(result, arguments), name)
