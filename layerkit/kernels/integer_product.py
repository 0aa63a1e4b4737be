"""Sums of products of integers and of truth values: plain loops, which LLVM vectorises."""

from __future__ import annotations

from collections.abc import Callable

from layerkit.kernels.abi import LLVM_TYPES, POINTERS
from layerkit.kernels.axes import axis_count, axis_offsets


def rows(dtype: str) -> Callable:
    """The kernel of rows of C = A @ B + bias; sums of products of bools are "any of them".

    Arguments: A, B, C, bias or 0, M, N, K, strides of A (row, k), strides of B (k, column), row stride of C, relu, rows
    of a unit, axes of the batch, axes of the sum besides K (see `axis_offsets`). Units: batch x blocks of rows.
    Where B's rows are contiguous, a row of C is a sum of rows of B; where not, each element is summed by itself.
    """
    elements, size = POINTERS[dtype], LLVM_TYPES[dtype].width // 8
    boolean = dtype == "bool"

    def kernel(args, lo, hi, worker):
        count, n, depth = args[4], args[5], args[6]
        a_row, a_step, b_step, b_column, c_row = args[7], args[8], args[9], args[10], args[11]
        relu, unit_rows = args[12], args[13]
        sums = 15 + 4 * args[14]
        sum_count = axis_count(args, sums)
        row_units = (count + unit_rows - 1) // unit_rows
        for unit in range(lo, hi):
            batch = unit // row_units
            first = (unit - batch * row_units) * unit_rows
            a_offset, b_offset, c_offset = axis_offsets(args, 14, batch)
            for row in range(first, min(count, first + unit_rows)):
                c = elements(args[2] + (c_offset + row * c_row) * size)
                if args[3] != 0:
                    bias = elements(args[3])
                    for j in range(n):
                        c[j] = bias[j]
                else:
                    for j in range(n):
                        c[j] = 0
                for summed in range(sum_count):
                    a_sum, b_sum, _ = axis_offsets(args, sums, summed)
                    a = elements(args[0] + (a_offset + a_sum + row * a_row) * size)
                    b_at = args[1] + (b_offset + b_sum) * size
                    if b_column == 1:
                        for k in range(depth):
                            b = elements(b_at + k * b_step * size)
                            factor = a[k * a_step]
                            for j in range(n):
                                if boolean:
                                    c[j] |= factor & b[j]
                                else:
                                    c[j] += factor * b[j]
                    else:
                        for j in range(n):
                            b = elements(b_at + j * b_column * size)
                            total = c[j]
                            for k in range(depth):
                                if boolean:
                                    total |= a[k * a_step] & b[k * b_step]
                                else:
                                    total += a[k * a_step] * b[k * b_step]
                            c[j] = total
                if relu != 0:
                    for j in range(n):
                        if c[j] < 0:
                            c[j] = 0

    return kernel
