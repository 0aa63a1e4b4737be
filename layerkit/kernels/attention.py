"""Attention by tiles: softmax(scale * Q K^T) V for each head, without the matrix of scores in memory.

The scores of a block of queries and a tile of keys stay in the cache. A row's sum of exponentials and its output are
kept relative to the largest score so far and scaled again when a larger one comes (Milakov and Gimelshein,
arXiv:1805.02867; Dao et al., arXiv:2205.14135). For the gradient the logarithm of the sum is kept for each row, and the
scores are computed again.

Queries, keys, values and outputs are contiguous [N, length, heads, size], the logarithms [N, heads, T]. Rows of Q, of
all three products' left operands, pass by tiles of the microkernel; a tile of keys is packed once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerkit.kernels import vector_math
from layerkit.kernels.abi import POINTERS, exact, float64_from_bits, inline, uint8_at, vector_length
from layerkit.kernels.lanes import clear
from layerkit.kernels.microkernel import ITEMSIZE, MASKED_LOADS, tile_columns, tile_kernel
from layerkit.kernels.packing import line_copier, tile_packer
from layerkit.kernels.scalar import maximum

TILES = 2
"""Tiles of the microkernel's widest rows that make a tile of keys."""


def _masked(dtype: str) -> np.floating:
    """What a score is that does not count."""
    return np.dtype(dtype).type(-0.7 * np.finfo(dtype).max)


def _products(dtype: str) -> tuple[Callable, Callable]:
    """What multiplies: by the transpose of rows, and by rows."""
    size, width, length = ITEMSIZE[dtype], tile_columns(dtype), vector_length(dtype)
    tile, pack, in_place = tile_kernel(dtype), tile_packer(dtype, width), MASKED_LOADS

    @inline
    def pack_rows(b, b_row, count, depth, packed):
        """Rows [count, depth] as columns of panels, one panel behind the other."""
        for column in range(0, count, width):
            columns = min(width, count - column)
            pack(depth, columns, b + column * b_row * size, 1, b_row, packed + column * depth * size)

    @inline
    def times_packed(rows, count, depth, a, a_row, packed, c, c_row):
        """C[rows, count] = A[rows, depth] @ the packed panels."""
        for column in range(0, count, width):
            columns = min(width, count - column)
            at = packed + column * depth * size
            to = c + column * size
            tile(rows, columns, depth, a, a_row, 1, at, width, 0, 0, to, c_row, 0, 0, at, 0, 0)

    @inline
    def add_product(rows, count, depth, a, a_row, a_step, b, b_row, add, c, c_row, scratch):
        """C[rows, count] (+)= A[rows, depth] @ B[depth, count], with A by strides and B by rows."""
        for column in range(0, count, width):
            columns = min(width, count - column)
            at, step, to = b + column * size, b_row, c + column * size
            if not in_place and columns % length != 0:
                pack(depth, columns, at, b_row, 1, scratch)
                at, step = scratch, width
            init = to if add else 0
            tile(rows, columns, depth, a, a_row, a_step, at, step, init, c_row, to, c_row, 0, 0, at, 0, 0)

    return pack_rows, times_packed, add_product


def _scoring(dtype: str) -> Callable:
    """What scales a row of scores and masks them."""
    masked = _masked(dtype)

    @exact
    def score(s, count, visible, scale, mask, mask_step):
        """Scale and mask `count` scores, of which only the first `visible` count in any case."""
        allowed = uint8_at(mask)
        for j in range(count):
            s[j] = s[j] * scale if allowed[j * mask_step] != 0 else masked
        for j in range(visible, count):
            s[j] = masked

    return score


