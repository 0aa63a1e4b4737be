"""Matrix product: C[..., M, N] = activation(A[..., M, K] @ B[..., K, N] + bias[N]).

`matmul_launch` decides what is launched with which arguments; the arithmetic is the microkernel's.
"""

from __future__ import annotations

from collections.abc import Callable

from layerkit.kernels.abi import POINTERS, inline, vector_length
from layerkit.kernels.dot import dot_kernel
from layerkit.kernels.microkernel import ITEMSIZE, MASKED_LOADS, ROW_VECTORS, tile_columns, tile_kernel
from layerkit.kernels.packing import block_transposer


@inline
def batch_offsets(args, at, batch):
    """Offsets, in elements, of A, B and C of one index of the batch.

    args[at] counts the axes; size and three strides of each follow.
    """
    a = b = c = 0
    for axis in range(args[at] - 1, -1, -1):
        row = at + 1 + 4 * axis
        size = args[row]
        i = batch % size
        batch //= size
        a += i * args[row + 1]
        b += i * args[row + 2]
        c += i * args[row + 3]
    return a, b, c


def panels(dtype: str) -> Callable:
    """The kernel of products by panels of B: blocks of columns that are packed where that pays.

    Arguments: A, B, C, bias or 0, scratch, bytes of it per worker, M, N, K, strides of A (row, k), strides of B (k,
    column), row stride of C, relu, rows of a unit, rows of a block of A, columns of which panels are multiples,
    panels, depth of a block of B, whether to pack a B that can be read in place, axes of the batch (see `batch_offsets`). Units:
    batch x blocks of A x panels x units of rows, the last fastest.
    """
    size, length, width = ITEMSIZE[dtype], vector_length(dtype), tile_columns(dtype)
    row_width = ROW_VECTORS * length
    tile, transpose = tile_kernel(dtype), block_transposer(dtype)
    elements = POINTERS[dtype]
    masked_loads, ahead_lines = MASKED_LOADS, (width * size + 63) // 64

    @inline
    def pack(depth, columns, b, b_step, b_column, packed):
        """Pack B[depth, columns], no wider than a tile."""
        if b_step == 1:
            for k in range(0, depth, length):
                for j in range(0, columns, length):
                    transpose(
                        min(length, columns - j),
                        min(length, depth - k),
                        b + (j * b_column + k) * size,
                        b_column,
                        packed + (k * width + j) * size,
                        width,
                    )
        else:
            source, target = elements(b), elements(packed)
            for k in range(depth):
                for j in range(columns):
                    target[k * width + j] = source[k * b_step + j * b_column]

    def kernel(args, lo, hi, worker):
        scratch = args[4] + worker * args[5]
        m, n, depth = args[6], args[7], args[8]
        a_row, a_step, b_step, b_column, c_row = args[9], args[10], args[11], args[12], args[13]
        unit_rows, block_rows, quantum, panel_count, block = args[15], args[16], args[17], args[18], args[19]
        # A cut vector of B is only read in place where a masked load is one instruction.
        packing = b_column != 1 or (not masked_loads and n % length != 0)
        tile_width = row_width if m == 1 and not packing else width
        quanta = (n + quantum - 1) // quantum
        block_units = block_rows // unit_rows
        blocks = (m + block_rows - 1) // block_rows
        units = blocks * block_units * panel_count
        packed = scratch if args[20] != 0 else 0
        while lo < hi:
            batch = lo // units
            block_of_a = (lo - batch * units) // (block_units * panel_count)
            panel = lo // block_units % panel_count
            row_unit = lo % block_units
            run = min(hi - lo, block_units - row_unit)
            lo += run
            row = block_of_a * block_rows + row_unit * unit_rows
            rows = min(m - row, run * unit_rows)
            if rows <= 0:
                continue
            a_offset, b_offset, c_offset = batch_offsets(args, 21, batch)
            a = args[0] + (a_offset + row * a_row) * size
            c = args[2] + (c_offset + row * c_row) * size
            b = args[1] + b_offset * size
            column = panel * quanta // panel_count * quantum
            end = min(n, (panel + 1) * quanta // panel_count * quantum)
            while column < end:
                columns = min(tile_width, end - column)
                done = 0
                while True:
                    part = min(block, depth - done)
                    at = b + (done * b_step + column * b_column) * size
                    step = b_step
                    if packing:
                        pack(part, columns, at, b_step, b_column, scratch)
                        at, step = scratch, width
                    target = c + column * size
                    init, init_row = target, c_row
                    if done == 0:
                        init, init_row = (args[3] + column * size if args[3] != 0 else 0), 0
                    last = done + part == depth
                    following = (column + columns) * b_column if last else (done + part) * b_step + column * b_column
                    tile(
                        rows, columns, part, a + done * a_step * size, a_row, a_step, at, step,
                        init, init_row, target, c_row, args[14] if last else 0, packed,
                        b + following * size, b_step * size, ahead_lines if b_column == 1 else 0,
                    )  # fmt: skip
                    done += part
                    if done >= depth:
                        break
                column += columns

    return kernel


def rows_times_vector(dtype: str) -> Callable:
    """The kernel of C[..., r] = activation(sum_k W[..., r, k] * x[..., k] + bias), with contiguous k in W.

    Arguments: W, x, C, bias or 0, scratch, bytes of it per worker, R, K, row stride of W, stride of x, stride of the
    bias, relu, rows of a unit, axes of the batch (of W, x and C; see `batch_offsets`). Units: batch x blocks of rows.
    """
    size = ITEMSIZE[dtype]
    dots = dot_kernel(dtype)
    elements = POINTERS[dtype]

    def kernel(args, lo, hi, worker):
        scratch = args[4] + worker * args[5]
        count, depth, w_row, x_step, unit_rows = args[6], args[7], args[8], args[9], args[12]
        row_units = (count + unit_rows - 1) // unit_rows
        while lo < hi:
            batch = lo // row_units
            row_unit = lo - batch * row_units
            run = min(hi - lo, row_units - row_unit)
            lo += run
            w_offset, x_offset, c_offset = batch_offsets(args, 13, batch)
            x = args[1] + x_offset * size
            if x_step != 1:
                source, target = elements(x), elements(scratch)
                for k in range(depth):
                    target[k] = source[k * x_step]
                x = scratch
            row = row_unit * unit_rows
            rows = min(count - row, run * unit_rows)
            bias = args[3] + row * args[10] * size if args[3] != 0 else 0
            w = args[0] + (w_offset + row * w_row) * size
            dots(rows, depth, w, w_row, x, bias, args[10], args[2] + (c_offset + row) * size, args[11])

    return kernel
