"""The register-blocked multiply of the convolutions, in LLVM vectors.

A tile of `rows` x `vectors` accumulators stays in registers while three nested loops run over the depth. Row i
of the left operand starts at an offset read from a table, so a tile may gather any pixels (or any taps) of an
image in place: strides, dilation, groups and ragged image widths cost nothing in the innermost loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from layerkit.kernels.abi import LLVM_TYPES, vector_length
from layerkit.kernels.microkernel import max_rows

ROWS = max_rows(2)
I64 = ir.IntType(64)
I32 = ir.IntType(32)


def lane_mask(builder: ir.IRBuilder, lanes: int, count: ir.Value) -> ir.Value:
    """<lanes x i1> that is set in the lanes below `count` (int64)."""
    vector = ir.VectorType(I32, lanes)
    narrow = builder.trunc(count, I32)
    return builder.icmp_signed("<", ir.Constant(vector, list(range(lanes))), splat(builder, narrow, lanes))


def splat(builder: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    """A vector with `value` in every lane."""
    vector = ir.VectorType(value.type, lanes)
    undefined = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(I32, 0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))


class Lanes:
    """Vector loads, stores and multiply-adds of one dtype in one function being built."""

    def __init__(self, builder: ir.IRBuilder, dtype: str) -> None:
        self.builder = builder
        self.scalar = LLVM_TYPES[dtype]
        self.count = vector_length(dtype)
        self.type = ir.VectorType(self.scalar, self.count)
        self.suffix = f"v{self.count}f{32 if dtype == 'float32' else 64}"
        self.align = 4 if dtype == "float32" else 8
        self.mask_type = ir.VectorType(ir.IntType(1), self.count)

    def _intrinsic(self, name: str, result: ir.Type, arguments: list[ir.Type]) -> ir.Function:
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a * b + c."""
        function = self._intrinsic(f"llvm.fma.{self.suffix}", self.type, [self.type] * 3)
        return self.builder.call(function, [a, b, c])

    def load(self, pointer: ir.Value, mask: ir.Value | None = None) -> ir.Value:
        """The vector at a scalar pointer; lanes outside the mask are zero and not read."""
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=self.align)
        function = self._intrinsic(
            f"llvm.masked.load.{self.suffix}.p0", self.type, [self.type.as_pointer(), I32, self.mask_type, self.type]
        )
        zeros = ir.Constant(self.type, [0.0] * self.count)
        return self.builder.call(function, [pointer, ir.Constant(I32, self.align), mask, zeros])

    def store(self, value: ir.Value, pointer: ir.Value, mask: ir.Value) -> None:
        """Write the lanes in the mask."""
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        function = self._intrinsic(
            f"llvm.masked.store.{self.suffix}.p0",
            ir.VoidType(),
            [self.type, self.type.as_pointer(), I32, self.mask_type],
        )
        self.builder.call(function, [value, pointer, ir.Constant(I32, self.align), mask])


@functools.cache
def tile_multiply(dtype: str, vectors: int, packed: bool) -> Callable:
    """Build the function that computes a tile of `ROWS` rows x `vectors` vectors.

    It is called as `tile(a, a_offsets, b, loops, a_step, b_step, out, out_offsets, rows, columns, option)`; offsets,
    steps and strides count elements.
      a, a_offsets: element k of row i is a[a_offsets[i] + position of k].
      b: the right operand's row k starts at b + k * b_step.
      loops: the tuple (n1, stride1, n2, stride2, n3): the depth is n1 * n2 * n3 and its position in `a` is
        k1 * stride1 + k2 * stride2 + k3 * a_step.
      out, out_offsets: row i is written at out[out_offsets[i]], for i < rows and the first `columns` columns.

    packed: b holds whole vectors and starts with a row of initial values (the bias); `option` 1 applies relu.
    Otherwise only the first `columns` elements of a row of b are read; `option` 1 adds to what `out` holds.
    """

    @intrinsic
    def tile(typing, a, a_offsets, b, n1, stride1, n2, stride2, n3, a_step, b_step, out, out_offsets, rows, columns, option):
        def codegen(context, builder, signature, values):
            _TileBuilder(context, builder, dtype, vectors, packed, values).build()
            return context.get_dummy_value()

        return types.void(*(types.intp,) * 15), codegen

    return tile


