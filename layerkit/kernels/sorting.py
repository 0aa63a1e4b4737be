"""Sorting along an axis, the largest of a row, and searching in order. Every kernel is a factory of its dtype.

Elements are compared by integer keys that order as they do (`order_key`), NaN above all. Short rows are sorted by
insertion, long ones by radix: least significant digit first, which is stable, and linear in the row's length.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerkit.kernels.abi import POINTERS, exact, int32_at, select
from layerkit.kernels.indexing import largest_key, order_key
from layerkit.kernels.sorting_keys import KEYS, value_of_key

SEARCH_BLOCK = 64  # elements whose largest key is compared with the least of the k largest so far


@exact
def _load_keys(x, stride, keys, n):
    for i in range(n):
        keys[i] = order_key(x[i * stride])


@exact
def _load_reversed_keys(x, keys, n):
    for i in range(n):
        keys[i] = ~order_key(x[i])


@exact
def _count_up(order, n):
    for i in range(n):
        order[i] = i


@exact
def _insertion_sort(keys, n):
    for i in range(1, n):
        key = keys[i]
        j = i
        while j > 0 and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            j -= 1
        keys[j] = key


@exact
def _insertion_sort_with(keys, order, n):
    for i in range(1, n):
        key, place = keys[i], order[i]
        j = i
        while j > 0 and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            order[j] = order[j - 1]
            j -= 1
        keys[j] = key
        order[j] = place


@exact
def _clear(counts, n):
    for i in range(n):
        counts[i] = 0


@exact
def _count_digits(keys, n, counts, passes, bits, flip):
    """How often each digit comes, for all passes in one reading; pass p counts from p * 2^bits on."""
    mask = (1 << bits) - 1
    for i in range(n):
        key = np.int64(keys[i]) ^ flip
        for digit in range(passes):
            at = (digit << bits) + (key & mask)
            counts[at] += 1
            key >>= bits


@exact
def _starts(counts, size):
    """Counts become the places where each digit's elements begin."""
    total = 0
    for i in range(size):
        count = counts[i]
        counts[i] = total
        total += count


@exact
def _deal(keys, keys_to, n, starts, shift, mask, flip):
    for i in range(n):
        key = keys[i]
        digit = ((np.int64(key) ^ flip) >> shift) & mask
        at = starts[digit]
        starts[digit] = at + 1
        keys_to[at] = key


@exact
def _deal_with(keys, order, keys_to, order_to, n, starts, shift, mask, flip):
    for i in range(n):
        key = keys[i]
        digit = ((np.int64(key) ^ flip) >> shift) & mask
        at = starts[digit]
        starts[digit] = at + 1
        keys_to[at] = key
        order_to[at] = order[i]


def _key_of(dtype: str) -> tuple[Callable, int, int]:
    """The pointer of a dtype's keys, their size, and what makes them order as unsigned numbers do."""
    key = np.dtype(KEYS[dtype])
    return POINTERS[key.name], key.itemsize, -(1 << (8 * key.itemsize - 1)) if key.kind == "i" else 0


