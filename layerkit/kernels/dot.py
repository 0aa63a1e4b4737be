"""Dot products of the rows of a matrix with one vector, in LLVM vectors."""

from __future__ import annotations

import functools
from collections.abc import Callable

from llvmlite import ir

from layerkit.kernels.lanes import I64, ITEMSIZE, Lanes, declared, emitted

ROWS, VECTORS = 4, 2  # 8 sums hide the latency of a multiply-add on two units


@functools.cache
def dot_kernel(dtype: str) -> Callable:
    """The function `dots(rows, depth, w, w_row, x, bias, y, relu)`, for use in Numba code.

    y[r] = sum_k w[r * w_row + k] * x[k] + bias[0]; w, x, y and bias (or 0) are addresses, strides count elements,
    `relu` not 0 takes max(y, 0) and keeps NaN. The order of a sum depends on `depth` only.
    """

    def dots(builder, *values):
        name = f"layerkit_dots_{dtype}"
        function = builder.module.globals.get(name) or _define(builder.module, name, dtype)
        builder.call(function, values)

    return emitted(8, dots)


def _define(module: ir.Module, name: str, dtype: str) -> ir.Function:
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * 8), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    rows, depth, w, w_row, x, bias, y, relu = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    lanes = Lanes(builder, dtype)
    size, length, scalar = I64(ITEMSIZE[dtype]), lanes.count, lanes.scalar
    entry = builder.block
    group, loop, rest, cut, finish, end = (
        function.append_basic_block(part) for part in ("group", "loop", "rest", "cut", "finish", "end")
    )
    stride = builder.mul(w_row, size)
    whole = builder.and_(depth, I64(-VECTORS * length))
    builder.cbranch(builder.icmp_signed(">", rows, I64(0)), group, end)

    builder.position_at_end(group)
    first = builder.phi(I64)
    first.add_incoming(I64(0), entry)
    last = builder.sub(rows, I64(1))
    # A group that is cut computes its last row several times.
    numbers = [builder.add(first, I64(i)) for i in range(ROWS)]
    numbers = [builder.select(builder.icmp_signed("<", number, last), number, last) for number in numbers]
    row_addresses = [builder.add(w, builder.mul(number, stride)) for number in numbers]
    builder.cbranch(builder.icmp_signed(">", whole, I64(0)), loop, rest)

    def loaded(address: ir.Value, k: ir.Value, j: int, mask: ir.Value | None) -> ir.Value:
        offset = builder.mul(builder.add(k, I64(j * length)), size)
        return lanes.load(lanes.pointer(builder.add(address, offset)), mask)

    def step(sums: list[list[ir.Value]], k: ir.Value, masks: list[ir.Value | None]) -> list[list[ir.Value]]:
        factors = [loaded(x, k, j, masks[j]) for j in range(VECTORS)]
        return [
            [lanes.fma(loaded(address, k, j, masks[j]), factors[j], sums[i][j]) for j in range(VECTORS)]
            for i, address in enumerate(row_addresses)
        ]

    def phis(*incoming: tuple[list[list[ir.Value]], ir.Block]) -> list[list[ir.Value]]:
        made = [[builder.phi(lanes.type) for _ in range(VECTORS)] for _ in range(ROWS)]
        join(made, *incoming)
        return made

    def join(made: list[list[ir.Value]], *incoming: tuple[list[list[ir.Value]], ir.Block]) -> None:
        for values, block in incoming:
            for i in range(ROWS):
                for j in range(VECTORS):
                    made[i][j].add_incoming(values[i][j], block)

    zeros = [[lanes.zero] * VECTORS] * ROWS
    builder.position_at_end(loop)
    k = builder.phi(I64)
    sums = phis((zeros, group))
    added = step(sums, k, [None] * VECTORS)
    following = builder.add(k, I64(VECTORS * length))
    k.add_incoming(I64(0), group)
    k.add_incoming(following, loop)
    join(sums, (added, loop))
    builder.cbranch(builder.icmp_signed("<", following, whole), loop, rest)

    builder.position_at_end(rest)
    summed = phis((zeros, group), (added, loop))
    builder.cbranch(builder.icmp_signed("<", whole, depth), cut, finish)
    builder.position_at_end(cut)
    left = builder.sub(depth, whole)
    masks = [lanes.mask(builder.sub(left, I64(j * length))) for j in range(VECTORS)]
    with_rest = step(summed, whole, masks)
    builder.branch(finish)
    builder.position_at_end(finish)
    totals = phis((summed, rest), (with_rest, cut))

    reduce = declared(module, f"llvm.vector.reduce.fadd.{lanes.suffix}", scalar, [scalar, lanes.type])
    none = ir.Constant(scalar, 0.0)
    has_bias = builder.icmp_signed("!=", bias, I64(0))
    # Without a bias the sums read a zero of their own.
    zero_at = _alloca(function, scalar)
    bound = builder.select(builder.icmp_signed("!=", relu, I64(0)), none, ir.Constant(scalar, float("-inf")))
    for i in range(ROWS):
        total = totals[i][0]
        for j in range(1, VECTORS):
            total = builder.fadd(total, totals[i][j])
        result = builder.call(reduce, [none, total], fastmath=("reassoc",))
        bias_at = builder.select(has_bias, lanes.pointer(bias), zero_at)
        result = builder.fadd(result, builder.load(bias_at))
        result = builder.select(builder.fcmp_ordered("<", result, bound), bound, result)
        target = builder.add(y, builder.mul(numbers[i], size))
        builder.store(result, builder.inttoptr(target, scalar.as_pointer()))
    next_group = builder.add(first, I64(ROWS))
    first.add_incoming(next_group, finish)
    builder.cbranch(builder.icmp_signed("<", next_group, rows), group, end)
    builder.position_at_end(end)
    builder.ret_void()
    return function


def _alloca(function: ir.Function, scalar: ir.Type) -> ir.Value:
    """A zero on the stack."""
    entry = function.blocks[0]
    builder = ir.IRBuilder(entry)
    builder.position_before(entry.instructions[0])
    slot = builder.alloca(scalar)
    builder.store(ir.Constant(scalar, 0.0), slot)
    return slot