class _TileBuilder:
    def __init__(self, context, builder, dtype, vectors, packed, values) -> None:
        self.context, self.builder = context, builder
        self.lanes = Lanes(builder, dtype)
        self.vectors, self.packed = vectors, packed
        (
            a, a_offsets, b, self.n1, self.stride1, self.n2, self.stride2, self.n3, self.a_step, self.b_step,
            out, out_offsets, self.rows, self.columns, self.option,
        ) = values  # fmt: skip
        pointer = self.lanes.scalar.as_pointer()
        self.b, self.out = builder.inttoptr(b, pointer), builder.inttoptr(out, pointer)
        self.out_offsets = builder.inttoptr(out_offsets, I64.as_pointer())
        a = builder.inttoptr(a, pointer)
        offsets = builder.inttoptr(a_offsets, I64.as_pointer())
        self.a_rows = [builder.gep(a, [builder.load(builder.gep(offsets, [I64(i)]))]) for i in range(ROWS)]
        self.masks = [
            lane_mask(builder, self.lanes.count, builder.sub(self.columns, I64(j * self.lanes.count)))
            for j in range(vectors)
        ]

    def build(self) -> None:
        builder, lanes = self.builder, self.lanes
        zero = ir.Constant(lanes.type, [0.0] * lanes.count)
        sums = [[cgutils.alloca_once(builder, lanes.type) for _ in range(self.vectors)] for _ in range(ROWS)]
        b_at = cgutils.alloca_once(builder, self.b.type)
        for j in range(self.vectors):
            initial = lanes.load(builder.gep(self.b, [I64(j * lanes.count)])) if self.packed else zero
            for i in range(ROWS):
                builder.store(initial, sums[i][j])
        builder.store(builder.gep(self.b, [self.b_step]) if self.packed else self.b, b_at)
        with cgutils.for_range(builder, self.n1) as outer:
            at1 = builder.mul(outer.index, self.stride1)
            with cgutils.for_range(builder, self.n2) as middle:
                at2 = builder.add(at1, builder.mul(middle.index, self.stride2))
                with cgutils.for_range(builder, self.n3) as inner:
                    at3 = builder.add(at2, builder.mul(inner.index, self.a_step))
                    self._multiply_add(sums, at3, b_at)
        self._write([[builder.load(sums[i][j]) for j in range(self.vectors)] for i in range(ROWS)])

    def _multiply_add(self, sums, at, b_at) -> None:
        builder, lanes = self.builder, self.lanes
        b = builder.load(b_at)
        b_vectors = [
            lanes.load(builder.gep(b, [I64(j * lanes.count)]), None if self.packed else self.masks[j])
            for j in range(self.vectors)
        ]
        for i in range(ROWS):
            value = splat(builder, builder.load(builder.gep(self.a_rows[i], [at])), lanes.count)
            for j in range(self.vectors):
                builder.store(lanes.fma(value, b_vectors[j], builder.load(sums[i][j])), sums[i][j])
        builder.store(builder.gep(b, [self.b_step]), b_at)

    def _write(self, sums) -> None:
        builder, lanes = self.builder, self.lanes
        chosen = builder.icmp_signed("!=", self.option, I64(0))
        if self.packed:
            lowest = builder.select(chosen, ir.Constant(lanes.scalar, 0.0), ir.Constant(lanes.scalar, float("-inf")))
            lowest = splat(builder, lowest, lanes.count)
        else:
            before = [builder.and_(mask, splat(builder, chosen, lanes.count)) for mask in self.masks]
        for i in range(ROWS):
            with builder.if_then(builder.icmp_signed("<", I64(i), self.rows)):
                row = builder.gep(self.out, [builder.load(builder.gep(self.out_offsets, [I64(i)]))])
                for j in range(self.vectors):
                    pointer, value = builder.gep(row, [I64(j * lanes.count)]), sums[i][j]
                    if self.packed:
                        # An ordered comparison is false for NaN, so NaN passes through relu.
                        value = builder.select(builder.fcmp_ordered("<", value, lowest), lowest, value)
                    else:
                        value = builder.fadd(value, lanes.load(pointer, before[j]))
                    lanes.store(value, pointer, self.masks[j])