def _sorter(dtype: str) -> Callable:
    """Sorts keys that lie at an address; gives the address, of two, where they lie in the end."""
    key_at, size, flip = _key_of(dtype)

    @exact
    def sort(keys, spare, counts, n, bits, short):
        if n <= short:
            _insertion_sort(key_at(keys), n)
            return keys
        passes, radix, mask = -(-8 * size // bits), 1 << bits, (1 << bits) - 1
        _clear(int32_at(counts), passes * radix)
        _count_digits(key_at(keys), n, int32_at(counts), passes, bits, flip)
        for turn in range(passes):
            starts = int32_at(counts + 4 * radix * turn)
            first = ((np.int64(key_at(keys)[0]) ^ flip) >> (bits * turn)) & mask
            if starts[first] == n:
                continue  # all have the same digit
            _starts(starts, radix)
            _deal(key_at(keys), key_at(spare), n, starts, bits * turn, mask, flip)
            keys, spare = spare, keys
        return keys

    return sort


def _order_sorter(dtype: str) -> Callable:
    """As `_sorter`, and moves an int32 with each key; gives the address, of two, where these lie in the end."""
    key_at, size, flip = _key_of(dtype)

    @exact
    def sort(keys, spare, order, order_spare, counts, n, bits, short):
        _count_up(int32_at(order), n)
        if n <= short:
            _insertion_sort_with(key_at(keys), int32_at(order), n)
            return order
        passes, radix, mask = -(-8 * size // bits), 1 << bits, (1 << bits) - 1
        _clear(int32_at(counts), passes * radix)
        _count_digits(key_at(keys), n, int32_at(counts), passes, bits, flip)
        for turn in range(passes):
            starts = int32_at(counts + 4 * radix * turn)
            first = ((np.int64(key_at(keys)[0]) ^ flip) >> (bits * turn)) & mask
            if starts[first] == n:
                continue
            _starts(starts, radix)
            shift = bits * turn
            _deal_with(
                key_at(keys), int32_at(order), key_at(spare), int32_at(order_spare), n, starts, shift, mask, flip
            )
            keys, spare = spare, keys
            order, order_spare = order_spare, order
        return order

    return sort


def sort_rows(dtype: str) -> Callable:
    """Units: the rows of x [outer, n, inner] along n.

    Arguments: x, out, n, inner, bits of a digit, longest row to be sorted by insertion, scratch (keys, spare keys,
    counts), bytes of it a worker.
    """
    at, (key_at, size, _), sort = POINTERS[dtype], _key_of(dtype), _sorter(dtype)

    def kernel(args, lo, hi, worker):
        n, inner, bits, short = args[2], args[3], args[4], args[5]
        keys = args[6] + worker * args[7]
        spare = keys + size * n
        counts = (spare + size * n + 7) & -8
        for unit in range(lo, hi):
            first = size * (unit // inner * n * inner + unit % inner)
            x, out = at(args[0] + first), at(args[1] + first)
            _load_keys(x, inner, key_at(keys), n)
            ordered = key_at(sort(keys, spare, counts, n, bits, short))
            for i in range(n):
                out[i * inner] = value_of_key(ordered[i], x[0])

    return kernel


def argsort_rows(dtype: str) -> Callable:
    """Units: the rows of x [outer, n, inner] along n; out is int32.

    Arguments: as those of `sort_rows`; scratch: keys, spare keys, order, spare order, counts.
    """
    at, (key_at, size, _), sort = POINTERS[dtype], _key_of(dtype), _order_sorter(dtype)

    def kernel(args, lo, hi, worker):
        n, inner, bits, short = args[2], args[3], args[4], args[5]
        keys = args[6] + worker * args[7]
        spare = keys + size * n
        order = (spare + size * n + 7) & -8
        spare_order = order + 4 * n
        for unit in range(lo, hi):
            first = unit // inner * n * inner + unit % inner
            out = int32_at(args[1] + 4 * first)
            _load_keys(at(args[0] + size * first), inner, key_at(keys), n)
            ordered = int32_at(sort(keys, spare, order, spare_order, spare_order + 4 * n, n, bits, short))
            for i in range(n):
                out[i * inner] = ordered[i]

    return kernel


def top_k_by_sorting(dtype: str) -> Callable:
    """Units: rows. Arguments: x, values, indices (int32), n, k, bits, short, scratch as of `argsort_rows`, its bytes.

    Keys are reversed, so that a stable ascending sort puts the largest first, and of equal ones the first.
    """
    at, (key_at, size, _), sort = POINTERS[dtype], _key_of(dtype), _order_sorter(dtype)

    def kernel(args, lo, hi, worker):
        n, k, bits, short = args[3], args[4], args[5], args[6]
        keys = args[7] + worker * args[8]
        spare = keys + size * n
        order = (spare + size * n + 7) & -8
        spare_order = order + 4 * n
        for unit in range(lo, hi):
            x, values, indices = at(args[0] + size * n * unit), at(args[1] + size * k * unit), int32_at(args[2])
            _load_reversed_keys(x, key_at(keys), n)
            ordered = int32_at(sort(keys, spare, order, spare_order, spare_order + 4 * n, n, bits, short))
            for i in range(k):
                place = ordered[i]
                indices[k * unit + i] = place
                values[i] = x[place]

    return kernel


def top_k_by_selection(dtype: str) -> Callable:
    """Units: rows. Arguments: x, values, indices (int32), n, k, scratch (k keys), its bytes a worker.

    The k largest so far are kept in order. Most blocks of a long row hold nothing larger than the least of them.
    """
    at, (key_at, size, _) = POINTERS[dtype], _key_of(dtype)

    @exact
    def insert(keys, indices, filled, key, place):
        j = filled
        while j > 0 and keys[j - 1] < key:
            keys[j] = keys[j - 1]
            indices[j] = indices[j - 1]
            j -= 1
        keys[j] = key
        indices[j] = place

    def kernel(args, lo, hi, worker):
        n, k = args[3], args[4]
        keys = key_at(args[5] + worker * args[6])
        for unit in range(lo, hi):
            x = at(args[0] + size * n * unit)
            values, indices = at(args[1] + size * k * unit), int32_at(args[2] + 4 * k * unit)
            for i in range(k):
                insert(keys, indices, i, order_key(x[i]), i)
            least = keys[k - 1]
            for first in range(k, n, SEARCH_BLOCK):
                block = at(args[0] + size * (n * unit + first))
                length = min(SEARCH_BLOCK, n - first)
                if largest_key(block, length) > least:
                    for i in range(length):
                        key = order_key(block[i])
                        if key > least:
                            insert(keys, indices, k - 1, key, first + i)
                            least = keys[k - 1]
            for i in range(k):
                values[i] = x[indices[i]]

    return kernel


def search_sorted(dtype: str, right: bool) -> Callable:
    """Units: blocks of values. Arguments: ordered, values, out (int32), n, number of values, block.

    Four values are searched for together, by steps without a branch, so that none waits for the other's memory.
    """
    at, size = POINTERS[dtype], np.dtype(dtype).itemsize

    @exact
    def before(element, key):
        return order_key(element) <= key if right else order_key(element) < key

    @exact
    def search_one(ordered, n, value):
        key, place, left = order_key(value), 0, n
        while left > 0:
            half = (left + 1) // 2
            place = select(before(ordered[place + half - 1], key), place + half, place)
            left -= half
        return place

    @exact
    def search_four(ordered, n, values, out):
        a, b, c, d = order_key(values[0]), order_key(values[1]), order_key(values[2]), order_key(values[3])
        i, j, k, m = 0, 0, 0, 0
        left = n
        while left > 0:
            half = (left + 1) // 2
            middle = half - 1
            i = select(before(ordered[i + middle], a), i + half, i)
            j = select(before(ordered[j + middle], b), j + half, j)
            k = select(before(ordered[k + middle], c), k + half, k)
            m = select(before(ordered[m + middle], d), m + half, m)
            left -= half
        out[0], out[1], out[2], out[3] = i, j, k, m

    def kernel(args, lo, hi, worker):
        ordered, n, last = at(args[0]), args[3], min(hi * args[5], args[4])
        place = lo * args[5]
        while place + 4 <= last:
            search_four(ordered, n, at(args[1] + size * place), int32_at(args[2] + 4 * place))
            place += 4
        values, out = at(args[1]), int32_at(args[2])
        for i in range(place, last):
            out[i] = search_one(ordered, n, values[i])

    return kernel