def attention(dtype: str) -> Callable:
    """The kernel of the output and of the rows' logarithms of sums.

    Arguments: Q, K, V, the mask or 0, out, logarithms, scratch, bytes of it per worker, heads, T, S, D (of queries and
    keys), E (of values), the bits of the scale as float64, whether it is causal, strides of the mask (batch, head, row,
    column), queries of a block. Units: batch x heads x blocks.
    """
    size, width = ITEMSIZE[dtype], tile_columns(dtype)
    keys = TILES * width
    at, number = POINTERS[dtype], np.dtype(dtype).type
    exp, log = getattr(vector_math, f"exp_{dtype}"), getattr(vector_math, f"log_{dtype}")
    pack_rows, times_packed, add_product = _products(dtype)
    score, copy = _scoring(dtype), line_copier(dtype)
    one, lowest = number(1), number(-np.inf)

    @inline
    def largest(s, count, factor):
        top = lowest
        for j in range(count):
            top = maximum(top, s[j] * factor)
        return top

    @inline
    def exponentials(s, count, factor, top):
        total = number(0)
        for j in range(count):
            y = exp(s[j] * factor - top)
            s[j] = y
            total += y
        return total

    @inline
    def scaled(x, y, count, factor):
        for j in range(count):
            y[j] = x[j] * factor

    def kernel(args, lo, hi, worker):
        heads, length, reach, depth, values = args[8], args[9], args[10], args[11], args[12]
        scale, causal, block = number(float64_from_bits(args[13])), args[14], args[19]
        packed = args[6] + worker * args[7]
        spare = packed + keys * depth * size
        scores = spare + keys * width * size
        tops, sums = at(scores + block * keys * size), at(scores + block * (keys + 1) * size)
        # Copies without the other heads between the rows, which a power of two apart share few places of a cache.
        queries = scores + block * (keys + 2) * size
        rows_of_v = queries + block * depth * size
        mean = rows_of_v + keys * values * size
        blocks = (length + block - 1) // block
        q_row, v_row = heads * depth, heads * values
        for unit in range(lo, hi):
            first = unit % blocks * block
            head, batch = unit // blocks % heads, unit // (blocks * heads)
            rows = min(block, length - first)
            q = args[0] + ((batch * length + first) * heads + head) * depth * size
            k = args[1] + (batch * reach * heads + head) * depth * size
            v = args[2] + (batch * reach * heads + head) * values * size
            out = args[4] + ((batch * length + first) * heads + head) * values * size
            mask = 0
            if args[3] != 0:
                mask = args[3] + batch * args[15] + head * args[16] + first * args[17]
            if reach == 0:
                for i in range(rows):
                    clear(out + i * v_row * size, values * size)
                continue
            limit = reach
            if causal != 0 and mask == 0:
                limit = min(reach, first + rows)
            copy(rows, depth, q, q_row, queries, depth)
            for start in range(0, limit, keys):
                count = min(keys, limit - start)
                pack_rows(k + start * q_row * size, q_row, count, depth, packed)
                copy(count, values, v + start * v_row * size, v_row, rows_of_v, values)
                times_packed(rows, count, depth, queries, depth, packed, scores, keys)
                for i in range(rows):
                    s = at(scores + i * keys * size)
                    visible = count
                    if causal != 0:
                        visible = max(0, min(count, first + i + 1 - start))
                    factor = scale
                    if mask != 0:
                        score(s, count, visible, scale, mask + i * args[17] + start * args[18], args[18])
                        visible, factor = count, one
                    before = tops[i] if start > 0 else lowest
                    if visible == 0:
                        clear(scores + i * keys * size, count * size)
                        continue
                    top = maximum(before, largest(s, visible, factor))
                    total = exponentials(s, visible, factor, top)
                    clear(scores + (i * keys + visible) * size, (count - visible) * size)
                    if start > 0:
                        shrink = exp(before - top)
                        total += sums[i] * shrink
                        if before != top:
                            scaled(at(mean + i * values * size), at(mean + i * values * size), values, shrink)
                    tops[i] = top
                    sums[i] = total
                add_product(rows, values, count, scores, keys, 1, rows_of_v, values, start > 0, mean, values, spare)
            logs = at(args[5] + ((batch * heads + head) * length + first) * size)
            for i in range(rows):
                logs[i] = tops[i] + log(sums[i])
            for i in range(rows):
                scaled(at(mean + i * values * size), at(out + i * v_row * size), values, one / sums[i])

    return kernel


