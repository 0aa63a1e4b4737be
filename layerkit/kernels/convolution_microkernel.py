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

from layerkit.kernels.lanes import I64, Lanes, emitted, splat
from layerkit.kernels.microkernel import max_rows

# With 32 vector registers 8 x 2 sums; with 16 registers 4 x 2, which hide the latency of a multiply-add just as well.
ROWS = 8 if max_rows(2) >= 8 else 4
# Taps of a row of a filter that share what they load. Filters with three are by far the most frequent.
NEIGHBOURS = 3


@functools.cache
def copy_elements(dtype: str, count: int) -> Callable:
    """Build the function `copy(source, to, given)` that writes `count` elements: the `given` of source, then zeros."""

    def copy(builder, source, to, given):
        lanes = Lanes(builder, dtype, count)
        lanes.store(lanes.load(lanes.pointer(source), lanes.mask(given)), lanes.pointer(to))

    return emitted(3, copy)


@functools.cache
def tile_multiply(dtype: str, vectors: int, *, packed: bool, lanewise: bool = False, height: int = ROWS) -> Callable:
    """Build the function that computes a tile of `height` rows x `vectors` vectors.

    It is called as `tile(a, table, a_offsets, b, n1, a1, b1, n2, a2, b2, n3, a3, b3, initial, out, out_offsets, rows,
    columns, option)`. Offsets and strides count elements; tables of offsets are at `a_offsets` and at `out_offsets` of
    the int64 array `table`. The depth is n1 * n2 * n3; at (k1, k2, k3) of it
      row i of the left operand is a[table[a_offsets + i] + k1 * a1 + k2 * a2 + k3 * a3],
      the right operand is the row of vectors that begins at b[k1 * b1 + k2 * b2 + k3 * b3].
    Row i < rows is written at out[table[out_offsets + i]], its first `columns` columns.

    packed: the sums start with the row of vectors at `initial`, and `option` 1 applies relu. Otherwise they start at
    zero and `option` 1 adds to what `out` holds; `initial` is not used.
    lanewise: both operands are vectors, multiplied lane by lane, as a depthwise convolution does; no more than
    `columns` lanes of any operand are read, and `initial` may be 0 for sums that start at zero. Otherwise rows of b are
    read as whole vectors: a mask would cost an instruction in a port that multiply-adds need (12% on AVX-512).
    """

    @intrinsic
    def tile(
        typing, a, table, a_offsets, b, n1, a1, b1, n2, a2, b2, n3, a3, b3, initial, out, out_offsets,
        rows, columns, option,
    ):  # fmt: skip
        def codegen(context, builder, signature, values):
            _TileBuilder(builder, dtype, vectors, packed, lanewise, height, values).build()
            return context.get_dummy_value()

        return types.void(types.intp, types.CPointer(types.intp), *(types.intp,) * 17), codegen

    return tile


