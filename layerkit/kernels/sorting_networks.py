"""Many rows sorted at once, one in each lane of a vector: a network compares the same places of all of them.

The network is Batcher's odd-even merge sort (K. E. Batcher, "Sorting networks and their applications", 1968), for rows
of any length. It has no branches that depend on the elements.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.abi import POINTERS, exact, int32_at
from layerkit.kernels.indexing import order_key
from layerkit.kernels.sorting_keys import KEYS, value_of_key

LANES = 16


def _exchange(bits: int, signed: bool, with_order: bool) -> Callable:
    """Put the smaller keys of two vectors at the first address; with their places, of equal keys the first place."""
    vector = ir.VectorType(ir.IntType(bits), LANES)
    places = ir.VectorType(ir.IntType(32), LANES)

    def swap(builder, kind, smaller, a, b, first, second):
        for value, address in ((builder.select(smaller, b, a), first), (builder.select(smaller, a, b), second)):
            builder.store(value, builder.inttoptr(address, kind.as_pointer()), align=4)

    def load(builder, kind, address):
        return builder.load(builder.inttoptr(address, kind.as_pointer()), align=4)

    def less(builder, a, b):
        return (builder.icmp_signed if signed else builder.icmp_unsigned)("<", a, b)

    @intrinsic
    def exchange(typing, first, second, place, other_place):
        def codegen(context, builder, signature, values):
            a, b = (load(builder, vector, address) for address in values[:2])
            swap(builder, vector, less(builder, b, a), a, b, *values[:2])
            return context.get_dummy_value()

        return types.void(*(types.intp,) * 4), codegen

    @intrinsic
    def exchange_with(typing, first, second, place, other_place):
        def codegen(context, builder, signature, values):
            a, b = (load(builder, vector, address) for address in values[:2])
            p, q = (load(builder, places, address) for address in values[2:])
            tie = builder.and_(builder.icmp_signed("==", a, b), builder.icmp_signed("<", q, p))
            smaller = builder.or_(less(builder, b, a), tie)
            swap(builder, vector, smaller, a, b, *values[:2])
            swap(builder, places, smaller, p, q, *values[2:])
            return context.get_dummy_value()

        return types.void(*(types.intp,) * 4), codegen

    return exchange_with if with_order else exchange


def _network(dtype: str, with_order: bool) -> Callable:
    """Sorts the lanes of keys [n, LANES] at an address, and moves int32 places [n, LANES] with them."""
    key = np.dtype(KEYS[dtype])
    line = LANES * key.itemsize
    exchange = _exchange(8 * key.itemsize, key.kind == "i", with_order)

    @exact
    def sort(keys, order, n):
        p, double = 1, 1  # sorted runs of p are merged to runs of 2^double
        while p < n:
            k = p
            while k >= 1:
                for j in range(k % p, n - k, 2 * k):
                    if j >> double != (j + k) >> double:
                        continue  # the end of one run and the start of the next
                    for i in range(j, min(j + k, n - k)):
                        place, other = order + 4 * LANES * i, order + 4 * LANES * (i + k)
                        exchange(keys + line * i, keys + line * (i + k), place, other)
                k >>= 1
            p <<= 1
            double += 1

    return sort


def sort_lanes(dtype: str) -> Callable:
    """Units: blocks of LANES rows of x [outer, n, inner] along n.

    Arguments: x, out, rows, n, inner, scratch (keys [n, LANES]), bytes of it a worker.
    """
    at, key_at, size = POINTERS[dtype], POINTERS[KEYS[dtype]], np.dtype(dtype).itemsize
    sort = _network(dtype, with_order=False)

    def kernel(args, lo, hi, worker):
        rows, n, inner, scratch = args[2], args[3], args[4], args[5] + worker * args[6]
        keys = key_at(scratch)
        for unit in range(lo, hi):
            first, count = unit * LANES, min(LANES, rows - unit * LANES)
            for lane in range(count):
                row = first + lane
                x = at(args[0] + size * (row // inner * n * inner + row % inner))
                for i in range(n):
                    keys[i * LANES + lane] = order_key(x[i * inner])
            sort(scratch, scratch, n)
            for lane in range(count):
                row = first + lane
                out = at(args[1] + size * (row // inner * n * inner + row % inner))
                for i in range(n):
                    out[i * inner] = value_of_key(keys[i * LANES + lane], out[0])

    return kernel


def argsort_lanes(dtype: str) -> Callable:
    """As `sort_lanes`, where out has the int32 places; scratch: places [n, LANES], then keys."""
    at, key_at, size = POINTERS[dtype], POINTERS[KEYS[dtype]], np.dtype(dtype).itemsize
    sort = _network(dtype, with_order=True)

    def kernel(args, lo, hi, worker):
        rows, n, inner, scratch = args[2], args[3], args[4], args[5] + worker * args[6]
        order, keys = int32_at(scratch), key_at(scratch + 4 * LANES * n)
        for unit in range(lo, hi):
            first, count = unit * LANES, min(LANES, rows - unit * LANES)
            for i in range(n):
                for lane in range(LANES):
                    order[i * LANES + lane] = i
            for lane in range(count):
                row = first + lane
                x = at(args[0] + size * (row // inner * n * inner + row % inner))
                for i in range(n):
                    keys[i * LANES + lane] = order_key(x[i * inner])
            sort(scratch + 4 * LANES * n, scratch, n)
            for lane in range(count):
                row = first + lane
                out = int32_at(args[1] + 4 * (row // inner * n * inner + row % inner))
                for i in range(n):
                    out[i * inner] = order[i * LANES + lane]

    return kernel