def attention_gradient(dtype: str) -> Callable:
    """The kernel of the gradients of queries, keys and values.

    Arguments: Q, K, V, the mask or 0, out, logarithms, the gradient of out, those of Q, K and V, scratch, bytes of it
    per worker, heads, T, S, D, E, the bits of the scale, whether it is causal, strides of the mask, queries of a block.
    Units: batch x heads.
    """
    size, width = ITEMSIZE[dtype], tile_columns(dtype)
    keys = TILES * width
    at, number = POINTERS[dtype], np.dtype(dtype).type
    exp, log = getattr(vector_math, f"exp_{dtype}"), getattr(vector_math, f"log_{dtype}")
    masked = _masked(dtype)
    pack_rows, times_packed, add_product = _products(dtype)
    score, copy = _scoring(dtype), line_copier(dtype)

    @inline
    def inner(x, y, count):
        total = number(0)
        for j in range(count):
            total += x[j] * y[j]
        return total

    @inline
    def slopes(s, d, count, factor, log_sum, delta, scale):
        """In place: scores become shares, their gradients by shares those by products of queries and keys."""
        for j in range(count):
            share = exp(s[j] * factor - log_sum)
            s[j] = share
            d[j] = share * (d[j] - delta) * scale

    def kernel(args, lo, hi, worker):
        heads, length, reach, depth, values = args[12], args[13], args[14], args[15], args[16]
        scale, causal, block = number(float64_from_bits(args[17])), args[18], args[23]
        packed_k = args[10] + worker * args[11]
        packed_v = packed_k + keys * depth * size
        spare = packed_v + keys * values * size
        scores = spare + max(keys, block) * width * size
        others = scores + block * keys * size
        queries = others + block * keys * size
        slope = queries + block * depth * size
        rows_of_k = slope + block * values * size
        sum_k = rows_of_k + keys * depth * size
        sum_v = sum_k + keys * depth * size
        deltas = at(sum_v + keys * values * size)
        q_row, v_row = heads * depth, heads * values
        for unit in range(lo, hi):
            head, batch = unit % heads, unit // heads
            of_q, of_k = (batch * length * heads + head) * depth * size, (batch * reach * heads + head) * depth * size
            of_v = (batch * reach * heads + head) * values * size
            of_out = (batch * length * heads + head) * values * size
            logs = at(args[5] + unit * length * size)
            for i in range(length):
                g = at(args[6] + of_out + i * v_row * size)
                deltas[i] = inner(g, at(args[4] + of_out + i * v_row * size), values)
            mask = 0
            if args[3] != 0:
                mask = args[3] + batch * args[19] + head * args[20]
            if reach == 0:
                for i in range(length):
                    clear(args[7] + of_q + i * q_row * size, depth * size)
            if length == 0:
                for i in range(reach):
                    clear(args[8] + of_k + i * q_row * size, depth * size)
                    clear(args[9] + of_v + i * v_row * size, values * size)
                continue
            for start in range(0, reach, keys):
                count = min(keys, reach - start)
                k, v = args[1] + of_k + start * q_row * size, args[2] + of_v + start * v_row * size
                gk, gv = args[8] + of_k + start * q_row * size, args[9] + of_v + start * v_row * size
                pack_rows(k, q_row, count, depth, packed_k)
                pack_rows(v, v_row, count, values, packed_v)
                copy(count, depth, k, q_row, rows_of_k, depth)
                begin = 0
                if causal != 0 and mask == 0:
                    begin = min(start // block, (length - 1) // block)
                for part in range(begin, (length + block - 1) // block):
                    first = part * block
                    rows = min(block, length - first)
                    q, g = args[0] + of_q + first * q_row * size, args[6] + of_out + first * v_row * size
                    copy(rows, depth, q, q_row, queries, depth)
                    copy(rows, values, g, v_row, slope, values)
                    times_packed(rows, count, depth, queries, depth, packed_k, scores, keys)
                    times_packed(rows, count, values, slope, values, packed_v, others, keys)
                    for i in range(rows):
                        s, d = at(scores + i * keys * size), at(others + i * keys * size)
                        visible = count
                        if causal != 0:
                            visible = max(0, min(count, first + i + 1 - start))
                        here, shares, factor = 0, visible, scale
                        if mask != 0:
                            here = mask + (first + i) * args[21] + start * args[22]
                            score(s, count, visible, scale, here, args[22])
                            shares, factor = count, number(1)
                        log_sum = logs[first + i]
                        if log_sum <= masked:  # of a row of which nothing counts the sum is lost in rounding
                            clear(scores + i * keys * size, count * size)
                            log_sum = log(number(reach))
                        slopes(s, d, shares, factor, log_sum, deltas[first + i], scale)
                        if mask != 0:
                            allowed = uint8_at(here)
                            for j in range(count):
                                d[j] = d[j] if allowed[j * args[22]] != 0 else number(0)
                        clear(scores + (i * keys + shares) * size, (count - shares) * size)
                        clear(others + (i * keys + visible) * size, (count - visible) * size)
                    gq = args[7] + of_q + first * q_row * size
                    more = part > begin
                    add_product(rows, depth, count, others, keys, 1, rows_of_k, depth, start > 0, gq, q_row, spare)
                    add_product(count, depth, rows, others, 1, keys, queries, depth, more, sum_k, depth, spare)
                    add_product(count, values, rows, scores, 1, keys, slope, values, more, sum_v, values, spare)
                copy(count, depth, sum_k, depth, gk, q_row)
                copy(count, values, sum_v, values, gv, v_row)

    return kernel
