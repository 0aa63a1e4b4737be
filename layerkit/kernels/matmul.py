"""Matrix product: C[..., M, N] = activation(A[..., M, K] @ B[..., K, N] + bias[N]).

`matmul_launch` decides what is launched with which arguments; the arithmetic is the microkernel's.
"""

from __future__ import annotations

from collections.abc import Callable

from layerkit.kernels.abi import POINTERS, vector_length
from layerkit.kernels.axes import axis_count, axis_offsets
from layerkit.kernels.dot import dot_kernel
from layerkit.kernels.microkernel import ITEMSIZE, MASKED_LOADS, ROW_VECTORS, tile_columns, tile_kernel
from layerkit.kernels.packing import line_copier, tile_packer


def panels(dtype: str) -> Callable:
    """The kernel of products by panels: blocks of columns of B, which pass by blocks of rows of A.

    Arguments: A, B, C, bias or 0, scratch for a tile's columns of B, bytes of it per worker, M, N, K, strides of A
    (row, k), strides of B (k, column), row stride of C, relu, rows of a unit, rows of a block of A, columns of which
    panels are multiples, panels, length of the parts in which a sum over k is made, whether to pack a B that can be
    read in place, scratch for a part of a block of A or 0, bytes of it per worker, axes of the batch, axes of the sum
    besides K (see `axis_offsets`). Units: batch x blocks of A x panels x units of rows, the last fastest.
    """
    size, length, width = ITEMSIZE[dtype], vector_length(dtype), tile_columns(dtype)
    row_width = ROW_VECTORS * length
    tile, pack_b, copy_lines = tile_kernel(dtype), tile_packer(dtype, width), line_copier(dtype)
    masked_loads, lines = MASKED_LOADS, (width * size + 63) // 64

    def kernel(args, lo, hi, worker):
        b_scratch = args[4] + worker * args[5]
        m, n, depth = args[6], args[7], args[8]
        b_step, b_column, c_row = args[11], args[12], args[13]
        unit_rows, block_rows, quantum, panel_count, longest = args[15], args[16], args[17], args[18], args[19]
        # A cut vector of B is only read in place where a masked load is one instruction.
        pack_before = b_column != 1 or (not masked_loads and n % length != 0)
        pack_on_the_way = b_scratch if args[20] != 0 else 0
        tile_width = row_width if m == 1 and not pack_before else width
        quanta = (n + quantum - 1) // quantum
        block_units = block_rows // unit_rows
        units = (m + block_rows - 1) // block_rows * block_units * panel_count
        sums = 24 + 4 * args[23]
        last_sum = axis_count(args, sums) - 1
        while lo < hi:
            batch = lo // units
            block = (lo - batch * units) // (block_units * panel_count)
            panel = lo // block_units % panel_count
            row_unit = lo % block_units
            # Units that lie side by side are computed as one: rows of a panel, for a single row panels.
            runs = block_units - row_unit if m > 1 else panel_count - panel
            runs = min(runs, hi - lo)
            lo += runs
            row = block * block_rows + row_unit * unit_rows
            rows = min(m - row, runs * unit_rows)
            if rows <= 0:
                continue
            a_offset, b_offset, c_offset = axis_offsets(args, 23, batch)
            first = panel * quanta // panel_count * quantum
            end = min(n, (panel + (1 if m > 1 else runs)) * quanta // panel_count * quantum)
            done = summed = 0
            while True:
                part = min(longest, depth - done)
                last = done + part == depth and summed == last_sum
                a_sum, b_sum, _ = axis_offsets(args, sums, summed)
                a_row, a_step = args[9], args[10]
                a = args[0] + (a_offset + a_sum + row * a_row + done * a_step) * size
                if args[21] != 0:
                    a_scratch = args[21] + worker * args[22]
                    if a_row == 1:
                        copy_lines(part, rows, a, a_step, a_scratch, rows)
                        a_step = rows
                    else:
                        copy_lines(rows, part, a, a_row, a_scratch, part)
                        a_row = part
                    a = a_scratch
                for column in range(first, end, tile_width):
                    columns = min(tile_width, end - column)
                    at = b = args[1] + (b_offset + b_sum + done * b_step + column * b_column) * size
                    step = b_step
                    if pack_before:
                        pack_b(part, columns, b, b_step, b_column, b_scratch)
                        at, step = b_scratch, width
                    c = args[2] + (c_offset + row * c_row + column) * size
                    init, init_row = c, c_row
                    if done == 0 and summed == 0:
                        init, init_row = (args[3] + column * size if args[3] != 0 else 0), 0
                    following = columns
                    if column + columns >= end and not last:
                        following = part * b_step + first - column
                    tile(
                        rows, columns, part, a, a_row, a_step, at, step, init, init_row, c, c_row,
                        args[14] if last else 0, pack_on_the_way,
                        b + following * size, b_step * size, 0 if pack_before else lines,
                    )  # fmt: skip
                if last:
                    break
                done += part
                if done == depth:
                    done = 0
                    summed += 1

    return kernel


def rows_times_vector(dtype: str) -> Callable:
    """The kernel of C[..., r] = activation(sum_k W[..., r, k] * x[..., k] + bias), with contiguous k in W.

    Arguments: W, x, C, bias or 0, scratch, bytes of it per worker, R, K, row stride of W, stride of x, relu,
    rows of a unit, axes of the batch (of W, x and C; see `axis_offsets`). Units: batch x blocks of rows.
    """
    size = ITEMSIZE[dtype]
    dots = dot_kernel(dtype)
    elements = POINTERS[dtype]

    def kernel(args, lo, hi, worker):
        scratch = args[4] + worker * args[5]
        count, depth, w_row, x_step, relu, unit_rows = args[6], args[7], args[8], args[9], args[10], args[11]
        row_units = (count + unit_rows - 1) // unit_rows
        while lo < hi:
            batch = lo // row_units
            row_unit = lo - batch * row_units
            run = min(hi - lo, row_units - row_unit)
            lo += run
            w_offset, x_offset, c_offset = axis_offsets(args, 12, batch)
            x = args[1] + x_offset * size
            if x_step != 1:
                source, target = elements(x), elements(scratch)
                for k in range(depth):
                    target[k] = source[k * x_step]
                x = scratch
            row = row_unit * unit_rows
            rows = min(count - row, run * unit_rows)
            w = args[0] + (w_offset + row * w_row) * size
            dots(rows, depth, w, w_row, x, args[3], args[2] + (c_offset + row) * size, relu)

    return kernel
