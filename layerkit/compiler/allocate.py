"""Allocation: buffers that do not live at the same time share memory in one arena."""

from __future__ import annotations

from bisect import insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from operator import itemgetter

ALIGNMENT = 64


@dataclass
class Lifetime:
    """A buffer's size, and the first and last instruction that touch it."""

    buffer: Hashable
    nbytes: int
    first: int
    last: int


def allocate(lifetimes: Sequence[Lifetime]) -> tuple[dict[Hashable, int], int]:
    """The offset of each buffer in the arena, and the arena's size in bytes.

    The largest is placed first, each at the lowest place that is free while it lives ("greedy by size", Pisarchyk and
    Lee, Efficient Memory Management for Deep Neural Net Inference, 2020).

    >>> allocate([Lifetime("a", 100, 0, 1), Lifetime("b", 100, 2, 3)])
    ({'a': 0, 'b': 0}, 128)
    """
    offsets: dict[Hashable, int] = {}
    placed: list[tuple[int, int, Lifetime]] = []
    total = 0
    for life in sorted(lifetimes, key=lambda one: (-one.nbytes, one.first)):
        size = -(-max(life.nbytes, 1) // ALIGNMENT) * ALIGNMENT
        at = 0
        for start, end, other in placed:
            if other.last < life.first or life.last < other.first:
                continue
            if start >= at + size:
                break
            at = max(at, end)
        offsets[life.buffer] = at
        insort(placed, (at, at + size, life), key=itemgetter(0))
        total = max(total, at + size)
    return offsets, total
