"""Blocks of a matrix copied to where the microkernel reads them in order, in LLVM vectors.

A packed block has a row of `width` elements (whole vectors) for every k, one behind the other. What lies behind the
last column is undefined: the microkernel computes with it but stores none of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from llvmlite import ir

from layerkit.kernels.abi import LLVM_TYPES, vector_length
from layerkit.kernels.lanes import I32, I64, ITEMSIZE, Lanes, declared, emitted, for_steps, lane_mask


@functools.cache
def tile_packer(dtype: str, width: int) -> Callable:
    """`pack(depth, columns, b, b_step, b_column, packed)`: pack B[depth, columns], rows of `width` elements.

    `b` and `packed` are addresses; B[k, j] lies `k * b_step + j * b_column` elements behind `b`.
    """
    length, size = vector_length(dtype), I64(ITEMSIZE[dtype])

    def pack(builder, depth, columns, b, b_step, b_column, packed):
        name = f"layerkit_transpose_{dtype}"
        transpose = builder.module.globals.get(name) or _define_transpose(builder.module, name, dtype, length)
        scalar, to_row = LLVM_TYPES[dtype].as_pointer(), builder.mul(I64(width), size)

        def at_most_length(value):
            return builder.select(builder.icmp_signed("<", value, I64(length)), value, I64(length))

        with builder.if_else(builder.icmp_signed("==", b_step, I64(1))) as (blocks, elements):
            with blocks, for_steps(builder, depth, length) as k, for_steps(builder, columns, length) as j:
                source = builder.add(b, builder.mul(builder.add(builder.mul(j, b_column), k), size))
                target = builder.add(packed, builder.add(builder.mul(k, to_row), builder.mul(j, size)))
                rows, columns_left = at_most_length(builder.sub(columns, j)), at_most_length(builder.sub(depth, k))
                builder.call(transpose, [rows, columns_left, source, b_column, target, I64(width)])
            with elements, for_steps(builder, depth, 1) as k:
                source = builder.inttoptr(builder.add(b, builder.mul(builder.mul(k, b_step), size)), scalar)
                target = builder.inttoptr(builder.add(packed, builder.mul(k, to_row)), scalar)
                with for_steps(builder, columns, 1) as j:
                    value = builder.load(builder.gep(source, [builder.mul(j, b_column)]))
                    builder.store(value, builder.gep(target, [j]))

    return emitted(6, pack)


@functools.cache
def line_copier(dtype: str) -> Callable:
    """`copy(count, width, source, source_step, target, target_step)`: copy lines of contiguous elements.

    `source` and `target` are addresses, the steps from line to line count elements.
    """
    size = I64(ITEMSIZE[dtype])

    def copy(builder, count, width, source, source_step, target, target_step):
        lanes = Lanes(builder, dtype)
        with for_steps(builder, count, 1) as line:
            line_source = builder.add(source, builder.mul(builder.mul(line, source_step), size))
            line_target = builder.add(target, builder.mul(builder.mul(line, target_step), size))

            def vector(offset, mask):
                value = lanes.load(lanes.pointer(builder.add(line_source, offset)), mask)
                lanes.store(value, lanes.pointer(builder.add(line_target, offset)), mask)

            lanes.for_vectors(width, vector)

    return emitted(6, copy)


def _define_transpose(module: ir.Module, name: str, dtype: str, length: int) -> ir.Function:
    """`transpose(rows, depth, source, source_row, packed, width)`: pack VL columns of B out of rows of its transpose.

    `source` has 1 to VL `rows` of 1 to VL contiguous elements (`depth`), `source_row` elements apart. Element (i, k)
    goes to `k * width + i` of `packed`, which is written for all VL values of k and i.
    """
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
                present = lane_mask(builder, per_part, builder.sub(depth, I64(first)))
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
