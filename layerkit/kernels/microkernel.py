"""The register-blocked microkernel of matrix products and convolutions, in LLVM vectors.

    C[i, j] = activation(init[i, j] + sum_k A[i, k] * B[k, j])        rows x columns, both a few

The sums of a tile stay in registers; each step of the loop over k loads a row of B as vectors and multiplies it with
one broadcast element of A for each row of the tile (Goto and van de Geijn, "Anatomy of high-performance matrix
multiplication", 2008). A is read in place through two strides, so it needs no packing and may be an image seen through
a convolution's window. The last vector of a row may be cut: it is loaded and stored through a mask.

Every element of C is one chain of fused multiply-adds in the order of k that starts at `init`. So its bits depend
neither on the tile that it lies in, nor on whether B was packed, nor on where the sum over k was cut and continued with
`init = C`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import llvmlite.binding as llvm
from llvmlite import ir

from layerkit.kernels.abi import vector_length
from layerkit.kernels.lanes import I8, I32, I64, ITEMSIZE, Lanes, declared, emitted

_FEATURES = llvm.get_host_cpu_features()
# 32 vector registers (AVX-512, and Arm's NEON) hold 8 x 3 sums, a row of B and a broadcast; 16 hold 6 x 2.
_MANY_REGISTERS = bool(_FEATURES.get("avx512f") or _FEATURES.get("neon"))

MASKED_LOADS = bool(_FEATURES.get("avx"))
"""Whether a masked load is one instruction. Where not, B must have whole vectors: pack it, zeros behind its columns."""

MAX_VECTORS = 3 if _MANY_REGISTERS else 2
"""Vectors in a row of the widest tile."""

ROW_VECTORS = 8 if _MANY_REGISTERS else 6
"""Vectors in the tile of a single row, which is bound by memory and wants long runs."""

PREFETCH = 6
"""Rows of B that are fetched ahead into the first-level cache: more cycles than the second level takes."""

LINE = 64
"""Bytes of a cache line."""

FIRST_LEVEL, SECOND_LEVEL = 3, 2  # LLVM's degrees of locality

LOW = 4
"""Rows of the tiles at the end."""


def max_rows(vectors: int) -> int:
    """Rows of the tallest tile of so many vectors: what registers hold, and 8 addresses of rows of A."""
    if _MANY_REGISTERS:
        return 6 if vectors == 4 else 8
    return 6 if vectors == 2 else 8


def tile_columns(dtype: str) -> int:
    """Columns of the widest tile."""
    return MAX_VECTORS * vector_length(dtype)


@functools.cache
def tile_kernel(dtype: str) -> Callable:
    """The tile function of a dtype, for use in Numba code.

    `tile(rows, columns, depth, a, a_row, a_step, b, b_step, init, init_row, c, c_row, relu, packed, ahead,
    ahead_step, ahead_lines)` computes a tile of C.

    - `rows` is any number: they are cut into tiles of `max_rows(vectors)`, and of 4 for what is left. `columns` is at
      most `tile_columns(dtype)`, for a single row at most `ROW_VECTORS * VL`.
    - `depth` is the length of the sum, from 0.
    - `a`, `b`, `init`, `c` are addresses; strides count elements: A[i, k] lies at `i * a_row + k * a_step`, B[k, j] at
      `k * b_step + j`, C[i, j] at `i * c_row + j`.
    - `init` is 0 for sums that start at zero, else the sums start at its elements `i * init_row + j`: C itself
      continues a sum, a bias vector with `init_row` 0 adds the bias.
    - `relu` not 0: the result is max(x, 0), NaN stays NaN.
    - `packed` not 0: where that pays (tiles of full width and height), B is copied there on the way, rows of
      `tile_columns(dtype)` one behind the other, and read from there for all rows but the first.
    - Meanwhile the cache lines at `ahead + k * ahead_step` (bytes) and the following ones, `ahead_lines` of each, are
      fetched into the second-level cache: those of the next block of B, far apart, which no processor foresees.
    - Nothing outside of the tile is read or written, but for B without `MASKED_LOADS` (see there).
    """
    length = vector_length(dtype)

    def tile(builder, *values):
        name = f"layerkit_tile_{dtype}"
        function = builder.module.globals.get(name) or _define_rows(builder.module, name, dtype, length)
        builder.call(function, values)

    return emitted(17, tile)


def _define_rows(module: ir.Module, name: str, dtype: str, length: int) -> ir.Function:
    """The function that cuts rows into tiles; its arguments are those of `tile_kernel`."""
    function = _internal_function(module, name, 17)
    rows, columns, depth, a, a_row, a_step, b, b_step, init, init_row, c, c_row, relu, packed = function.args[:14]
    ahead, ahead_step, ahead_lines = function.args[14:]
    nothing_ahead = [b, I64(0), I64(0)]
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    end, single = function.append_basic_block("end"), function.append_basic_block("single")
    several = function.append_basic_block("several")
    builder.cbranch(builder.icmp_signed("==", rows, I64(1)), single, several)

    builder.position_at_end(single)
    single_body = _define_body(module, dtype, length, 1, ROW_VECTORS, clamped=False)
    builder.call(single_body, [*function.args[:14], *nothing_ahead])
    builder.branch(end)

    builder.position_at_end(several)
    vectors = builder.sdiv(builder.add(columns, I64(length - 1)), I64(length))
    switch = builder.switch(vectors, end)
    for count in range(1, MAX_VECTORS + 1):
        loop, tall, low, following = (
            function.append_basic_block(f"{part}{count}") for part in ("rows", "tall", "low", "following")
        )
        switch.add_case(I64(count), loop)
        builder.position_at_end(loop)
        moving = [rows, a, b, b_step, init, c, I64(0), I64(0)]
        left, a_at, b_at, b_by, init_at, c_at, fetched_rows, line = phis = [builder.phi(I64) for _ in moving]
        height = I64(max_rows(count))
        common = [columns, depth, a_at, a_row, a_step, b_at, b_by, init_at, init_row, c_at, c_row, relu, packed]
        builder.cbranch(builder.icmp_signed(">=", left, height), tall, low)
        builder.position_at_end(tall)
        # A tile fetches one line of each row; of a quarter of the rows where there are tiles enough, at a quarter of
        # the speed, which the memory keeps up with.
        many = builder.icmp_signed(">=", rows, builder.mul(ahead_lines, I64(4 * max_rows(count))))
        shift = builder.select(many, I64(2), I64(0))
        fetching = builder.and_(
            builder.icmp_signed("<", fetched_rows, depth), builder.icmp_signed(">", ahead_lines, I64(0))
        )
        fetched = builder.add(builder.mul(fetched_rows, ahead_step), builder.mul(line, I64(LINE)))
        fetched = [
            builder.select(fetching, builder.add(ahead, fetched), b),
            builder.select(fetching, ahead_step, I64(0)),
            shift,
        ]
        line_next = builder.add(line, I64(1))
        wrapped = builder.icmp_signed(">=", line_next, ahead_lines)
        part = builder.ashr(builder.add(depth, I64(3)), shift)
        fetched_next = builder.select(wrapped, builder.add(fetched_rows, part), fetched_rows)
        line_next = builder.select(wrapped, I64(0), line_next)
        tall_body = _define_body(module, dtype, length, max_rows(count), count, clamped=False)
        b_now, b_by_now = b_at, b_by
        if count == MAX_VECTORS:
            copying = builder.and_(builder.icmp_signed("!=", packed, I64(0)), builder.icmp_signed("!=", packed, b_at))
            with builder.if_else(copying) as (first, others):
                with first:
                    packer = _define_body(module, dtype, length, max_rows(count), count, clamped=False, packing=True)
                    builder.call(packer, [height, *common, *fetched])
                with others:
                    builder.call(tall_body, [height, *common, *fetched])
            b_now = builder.select(copying, packed, b_at)
            b_by_now = builder.select(copying, I64(count * length), b_by)
        else:
            builder.call(tall_body, [height, *common, *fetched])
        tall = builder.block
        builder.branch(following)
        builder.position_at_end(low)
        few = builder.select(builder.icmp_signed("<", left, I64(LOW)), left, I64(LOW))
        builder.call(_define_body(module, dtype, length, LOW, count, clamped=True), [few, *common, *nothing_ahead])
        builder.branch(following)
        builder.position_at_end(following)
        step = builder.phi(I64)
        step.add_incoming(height, tall)
        step.add_incoming(few, low)
        changed = [(b_now, b_at), (b_by_now, b_by), (fetched_next, fetched_rows), (line_next, line)]
        later = []
        for then, unchanged in changed:
            later.append(builder.phi(I64))
            later[-1].add_incoming(then, tall)
            later[-1].add_incoming(unchanged, low)
        b_next, b_by_next, fetched_next, line_next = later
        element = I64(ITEMSIZE[dtype])
        remaining = builder.sub(left, step)
        # An init of 0 says that there is none: it does not move.
        init_step = builder.select(builder.icmp_signed("==", init, I64(0)), I64(0), builder.mul(init_row, element))
        moved = [
            remaining,
            builder.add(a_at, builder.mul(step, builder.mul(a_row, element))),
            b_next,
            b_by_next,
            builder.add(init_at, builder.mul(step, init_step)),
            builder.add(c_at, builder.mul(step, builder.mul(c_row, element))),
            fetched_next,
            line_next,
        ]
        for phi, first, then in zip(phis, moving, moved, strict=True):
            phi.add_incoming(first, several)
            phi.add_incoming(then, following)
        builder.cbranch(builder.icmp_signed(">", remaining, I64(0)), loop, end)
    builder.position_at_end(end)
    builder.ret_void()
    return function


def _internal_function(module: ir.Module, name: str, arguments: int) -> ir.Function:
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * arguments), name)
    function.linkage = "internal"
    function.attributes.add("noinline")  # inlined, several loops would compete for the registers
    return function


def _define_body(
    module: ir.Module, dtype: str, length: int, rows: int, vectors: int, clamped: bool, packing: bool = False
) -> ir.Function:
    """The function of one tile size.

    Its arguments are those of `tile_kernel` up to `packed`, then the address, the step and the binary logarithm of the
    steps of k to each line that is fetched ahead.

    Clamped, it may be given fewer rows: it then computes the last one several times. That costs as much as all the rows
    and no code of its own. Packing, it copies B to `packed` while it computes.
    """
    function = _internal_function(module, f"layerkit_tile_{dtype}_{rows}x{vectors}{'_packing' * packing}", 17)
    given_rows, columns, depth, a, a_row, a_step, b, b_step, init, init_row, c, c_row, relu = function.args[:13]
    packed, ahead, ahead_step, ahead_shift = function.args[13:]
    block = _Tile(ir.IRBuilder(function.append_basic_block("entry")), dtype, length, rows, vectors, columns)
    builder = block.builder
    block.row_numbers = [I64(i) for i in range(rows)]
    if clamped:
        last = builder.sub(given_rows, I64(1))
        block.row_numbers = [
            builder.select(builder.icmp_signed("<", number, last), number, last) for number in block.row_numbers
        ]
    start = block.load_init(init, init_row)
    a_rows = block.row_pointers(a, a_row)
    entry = builder.block
    loop, store = function.append_basic_block("depth"), function.append_basic_block("store")
    builder.cbranch(builder.icmp_signed(">", depth, I64(0)), loop, store)

    builder.position_at_end(loop)
    k, a_at, b_at, packed_at = (builder.phi(I64) for _ in range(4))
    sums = [[builder.phi(block.type) for _ in range(vectors)] for _ in range(rows)]
    # A tile of one vector is bound by loads, and the processor foresees so few lines.
    if vectors > 1:
        block.prefetch_row(builder.add(b_at, builder.mul(b_step, I64(PREFETCH * ITEMSIZE[dtype]))))
    if rows > LOW and vectors > 1:
        ahead_row = builder.lshr(builder.sub(depth, k), ahead_shift)
        block.prefetch(builder.add(ahead, builder.mul(ahead_row, ahead_step)), SECOND_LEVEL)
    b_row = block.load_b(b_at)
    if packing:
        block.store_packed(b_row, packed_at)
    added = []
    for i in range(rows):
        spread = block.splat(builder.load(builder.gep(a_rows[i], [a_at])))
        added.append([block.fma(spread, b_row[j], sums[i][j]) for j in range(vectors)])
    following = builder.sub(k, I64(1))
    steps = [
        (k, depth, following),
        (a_at, I64(0), builder.add(a_at, a_step)),
        (b_at, b, builder.add(b_at, builder.mul(b_step, I64(ITEMSIZE[dtype])))),
        (packed_at, packed, builder.add(packed_at, I64(vectors * length * ITEMSIZE[dtype]))),
    ]
    for phi, first, then in steps:
        phi.add_incoming(first, entry)
        phi.add_incoming(then, loop)
    for i in range(rows):
        for j in range(vectors):
            sums[i][j].add_incoming(start[i][j], entry)
            sums[i][j].add_incoming(added[i][j], loop)
    builder.cbranch(builder.icmp_signed("!=", following, I64(0)), loop, store)

    builder.position_at_end(store)
    results = []
    for i in range(rows):
        results.append([builder.phi(block.type) for _ in range(vectors)])
        for j in range(vectors):
            results[i][j].add_incoming(start[i][j], entry)
            results[i][j].add_incoming(added[i][j], loop)
    block.store_results(results, c, c_row, relu)
    builder.ret_void()
    return function


class _Tile(Lanes):
    """Emits the pieces of one tile's code."""

    def __init__(
        self, builder: ir.IRBuilder, dtype: str, length: int, rows: int, vectors: int, columns: ir.Value
    ) -> None:
        super().__init__(builder, dtype)
        self.rows, self.vectors = rows, vectors
        self.row_numbers: list[ir.Value] = []
        # The wide tile of one row may end in several vectors that are cut or empty.
        first_cut = vectors - 1 if vectors <= MAX_VECTORS else 0
        self.masks = {j: self.mask(builder.sub(columns, I64(j * length))) for j in range(first_cut, vectors)}

    def row_pointers(self, address: ir.Value, stride: ir.Value) -> list[ir.Value]:
        """Pointers to the starts of the tile's rows."""
        start = self.pointer(address)
        return [self.builder.gep(start, [self.builder.mul(stride, number)]) for number in self.row_numbers]

    def _at(self, pointer: ir.Value, j: int) -> ir.Value:
        return self.builder.gep(pointer, [I64(j * self.count)])

    def _load_cut(self, pointer: ir.Value, j: int) -> ir.Value:
        """Vector j behind a pointer, zero in the lanes behind the last column."""
        return self.load(self._at(pointer, j), self.masks.get(j))

    def load_b(self, address: ir.Value) -> list[ir.Value]:
        """A row of B."""
        pointer = self.pointer(address)
        if MASKED_LOADS or self.vectors > MAX_VECTORS:
            return [self._load_cut(pointer, j) for j in range(self.vectors)]
        return [self.load(self._at(pointer, j)) for j in range(self.vectors)]

    def prefetch(self, address: ir.Value, level: int) -> None:
        """Ask for a cache line ahead of its use."""
        pointer = self.builder.inttoptr(address, I8.as_pointer())
        function = declared(self.builder.module, "llvm.prefetch.p0", ir.VoidType(), [pointer.type, I32, I32, I32])
        reading, data = I32(0), I32(1)
        self.builder.call(function, [pointer, reading, I32(level), data])

    def prefetch_row(self, address: ir.Value) -> None:
        """Ask for a row of B."""
        for offset in range(0, self.vectors * self.count * self.align, LINE):
            self.prefetch(self.builder.add(address, I64(offset)), FIRST_LEVEL)

    def store_packed(self, b_row: list[ir.Value], address: ir.Value) -> None:
        """Keep a row of B."""
        for j, value in enumerate(b_row):
            self.store(value, self._at(self.pointer(address), j))

    def load_init(self, init: ir.Value, init_row: ir.Value) -> list[list[ir.Value]]:
        """What the sums start with: zeros, or what lies at `init`."""
        builder = self.builder
        entry, given, begin = builder.block, builder.append_basic_block("given"), builder.append_basic_block("begin")
        builder.cbranch(builder.icmp_signed("!=", init, I64(0)), given, begin)
        builder.position_at_end(given)
        loaded = []
        for pointer in self.row_pointers(init, init_row):
            loaded.append([self._load_cut(pointer, j) for j in range(self.vectors)])
        builder.branch(begin)
        builder.position_at_end(begin)
        start = []
        for i in range(self.rows):
            start.append([builder.phi(self.type) for _ in range(self.vectors)])
            for j in range(self.vectors):
                start[i][j].add_incoming(self.zero, entry)
                start[i][j].add_incoming(loaded[i][j], given)
        return start

    def store_results(self, results: list[list[ir.Value]], c: ir.Value, c_row: ir.Value, relu: ir.Value) -> None:
        """Apply the activation and write the tile."""
        builder = self.builder
        # The bound is -infinity without relu: comparing is cheaper than a branch around the sums. NaN fails the
        # comparison and stays.
        bound = builder.select(builder.icmp_signed("!=", relu, I64(0)), self.zero, self.constant(float("-inf")))
        for i, pointer in enumerate(self.row_pointers(c, c_row)):
            for j, value in enumerate(results[i]):
                value = builder.select(builder.fcmp_ordered("<", value, bound), bound, value)
                self.store(value, self._at(pointer, j), self.masks.get(j))