class _TileBuilder:
    """Emits one call of a tile function."""

    def __init__(
        self, builder: ir.IRBuilder, dtype: str, vectors: int, packed: bool, lanewise: bool, height: int, values: list
    ) -> None:
        self.builder, self.lanes = builder, Lanes(builder, dtype)
        self.vectors, self.packed, self.lanewise = vectors, packed, lanewise
        a, table, a_offsets, b, *loops, initial, out, out_offsets, self.rows, columns, self.option = values
        self.load_masks: list[ir.Value | None] = [None] * vectors
        self.loops = [loops[i : i + 3] for i in (0, 3, 6)]
        pointer = self.lanes.scalar.as_pointer()
        self.b, self.initial, self.out = (builder.inttoptr(address, pointer) for address in (b, initial, out))
        self.out_offsets = builder.gep(table, [out_offsets])
        a = builder.inttoptr(a, pointer)
        offsets = builder.gep(table, [a_offsets])
        self.starts = [builder.load(builder.gep(offsets, [I64(i)])) for i in range(height)]
        self.a_rows = [builder.gep(a, [start]) for start in self.starts]
        self.masks = [self.lanes.mask(builder.sub(columns, I64(j * self.lanes.count))) for j in range(vectors)]
        self.whole = builder.icmp_signed(">=", columns, I64(vectors * self.lanes.count))

    def build(self) -> None:
        builder, lanes = self.builder, self.lanes
        self.sums = [[cgutils.alloca_once(builder, lanes.type) for _ in range(self.vectors)] for _ in self.a_rows]
        for j in range(self.vectors):
            first = self._load_initial(j) if self.packed else lanes.zero
            for row in self.sums:
                builder.store(first, row[j])
        if not self.lanewise:
            self._sum(len(self.a_rows), [None] * self.vectors)
        elif self.packed:
            with builder.if_else(self._neighbours()) as (fast, others):
                with fast:
                    self._sum(len(self.a_rows), [None] * self.vectors, sliding=True)
                # At the edges of an image, a single pixel often sees other taps than those beside it.
                with others, builder.if_else(builder.icmp_signed("==", self.rows, I64(1))) as (single, several):
                    with single:
                        self._sum(1, self.masks)
                    with several:
                        self._sum(len(self.a_rows), self.masks)
        else:
            with builder.if_else(self.whole) as (whole, cut):
                with whole:
                    self._sum(len(self.a_rows), [None] * self.vectors)
                with cut:
                    self._sum(len(self.a_rows), self.masks)
        self._write([[builder.load(pointer) for pointer in row] for row in self.sums])

    def _sum(self, rows: int, masks: list[ir.Value | None], sliding: bool = False) -> None:
        """The sums of some rows, of vectors that are read through masks."""
        self.active, self.load_masks, self.sliding = rows, masks, sliding
        self._loop(self.loops, I64(0), I64(0))

    def _neighbours(self) -> ir.Value:
        """Whether the innermost loop is over three taps, each seeing in one row what the last saw in the next row."""
        builder, (count, stride, _) = self.builder, self.loops[-1]
        conditions = [
            builder.icmp_signed("==", count, I64(NEIGHBOURS)),
            builder.icmp_signed("==", builder.sub(self.starts[1], self.starts[0]), stride),
            builder.icmp_signed(">=", self.rows, I64(len(self.starts))),
        ]
        return functools.reduce(builder.and_, conditions, self.whole)

    def _slide(self, a_at: ir.Value, b_at: ir.Value) -> None:
        """The innermost loop over `_neighbours`: each vector of an image is loaded once, and used by three rows."""
        builder, (_, stride, b_stride) = self.builder, self.loops[-1]
        taps, a = [], builder.gep(self.a_rows[0], [a_at])
        for _ in range(NEIGHBOURS):
            taps.append([self._load(builder.gep(self.b, [b_at]), j) for j in range(self.vectors)])
            b_at = builder.add(b_at, b_stride)
        for place in range(len(self.sums) + NEIGHBOURS - 1):
            values = [self._load(a, j) for j in range(self.vectors)]
            a = builder.gep(a, [stride])
            for k in range(NEIGHBOURS):
                if 0 <= place - k < len(self.sums):
                    for value, tap, total in zip(values, taps[k], self.sums[place - k], strict=True):
                        builder.store(self.lanes.fma(value, tap, builder.load(total)), total)

    def _loop(self, loops: list[list[ir.Value]], a_at: ir.Value, b_at: ir.Value) -> None:
        """The nested loops; positions in a and b advance from loop to loop."""
        if not loops:
            self._multiply_add(a_at, b_at)
            return
        if self.sliding and len(loops) == 1:
            self._slide(a_at, b_at)
            return
        builder = self.builder
        count, a_stride, b_stride = loops[0]
        with cgutils.for_range(builder, count) as loop:
            a_here = builder.add(a_at, builder.mul(loop.index, a_stride))
            self._loop(loops[1:], a_here, builder.add(b_at, builder.mul(loop.index, b_stride)))

    def _multiply_add(self, a_at: ir.Value, b_at: ir.Value) -> None:
        builder, lanes, sums = self.builder, self.lanes, self.sums
        b = builder.gep(self.b, [b_at])
        b_row = [self._load(b, j) for j in range(self.vectors)]
        for i, row in enumerate(self.a_rows[: self.active]):
            a = builder.gep(row, [a_at])
            value = None if self.lanewise else splat(builder, builder.load(a), lanes.count)
            for j in range(self.vectors):
                factor = self._load(a, j) if self.lanewise else value
                builder.store(lanes.fma(factor, b_row[j], builder.load(sums[i][j])), sums[i][j])

    def _load(self, pointer: ir.Value, j: int) -> ir.Value:
        """Vector j of a row; lanewise just the columns, where rows lie next to each other."""
        at = self.builder.gep(pointer, [I64(j * self.lanes.count)])
        return self.lanes.load(at, self.load_masks[j])

    def _load_initial(self, j: int) -> ir.Value:
        if not self.lanewise:
            return self._load(self.initial, j)
        given = self.builder.icmp_unsigned("!=", self.initial, ir.Constant(self.initial.type, None))
        mask = self.builder.and_(self.masks[j], splat(self.builder, given, self.lanes.count))
        return self.lanes.load(self.builder.gep(self.initial, [I64(j * self.lanes.count)]), mask)

    def _write(self, sums: list[list[ir.Value]]) -> None:
        builder, lanes = self.builder, self.lanes
        chosen = builder.icmp_signed("!=", self.option, I64(0))
        if self.packed:
            lowest = builder.select(chosen, ir.Constant(lanes.scalar, 0.0), ir.Constant(lanes.scalar, float("-inf")))
            lowest = splat(builder, lowest, lanes.count)
        else:
            before = [builder.and_(mask, splat(builder, chosen, lanes.count)) for mask in self.masks]
        for i in range(len(sums)):
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
